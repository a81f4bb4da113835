"""What is in the file of an :class:`~authmail.delivery.SQLiteStore`, and how one of an earlier release is taken over."""

import sqlite3

from authmail.delivery.stores import clock
from authmail.delivery.stores.store import Limit
from authmail.delivery.stores.window import EXACT, end_of_slice, kept_under, slice_at

# What writes names its columns, since the next release may add some.
#: Stands in the file as ``PRAGMA user_version``. A release reads and writes its own and the one before.
VERSION = 2

_TABLES = """
CREATE TABLE IF NOT EXISTS times (
    key TEXT NOT NULL, at REAL NOT NULL, token TEXT NOT NULL, until REAL NOT NULL, PRIMARY KEY (key, at, token)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS times_by_end ON times (until);
CREATE TABLE IF NOT EXISTS slices (
    key TEXT NOT NULL, slice INTEGER NOT NULL, number INTEGER NOT NULL, until REAL NOT NULL, PRIMARY KEY (key, slice)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slices_by_end ON slices (until);
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, token TEXT NOT NULL, answer TEXT, lease REAL NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_by_end ON entries (until);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, text TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notes_by_end ON notes (until);
CREATE TABLE IF NOT EXISTS turns (
    key TEXT PRIMARY KEY, start REAL NOT NULL, open INTEGER NOT NULL, kept INTEGER NOT NULL, last INTEGER NOT NULL, until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS turns_by_end ON turns (until);
"""

#: Table → its primary key; each has a column ``until`` and an index on it.
KEYS = {"times": "key, at, token", "slices": "key, slice", "entries": "key", "notes": "key", "turns": "key"}

# Of the first release, whose file has no version: tables `counted` (a row a message and limit) and `answers`.
_PORTION = 100


def make_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing. Cheap where nothing is.

    Raises:
        sqlite3.NotSupportedError: a release made the file that is too new for this one.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION + 1:
        raise sqlite3.NotSupportedError(f"a newer release made it (version {version}); this one reads up to {VERSION + 1}")
    if version >= VERSION:
        return
    for statement in (clock.SCHEMA + _TABLES).split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def take_over(connection: sqlite3.Connection, now: float) -> bool:
    """Move a portion of what the first release left, within a transaction; whether there may be more.

    Its tables stay, empty, so that a process of that release which still runs goes on.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return ("answers" in tables and _take_answers(connection, now)) or ("counted" in tables and _take_counts(connection, now))


def _take_answers(connection: sqlite3.Connection, now: float) -> bool:
    columns = "key, fingerprint, answer, made, lease, until"
    rows = connection.execute(f"SELECT {columns} FROM answers LIMIT {_PORTION}").fetchall()
    for key, fingerprint, answer, made, lease, until in rows:
        late = max(0.0, made - now)  # the wall clock of that time went before this one
        if until - late > now:
            connection.execute(
                "INSERT INTO entries (key, fingerprint, token, answer, lease, until) VALUES (?, ?, '', ?, ?, ?) ON CONFLICT DO NOTHING",
                (key, fingerprint, answer, lease - late, until - late),
            )
    connection.executemany("DELETE FROM answers WHERE key = ?", [(row[0],) for row in rows])
    return len(rows) == _PORTION


def _take_counts(connection: sqlite3.Connection, now: float) -> bool:
    rows = connection.execute(f"SELECT token, key, at, until FROM counted LIMIT {_PORTION}").fetchall()
    for token, key, at, until in rows:
        late, seconds = max(0.0, at - now), until - at
        if until - late <= now or seconds <= 0:
            continue
        # Nobody knows how large its limit is, so it counts under both names; what is too much for one is soon over.
        connection.execute(
            "INSERT INTO times (key, at, token, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (key, at - late, token, until - late),
        )
        large = Limit(EXACT + 1, seconds)
        place = slice_at(large, at - late)
        count_in_slice(connection, kept_under(key, large), place, end_of_slice(large, place))
    connection.executemany("DELETE FROM counted WHERE token = ? AND key = ?", [row[:2] for row in rows])
    for key in {row[1] for row in rows}:
        connection.execute(
            "DELETE FROM times WHERE key = ?1 AND at < (SELECT at FROM times WHERE key = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
            (key, EXACT - 1),
        )
    return len(rows) == _PORTION


def count_in_slice(connection: sqlite3.Connection, key: str, place: int, until: float) -> None:
    """Count one message in a slice."""
    connection.execute(
        "INSERT INTO slices (key, slice, number, until) VALUES (?, ?, 1, ?) ON CONFLICT DO UPDATE SET number = number + 1",
        (key, place, until),
    )
