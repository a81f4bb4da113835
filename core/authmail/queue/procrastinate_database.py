"""The PostgreSQL database of a queue, by the connections of its store: its own tables, and procrastinate's."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.resources import files
from typing import Any, TypeVar

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import errors

from authmail.delivery import StoreError
from authmail.delivery.stores.postgres import PostgresStore
from authmail.delivery.stores.postgres_line import PostgresConnection
from authmail.queue import procrastinate_statements as statements
from authmail.queue.engine import QueueError, Row
from authmail.queue.procrastinate_transactions import AsyncTransaction, NewJob, Transaction, joined

_Result = TypeVar("_Result")

#: Stands in the table ``queue_version``. A release reads and writes its own and the one before.
VERSION = 1

# Seconds for one thing that is asked, and for making tables or reading very many rows.
_PATIENCE = 5.0
LONG = 60.0
# The server's clock is asked again after so many seconds.
_CLOCK_HOLDS = 5.0
# PostgreSQL has names of 63 bytes at most, and procrastinate's channel has 23 before the queue's (NAMEDATALEN).
_LETTERS = 24
_MISSING = (errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedObject, errors.InvalidSchemaName)
_PROCRASTINATE = "procrastinate_jobs"
# Where every role looks, unlike a schema that is called as the one role that makes the tables.
_IN_PUBLIC = "SELECT set_config('search_path', 'public', true) WHERE 'public' = ANY (current_schemas(false))"


class Database:
    """Asks, within a transaction or not, and makes what is missing.

    Args:
        store: whose connections and schema are used.
    """

    def __init__(self, store: PostgresStore) -> None:
        self.store = store
        self._ahead, self._asked = 0.0, float("-inf")

    def job(self, row: Row, due: float) -> NewJob:
        """Return what procrastinate is told of a row."""
        return NewJob(ticket=row.ticket, queue=self.queue(row.scope), priority=row.priority, due=due)

    def queue(self, scope: str) -> str:
        """Return what procrastinate calls the queue of a scope; other schemas and scopes have others in the same tables."""
        digest = hashlib.sha256(f"{self.store.schema}\0{scope}".encode("utf-8", "surrogatepass"))
        return f"authmail_{digest.hexdigest()[:_LETTERS]}"

    async def now(self) -> float:
        """Return the server's time, as it was told within the last seconds."""
        if time.monotonic() - self._asked > _CLOCK_HOLDS:
            ((told,),) = await self.rows(statements.CLOCK)
            self._asked = time.monotonic()
            self._ahead = told - self._asked
        return time.monotonic() + self._ahead

    async def rows(self, query: str, *, seconds: float = _PATIENCE, **values: Any) -> list[tuple[Any, ...]]:
        """Ask, and return all rows.

        Raises:
            QueueError: the database cannot be used, or did not answer in time.
        """
        return await self._ask(lambda transaction: transaction.rows(self.text(query), values), seconds)

    async def transact(self, work: Callable[[Transaction], Awaitable[_Result]], host: object | None = None) -> _Result:
        """Do all of some work, or nothing.

        Args:
            work: what to do.
            host: the host's own transaction, which decides.

        Raises:
            QueueError: the database cannot be used, or did not answer in time.
        """
        return await (self._ask(partial(_in_block, work), _PATIENCE) if host is None else self._join(host, work))

    async def give_job(self, query: str, row: Row, due: float, **values: Any) -> bool:
        """Change a row, which gets a job by that; whether there is such a row. Without, there is no job either."""

        async def change(within: Transaction) -> bool:
            number = await within.defer(self.job(row, due))
            if not await within.rows(self.text(query), {**values, "ticket": row.ticket, "due": due, "job": number}):
                raise _NoSuchRow
            return True

        try:
            return await self.transact(change)
        except _NoSuchRow:
            return False

    async def is_pooled(self) -> bool:
        """Whether somebody stands between: a pooler makes up the number of the process that it greets with."""

        async def ask(connection: PostgresConnection) -> bool:
            return bool(await connection.ask("SELECT pg_backend_pid()") != connection.info.backend_pid)

        pooled: bool = await self._with_connection(ask, _PATIENCE)
        return pooled

    async def migrate(self) -> None:
        """Make what is missing of the tables, also of procrastinate's, and nothing else.

        Raises:
            QueueError: the database cannot be used, or the user may not make tables.
        """
        await self._with_connection(self._migrate, LONG)

    def statements_for(self, role: str) -> str:
        """Return what :meth:`migrate` does as SQL, and what a role needs that may nothing else."""
        name = '"' + role.replace('"', '""') + '"'
        tables = ", ".join(f"procrastinate_{one}" for one in ("workers", "jobs", "periodic_defers", "events"))
        sequences = ", ".join(f"procrastinate_{one}_id_seq" for one in ("jobs", "periodic_defers", "events"))
        schema = self.store.schema
        return (
            f"BEGIN;\n{self._own}COMMIT;\n"
            f"-- procrastinate's tables; leave this out where there are some.\nBEGIN;\n{_IN_PUBLIC};\n{SchemaManager.get_schema()}\nCOMMIT;\n"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables}, {schema}.queued TO {name};\n"
            f"GRANT SELECT, UPDATE ON {schema}.queue_version, {schema}.queue_identity TO {name};\n"
            f"GRANT USAGE ON SEQUENCE {sequences} TO {name};\n"
        )

    def text(self, query: str) -> str:
        """Return a statement with the schema in its place."""
        return query.replace("{schema}", self.store.schema)

    @property
    def _own(self) -> str:
        # In the order of all who make tables here: one at a time.
        lock = f"SELECT pg_advisory_xact_lock(hashtextextended('{self.store.schema} of authmail', 0));\n"
        return lock + self.text((files("authmail.queue") / "sql" / f"queue_{VERSION}.sql").read_text("utf-8"))

    async def _migrate(self, connection: PostgresConnection) -> None:
        async with connection.transaction():
            # Text without values may hold several statements; and procrastinate's are the same for all schemas.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('procrastinate by authmail', 0))")
            await connection.execute(self._own.encode())
            found = await (await connection.execute("SELECT to_regclass(%s)", (_PROCRASTINATE,))).fetchone()
            if found is None or found[0] is None:
                await connection.execute(_IN_PUBLIC)
                await connection.execute(SchemaManager.get_schema().encode())

    async def _ask(self, work: Callable[[Transaction], Awaitable[_Result]], seconds: float) -> _Result:
        async def ask(connection: PostgresConnection) -> _Result:
            try:
                return await work(AsyncTransaction(connection))
            except _MISSING:
                await self._migrate(connection)
            return await work(AsyncTransaction(connection))

        result: _Result = await self._with_connection(ask, seconds)
        return result

    async def _with_connection(self, work: Callable[[PostgresConnection], Any], seconds: float) -> Any:
        try:
            return await self.store.ask(lambda connection: connection.do(work(connection)), seconds)
        except StoreError as error:
            problem = str(error)
        except UnicodeError:
            problem = f"the store {self.store.place} takes no halves of surrogate pairs"
        raise QueueError(problem)

    async def _join(self, host: object, work: Callable[[Transaction], Awaitable[_Result]]) -> _Result:
        try:
            transaction = await joined(host)
            try:
                return await _in_block(work, transaction)
            except _MISSING:
                await self.migrate()
            # A session keeps in mind what did not exist, until it locks a table.
            await transaction.rows(self.text(statements.LOCK), {})
            return await _in_block(work, transaction)
        except psycopg.Error as error:
            problem = self.store._problem(error)  # noqa: SLF001 (of this house)
        raise QueueError(f"the message could not be queued in your transaction: {problem}")


class _NoSuchRow(Exception):
    """Takes the job back."""


async def _in_block(work: Callable[[Transaction], Awaitable[_Result]], transaction: Transaction) -> _Result:
    async with transaction.block():
        return await work(transaction)
