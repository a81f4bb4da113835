-- What a PostgreSQL store keeps, and what it does for one trip. {schema}, {slices}, {kept} and {newest} are filled in.
-- Functions carry the version in their names, so that a release finds its own beside those of the next. One that alters tables locks them first, in
-- the order in which messages use them: notes, entries, times, slices, turns.
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.version (version integer NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.times (
  key text NOT NULL, at double precision NOT NULL, token text NOT NULL, until double precision NOT NULL, PRIMARY KEY (key, at, token)
);
CREATE TABLE IF NOT EXISTS {schema}.slices (
  key text NOT NULL, slice bigint NOT NULL, number integer NOT NULL, until double precision NOT NULL, PRIMARY KEY (key, slice)
);
CREATE TABLE IF NOT EXISTS {schema}.entries (
  key text PRIMARY KEY, fingerprint text NOT NULL, token text NOT NULL, answer text, turn double precision NOT NULL,
  lease double precision NOT NULL, until double precision NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}.notes (key text PRIMARY KEY, text text NOT NULL, until double precision NOT NULL);
CREATE TABLE IF NOT EXISTS {schema}.turns (
  key text PRIMARY KEY, start double precision NOT NULL, open bigint NOT NULL, kept bigint NOT NULL, last bigint NOT NULL,
  until double precision NOT NULL
);

-- IF NOT EXISTS would lock each table first, and messages that are under way and this would wait for each other.
DO $body$ BEGIN
  IF to_regclass('{schema}.turns_by_end') IS NULL THEN
    CREATE INDEX times_by_end ON {schema}.times (until);
    CREATE INDEX slices_by_end ON {schema}.slices (until);
    CREATE INDEX entries_by_end ON {schema}.entries (until);
    CREATE INDEX notes_by_end ON {schema}.notes (until);
    CREATE INDEX turns_by_end ON {schema}.turns (until);
  END IF;
END $body$;

-- Seconds, from the caller or of the server.
CREATE OR REPLACE FUNCTION {schema}.now_1(given double precision) RETURNS double precision LANGUAGE sql VOLATILE AS
$$ SELECT coalesce(given, extract(epoch FROM clock_timestamp())::double precision) $$;

-- Seconds until a limit has room.
CREATE OR REPLACE FUNCTION {schema}.wait_1(k text, most integer, seconds double precision, exact boolean, moment double precision)
RETURNS double precision LANGUAGE plpgsql AS $body$
DECLARE
  oldest double precision;
  too_many bigint := 1 - most;
  one record;
BEGIN
  IF exact THEN
    SELECT at INTO oldest FROM {schema}.times WHERE key = k AND at > moment - seconds ORDER BY at DESC LIMIT 1 OFFSET most - 1;
    RETURN coalesce(oldest + seconds - moment, 0);
  END IF;
  SELECT too_many + coalesce(sum(number), 0) INTO too_many FROM {schema}.slices
    WHERE key = k AND slice >= floor(moment * {slices} / seconds)::bigint - {slices};
  IF too_many <= 0 THEN RETURN 0; END IF;
  FOR one IN SELECT slice, number FROM {schema}.slices
    WHERE key = k AND slice >= floor(moment * {slices} / seconds)::bigint - {slices} ORDER BY slice
  LOOP
    too_many := too_many - one.number;
    IF too_many <= 0 THEN RETURN greatest((one.slice + {slices} + 1) * seconds / {slices} - moment, 0.000001); END IF;
  END LOOP;
  RETURN seconds;
END $body$;

-- Seconds until a message's turn; its place is taken if that is not longer than it can wait.
CREATE OR REPLACE FUNCTION {schema}.take_1(wanted jsonb, moment double precision) RETURNS double precision LANGUAGE plpgsql AS $body$
DECLARE
  rate double precision := (wanted->>'rate')::double precision;
  burst integer := (wanted->>'burst')::integer;
  slack double precision := (burst - 1) / rate;
  taken {schema}.turns;
  first bigint;
  place bigint;
  other bigint;
  wait double precision;
BEGIN
  SELECT * INTO taken FROM {schema}.turns WHERE key = wanted->>'key' AND until > moment;
  IF NOT FOUND THEN
    taken := (wanted->>'key', moment - slack, 0, {kept} - 1, 0, 0);
  END IF;
  first := greatest(0, ceil((moment - slack - taken.start) * rate - 0.000001)::bigint);
  place := greatest(taken.open, first);
  IF place % {kept} = {kept} - 1 THEN place := place + 1; END IF;
  IF (wanted->>'coded')::boolean THEN
    other := greatest(taken.kept, first);
    place := least(place, other + ({kept} - 1 - other % {kept}));
  END IF;
  wait := greatest(0, taken.start + place / rate - moment);
  IF wait <= (wanted->>'longest')::double precision THEN
    taken.last := greatest(taken.last, place + 1);
    IF place % {kept} = {kept} - 1 THEN taken.kept := place + 1; ELSE taken.open := place + 1; END IF;
    taken.until := taken.start + (taken.last + burst - 1) / rate;
    INSERT INTO {schema}.turns VALUES (taken.*) ON CONFLICT (key) DO UPDATE
      SET start = excluded.start, open = excluded.open, kept = excluded.kept, last = excluded.last, until = excluded.until;
  END IF;
  RETURN wait;
END $body$;

-- Some of what is over goes; rows that others hold are left to them. In order, since a table is else read whole where nothing is over.
CREATE OR REPLACE FUNCTION {schema}.sweep_1(moment double precision, portion integer) RETURNS void LANGUAGE sql AS $body$
  DELETE FROM {schema}.times WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.times WHERE until <= moment ORDER BY until LIMIT portion FOR UPDATE SKIP LOCKED));
  DELETE FROM {schema}.slices WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.slices WHERE until <= moment ORDER BY until LIMIT portion FOR UPDATE SKIP LOCKED));
  DELETE FROM {schema}.entries WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.entries WHERE until <= moment ORDER BY until LIMIT portion FOR UPDATE SKIP LOCKED));
  DELETE FROM {schema}.notes WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.notes WHERE until <= moment ORDER BY until LIMIT portion FOR UPDATE SKIP LOCKED));
  DELETE FROM {schema}.turns WHERE ctid = ANY (ARRAY(SELECT ctid FROM {schema}.turns WHERE until <= moment ORDER BY until LIMIT portion FOR UPDATE SKIP LOCKED));
$body$;

-- A message begins: a look for a repeat, limits, its turn, notes.
CREATE OR REPLACE FUNCTION {schema}.begin_1(claim jsonb) RETURNS jsonb LANGUAGE plpgsql AS $body$
DECLARE
  message text := claim->>'key';
  counts jsonb := claim->'counts';
  wanted jsonb := nullif(claim->'turn', 'null'::jsonb);
  moment double precision;
  wait double precision := 0;
  turn double precision := 0;
  known {schema}.entries;
  left_notes jsonb;
  one record;
BEGIN
  -- A message with a key must not go out twice after a crash of the server; a count may be lost.
  IF (SELECT max(version) FROM {schema}.version) > {newest} THEN
    RAISE EXCEPTION 'a newer release writes it (version %); this one reads up to {newest}', (SELECT max(version) FROM {schema}.version)
      USING ERRCODE = 'feature_not_supported';
  END IF;
  -- Whoever waited for a lock must see what the one before wrote.
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the default transaction isolation of this user must be read committed' USING ERRCODE = 'feature_not_supported';
  END IF;
  IF (claim->>'sweep')::integer > 0 THEN
    LOCK TABLE {schema}.notes, {schema}.entries, {schema}.times, {schema}.slices, {schema}.turns IN ROW EXCLUSIVE MODE;
  END IF;
  IF message IS NULL THEN PERFORM set_config('synchronous_commit', 'off', true); END IF;
  PERFORM set_config('lock_timeout', claim->>'milliseconds', true);
  -- In the order of keys, so that no two wait for each other.
  FOR one IN
    SELECT DISTINCT hashtextextended(kept, 0) AS lock FROM (
      SELECT message AS kept UNION ALL SELECT wanted->>'key' UNION ALL SELECT item->>0 FROM jsonb_array_elements(counts) AS item
    ) AS all_keys WHERE kept IS NOT NULL ORDER BY lock
  LOOP
    PERFORM pg_advisory_xact_lock(one.lock);
  END LOOP;
  moment := {schema}.now_1((claim->>'now')::double precision);
  SELECT jsonb_object_agg(key, jsonb_build_array(text, until - moment)) INTO left_notes FROM {schema}.notes
    WHERE key IN (SELECT jsonb_array_elements_text(claim->'notes')) AND until > moment;
  IF message IS NOT NULL THEN
    SELECT * INTO known FROM {schema}.entries WHERE key = message AND until > moment;
    IF FOUND THEN
      IF known.token = claim->>'token' AND known.answer IS NULL THEN  -- asked again
        RETURN jsonb_build_object('at', moment, 'turn', known.turn, 'notes', left_notes);
      END IF;
      RETURN jsonb_build_object('at', moment, 'notes', left_notes,
        'entry', jsonb_build_array(known.fingerprint, known.answer, known.lease - moment));
    END IF;
  END IF;
  FOR one IN SELECT item->>0 AS k, (item->>1)::integer AS most, (item->>2)::double precision AS seconds, (item->>3)::boolean AS exact
    FROM jsonb_array_elements(counts) AS item
  LOOP
    wait := greatest(wait, {schema}.wait_1(one.k, one.most, one.seconds, one.exact, moment));
  END LOOP;
  IF wait = 0 THEN
    FOR one IN SELECT item->>0 AS k, (item->>2)::double precision AS seconds, (item->>3)::boolean AS exact FROM jsonb_array_elements(counts) AS item
    LOOP
      IF one.exact THEN
        INSERT INTO {schema}.times VALUES (one.k, moment, claim->>'token', moment + one.seconds) ON CONFLICT DO NOTHING;
      ELSE
        INSERT INTO {schema}.slices AS counted
          VALUES (one.k, floor(moment * {slices} / one.seconds)::bigint, 1,
            (floor(moment * {slices} / one.seconds) + {slices} + 1) * one.seconds / {slices})
          ON CONFLICT (key, slice) DO UPDATE SET number = counted.number + 1;
      END IF;
    END LOOP;
    IF wanted IS NOT NULL THEN turn := {schema}.take_1(wanted, moment); END IF;
    IF message IS NOT NULL THEN
      INSERT INTO {schema}.entries VALUES (message, claim->>'fingerprint', claim->>'token', NULL, turn,
          moment + (claim->>'lease')::double precision, moment + (claim->>'keep')::double precision)
        ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, token = excluded.token, answer = NULL, turn = excluded.turn,
          lease = excluded.lease, until = excluded.until;
    END IF;
  END IF;
  IF (claim->>'sweep')::integer > 0 THEN PERFORM {schema}.sweep_1(moment, (claim->>'sweep')::integer); END IF;
  RETURN jsonb_build_object('at', moment, 'wait', wait, 'turn', turn, 'notes', left_notes);
END $body$;

-- A message ends. An answer that is lost in a crash leaves the message in doubt, and nothing goes out twice.
CREATE OR REPLACE FUNCTION {schema}.end_1(claim jsonb) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  one record;
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  PERFORM set_config('lock_timeout', claim->>'milliseconds', true);
  IF claim->>'answer' IS NOT NULL THEN
    UPDATE {schema}.entries SET answer = claim->>'answer' WHERE key = claim->>'key' AND token = claim->>'token';
  ELSIF claim->>'key' IS NOT NULL THEN
    DELETE FROM {schema}.entries WHERE key = claim->>'key' AND token = claim->>'token';
  END IF;
  FOR one IN SELECT item->>0 AS k, (item->>1)::bigint AS slice FROM jsonb_array_elements(claim->'uncount') AS item ORDER BY 1
  LOOP
    IF one.slice IS NULL THEN
      -- Without a time: nobody heard that it was counted.
      DELETE FROM {schema}.times
        WHERE key = one.k AND at = coalesce((claim->>'at')::double precision, at) AND token = claim->>'token';
    ELSE
      UPDATE {schema}.slices SET number = greatest(0, number - 1) WHERE key = one.k AND slice = one.slice;
    END IF;
  END LOOP;
END $body$;

-- What became of a message.
CREATE OR REPLACE FUNCTION {schema}.answer_1(message text, given double precision) RETURNS jsonb LANGUAGE sql AS $body$
  SELECT jsonb_build_array(fingerprint, answer, lease - moment) FROM {schema}.entries, {schema}.now_1(given) AS moment
    WHERE key = message AND until > moment
$body$;

-- A note is left, or removed.
CREATE OR REPLACE FUNCTION {schema}.note_1(k text, words text, keep double precision, given double precision) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  IF words IS NULL THEN
    DELETE FROM {schema}.notes WHERE key = k;
  ELSE
    INSERT INTO {schema}.notes VALUES (k, words, {schema}.now_1(given) + keep)
      ON CONFLICT (key) DO UPDATE SET text = excluded.text, until = excluded.until;
  END IF;
END $body$;

INSERT INTO {schema}.version SELECT 1 WHERE NOT EXISTS (SELECT FROM {schema}.version);
