"""A store in an SQLite file: for the processes of one machine, and across their restarts."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from authmail.config.secret import Secret
from authmail.delivery.stores import sqlite_reports
from authmail.delivery.stores.file import Layout, StoreFile
from authmail.delivery.stores.reports import StoreCheck, StoreStats
from authmail.delivery.stores.schema import KEYS, count_in_slice, make_tables, take_over
from authmail.delivery.stores.store import Begun, Claim, Entry, Limit, Note, StoreError, Turn, keyed_digest, new_secret, secret_of
from authmail.delivery.stores.turns import Row, take
from authmail.delivery.stores.window import both_ways, end_of_slice, first_slice, is_exact, kept_under, slice_at, wait_for_room
from authmail.privacy import raise_afresh

_Result = TypeVar("_Result")

# For what nobody waits for with a message.
_OPENING_SECONDS = 5.0

_LAYOUT = Layout(make_tables, KEYS, take_over)


class SQLiteStore:
    """Counts, answers and notes in a file, shared by every process that opens it; not for a network file system.

    It opens when it is first used, in each process by itself, and closes with the last ``async with`` that is left, or
    before a fork. Two of one path are the same store. The file holds keyed hashes, times, and answers (message ids, error texts):
    no address, code or link. Only its owner can read it. Time is the machine's since its start, so a wall clock that is set moves nothing.

    Args:
        path: the file; made if it is not there.
        secret: key of the hashes, the same for all processes, 16 bytes or more, best kept away from the file. None keeps
            one in a file beside it, ``NAME.key``, which only the owner can read.
        clock: gives seconds; by default the store's own. Should it go backwards, time stands still.
    """

    @raise_afresh
    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        secret: Secret | bytes | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._path = Path(path)
        self._secret = None if secret is None else secret_of(secret)
        self._stand_in = new_secret()
        self._file = StoreFile(self._path, _LAYOUT, clock)
        self._openings = 0

    @property
    def place(self) -> str:
        """The file's path."""
        return str(self._path)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SQLiteStore) and self._path.resolve() == other._path.resolve()

    def __hash__(self) -> int:
        return hash(self._path.resolve())

    async def __aenter__(self) -> Self:
        await self._run(lambda connection, now: None, _OPENING_SECONDS)  # noqa: ARG005
        self._openings += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._openings -= 1
        if self._openings <= 0:
            self._openings = 0
            await self._file.close()

    def abandon(self) -> None:
        """In a forked child: nobody has entered it here. The parent closed its connection before the fork."""
        self._openings = 0

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        try:
            secret = self._read_secret()
        except OSError:  # told by whatever is asked of the file with it
            secret = self._stand_in
        return keyed_digest(secret, parts)

    def _read_secret(self) -> bytes:
        if self._secret is None:
            self._secret = _kept_secret(self._path.with_name(f"{self._path.name}.key"))
        return self._secret

    async def begin(self, claim: Claim, *, timeout: float = _OPENING_SECONDS) -> Begun:
        """See :meth:`authmail.delivery.Store.begin`."""
        return await self._run(partial(_begin, claim), timeout)

    async def end(
        self,
        claim: Claim,
        begun: Begun,
        *,
        answer: str | None,
        uncount: Sequence[str] = (),
        timeout: float = _OPENING_SECONDS,
    ) -> None:
        """See :meth:`authmail.delivery.Store.end`."""
        await self._run(partial(_end, claim, begun.at, answer, uncount), timeout)

    async def answer_of(self, key: str, *, timeout: float = _OPENING_SECONDS) -> Entry | None:
        """See :meth:`authmail.delivery.Store.answer_of`."""
        return await self._run(partial(_entry, key), timeout, writes=False)

    async def note(self, key: str, text: str | None, *, keep: float = 0.0, timeout: float = _OPENING_SECONDS) -> None:
        """See :meth:`authmail.delivery.Store.note`."""
        await self._run(partial(_leave_note, key, text, keep), timeout)

    async def forget(self, keys: Iterable[str], *, timeout: float = _OPENING_SECONDS) -> int:
        """Forget all that limits count under these keys; return how many messages that were."""
        return await self._run(partial(_forget, [one for key in keys for one in both_ways(key)]), timeout)

    async def check(self) -> StoreCheck:
        """Say how it stands; makes no file.

        Raises:
            StoreError: the file cannot be read.
        """
        return await sqlite_reports.check(self, self._path, self._read)

    async def stats(self, told: Callable[[int, int], None] | None = None) -> StoreStats:
        """Say how much is in it.

        Raises:
            StoreError: the file cannot be read.
        """
        return await sqlite_reports.stats(self._path, self._read)

    async def _read(self, work: Callable[[sqlite3.Connection, float], _Result]) -> _Result:
        return await self._run(work, _OPENING_SECONDS, writes=False)

    async def _run(self, work: Callable[[sqlite3.Connection, float], _Result], timeout: float, *, writes: bool = True) -> _Result:
        try:
            self._read_secret()
            return await self._file.run(work, timeout, writes=writes)
        except (sqlite3.Error, OSError) as error:
            problem = self._problem(error)
        raise problem

    def _problem(self, error: Exception) -> StoreError:
        return StoreError(f"the store {self._path.name} cannot be used: {error}")

    def __repr__(self) -> str:
        return f"SQLiteStore({self._path.name!r})"


def _begin(claim: Claim, connection: sqlite3.Connection, now: float) -> Begun:
    notes = dict(_notes(claim.notes, connection, now))
    if claim.key is not None:
        entry = _entry(claim.key, connection, now)
        if entry is not None:
            return Begun(entry=entry, at=now, notes=notes)
    wait = max((_wait(connection, key, limit, now) for key, limit in claim.counts), default=0.0)
    turn = 0.0
    if wait == 0.0:
        turn = _take(claim.turn, connection, now)
        for key, limit in claim.counts:
            _count(connection, key, limit, claim.token, now)
        if claim.key is not None:
            row = (claim.key, claim.fingerprint, claim.token, now + claim.lease, now + claim.keep)
            connection.execute(
                "INSERT OR REPLACE INTO entries (key, fingerprint, token, lease, until) VALUES (?, ?, ?, ?, ?)", row
            )
    return Begun(wait=wait, at=now, notes=notes, turn=turn)


def _end(claim: Claim, at: float, answer: str | None, uncount: Sequence[str], connection: sqlite3.Connection, _: float) -> None:
    limits = dict(claim.counts)
    for key in uncount:
        _uncount(connection, key, limits[key], claim.token, at)
    if claim.key is not None and answer is not None:
        connection.execute("UPDATE entries SET answer = ? WHERE key = ? AND token = ?", (answer, claim.key, claim.token))
    elif claim.key is not None:
        connection.execute("DELETE FROM entries WHERE key = ? AND token = ?", (claim.key, claim.token))


def _entry(key: str, connection: sqlite3.Connection, now: float) -> Entry | None:
    row = connection.execute("SELECT fingerprint, answer, lease FROM entries WHERE key = ? AND until > ?", (key, now)).fetchone()
    return None if row is None else Entry(row[0], row[1], row[2] - now)


def _notes(keys: Sequence[str], connection: sqlite3.Connection, now: float) -> Iterator[tuple[str, Note]]:
    for key in keys:
        row = connection.execute("SELECT text, until FROM notes WHERE key = ? AND until > ?", (key, now)).fetchone()
        if row is not None:
            yield key, Note(row[0], row[1] - now)


def _leave_note(key: str, text: str | None, keep: float, connection: sqlite3.Connection, now: float) -> None:
    if text is None:
        connection.execute("DELETE FROM notes WHERE key = ?", (key,))
    else:
        connection.execute("INSERT OR REPLACE INTO notes (key, text, until) VALUES (?, ?, ?)", (key, text, now + keep))


def _forget(keys: Sequence[str], connection: sqlite3.Connection, _: float) -> int:
    number = 0
    for key in keys:
        number += connection.execute("DELETE FROM times WHERE key = ?", (key,)).rowcount
        number += connection.execute("SELECT coalesce(sum(number), 0) FROM slices WHERE key = ?", (key,)).fetchone()[0]
        connection.execute("DELETE FROM slices WHERE key = ?", (key,))
    return number


def _take(turn: Turn | None, connection: sqlite3.Connection, now: float) -> float:
    if turn is None:
        return 0.0
    kept = connection.execute("SELECT start, open, kept, last FROM turns WHERE key = ?", (turn.key,)).fetchone()
    wait, row = take(turn, kept and Row(*kept), now)
    if row is not None:
        values = (turn.key, row.start, row.open, row.kept, row.end, row.until(turn))
        connection.execute("INSERT OR REPLACE INTO turns (key, start, open, kept, last, until) VALUES (?, ?, ?, ?, ?, ?)", values)
    return wait


def _wait(connection: sqlite3.Connection, key: str, limit: Limit, now: float) -> float:
    key = kept_under(key, limit)
    if not is_exact(limit):
        query = "SELECT slice, number FROM slices WHERE key = ? AND slice >= ? ORDER BY slice"
        return wait_for_room(limit, now, connection.execute(query, (key, first_slice(limit, now))))
    row = connection.execute(
        "SELECT at FROM times WHERE key = ? AND at > ? ORDER BY at DESC LIMIT 1 OFFSET ?",
        (key, now - limit.seconds, limit.most - 1),
    ).fetchone()
    return 0.0 if row is None else row[0] + limit.seconds - now


def _count(connection: sqlite3.Connection, key: str, limit: Limit, token: str, now: float) -> None:
    key = kept_under(key, limit)
    if is_exact(limit):
        connection.execute(
            "INSERT OR IGNORE INTO times (key, at, token, until) VALUES (?, ?, ?, ?)", (key, now, token, now + limit.seconds)
        )
    else:
        place = slice_at(limit, now)
        count_in_slice(connection, key, place, end_of_slice(limit, place))


def _uncount(connection: sqlite3.Connection, key: str, limit: Limit, token: str, at: float) -> None:
    key = kept_under(key, limit)
    if is_exact(limit):
        connection.execute("DELETE FROM times WHERE key = ? AND at = ? AND token = ?", (key, at, token))
    else:
        connection.execute(
            "UPDATE slices SET number = max(0, number - 1) WHERE key = ? AND slice = ?", (key, slice_at(limit, at))
        )


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
