"""A store in a PostgreSQL database: for many machines."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from authmail.config.secret import Secret
from authmail.delivery.stores import postgres_reports
from authmail.delivery.stores.pool import Line
from authmail.delivery.stores.postgres_line import PostgresConnection, PostgresLine
from authmail.delivery.stores.reports import StoreCheck, StoreStats
from authmail.delivery.stores.server import OPENING_SECONDS, ServerStore, words_of
from authmail.delivery.stores.store import Begun, Claim, Entry, Note
from authmail.delivery.stores.turns import KEPT
from authmail.delivery.stores.window import SLICES, both_ways, is_exact, kept_under, slice_at
from authmail.privacy import raise_afresh

#: Stands in the table ``version``. A release reads and writes its own and the one before.
VERSION = 1

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_PORTS = re.compile(r"[0-9]*(?:,[0-9]*)*")
# Every so many messages let go of so many rows of each table that are over: more than they brought.
_EACH, _PORTION = 16, 64

_FORGET = """
WITH times AS (DELETE FROM {schema}.times WHERE key = ANY (%s) RETURNING 1),
  slices AS (DELETE FROM {schema}.slices WHERE key = ANY (%s) RETURNING number)
SELECT (SELECT count(*) FROM times) + (SELECT coalesce(sum(number), 0) FROM slices)::bigint
"""


class PostgresStore(ServerStore[PostgresConnection]):
    """Counts, answers and notes in tables of a schema of its own; one function is one trip. Needs the extra ``postgres``.

    The tables are made when they are missing and the user may make them; else by ``authmail store migrate``. A message with a key is durable
    before it goes out; a count or an answer of the last half second may be lost in a crash of the server. It works behind
    PgBouncer in transaction mode: nothing is prepared, and nothing is set for a session. Time is the server's own. PostgreSQL 13 or later.

    Args:
        url: ``postgresql://user:password@host:5432/database``, with libpq's parameters, such as ``sslmode=verify-full``.
        secret: key of the hashes, 16 bytes or more: the same on all machines, and never kept in that database.
        schema: where its tables are: lower-case letters, digits and underscores.
        connections: the most of one event loop at a time; whoever finds none free waits within the message's time.
        clock: gives seconds; by default the server's own clock.

    Raises:
        ValueError: the URL, the schema or the secret cannot be used.
    """

    @raise_afresh
    def __init__(
        self,
        url: Secret | str,
        *,
        secret: Secret | bytes,
        schema: str = "authmail",
        connections: int = 10,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(url, secret=secret, connections=connections, clock=clock)
        if urlsplit(self._url).scheme not in ("postgresql", "postgres"):
            raise ValueError("the URL of a PostgreSQL store begins with postgresql://")
        if not _SCHEMA.fullmatch(schema):
            raise ValueError("the schema of a PostgreSQL store must be lower-case letters, digits and underscores")
        try:
            self._parameters = conninfo_to_dict(self._url)
        except psycopg.Error:  # which would quote the URL
            self._parameters = {}
        if (
            not self._parameters
            or "@" in str(self._parameters.get("dbname"))
            or not _PORTS.fullmatch(str(self._parameters.get("port", "")))
        ):
            raise ValueError(
                "the URL of a PostgreSQL store cannot be read; it is postgresql://user:password@host:5432/database, and in user and password "
                "write / as %2F, @ as %40, # as %23 and ? as %3F"
            )
        self.schema = schema
        self._begun = 0

    @property
    def place(self) -> str:
        """Where the server is, without user and password."""
        host, port, database = (self._parameters.get(key) for key in ("host", "port", "dbname"))
        return f"postgresql://{host or ''}{f':{port}' if port else ''}/{database or ''}"

    @property
    def _identity(self) -> tuple[object, ...]:
        return (*(str(self._parameters.get(key)) for key in ("host", "port", "dbname")), self.schema)

    def _line(self) -> Line[PostgresConnection]:
        return PostgresLine(self._url)

    async def _open(self) -> None:
        await self._ask("SELECT {schema}.answer_1('', NULL)", (), OPENING_SECONDS)

    def _problem(self, error: Exception) -> str | None:
        if isinstance(error, errors.LockNotAvailable):
            return "it is in use by others for too long"
        if isinstance(error, errors.InsufficientPrivilege):
            return f"the user may not do this ({_words(error)}); authmail store migrate makes the tables, as their owner"
        return _words(error) if isinstance(error, psycopg.Error | OSError) else None

    async def begin(self, claim: Claim, *, timeout: float = OPENING_SECONDS) -> Begun:
        """See :meth:`authmail.delivery.Store.begin`."""
        self._begun += 1
        turn = claim.turn
        asked = {
            "now": self.now(),
            "milliseconds": _milliseconds(timeout),
            "key": claim.key,
            "token": claim.token,
            "fingerprint": claim.fingerprint,
            "lease": claim.lease,
            "keep": claim.keep,
            "counts": [[kept_under(key, limit), limit.most, limit.seconds, is_exact(limit)] for key, limit in claim.counts],
            "notes": claim.notes,
            "turn": turn
            and {"key": turn.key, "rate": turn.rate, "burst": turn.burst, "coded": turn.coded, "longest": turn.longest},
            "sweep": 0 if self._begun % _EACH else _PORTION,
        }
        said = await self._ask("SELECT {schema}.begin_1(%s)", (json.dumps(asked),), timeout)
        entry = said.get("entry")
        notes = {key: Note(*note) for key, note in (said.get("notes") or {}).items()}
        return Begun(
            entry=entry and Entry(*entry), wait=said.get("wait", 0.0), at=said["at"], notes=notes, turn=said.get("turn", 0.0)
        )

    async def end(
        self, claim: Claim, begun: Begun, *, answer: str | None, uncount: Sequence[str] = (), timeout: float = OPENING_SECONDS
    ) -> None:
        """See :meth:`authmail.delivery.Store.end`."""
        limits = dict(claim.counts)
        slices = [None if is_exact(limits[key]) else slice_at(limits[key], begun.at) for key in uncount]
        said = {
            "milliseconds": _milliseconds(timeout),
            "key": claim.key,
            "token": claim.token,
            "answer": answer,
            "at": begun.at or None,
            "uncount": [[kept_under(key, limits[key]), place] for key, place in zip(uncount, slices, strict=True)],
        }
        # A number that is taken down twice would let one message more through.
        again = all(place is None for place in slices)
        await self._ask("SELECT {schema}.end_1(%s)", (json.dumps(said),), timeout, again=again)

    async def answer_of(self, key: str, *, timeout: float = OPENING_SECONDS) -> Entry | None:
        """See :meth:`authmail.delivery.Store.answer_of`."""
        said = await self._ask("SELECT {schema}.answer_1(%s, %s)", (key, self.now()), timeout)
        return None if said is None else Entry(*said)

    async def note(self, key: str, text: str | None, *, keep: float = 0.0, timeout: float = OPENING_SECONDS) -> None:
        """See :meth:`authmail.delivery.Store.note`."""
        await self._ask("SELECT {schema}.note_1(%s, %s, %s, %s)", (key, text, keep, self.now()), timeout)

    async def forget(self, keys: Iterable[str], *, timeout: float = OPENING_SECONDS) -> int:
        """Forget all that limits count under these keys; return how many messages that were."""
        kept = [one for key in keys for one in both_ways(key)]
        number: int = await self._ask(_FORGET, (kept, kept), timeout)
        return number

    async def check(self) -> StoreCheck:
        """Say how it stands; makes no tables.

        Raises:
            StoreError: the server cannot be reached.
        """
        return await postgres_reports.check(self, VERSION)

    async def stats(self, told: Callable[[int, int], None] | None = None) -> StoreStats:
        """Say how much is in it; of large tables what the server estimates.

        Raises:
            StoreError: the database cannot be used.
        """
        return await postgres_reports.stats(self)

    async def migrate(self, *, timeout: float = 60.0) -> None:
        """Make what is missing of the tables, and nothing else; harmless while others use them.

        Raises:
            StoreError: the database cannot be used, or the user may not make tables.
        """
        await self.ask(self._migrate, timeout)

    def statements_for(self, role: str) -> str:
        """Return what :meth:`migrate` does as SQL, and what a role needs that may nothing else, for whoever runs the database."""
        return f"{self._statements}\n{postgres_reports.grants(self.schema, role)}"

    @property
    def _statements(self) -> str:
        # One transaction, in which one process makes tables at a time.
        text = (files("authmail.delivery.stores") / "sql" / f"version_{VERSION}.sql").read_text("utf-8")
        for name, value in (("schema", self.schema), ("slices", SLICES), ("kept", KEPT), ("newest", VERSION + 1)):
            text = text.replace(f"{{{name}}}", str(value))
        lock = f"SELECT pg_advisory_xact_lock(hashtextextended('{self.schema} of authmail', 0));"
        return f"BEGIN;\n{lock}\n{text}\nCOMMIT;\n"

    async def _migrate(self, connection: PostgresConnection) -> None:
        await connection.ask(self._statements)

    async def _ask(self, query: str, values: tuple[Any, ...], timeout: float, *, again: bool = True) -> Any:
        return await self.ask(partial(self._call, query.format(schema=self.schema), values), timeout, again=again)

    async def _call(self, query: str, values: tuple[Any, ...], connection: PostgresConnection) -> Any:
        try:
            return await connection.ask(query, values)
        except (errors.UndefinedFunction, errors.InvalidSchemaName, errors.UndefinedTable):
            pass
        await self._refuse_newer(connection)
        await self._migrate(connection)
        return await connection.ask(query, values)

    async def _refuse_newer(self, connection: PostgresConnection) -> None:
        try:
            version = await connection.ask(f"SELECT max(version) FROM {self.schema}.version")
        except (errors.InvalidSchemaName, errors.UndefinedTable):
            return
        if version is not None and version > VERSION + 1:
            raise psycopg.NotSupportedError(f"a newer release writes it (version {version}); this one reads up to {VERSION + 1}")


def _milliseconds(seconds: float) -> str:
    """Return how long the server waits for a lock, as it takes it: a little less than whoever asks, who then hears of it."""
    return str(max(1, int(seconds * 900)))


def _words(error: Exception) -> str:
    """Return what a server says of an error, without the details, which quote values."""
    diagnosis = getattr(error, "diag", None)
    return words_of(Exception(diagnosis.message_primary)) if diagnosis and diagnosis.message_primary else words_of(error)
