"""What a journal does with its rows, each within a transaction."""

import sqlite3
from collections.abc import Callable
from typing import Any

from authmail.delivery.ticket import ENDED, TicketState
from authmail.queue.engine import Row, Statistics, Verdict
from authmail.queue.journal_schema import COLUMNS, FIELDS, FOR_EVER, read_row

#: Something that is done within a transaction, at a time.
Operation = Callable[[sqlite3.Connection, float], Any]


_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))


def forget(address: str, connection: sqlite3.Connection, _: float) -> int:
    """Remove what has ended of a recipient."""
    return connection.execute(f"DELETE FROM queued WHERE address = ? AND state IN ({_ENDED})", (address,)).rowcount  # noqa: S608


def execute(query: str, values: tuple[Any, ...], connection: sqlite3.Connection, _: float) -> int:
    """Do something; return how many rows it changed."""
    return connection.execute(query, values).rowcount


def select_one(where: str, values: tuple[Any, ...], connection: sqlite3.Connection, _: float) -> Row | None:
    """Return one row, if there is one."""
    found = connection.execute(f"SELECT {COLUMNS} FROM queued WHERE {where}", values).fetchone()  # noqa: S608
    return None if found is None else read_row(found)


def known(repeat: str, connection: sqlite3.Connection, now: float) -> Row | None:
    """Return the row that repeats get."""
    return select_one("repeat = ? AND repeat_until > ?", (repeat, now), connection, now)


def add(row: Row, keep: float, connection: sqlite3.Connection, now: float) -> Row:
    """Store a row, or return the earlier one of the same message."""
    if row.repeat is not None:
        earlier = known(row.repeat, connection, now)
        if earlier is not None:
            return earlier
        connection.execute("UPDATE queued SET repeat = NULL WHERE repeat = ?", (row.repeat,))
    times = {name: now + getattr(row, name) for name in ("created", "expires", "due", "repeat_until")}
    values = [times.get(name, getattr(row, name)) for name in FIELDS]
    marks = ", ".join("?" * (len(FIELDS) + 2))
    connection.execute(
        f"INSERT INTO queued ({COLUMNS}, keep, until) VALUES ({marks})",  # noqa: S608
        (*values, keep, now + keep if row.state in ENDED else FOR_EVER),
    )
    stored = select_one("ticket = ?", (row.ticket,), connection, now)
    assert stored is not None  # noqa: S101 (it was just stored)
    return stored


def fetch(most: int, connection: sqlite3.Connection, now: float) -> list[Row]:
    """Return rows that are due, and note that they are in somebody's hands."""
    query = f"SELECT {COLUMNS} FROM queued WHERE state = 'queued' AND held = 0 AND due <= ? ORDER BY priority, due LIMIT ?"  # noqa: S608
    rows = [read_row(values) for values in connection.execute(query, (now, most))]
    connection.executemany("UPDATE queued SET state = 'sending' WHERE ticket = ?", [(row.ticket,) for row in rows])
    return rows


def finish(row: Row, verdict: Verdict, connection: sqlite3.Connection, now: float) -> None:
    """Note what came of an attempt. What has ended has no box any more, unless somebody must decide about it."""
    ended = verdict.state in ENDED
    connection.execute(
        "UPDATE queued SET state = ?, answer = ?, marked = ?, attempts = attempts + ?, due = min(?, expires),"
        " box = CASE WHEN ? THEN x'' ELSE box END, until = CASE WHEN ? THEN max(? + keep, repeat_until) ELSE ? END WHERE ticket = ?",
        (
            verdict.state, verdict.answer, verdict.marked, verdict.tried, now + verdict.wait,
            ended and verdict.state is not TicketState.IN_DOUBT, ended, now, FOR_EVER, row.ticket,
        ),
    )  # fmt: skip
    if ended:
        connection.execute("UPDATE journal SET ended = ended + 1")


def drop(ticket: str, connection: sqlite3.Connection, now: float) -> bool:
    """End a row without sending."""
    query = (
        "UPDATE queued SET state = 'failed', answer = NULL, box = x'', until = ? + keep WHERE ticket = ?"
        " AND state IN ('queued', 'in doubt')"
    )
    return connection.execute(query, (now, ticket)).rowcount > 0


def recover(ended: int | None, connection: sqlite3.Connection, _: float) -> int:
    """Take over what another worker had in its hands; return how many were held because a back-up was restored."""
    # `ended`: how many messages had ended as far as this machine knows; None where nobody worked here yet.
    connection.execute("UPDATE queued SET state = 'queued', due = 0 WHERE state = 'sending'")
    (counted,) = connection.execute("SELECT ended FROM journal").fetchone()
    if counted >= (ended or 0) and not (ended is None and counted > 0):
        return 0
    connection.execute("UPDATE journal SET ended = max(ended, ?)", (ended or 0,))
    return connection.execute("UPDATE queued SET held = 1 WHERE state = 'queued'").rowcount


def count_ended(connection: sqlite3.Connection, _: float) -> int:
    """Return how many messages have ended."""
    (counted,) = connection.execute("SELECT ended FROM journal").fetchone()
    return int(counted)


def statistics(connection: sqlite3.Connection, now: float) -> Statistics:
    """Return how the queue does."""
    states = dict(connection.execute("SELECT state, count(*) FROM queued GROUP BY state").fetchall())
    oldest = connection.execute(
        "SELECT min(max(due, created)) FROM queued WHERE state = 'queued' AND held = 0 AND due <= ?", (now,)
    )
    since = oldest.fetchone()[0]
    held = connection.execute("SELECT count(*) FROM queued WHERE held = 1").fetchone()[0]
    return Statistics(states=states, oldest=0.0 if since is None else max(0.0, now - since), held=held)
