"""Connections of one event loop to one server. One whose answer was not awaited to its end is hung up, so nobody reads another's."""

import asyncio
import select
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

_Connection = TypeVar("_Connection")
_Result = TypeVar("_Result")


class Line(Protocol[_Connection]):
    """How to connect to a server, and to tell whether a connection is in order."""

    async def connect(self) -> _Connection:
        """Return a new connection that was let in."""

    def is_in_order(self, connection: _Connection) -> bool:
        """Whether it is open, and nothing is under way or was said that nobody asked for. Asks the server nothing."""

    def hang_up(self, connection: _Connection) -> None:
        """Close it at once, whatever the server does."""


class Pool(Generic[_Connection]):
    """Lends connections, the one that was used last first.

    Args:
        line: how to connect.
        most: so many at a time; whoever finds none free waits.

    Attributes:
        openings: how often its store was entered on this loop.
    """

    def __init__(self, line: Line[_Connection], most: int) -> None:
        self._line = line
        self._turns = asyncio.Semaphore(most)
        self._free: list[_Connection] = []
        self._is_closed = False
        self.openings = 0

    async def run(self, work: Callable[[_Connection], Awaitable[_Result]], *, again: bool) -> _Result:
        """Let a connection do something.

        Args:
            work: what to do.
            again: whether it may be done a second time where the connection is cut, which may have been closed while nobody used it.
        """
        async with self._turns:
            if again:
                connection = self._take() or await self._line.connect()
                try:
                    return await self._lend(connection, work)
                except Exception:
                    if self._line.is_in_order(connection):
                        raise
                self._hang_up_free()  # what ended this one ended them too
            return await self._lend(self._take() or await self._line.connect(), work)

    async def _lend(self, connection: _Connection, work: Callable[[_Connection], Awaitable[_Result]]) -> _Result:
        was_answered = False
        try:
            result = await work(connection)
            was_answered = True
            return result
        except Exception:  # the server's, after which a connection may be used again
            was_answered = True
            raise
        finally:
            if was_answered and not self._is_closed and self._line.is_in_order(connection):
                self._free.append(connection)
            else:
                self._line.hang_up(connection)

    def _take(self) -> _Connection | None:
        while self._free:
            connection = self._free.pop()
            if self._line.is_in_order(connection):
                return connection
            self._line.hang_up(connection)
        return None

    def _hang_up_free(self) -> None:
        while self._free:
            self._line.hang_up(self._free.pop())

    def close(self) -> None:
        """Hang up; what is lent is hung up when it comes back."""
        self._is_closed = True
        self._hang_up_free()


def is_quiet(descriptor: int) -> bool:
    """Whether a socket is open, and nothing came that was not read."""
    if descriptor < 0:
        return False
    if not hasattr(select, "poll"):  # Windows
        return not select.select([descriptor], [], [], 0)[0]
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)
