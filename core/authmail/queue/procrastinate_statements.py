"""What a queue in PostgreSQL asks of its own table, as text; ``{schema}`` is filled in by :class:`~authmail.queue.procrastinate_database.Database`."""

from typing import Any, TypeVar

import attrs

from authmail.delivery.ticket import ENDED, TicketState
from authmail.queue.engine import Row
from authmail.queue.journal_schema import FOR_EVER

#: The fields of a row, in the order of columns.
FIELDS = tuple(field.name for field in attrs.fields(Row))
_Row = TypeVar("_Row", bound=Row)

_COLUMNS = ", ".join(FIELDS)
_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))
_FOR_EVER = repr(FOR_EVER)

CLOCK = "SELECT extract(epoch FROM clock_timestamp())::double precision"

LOCK = "SELECT FROM {schema}.queued LIMIT 0"
INSERT = f"""
INSERT INTO {{schema}}.queued ({_COLUMNS}, keep, until, job)
  VALUES ({", ".join(f"%({name})s" for name in FIELDS)}, %(keep)s, %(until)s, %(job)s)
  ON CONFLICT DO NOTHING RETURNING {_COLUMNS}
"""  # noqa: S608 (names of fields)
#: The key of a message whose repeats get this ticket no longer is free for another.
FREE = "UPDATE {schema}.queued SET repeat = NULL WHERE repeat = %(repeat)s AND repeat_until <= %(now)s"
KNOWN = f"SELECT {_COLUMNS} FROM {{schema}}.queued WHERE repeat = %(repeat)s AND repeat_until > %(now)s"  # noqa: S608
#: Of a message that is stored already: an earlier one that is the same, or itself, where the answer of the server was lost.
STORED = f"{KNOWN} OR ticket = %(ticket)s"
ROW = f"SELECT {_COLUMNS} FROM {{schema}}.queued WHERE ticket = %(ticket)s"  # noqa: S608
FIND = f"SELECT {_COLUMNS} FROM {{schema}}.queued WHERE state = ANY (%(states)s) ORDER BY created DESC LIMIT %(most)s"  # noqa: S608

#: Whoever has a message in hand is the one job that its row names.
TAKE = f"""
UPDATE {{schema}}.queued SET state = 'sending', owner = %(owner)s
  WHERE ticket = %(ticket)s AND job = %(job)s AND state IN ('queued', 'sending') AND NOT held RETURNING {_COLUMNS}
"""  # noqa: S608
_OWNED = "WHERE ticket = %(ticket)s AND owner = %(owner)s AND state = 'sending'"
MARK = f"UPDATE {{schema}}.queued SET marked = true {_OWNED} RETURNING true"  # noqa: S608
#: What has ended has no box any more, unless somebody must decide about it; what surely was not sent may be queued again.
END = f"""
UPDATE {{schema}}.queued SET state = %(state)s, answer = %(answer)s, marked = %(marked)s, attempts = attempts + %(tried)s, owner = NULL,
  box = CASE WHEN %(wiped)s THEN ''::bytea ELSE box END, repeat = CASE WHEN %(unsent)s THEN NULL ELSE repeat END, until = greatest(%(now)s + keep, repeat_until) {_OWNED} RETURNING true
"""  # noqa: S608
AGAIN = f"""
UPDATE {{schema}}.queued SET state = 'queued', answer = %(answer)s, marked = %(marked)s, attempts = attempts + %(tried)s, owner = NULL,
  due = %(due)s, job = %(job)s {_OWNED} RETURNING true
"""  # noqa: S608
#: It was marked at most for nobody.
HAND_BACK = f"""
UPDATE {{schema}}.queued SET state = 'queued', marked = %(marked)s, owner = NULL, job = %(job)s {_OWNED} RETURNING true
"""  # noqa: S608

RETRY = f"""
UPDATE {{schema}}.queued SET state = 'queued', due = %(due)s, marked = false, held = false, owner = NULL, until = {_FOR_EVER}, job = %(job)s
  WHERE ticket = %(ticket)s AND state IN ('queued', 'in doubt') AND octet_length(box) > 0 RETURNING true
"""  # noqa: S608
#: What may have been sent stays in doubt, and its repeats are not sent either.
DROP = """
UPDATE {schema}.queued SET state = CASE WHEN marked THEN 'in doubt' ELSE 'failed' END, answer = CASE WHEN marked THEN answer END,
  repeat = CASE WHEN marked THEN repeat END, box = ''::bytea, held = false, until = %(now)s + keep
  WHERE ticket = %(ticket)s AND state IN ('queued', 'in doubt') AND octet_length(box) > 0 RETURNING true
"""
RESEAL = """
UPDATE {schema}.queued SET key = %(key)s, box = %(box)s WHERE ticket = %(ticket)s AND key = %(old)s AND octet_length(box) > 0 RETURNING true
"""
RELEASE = "WITH let AS (UPDATE {schema}.queued SET held = false WHERE held RETURNING 1) SELECT count(*) FROM let"
FORGET = f"""
WITH gone AS (DELETE FROM {{schema}}.queued WHERE address = %(address)s AND state IN ({_ENDED}) RETURNING 1) SELECT count(*) FROM gone
"""  # noqa: S608
#: Who handles what has expired ends it, and sends nothing.
LET_EXPIRE = "UPDATE {schema}.queued SET held = false WHERE held AND expires <= %(now)s"
STATES = "SELECT state, count(*), count(*) FILTER (WHERE held AND state = 'queued') FROM {schema}.queued GROUP BY state"
OLDEST = "SELECT min(due) FROM {schema}.queued WHERE state IN ('queued', 'sending') AND state = 'queued' AND NOT held"
OLDEST_OF_SCOPE = OLDEST + " AND scope = %(scope)s"

#: The oldest that are due and have no job, of those that wait for longest: it was lost, or they were held when it came.
JOBLESS = """
SELECT ticket, scope, priority FROM {schema}.queued AS row WHERE ticket IN (
    SELECT ticket FROM {schema}.queued WHERE state IN ('queued', 'sending') AND NOT held AND due <= %(now)s ORDER BY due LIMIT %(most)s
  ) AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE id = row.job AND status IN ('todo', 'doing'))
  FOR UPDATE SKIP LOCKED
"""
GIVE_JOB = """
UPDATE {schema}.queued SET state = 'queued', owner = NULL, job = %(job)s WHERE ticket = %(ticket)s AND state IN ('queued', 'sending')
"""
#: What is over for longer than it is kept goes, in portions.
SWEEP = """
WITH gone AS (DELETE FROM {schema}.queued WHERE ticket = ANY (ARRAY(
    SELECT ticket FROM {schema}.queued WHERE until <= %(now)s LIMIT %(most)s FOR UPDATE SKIP LOCKED)) RETURNING 1)
SELECT count(*) FROM gone
"""

MAY_ASK_SYSTEM = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')"
#: https://www.postgresql.org/docs/current/functions-info.html
SYSTEM = "SELECT system_identifier FROM pg_control_system()"
IDENTITY = """
SELECT '{schema}.queued'::regclass::oid::bigint, number, system, (SELECT max(version) FROM {schema}.queue_version) FROM {schema}.queue_identity
"""
#: One worker at a time; nothing is found unless it was noted already.
LOCK_IDENTITY = """
WITH noted AS (SELECT number, system FROM {schema}.queue_identity FOR UPDATE)
SELECT true FROM noted WHERE number = %(number)s AND (system = %(system)s OR %(system)s::bigint IS NULL)
"""
NOTE_IDENTITY = "UPDATE {schema}.queue_identity SET number = %(number)s, system = coalesce(%(system)s, system)"
HOLD = """
UPDATE {schema}.queued SET held = true, state = 'queued', owner = NULL WHERE state IN ('queued', 'sending') AND NOT held RETURNING true
"""
#: One worker at a time looks for those that ended.
TAKE_RESCUE = "SELECT pg_try_advisory_xact_lock(hashtextextended('{schema} of authmail: rescue', 0))"


def read_row(values: tuple[Any, ...], kind: type[_Row] = Row, **more: Any) -> _Row:  # type: ignore[assignment]
    """Return the row of the table's."""
    fields = dict(zip(FIELDS, values, strict=True))
    return kind(**fields | {"state": TicketState(fields["state"])} | more)
