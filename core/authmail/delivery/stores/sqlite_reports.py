"""How an SQLite store stands, and how much is in it."""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import attrs

from authmail.delivery.stores.reports import TABLES, StoreCheck, StoreStats, not_written, round_trip, stats_of
from authmail.delivery.stores.schema import KEYS
from authmail.delivery.stores.store import StoreError
from authmail.errors import Problem
from authmail.words.text import say

_Result = TypeVar("_Result")
_MOUNTS = Path("/proc/self/mounts")
#: Names of file systems on other machines, as Linux has them. WAL needs memory that all processes share:
#: https://www.sqlite.org/wal.html, "all processes using a database must be on the same host computer".
_OF_NETWORKS = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs"}
    | {"gfs2", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
# Free bytes below which a disk is as good as full.
_LITTLE = 64 * 1024 * 1024


class InFile(Protocol):
    """What is asked of an SQLiteStore."""

    def digest(self, *parts: str) -> str:
        """Return a keyed hash."""

    async def note(self, key: str, text: str | None, *, keep: float = ...) -> None:
        """Leave a note."""

    async def answer_of(self, key: str) -> object:
        """Return what is known of a message."""


class Reading(Protocol):
    """Reads something from a file."""

    async def __call__(self, work: Callable[[sqlite3.Connection, float], _Result], /) -> _Result:
        """Do it in one transaction, with the store's time."""


async def check(store: InFile, path: Path, read: Reading) -> StoreCheck:
    """Return how a store stands. Makes no file.

    Args:
        store: the store.
        path: its file.
        read: reads from it.

    Raises:
        StoreError: the file cannot be used.
    """
    problems, notes = list(_problems(path)), []
    schema = trip = None
    if not _is_there(path):
        notes = [say("the file is not there yet; it is made at the first message")]
    else:
        schema = await read(_version)
        key = store.digest("check")
        try:
            await store.note(key, "", keep=1.0)
            await store.note(key, None)
            trip = await round_trip(partial(store.answer_of, key))
        except StoreError as error:
            problems.append(not_written(error))
    return StoreCheck(
        kind="SQLite",
        place=str(path),
        version=sqlite3.sqlite_version,
        schema=schema,
        round_trip=trip,
        problems=tuple(problems),
        warnings=tuple(_warnings(path)),
        notes=tuple(notes),
    )


def _is_there(path: Path) -> bool:
    return path.exists()


def _problems(path: Path) -> Iterator[Problem]:
    if not _is_there(path) and not os.access(path.resolve().parent, os.W_OK | os.X_OK):
        yield Problem("folder", say("it is not there, or cannot be written"), say("make it, and give it to whoever sends"))


def _version(connection: sqlite3.Connection, _: float) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _warnings(path: Path) -> Iterator[Problem]:
    kind = file_system_of(path)
    if kind in _OF_NETWORKS:
        message = say(
            "lies on a network file system ({kind}): what processes of several machines write is lost or garbled", kind=kind
        )
        yield Problem("store", message, say("use a local disk, or redis:// or postgresql:// for many machines"))
    for file in (path, path.with_name(f"{path.name}.key")):
        if file.exists() and file.stat().st_mode & 0o077:
            yield Problem(file.name, say("others on this machine may use it"), say("chmod 600 keeps it to its owner"))
    folder = path.resolve().parent
    free = shutil.disk_usage(folder).free if folder.exists() else None
    if free is not None and free < _LITTLE:
        yield Problem(
            "disk",
            say("only {number} MiB are free", number=free // (1024 * 1024)),
            say("make room; mail goes out uncounted when it is full"),
        )


def file_system_of(path: Path, mounts: Path = _MOUNTS) -> str:
    """Return the kind of file system that a path is on; nothing where this machine does not tell.

    Args:
        path: a file, there or not.
        mounts: the list of mounts, see proc_pid_mounts(5).
    """
    try:
        rows = [line.split(" ") for line in mounts.read_text("utf-8", "surrogateescape").splitlines()]
    except OSError:
        return ""
    whole = path.resolve()
    found = [(len(row[1]), number, row[2]) for number, row in enumerate(rows) if whole.is_relative_to(_unescaped(row[1]))]
    return max(found, default=(0, 0, ""))[2]


def _unescaped(path: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        path = path.replace(escape, character)
    return path


async def stats(path: Path, read: Reading) -> StoreStats:
    """Return how much is in a store. Makes no file.

    Args:
        path: its file.
        read: reads from it.

    Raises:
        StoreError: the file cannot be used.
    """
    if not _is_there(path):
        return StoreStats()
    return attrs.evolve(await read(_counted), size=_size(path))


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())


def _counted(connection: sqlite3.Connection, now: float) -> StoreStats:
    numbers: Counter[str] = Counter()
    ends: list[float] = []
    for table in KEYS:
        number, *of_table = connection.execute(f"SELECT count(*), min(until), max(until) FROM {table}").fetchone()
        numbers[TABLES[table]] += number
        ends += [end - now for end in of_table if end is not None]
    return stats_of(numbers, ends)
