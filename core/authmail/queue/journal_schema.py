"""The journal's tables in an SQLite file, and how a row is read and written."""

import sqlite3
from typing import Any

from authmail.delivery.stores import clock
from authmail.delivery.ticket import TicketState
from authmail.queue.engine import Row

#: Stands in the table ``journal``. A release reads and writes its own and the one before.
VERSION = 1

# ``worked``: how many steps the workers of a scope have made; a file that says fewer than its worker knows came out of a back-up.
_TABLES = """
CREATE TABLE IF NOT EXISTS journal (version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS worked (scope TEXT PRIMARY KEY, steps INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queued (
    ticket TEXT PRIMARY KEY, scope TEXT NOT NULL, priority INTEGER NOT NULL, created REAL NOT NULL, expires REAL NOT NULL, due REAL NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, marked INTEGER NOT NULL, key TEXT NOT NULL, box BLOB NOT NULL,
    repeat TEXT UNIQUE, fingerprint TEXT NOT NULL, repeat_until REAL NOT NULL, address TEXT NOT NULL, answer TEXT,
    trace TEXT NOT NULL, request TEXT NOT NULL, keep REAL NOT NULL, held INTEGER NOT NULL DEFAULT 0, until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS queued_by_state ON queued (state, held, scope, priority, due);
CREATE INDEX IF NOT EXISTS queued_by_end ON queued (until);
CREATE INDEX IF NOT EXISTS queued_by_address ON queued (address);
"""

#: Table → its primary key; see :class:`~authmail.delivery.stores.file.Layout`.
KEYS = {"queued": "ticket"}

#: The fields of a row, in the order of columns.
FIELDS = (
    "ticket", "scope", "priority", "created", "expires", "due", "state", "attempts", "marked", "key", "box", "repeat", "fingerprint",
    "repeat_until", "address", "answer", "trace", "request",
)  # fmt: skip
COLUMNS = ", ".join(FIELDS)

#: A row that has not ended is kept.
FOR_EVER = 1e18


def make_tables(connection: sqlite3.Connection) -> None:
    """Make what is missing. Cheap where nothing is.

    Raises:
        sqlite3.NotSupportedError: a release made the journal that is too new for this one.
    """
    for statement in (clock.SCHEMA + _TABLES).split(";"):
        connection.execute(statement)
    found = connection.execute("SELECT version FROM journal").fetchone()
    if found is None:
        connection.execute("INSERT INTO journal VALUES (?)", (VERSION,))
    elif found[0] > VERSION + 1:
        raise sqlite3.NotSupportedError(f"a newer release made it (version {found[0]}); this one reads up to {VERSION + 1}")


def read_row(values: tuple[Any, ...]) -> Row:
    """Return the row of a table's row."""
    fields = dict(zip(FIELDS, values, strict=True))
    return Row(**fields | {"state": TicketState(fields["state"]), "marked": bool(fields["marked"]), "box": bytes(fields["box"])})
