"""A store in an SQLite file: for the processes of one machine, and across their restarts."""

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from authmail.config.secret import Secret
from authmail.delivery.stores.store import Entry, Limit, StoreError, keyed_digest, new_secret
from authmail.privacy import raise_afresh

_Result = TypeVar("_Result")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS counted (
    token TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, until REAL NOT NULL, PRIMARY KEY (token, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counted_by_key ON counted (key, at);
CREATE INDEX IF NOT EXISTS counted_by_end ON counted (until);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT, made REAL NOT NULL, lease REAL NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_end ON answers (until);
"""
_SWEEP = 30.0
# Another process holds the file for a millisecond at a time. What waits is a message, which has ten seconds.
_BUSY_SECONDS = 2.0


class SQLiteStore:
    """Counts and answers in a file, shared by every process that opens it; not for a network file system.

    Open it with ``async with``, after any fork; several may open the same one, and the last to leave closes it. The file
    holds keyed hashes, times, and answers (message ids, error texts): no address, code or link. Only its owner can read it.

    Args:
        path: the file; made if it is not there.
        secret: key of the hashes, the same for all processes, 16 bytes or more, best kept away from the file. None keeps
            one in a file beside it, ``NAME.key``, which only the owner can read.
        clock: gives the seconds since 1970. Should it go backwards, nothing is kept for longer.
    """

    @raise_afresh
    def __init__(
        self, path: str | os.PathLike[str], *, secret: Secret | bytes | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = Path(path)
        self._given = secret.reveal().encode() if isinstance(secret, Secret) else secret
        if self._given is not None and len(self._given) < 16:  # noqa: PLR2004 (128 bits)
            raise ValueError("the secret of a store needs 16 bytes or more")
        self._secret = b""
        self._clock = clock
        self._swept = 0.0
        self._patience = _BUSY_SECONDS
        self._openings = 0
        self._process = 0
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        self._inherited: sqlite3.Connection | None = None

    async def __aenter__(self) -> Self:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="authmail-store")
            self._process = os.getpid()
        self._openings += 1
        try:
            await self._run(self._open)
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()

    async def _leave(self) -> None:
        self._openings -= 1
        if self._openings == 0 and self._thread is not None:
            thread, self._thread = self._thread, None
            if self._process == os.getpid():
                await asyncio.get_running_loop().run_in_executor(thread, self._close)
            thread.shutdown(wait=False)

    def abandon(self) -> None:
        """In a forked child: leave the parent's connection to the parent, so that this can be opened again."""
        # Kept, for SQLite must not close in a child what its parent opened; a store may stand in several places.
        self._inherited = self._connection or self._inherited
        self._thread = self._connection = None
        self._openings = 0

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    async def reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        """See :meth:`authmail.delivery.Store.reserve`."""
        return await self._run(lambda: self._reserve(token, claims))

    async def release(self, token: str, keys: Sequence[str]) -> None:
        """See :meth:`authmail.delivery.Store.release`."""

        def work(connection: sqlite3.Connection, _: float) -> None:
            connection.executemany("DELETE FROM counted WHERE key = ? AND token = ?", [(key, token) for key in keys])

        await self._run(lambda: self._transact(work))

    async def begin(self, key: str, fingerprint: str, *, lease: float, keep: float) -> Entry | None:
        """See :meth:`authmail.delivery.Store.begin`."""

        def work(connection: sqlite3.Connection, now: float) -> Entry | None:
            # A clock that went backwards must not keep an entry for longer.
            connection.execute(
                "UPDATE answers SET until = until - (made - ?1), lease = lease - (made - ?1), made = ?1 WHERE key = ?2 AND made > ?1",
                (now, key),
            )
            connection.execute("DELETE FROM answers WHERE key = ? AND until <= ?", (key, now))
            made = connection.execute(
                "INSERT INTO answers VALUES (?, ?, NULL, ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, fingerprint, now, now + lease, now + keep),
            )
            if made.rowcount:
                return None
            row = connection.execute("SELECT fingerprint, answer, lease FROM answers WHERE key = ?", (key,)).fetchone()
            return Entry(row[0], row[1], row[2] - now)

        return await self._run(lambda: self._transact(work))

    async def finish(self, key: str, answer: str) -> None:
        """See :meth:`authmail.delivery.Store.finish`."""

        def work(connection: sqlite3.Connection, _: float) -> None:
            connection.execute("UPDATE answers SET answer = ? WHERE key = ?", (answer, key))

        await self._run(lambda: self._transact(work))

    async def forget(self, key: str) -> None:
        """See :meth:`authmail.delivery.Store.forget`."""

        def work(connection: sqlite3.Connection, _: float) -> None:
            connection.execute("DELETE FROM answers WHERE key = ?", (key,))

        await self._run(lambda: self._transact(work))

    async def _run(self, work: Callable[[], _Result]) -> _Result:
        if self._thread is None:
            raise StoreError(f"the store {self._path.name} is not open; use 'async with'")
        if self._process != os.getpid():  # its thread is the parent's, and would never answer
            raise StoreError(f"the store {self._path.name} was opened before a fork; open one after it")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            reason = str(error)
        raise StoreError(f"the store {self._path.name} cannot be used: {reason}")

    def _open(self) -> None:
        if self._connection is not None:
            return
        # SQLite gives its journals the rights of the file.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.executescript(_SCHEMA)
            self._secret = self._given or _kept_secret(self._path.with_name(f"{self._path.name}.key"))
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        # After one has waited in vain the others try once each, so that not every message waits for all before it.
        patience = 0.0
        try:
            connection.execute("BEGIN IMMEDIATE")
            patience = _BUSY_SECONDS
        finally:
            if patience != self._patience:
                connection.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
                self._patience = patience

    def _transact(self, work: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        connection = self._connection
        if connection is None:
            raise sqlite3.ProgrammingError("it is closed")
        self._begin(connection)
        try:
            now = self._clock()
            if abs(now - self._swept) > _SWEEP:
                self._swept = now
                connection.execute("DELETE FROM counted WHERE until <= ?", (now,))
                connection.execute("DELETE FROM answers WHERE until <= ?", (now,))
            result = work(connection, now)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite itself rolled back on a full disk
                connection.execute("ROLLBACK")
            raise
        return result

    def _reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        def work(connection: sqlite3.Connection, now: float) -> float:
            wait = max((_wait(connection, key, limit, now) for key, limit in claims), default=0.0)
            if wait == 0.0:
                rows = [(token, key, now, now + limit.seconds) for key, limit in claims]
                connection.executemany("INSERT INTO counted VALUES (?, ?, ?, ?)", rows)
            return wait

        return self._transact(work)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite does not wait here by itself while another process makes the file."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(0.01)


def _wait(connection: sqlite3.Connection, key: str, limit: Limit, now: float) -> float:
    # A clock that went backwards must not count a message for longer.
    connection.execute("UPDATE counted SET at = ?, until = ? WHERE key = ? AND at > ?", (now, now + limit.seconds, key, now))
    row = connection.execute(
        "SELECT at FROM counted WHERE key = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (key, now - limit.seconds, limit.most - 1),
    ).fetchone()
    return 0.0 if row is None else row[0] + limit.seconds - now


def _kept_secret(path: Path) -> bytes:
    """Return the secret of a file, made by whichever process comes first."""
    if not path.exists():
        descriptor, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # only its owner can read it
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(new_secret())
            with suppress(FileExistsError):
                os.link(fresh, path)  # whole or not at all, and never over another's
        finally:
            Path(fresh).unlink()
    secret = path.read_bytes()
    if len(secret) < 16:  # noqa: PLR2004 (128 bits)
        raise OSError(f"{path.name} holds no secret; delete it to have a new one made")
    return secret
