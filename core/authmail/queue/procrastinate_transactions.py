"""A transaction in which a message is queued together with its job: one of ours, or the host's own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import attrs
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import JobDeferrer
from psycopg import AsyncConnection, Connection
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from authmail.privacy import hide_fields
from authmail.queue.engine import QueueError

#: What procrastinate calls our task.
TASK = "authmail.send"

# These defer alone, on a connection that they are given, and are never opened.
_DEFERS = App(connector=PsycopgConnector())
_DEFERS_AT_ONCE = App(connector=SyncPsycopgConnector())


@attrs.frozen(kw_only=True, field_transformer=hide_fields)
class NewJob:
    """What procrastinate is told of a message.

    Args:
        ticket: the message's.
        queue: procrastinate's name of our queue.
        priority: 0 goes first.
        due: when, in seconds of UTC.
    """

    ticket: str
    queue: str
    priority: int
    due: float


class Transaction(Protocol):
    """A connection, within a transaction or not."""

    def block(self) -> AbstractAsyncContextManager[Any]:
        """Return a block of which all is done, or nothing: a transaction, or a savepoint within one."""

    async def rows(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """Ask, and return all rows."""

    async def defer(self, job: NewJob) -> int:
        """Give procrastinate a job; return its number."""


class AsyncTransaction:
    """On a connection of psycopg.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        self._connection = connection

    async def begin(self) -> None:
        """Begin the transaction that psycopg would begin by itself; else a block would be one, and commit."""
        if _begins_by_itself(self._connection):
            await self._connection.execute("SELECT 1")

    def block(self) -> AbstractAsyncContextManager[Any]:
        """See :meth:`Transaction.block`."""
        return self._connection.transaction()

    async def rows(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """See :meth:`Transaction.rows`."""
        async with self._connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(query, values)
            return await cursor.fetchall() if cursor.description else []

    async def defer(self, job: NewJob) -> int:
        """See :meth:`Transaction.defer`."""
        try:
            return await _deferrer(_DEFERS, job, self._connection).defer_async(ticket=job.ticket)
        except ConnectorException as error:
            raise unwrapped(error) from None


class SyncTransaction:
    """On a connection without ``await``: each step is done in a thread, and nobody else uses it meanwhile, for its owner waits.

    Args:
        connection: the connection.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection

    async def begin(self) -> None:
        """See :meth:`AsyncTransaction.begin`."""
        if _begins_by_itself(self._connection):
            await asyncio.to_thread(self._connection.execute, "SELECT 1")

    @asynccontextmanager
    async def block(self) -> AsyncIterator[None]:
        """See :meth:`Transaction.block`."""
        block = self._connection.transaction()
        await asyncio.to_thread(block.__enter__)
        try:
            yield
        except BaseException:
            await asyncio.to_thread(block.__exit__, *sys.exc_info())
            raise
        await asyncio.to_thread(block.__exit__, None, None, None)

    async def rows(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """See :meth:`Transaction.rows`."""
        return await asyncio.to_thread(self._rows, query, values)

    async def defer(self, job: NewJob) -> int:
        """See :meth:`Transaction.defer`."""
        try:
            return await asyncio.to_thread(_deferrer(_DEFERS_AT_ONCE, job, self._connection).defer, ticket=job.ticket)
        except ConnectorException as error:
            raise unwrapped(error) from None

    def _rows(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(query, values)
            return cursor.fetchall() if cursor.description else []


async def joined(transaction: object) -> AsyncTransaction | SyncTransaction:
    """Return the host's own transaction.

    Args:
        transaction: a connection of psycopg 3, a connection or session of SQLAlchemy over psycopg 3, or Django's ``connection``.

    Raises:
        QueueError: it is something else.
    """
    connection = await _driver_of(transaction)
    made: AsyncTransaction | SyncTransaction
    if isinstance(connection, AsyncConnection):
        made = AsyncTransaction(connection)
    elif isinstance(connection, Connection):
        made = SyncTransaction(connection)
    elif connection is None:
        raise QueueError(
            "Django's connection is not open in this thread: enqueue where your transaction is, by authmail.delivery.sync, or hand over "
            "connection.connection"
        )
    else:
        raise QueueError(
            "transaction= takes a connection of psycopg 3, a connection or session of SQLAlchemy (postgresql+psycopg://), or Django's "
            f"connection; not {type(connection).__module__}.{type(connection).__qualname__}"
        )
    await made.begin()
    return made


def unwrapped(error: ConnectorException) -> BaseException:
    """Return the driver's own error."""
    return error.__cause__ or error


async def _driver_of(host: Any) -> Any:
    """Return the driver's connection. Told by what it can do, so that nothing of it has to be installed."""
    if isinstance(host, AsyncConnection | Connection):
        return host
    if hasattr(host, "ensure_connection"):  # Django's, which is another in each thread
        return host.connection
    if hasattr(host, "sync_session"):  # SQLAlchemy's AsyncSession
        host = await host.connection()
    if hasattr(host, "get_raw_connection"):  # and AsyncConnection
        if not host.in_transaction():  # else its commit would do nothing
            await host.begin()
        return (await host.get_raw_connection()).driver_connection
    if hasattr(host, "get_bind") or hasattr(host, "exec_driver_sql"):
        return await asyncio.to_thread(_driver_of_sqlalchemy, host)
    return host


def _driver_of_sqlalchemy(host: Any) -> Any:
    connection = host.connection() if hasattr(host, "get_bind") else host  # a Session has one
    if not connection.in_transaction():
        connection.begin()
    return connection.connection.driver_connection


def _begins_by_itself(connection: AsyncConnection[Any] | Connection[Any]) -> bool:
    return not connection.autocommit and connection.info.transaction_status is TransactionStatus.IDLE


def _deferrer(app: App, job: NewJob, connection: object) -> JobDeferrer:
    return app.configure_task(
        TASK,
        queue=job.queue,
        priority=-job.priority,  # procrastinate's highest goes first
        schedule_at=datetime.fromtimestamp(job.due, UTC),
        connection=connection,
    )
