"""What is asked of a journal's file: many changes in one transaction, and so in one write to the disk."""

import asyncio
import sqlite3
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from authmail.delivery.stores.file import StoreFile
from authmail.queue.engine import QueueError
from authmail.queue.journal_rows import Operation

_Result = TypeVar("_Result")

# Seconds that others may hold the file.
_PATIENCE = 10.0
_AT_ONCE = 256


class Groups:
    """Does what the event loops of a process ask of a file.

    Args:
        file: the file.
        name: what people call it.
    """

    def __init__(self, file: StoreFile, name: str) -> None:
        self._file = file
        self._name = name
        self._of_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Group] = weakref.WeakKeyDictionary()

    async def read(self, operation: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        """Look at something; nobody who writes waits for it.

        Raises:
            QueueError: the file cannot be used.
        """
        try:
            return await self._file.run(operation, _PATIENCE, writes=False)
        except (sqlite3.Error, OSError) as error:
            problem = self._problem(error)
        raise problem

    async def write(self, operation: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        """Change something, with whatever else waits; when it returns, it is on disk.

        Raises:
            QueueError: the file cannot be used.
        """
        loop = asyncio.get_running_loop()
        group = self._of_loops.get(loop)
        if group is None:
            group = self._of_loops[loop] = _Group(self._run_all)
        return await group.do(operation)

    def clear(self) -> None:
        """In a forked child: what waits is the parent's."""
        self._of_loops.clear()

    async def _run_all(self, operations: list[Operation]) -> list[Any]:
        """Return the result of each, or its error."""
        try:
            return await self._file.run(partial(_do_all, operations), _PATIENCE, writes=True)
        except (sqlite3.OperationalError, OSError) as error:  # busy, full, unreadable: it is so for all
            return [self._problem(error) for _ in operations]
        except Exception as error:  # noqa: BLE001 (one that cannot be done keeps nobody waiting)
            if len(operations) == 1:
                return [self._problem(error)]
        return [result for operation in operations for result in await self._run_all([operation])]

    def _problem(self, error: Exception) -> QueueError:
        # SQLite's own words name tables and columns; those of other errors may hold values.
        said = str(error) if isinstance(error, sqlite3.Error | OSError) else type(error).__name__
        return QueueError(f"the queue {self._name} cannot be used: {said}")


class _Group:
    """What waits on one loop."""

    def __init__(self, run_all: Callable[[list[Operation]], Any]) -> None:
        self._run_all = run_all
        self._waiting: list[tuple[Operation, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def do(self, operation: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, future))
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
                results = await self._run_all([operation for operation, _ in group])
                for (_, future), result in zip(group, results, strict=True):
                    if not future.done():
                        (future.set_exception if isinstance(result, Exception) else future.set_result)(result)
        finally:
            self._draining = None  # a task holds its loop, which would never be let go of


def _do_all(operations: list[Operation], connection: sqlite3.Connection, now: float) -> list[Any]:
    return [operation(connection, now) for operation in operations]
