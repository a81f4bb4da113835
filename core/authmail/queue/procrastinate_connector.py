"""How procrastinate asks its database: by the connections of our store, each question with a time limit."""

import asyncio
from collections.abc import Iterable
from typing import Any, LiteralString

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException, NoResult
from procrastinate.sql import queries
from psycopg import sql
from psycopg.rows import dict_row

from authmail.delivery import StoreError
from authmail.delivery.stores.postgres import PostgresStore
from authmail.delivery.stores.postgres_line import PostgresConnection

_PATIENCE = 5.0
# A connection that listens is tried after so many seconds without a word, and made again after so many where that failed, in seconds.
_SILENCE, _PAUSE = 15.0, 1.0


class StoreConnector(PsycopgConnector):
    """psycopg's connector of procrastinate without a pool of its own.

    What hangs for longer than some seconds is given up, so nothing here waits for a server for ever.

    Args:
        store: whose connections are used.
        listens: whether the server can wake us; a pooler in transaction mode cannot.
    """

    def __init__(self, store: PostgresStore, *, listens: bool) -> None:
        super().__init__()
        self._store = store
        self._listens = listens

    async def open_async(self, pool: object = None) -> None:
        """The store opens when it is first used."""

    async def close_async(self) -> None:
        """The store is closed by whoever opened it."""

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """Ask, and return nothing."""
        await self._ask(query, arguments)

    async def execute_query_one_async(self, query: LiteralString, **arguments: Any) -> dict[str, Any]:
        """Ask, and return one row."""
        rows = await self._ask(query, arguments)
        if not rows:
            raise NoResult
        return rows[0]

    async def execute_query_all_async(self, query: LiteralString, **arguments: Any) -> list[dict[str, Any]]:
        """Ask, and return all rows."""
        return await self._ask(query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Hear of new jobs, for ever: where the connection is lost, with another."""
        if not self._listens:
            await asyncio.Event().wait()
        line = self._store._line()  # noqa: SLF001 (of this house)
        while True:
            try:
                connection = await line.connect()
            except (psycopg.Error, OSError):
                await asyncio.sleep(_PAUSE)
                continue
            try:
                await self._hear(connection, on_notification, channels)
            except (psycopg.Error, TimeoutError):
                await asyncio.sleep(_PAUSE)
            finally:
                line.hang_up(connection)

    async def _hear(self, connection: PostgresConnection, on_notification: Notify, channels: Iterable[str]) -> None:
        for channel in channels:
            listen = sql.SQL(queries["listen_queue"]).format(channel_name=sql.Identifier(channel))
            await connection.execute(listen)
        while True:
            async for said in connection.notifies(timeout=_SILENCE):
                await on_notification(channel=said.channel, payload=said.payload)
            async with asyncio.timeout(_PATIENCE):
                await connection.ask("SELECT 1")

    async def _ask(self, query: LiteralString, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        async def ask(connection: PostgresConnection) -> list[dict[str, Any]]:
            async with connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(query, self._wrap_json(arguments))
                return await cursor.fetchall() if cursor.description else []

        try:
            # Not again: what was cut may have been done, and a job that was fetched twice would be held by nobody.
            return await self._store.ask(lambda connection: connection.do(ask(connection)), _PATIENCE, again=False)
        except StoreError as error:
            problem = str(error)
        raise ConnectorException(problem)
