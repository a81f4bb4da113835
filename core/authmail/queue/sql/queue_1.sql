-- What a queue in PostgreSQL keeps, in the schema of its store. {schema} is filled in. Who takes a message and when is procrastinate's, in its own
-- tables, which know the ticket alone.
CREATE SCHEMA IF NOT EXISTS {schema};
CREATE TABLE IF NOT EXISTS {schema}.queue_version (version integer NOT NULL);
-- The one job that may handle a row is named by it; who has it in hand is its owner.
CREATE TABLE IF NOT EXISTS {schema}.queued (
  ticket text PRIMARY KEY, scope text NOT NULL, priority integer NOT NULL, created double precision NOT NULL, expires double precision NOT NULL,
  due double precision NOT NULL, state text NOT NULL, attempts integer NOT NULL, marked boolean NOT NULL, key text NOT NULL, box bytea NOT NULL,
  repeat text UNIQUE, fingerprint text NOT NULL, repeat_until double precision NOT NULL, address text NOT NULL, answer text,
  trace text NOT NULL, request text NOT NULL, keep double precision NOT NULL, until double precision NOT NULL,
  held boolean NOT NULL DEFAULT false, owner text, job bigint
);
CREATE INDEX IF NOT EXISTS queued_by_due ON {schema}.queued (due) WHERE state IN ('queued', 'sending') AND NOT held;
CREATE INDEX IF NOT EXISTS queued_held ON {schema}.queued (expires) WHERE held;
CREATE INDEX IF NOT EXISTS queued_by_end ON {schema}.queued (until);
CREATE INDEX IF NOT EXISTS queued_by_address ON {schema}.queued (address);
-- Which table this is: one that a dump is restored into is another, in the same server or not.
CREATE TABLE IF NOT EXISTS {schema}.queue_identity (number bigint NOT NULL, system bigint);
INSERT INTO {schema}.queue_identity SELECT '{schema}.queued'::regclass::oid::bigint, NULL WHERE NOT EXISTS (SELECT FROM {schema}.queue_identity);
INSERT INTO {schema}.queue_version SELECT 1 WHERE NOT EXISTS (SELECT FROM {schema}.queue_version);
