"""The embedded engine: a table in an SQLite file, for the processes of one machine. Many queue, one works."""

import asyncio
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from authmail.delivery.stores.file import Layout, StoreFile
from authmail.delivery.ticket import TicketState
from authmail.privacy import log_of
from authmail.queue import journal_rows as rows
from authmail.queue.engine import Handler, QueueError, Row, Statistics, Verdict
from authmail.queue.journal_lock import WorkerLock
from authmail.queue.journal_schema import COLUMNS, FOR_EVER, KEYS, make_tables, read_row
from authmail.queue.working import Hands

_Result = TypeVar("_Result")
_log = log_of("authmail.queue")

# Seconds that others may hold the file.
_PATIENCE = 10.0
# A worker looks so often for what other processes queued, in seconds.
_LOOK = 0.05
# A second worker asks so often whether the first has ended, in seconds.
_STAND_BY = 0.5
# So often it is noted beside the journal how many messages have ended, in seconds.
_NOTE = 1.0
_AT_ONCE = 256

_LAYOUT = Layout(make_tables, KEYS, synchronous="FULL", wipes=True)


class Journal:
    """A queue in an SQLite file; may be that of an :class:`~authmail.delivery.SQLiteStore`. Not for a network file system.

    Every change is on disk before it is told (``synchronous = FULL``). What several do at the same moment goes in one transaction. One
    process works at a time: it holds an operating system's lock on ``NAME.worker``, which ends with it; others stand by.

    Args:
        path: the file; made if it is not there.
        clock: gives seconds; by default the file's own, see :class:`~authmail.delivery.SQLiteStore`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] | None = None) -> None:
        self._path = Path(path)
        self._file = StoreFile(self._path, _LAYOUT, clock)
        self._groups: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Group] = weakref.WeakKeyDictionary()
        self._added: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Event] = weakref.WeakKeyDictionary()
        self._openings = 0

    @property
    def place(self) -> str:
        """The file, as people name it."""
        return self._path.name

    async def __aenter__(self) -> Self:
        await self._do(lambda connection, now: None)  # noqa: ARG005
        self._openings += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._openings -= 1
        if self._openings <= 0:
            self._openings = 0
            await self._file.close()

    def abandon(self) -> None:
        """In a forked child: nobody has entered it here."""
        self._openings = 0
        self._groups.clear()

    async def now(self) -> float:
        """See :meth:`authmail.queue.Engine.now`."""
        return await self._do(lambda _, now: now)

    async def add(self, row: Row, *, keep: float, transaction: object | None = None) -> Row:
        """See :meth:`authmail.queue.Engine.add`. A journal joins nobody's transaction.

        Raises:
            QueueError: it was asked to.
        """
        if transaction is not None:
            raise QueueError('a journal joins no transaction of yours; engine = "procrastinate" does, in PostgreSQL')
        added = await self._do(partial(rows.add, row, keep))
        event = self._added.get(asyncio.get_running_loop())
        if event is not None:
            event.set()
        return added

    async def row(self, ticket: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.row`."""
        return await self._do(partial(rows.select_one, "ticket = ?", (ticket,)))

    async def known(self, repeat: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.known`."""
        return await self._do(partial(rows.known, repeat))

    async def mark(self, ticket: str) -> None:
        """See :meth:`authmail.queue.Engine.mark`."""
        await self._do(partial(rows.execute, "UPDATE queued SET marked = 1 WHERE ticket = ?", (ticket,)))

    async def find(self, states: Sequence[TicketState], *, most: int) -> Sequence[Row]:
        """See :meth:`authmail.queue.Engine.find`."""
        marks = ", ".join("?" * len(states))
        query = f"SELECT {COLUMNS} FROM queued WHERE state IN ({marks}) ORDER BY created DESC LIMIT ?"  # noqa: S608
        return await self._do(lambda connection, _: [read_row(values) for values in connection.execute(query, (*states, most))])

    async def retry(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.retry`."""
        query = "UPDATE queued SET state = 'queued', due = 0, marked = 0, held = 0, until = ? WHERE ticket = ? AND length(box) > 0 AND state != 'sending'"
        return bool(await self._do(partial(rows.execute, query, (FOR_EVER, ticket))))

    async def drop(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.drop`."""
        return await self._do(partial(rows.drop, ticket))

    async def reseal(self, row: Row, key: str, box: bytes) -> bool:
        """See :meth:`authmail.queue.Engine.reseal`."""
        query = "UPDATE queued SET key = ?, box = ? WHERE ticket = ? AND key = ? AND length(box) > 0"
        return bool(await self._do(partial(rows.execute, query, (key, box, row.ticket, row.key))))

    async def release(self) -> int:
        """See :meth:`authmail.queue.Engine.release`."""
        return await self._do(partial(rows.execute, "UPDATE queued SET held = 0 WHERE held = 1", ()))

    async def forget(self, address: str) -> int:
        """See :meth:`authmail.queue.Engine.forget`."""
        return await self._do(partial(rows.forget, address))

    async def statistics(self) -> Statistics:
        """See :meth:`authmail.queue.Engine.statistics`."""
        return await self._do(rows.statistics)

    async def work(self, handle: Handler, *, concurrency: int, stop: asyncio.Event) -> None:
        """See :meth:`authmail.queue.Engine.work`. It stands by while another process works."""
        with WorkerLock(self._path.with_name(f"{self._path.name}.worker")) as lock:
            while not lock.take():
                if await _is_set(stop, _STAND_BY):
                    return
            if held := await self._do(partial(rows.recover, lock.ended)):
                _log.error("the queue is an older one, out of a back-up: %s messages are held until authmail queue release", held)
            hands = Hands(handle, self._finish, self._hand_back)
            try:
                await self._hand_out(hands, concurrency, stop, lock)
            finally:
                await hands.end()
                lock.note(await self._do(rows.count_ended))

    async def _hand_out(self, hands: Hands, concurrency: int, stop: asyncio.Event, lock: WorkerLock) -> None:
        added = self._added[asyncio.get_running_loop()] = asyncio.Event()
        noted = 0.0
        while not stop.is_set():
            added.clear()
            room = min(concurrency - hands.busy, _AT_ONCE)
            found = await self._do(partial(rows.fetch, room)) if room > 0 else []
            hands.take(found)
            if not found or hands.busy >= concurrency:
                await hands.wait(stop, added, seconds=_LOOK)
            now = asyncio.get_running_loop().time()
            if now - noted >= _NOTE:
                noted = now
                lock.note(await self._do(rows.count_ended))

    async def _finish(self, row: Row, verdict: Verdict) -> None:
        await self._do(partial(rows.finish, row, verdict))

    async def _hand_back(self, row: Row) -> bool:
        """Make a row due again that nobody began with; whether that is so."""
        query = "UPDATE queued SET state = 'queued', due = 0 WHERE ticket = ? AND state = 'sending' AND marked = ?"
        return bool(await self._do(partial(rows.execute, query, (row.ticket, row.marked))))

    async def _do(self, operation: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        group = self._groups.get(loop)
        if group is None:
            group = self._groups[loop] = _Group(self._file, self._path.name)
        return await group.do(operation)

    def __repr__(self) -> str:
        return f"Journal({self._path.name!r})"


class _Group:
    """What is asked of a file on one loop: all that waits goes in one transaction, and so in one write to the disk."""

    def __init__(self, file: StoreFile, name: str) -> None:
        self._file = file
        self._name = name
        self._waiting: list[tuple[rows.Operation, asyncio.Future[Any]]] = []
        self._draining: asyncio.Task[None] | None = None

    async def do(self, operation: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        """Do one thing, with whatever else waits; when it returns, it is on disk."""
        future: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            operations = [operation for operation, _ in group]
            try:
                results = await self._file.run(partial(_do_all, operations), _PATIENCE, writes=True)
            except (sqlite3.Error, OSError) as error:
                problem = f"the queue {self._name} cannot be used: {error}"
                for _, future in group:
                    if not future.done():
                        future.set_exception(QueueError(problem))
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _do_all(operations: list[rows.Operation], connection: sqlite3.Connection, now: float) -> list[Any]:
    return [operation(connection, now) for operation in operations]


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
