"""The file of a store: its connection and the thread that works on it, through forks, locks and full disks."""

import asyncio
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import random
from typing import TypeVar, cast

import attrs

from authmail.delivery.stores.clock import FileClock, steady

_Result = TypeVar("_Result")

# Another process holds the file for a millisecond at a time. Waits grow up to the second figure; both in seconds.
_SHORTEST_PAUSE = 0.001
_LONGEST_PAUSE = 0.025
# So many rows of each table that are over go with each of a message's two trips: more than it brings, and few enough to cost little.
_LET_GO_AT_ONCE = 4
# Kept in memory of a file that may be large, in KiB.
_CACHE = 16_384


@attrs.frozen
class Layout:
    """What is in a file, for whoever opens it.

    Args:
        make_tables: makes what is missing, within a transaction.
        keys: table → its primary key; each has a column ``until`` and an index on it.
        take_over: moves a portion of what an earlier release left; whether there may be more.
        synchronous: SQLite's word for how safe a commit is when power fails.
        wipes: whether what is deleted is overwritten.
    """

    make_tables: Callable[[sqlite3.Connection], None]
    keys: Mapping[str, str]
    take_over: Callable[[sqlite3.Connection, float], bool] | None = None
    synchronous: str = "NORMAL"
    wipes: bool = False


class StoreFile:
    """One file, opened when it is first used, and by each process for itself.

    Args:
        path: the file; made if it is not there.
        layout: what is in it.
        clock: gives seconds; None for the file's own clock.
    """

    def __init__(self, path: Path, layout: Layout, clock: Callable[[], float] | None) -> None:
        self._path = path
        self._layout = layout
        self._clock = None if clock is None else steady(clock)
        self._file_clock: FileClock | None = None
        self._rest_of_old = False
        self._lock = _lock_of(path)  # held by whoever uses a connection to this file, and over a fork
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        with _files_lock:
            _files.add(self)

    async def run(self, work: Callable[[sqlite3.Connection, float], _Result], seconds: float, *, writes: bool) -> _Result:
        """Do something with the file in its thread, in one transaction.

        Args:
            work: gets the connection and the time.
            seconds: to wait for others who use the file.
            writes: whether it changes anything.

        Raises:
            sqlite3.Error: the file cannot be used, or was busy for so long.
            OSError: it cannot be made.
        """
        try:
            async with asyncio.timeout(seconds):
                done, result = await self._try(work, writes=writes)
                if not done:
                    async with self._turn():  # one asks again for all who wait
                        pause = _SHORTEST_PAUSE
                        while not done:
                            await asyncio.sleep(pause * (0.5 + random() / 2))  # noqa: S311 (nobody is helped by guessing it)
                            pause = min(pause * 2, _LONGEST_PAUSE)
                            done, result = await self._try(work, writes=writes)
                return cast("_Result", result)
        except TimeoutError:
            pass
        raise sqlite3.OperationalError("it is in use by others for too long")

    def time(self) -> float | None:
        """Return the file's time without asking the file; None as long as it was not opened."""
        if self._clock is not None:
            return self._clock()
        return None if self._file_clock is None else self._file_clock.now()

    def _turn(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if self._waiting is None or self._waiting[0] is not loop:
            self._waiting = loop, asyncio.Lock()
        return self._waiting[1]

    async def _try(self, work: Callable[[sqlite3.Connection, float], _Result], *, writes: bool) -> tuple[bool, _Result | None]:
        """Do it, if nobody else holds the file just now; whether it was done."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="authmail-store")
        try:
            return True, await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work, writes)
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            return False, None

    async def close(self) -> None:
        """Close it after what is under way; the next use opens it again."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown(wait=False)

    def _transact(self, work: Callable[[sqlite3.Connection, float], _Result], writes: bool) -> _Result:
        with self._lock:
            connection = self._connection or self._open()
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            try:
                now = self._now()
                if writes:
                    self._tidy(connection, now)
                result = work(connection, now)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # SQLite itself rolled back on a full disk
                    connection.execute("ROLLBACK")
                raise
            return result

    def _now(self) -> float:
        if self._clock is not None:
            return self._clock()
        assert self._file_clock is not None  # noqa: S101 (made when the file was opened)
        return self._file_clock.now()

    def _tidy(self, connection: sqlite3.Connection, now: float) -> None:
        if self._rest_of_old:
            self._take_portion(connection, now)
        if self._file_clock is not None:
            self._file_clock.tell(connection, now)
        for table, key in self._layout.keys.items():
            over = f"SELECT {key} FROM {table} WHERE until <= ? LIMIT {_LET_GO_AT_ONCE}"
            connection.execute(f"DELETE FROM {table} WHERE ({key}) IN ({over})", (now,))

    def _open(self) -> sqlite3.Connection:
        # SQLite gives its journals the rights of the file. One that is there is not even opened: whoever closes any descriptor of it
        # gives up all locks that this process has on it (SQLite's "How to corrupt", section 2.2), another store's too.
        with suppress(FileExistsError):
            os.close(os.open(self._path.resolve(), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=64)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._layout.synchronous}")
            if self._layout.wipes:
                connection.execute("PRAGMA secure_delete = ON")
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute("BEGIN IMMEDIATE")
            self._layout.make_tables(connection)
            if self._clock is None:
                self._file_clock = FileClock(connection)
            connection.execute("COMMIT")
            self._take_over(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _take_over(self, connection: sqlite3.Connection) -> None:
        """Take over what an earlier release left, in portions between which others get their turn."""
        self._rest_of_old = self._layout.take_over is not None
        while self._rest_of_old:
            connection.execute("BEGIN IMMEDIATE")
            self._take_portion(connection, self._now())
            connection.execute("COMMIT")

    def _take_portion(self, connection: sqlite3.Connection, now: float) -> None:
        self._rest_of_old = self._layout.take_over is not None and self._layout.take_over(connection, now)

    def _close(self) -> None:
        with self._lock:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __del__(self) -> None:
        # Nobody has to close a store.
        with suppress(AttributeError, sqlite3.Error):
            self._disconnect()

    # A connection that crosses a fork loses its locks, and with them what others write (SQLite's "How to corrupt", section 2.6); so none does.

    def before_fork(self) -> None:
        """Finish what is under way, and close."""
        self._lock.acquire()
        with suppress(sqlite3.Error):
            self._disconnect()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: the thread is the parent's alone."""
        self._lock = _lock_of(self._path)
        self._thread = None


# Two of one file in one process, such as a store and a queue, take turns here rather than find it busy. Reentrant, since whoever forks holds
# it for each of them.
_locks: dict[Path, threading.RLock] = {}


def _lock_of(path: Path) -> threading.RLock:
    return _locks.setdefault(path.resolve(), threading.RLock())


_files_lock = threading.Lock()
_files: weakref.WeakSet[StoreFile] = weakref.WeakSet()
_held: list[StoreFile] = []


def _before_fork() -> None:
    _files_lock.acquire()
    _held[:] = list(_files)
    for file in _held:
        file.before_fork()


def _after_fork_in_parent() -> None:
    while _held:
        _held.pop().after_fork_in_parent()
    _files_lock.release()


def _after_fork_in_child() -> None:
    global _files_lock  # noqa: PLW0603 (the parent's is held)
    _files_lock = threading.Lock()
    _locks.clear()
    while _held:
        _held.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
