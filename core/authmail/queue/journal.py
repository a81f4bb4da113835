"""The embedded engine: a table in an SQLite file, for the processes of one machine. Many queue, one works."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from authmail.delivery.stores.file import Layout, StoreFile
from authmail.delivery.ticket import TicketState
from authmail.queue import journal_rows as rows
from authmail.queue.engine import Handler, QueueError, Row, Statistics
from authmail.queue.journal_groups import Groups
from authmail.queue.journal_lock import WorkerLock
from authmail.queue.journal_schema import KEYS, make_tables
from authmail.queue.journal_shift import Shift

# A second worker asks so often whether the first has ended, in seconds.
_STAND_BY = 0.5

_LAYOUT = Layout(make_tables, KEYS, synchronous="FULL", wipes=True)


class Journal:
    """A queue in an SQLite file; may be that of an :class:`~authmail.delivery.SQLiteStore`. Not for a network file system.

    Every change is on disk before it is told (``synchronous = FULL``). What several do at the same moment goes in one transaction. For
    each scope one worker works at a time: it holds an operating system's lock on a file beside the journal, which ends with its process;
    others stand by.

    Args:
        path: the file; made if it is not there.
        clock: gives seconds; by default the file's own, see :class:`~authmail.delivery.SQLiteStore`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] | None = None) -> None:
        self._path = Path(path)
        self._file = StoreFile(self._path, _LAYOUT, clock)
        self._groups = Groups(self._file, self._path.name)
        self._shifts: list[Shift] = []
        self._openings = 0

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    async def __aenter__(self) -> Self:
        await self._groups.read(lambda connection, now: None)  # noqa: ARG005
        self._openings += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._openings -= 1
        if self._openings <= 0:
            self._openings = 0
            await self._file.close()

    def abandon(self) -> None:
        """In a forked child: nobody has entered it here, and nobody works."""
        self._openings = 0
        self._groups.clear()
        self._shifts.clear()

    async def now(self) -> float:
        """See :meth:`authmail.queue.Engine.now`."""
        moment = self._file.time()
        return await self._groups.read(lambda _, now: now) if moment is None else moment

    async def add(self, row: Row, *, keep: float, transaction: object | None = None) -> Row:
        """See :meth:`authmail.queue.Engine.add`. A journal joins nobody's transaction.

        Raises:
            QueueError: it was asked to.
        """
        if transaction is not None:
            raise QueueError('a journal joins no transaction of yours; engine = "procrastinate" does, in PostgreSQL')
        added = await self._groups.write(partial(rows.add, row, keep))
        loop = asyncio.get_running_loop()
        for shift in self._shifts:
            if shift.loop is loop:
                shift.hear_of_more()
        return added

    async def row(self, ticket: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.row`."""
        return await self._groups.read(partial(rows.select_one, "ticket = ?", (ticket,)))

    async def known(self, repeat: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.known`."""
        return await self._groups.read(partial(rows.known, repeat))

    async def mark(self, ticket: str) -> None:
        """See :meth:`authmail.queue.Engine.mark`.

        Raises:
            QueueError: nobody here has it in hand.
        """
        for shift in self._shifts:
            if shift.has(ticket):
                return await shift.mark(ticket)
        raise QueueError("the message is in nobody's hands")

    async def find(self, states: Sequence[TicketState], *, most: int) -> Sequence[Row]:
        """See :meth:`authmail.queue.Engine.find`."""
        return await self._groups.read(partial(rows.find, states, most))

    async def retry(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.retry`."""
        return await self._groups.write(partial(rows.retry, ticket))

    async def drop(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.drop`."""
        return await self._groups.write(partial(rows.drop, ticket))

    async def reseal(self, row: Row, key: str, box: bytes) -> bool:
        """See :meth:`authmail.queue.Engine.reseal`."""
        return await self._groups.write(partial(rows.reseal, row.ticket, row.key, key, box))

    async def release(self) -> int:
        """See :meth:`authmail.queue.Engine.release`."""
        return await self._groups.write(rows.release)

    async def forget(self, address: str) -> int:
        """See :meth:`authmail.queue.Engine.forget`."""
        return await self._groups.write(partial(rows.forget, address))

    async def statistics(self) -> Statistics:
        """See :meth:`authmail.queue.Engine.statistics`."""
        return await self._groups.read(rows.statistics)

    async def work(self, handle: Handler, *, concurrency: int, stop: asyncio.Event, scope: str = "") -> None:
        """See :meth:`authmail.queue.Engine.work`. It stands by while another worker has the lock."""
        with WorkerLock(self._path, scope) as lock:
            while not lock.take():
                if await _is_set(stop, _STAND_BY):
                    return
            shift = Shift(self._groups, lock, scope, handle)
            self._shifts.append(shift)
            try:
                await shift.run(concurrency, stop)
            finally:
                if shift in self._shifts:
                    self._shifts.remove(shift)

    def __repr__(self) -> str:
        return f"Journal({self._path.name!r})"


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
