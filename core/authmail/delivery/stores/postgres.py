"""A store in a PostgreSQL database: for many machines."""

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from authmail.config.secret import Secret
from authmail.delivery.stores.server import OPENING_SECONDS, ServerStore, words_of
from authmail.delivery.stores.store import Begun, Claim, Entry, Note
from authmail.delivery.stores.turns import KEPT
from authmail.delivery.stores.window import SLICES, is_exact, kept_under, slice_at
from authmail.http.forked import close_in_children
from authmail.privacy import raise_afresh

#: Stands in the table ``version``. A release reads and writes its own and the one before.
VERSION = 1

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,40}")
# Every so many messages let go of so many rows of each table that are over: more than they brought.
_EACH, _PORTION = 16, 64
# The pool tries to connect for so long, in seconds, before it waits for the next message.
_RECONNECT = 30.0


class PostgresStore(ServerStore[AsyncConnectionPool]):
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
        super().__init__(url, secret=secret, clock=clock)
        if urlsplit(self._url).scheme not in ("postgresql", "postgres"):
            raise ValueError("the URL of a PostgreSQL store begins with postgresql://")
        if not _SCHEMA.fullmatch(schema):
            raise ValueError("the schema of a PostgreSQL store must be lower-case letters, digits and underscores")
        try:
            self._parameters = conninfo_to_dict(self._url)
        except psycopg.Error:  # which would quote the URL
            self._parameters = {}
        if not self._parameters:
            raise ValueError("the URL of a PostgreSQL store cannot be read; it is postgresql://user:password@host:5432/database")
        self.schema = schema
        self._connections = connections
        self._begun = 0

    @property
    def _identity(self) -> tuple[object, ...]:
        return (*(str(self._parameters.get(key)) for key in ("host", "port", "dbname")), self.schema)

    def _connect(self) -> AsyncConnectionPool:
        return AsyncConnectionPool(
            self._url,
            min_size=0,
            max_size=self._connections,
            open=False,
            configure=_configure,
            timeout=_RECONNECT,  # whoever waits does so within its own time
            reconnect_timeout=_RECONNECT,
            num_workers=2,
            kwargs={"autocommit": True, "prepare_threshold": None},
        )

    async def _open(self, client: AsyncConnectionPool) -> None:
        await self._call(client, "SELECT {schema}.answer_1('', NULL)", ())

    async def _close(self, client: AsyncConnectionPool) -> None:
        await client.close()

    def _problem(self, error: Exception) -> str | None:
        if isinstance(error, PoolTimeout):
            return "no connection came about"
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
            "at": begun.at,
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

    async def migrate(self, *, timeout: float = 60.0) -> None:
        """Make what is missing of the tables, and nothing else; harmless while others use them.

        Raises:
            StoreError: the database cannot be used, or the user may not make tables.
        """
        await self.ask(self._migrate, timeout)

    async def _migrate(self, pool: AsyncConnectionPool) -> None:
        text = (files("authmail.delivery.stores") / "sql" / f"version_{VERSION}.sql").read_text("utf-8")
        for name, value in (("schema", self.schema), ("slices", SLICES), ("kept", KEPT)):
            text = text.replace(f"{{{name}}}", str(value))
        # One transaction, in which one process makes tables at a time.
        lock = f"SELECT pg_advisory_xact_lock(hashtextextended('{self.schema} of authmail', 0));"
        await _run(pool, partial(_execute_all, f"BEGIN; {lock}\n{text}\nCOMMIT"))

    async def _ask(self, query: str, values: tuple[Any, ...], timeout: float, *, again: bool = True) -> Any:
        async def call(pool: AsyncConnectionPool) -> Any:
            try:
                return await self._call(pool, query, values)
            except psycopg.OperationalError as error:
                if not again or error.sqlstate is not None:
                    raise
                return await self._call(
                    pool, query, values
                )  # the connection was closed while nobody used it; a function can be asked again

        return await self.ask(call, timeout)

    async def _call(self, pool: AsyncConnectionPool, query: str, values: tuple[Any, ...]) -> Any:
        if pool.closed:
            await pool.open()
        work = partial(_fetch, query.format(schema=self.schema), values)
        try:
            return await _run(pool, work)
        except (errors.UndefinedFunction, errors.InvalidSchemaName, errors.UndefinedTable):
            pass
        await self._refuse_newer(pool)
        await self._migrate(pool)
        return await _run(pool, work)

    async def _refuse_newer(self, pool: AsyncConnectionPool) -> None:
        try:
            version = await _run(pool, partial(_fetch, f"SELECT max(version) FROM {self.schema}.version", ()))
        except (errors.InvalidSchemaName, errors.UndefinedTable):
            return
        if version is not None and version > VERSION + 1:
            raise psycopg.NotSupportedError(f"a newer release writes it (version {version}); this one reads up to {VERSION + 1}")


async def _configure(connection: AsyncConnection[Any]) -> None:
    close_in_children(connection, lambda connection: connection.pgconn.socket)


async def _run(pool: AsyncConnectionPool, work: Callable[[AsyncConnection[Any]], Any]) -> Any:
    """Let a connection do something. Whoever is cancelled leaves at once, also where the server says nothing any more."""
    connection = await pool.getconn()
    try:
        task = asyncio.ensure_future(work(connection))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # psycopg would ask the server to cancel, and wait for its answer.
            connection.pgconn.finish()
            task.cancel()
            await asyncio.wait({task})
            raise
    finally:
        await pool.putconn(connection)


async def _fetch(query: str, values: tuple[Any, ...], connection: AsyncConnection[Any]) -> Any:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def _execute_all(text: str, connection: AsyncConnection[Any]) -> None:
    await connection.execute(text)


def _milliseconds(seconds: float) -> str:
    return str(max(1, int(seconds * 1000)))


def _words(error: Exception) -> str:
    """Return what a server says of an error, without the details, which quote values."""
    diagnosis = getattr(error, "diag", None)
    return words_of(Exception(diagnosis.message_primary)) if diagnosis and diagnosis.message_primary else words_of(error)
