"""Connections to a PostgreSQL server: each can be left at any time, also where the server hangs."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from authmail.delivery.stores.pool import is_quiet
from authmail.http.forked import close_in_children

_Result = TypeVar("_Result")


class PostgresConnection(AsyncConnection[Any]):
    """A connection that can be left at any time."""

    async def ask(self, query: str, values: tuple[Any, ...] | None = None) -> Any:
        """Return the first value of the first row, if there is one."""
        return await self.do(self._first(query, values))

    async def do(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Let this connection do something. Whoever is cancelled leaves at once, also where the server hangs."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # psycopg would ask the server to cancel, and wait for its answer; it hears that the connection is at its end instead.
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.fileno())) as end:
                end.shutdown(socket.SHUT_RDWR)
            while not task.done():  # which is soon, and the loop must not watch a socket that is closed
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            if not task.cancelled():
                task.exception()
            raise

    async def _first(self, query: str, values: tuple[Any, ...] | None) -> Any:
        cursor = await self.execute(query, values)
        row = await cursor.fetchone() if cursor.description else None
        return None if row is None else row[0]

    def __del__(self, *_: object) -> None:
        """Say nothing of those that are open: the last reference closes them."""


class PostgresLine:
    """How to connect to a PostgreSQL server.

    Args:
        url: where it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def connect(self) -> PostgresConnection:
        """Return a new connection that was let in."""
        connection = await PostgresConnection.connect(self._url, autocommit=True, prepare_threshold=None)
        close_in_children(connection, lambda connection: connection.pgconn.socket)
        return connection

    def is_in_order(self, connection: PostgresConnection) -> bool:
        """Whether it is open, and nothing is under way or was said that nobody asked for."""
        return (
            not connection.closed
            and connection.info.transaction_status is TransactionStatus.IDLE
            and is_quiet(connection.pgconn.socket)
        )

    def hang_up(self, connection: PostgresConnection) -> None:
        """Close it at once."""
        connection.pgconn.finish()
