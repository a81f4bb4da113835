"""What a journal does with its rows, each within a transaction."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from authmail.delivery.ticket import ENDED, TicketState
from authmail.queue.engine import Row, Statistics, Verdict
from authmail.queue.journal_schema import COLUMNS, FIELDS, FOR_EVER, read_row

#: Something that is done within a transaction, at a time.
Operation = Callable[[sqlite3.Connection, float], Any]

_ENDED = ", ".join(f"'{state}'" for state in sorted(ENDED))
# What surely was not sent may be queued again under its idempotency key.
_NOT_SENT = (TicketState.FAILED, TicketState.EXPIRED)
# What is over goes in portions, between which others get their turn.
_PORTION = 100
_WAITING = "state = 'queued' AND held = 0 AND scope = ?"


def select_one(where: str, values: tuple[Any, ...], connection: sqlite3.Connection, _: float) -> Row | None:
    """Return one row, if there is one."""
    found = connection.execute(f"SELECT {COLUMNS} FROM queued WHERE {where}", values).fetchone()  # noqa: S608
    return None if found is None else read_row(found)


def known(repeat: str, connection: sqlite3.Connection, now: float) -> Row | None:
    """Return the row that repeats get."""
    return select_one("repeat = ? AND repeat_until > ?", (repeat, now), connection, now)


def find(states: Sequence[TicketState], most: int, connection: sqlite3.Connection, _: float) -> list[Row]:
    """Return rows, the newest first."""
    marks = ", ".join("?" * len(states))
    query = f"SELECT {COLUMNS} FROM queued WHERE state IN ({marks}) ORDER BY created DESC LIMIT ?"  # noqa: S608
    return [read_row(values) for values in connection.execute(query, (*states, most))]


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


def due(scope: str, most: int, connection: sqlite3.Connection, now: float) -> list[str]:
    """Return tickets that are due, by priority and age. One priority after the other, so that what waits for later is not looked at."""
    found: list[str] = []
    next_priority = f"SELECT min(priority) FROM queued WHERE {_WAITING} AND priority > ?"  # noqa: S608
    oldest = f"SELECT ticket FROM queued WHERE {_WAITING} AND priority = ? AND due <= ? ORDER BY due LIMIT ?"  # noqa: S608
    (priority,) = connection.execute(next_priority, (scope, -1 << 62)).fetchone()
    while priority is not None and len(found) < most:
        found += [ticket for (ticket,) in connection.execute(oldest, (scope, priority, now, most - len(found)))]
        (priority,) = connection.execute(next_priority, (scope, priority)).fetchone()
    return found


def fetch(scope: str, most: int, connection: sqlite3.Connection, now: float) -> list[Row]:
    """Return rows that are due, and note that they are in somebody's hands."""
    rows = []
    for ticket in due(scope, most, connection, now):
        connection.execute("UPDATE queued SET state = 'sending' WHERE ticket = ?", (ticket,))
        rows.append(select_one("ticket = ?", (ticket,), connection, now))
    return [row for row in rows if row is not None]


def mark(ticket: str, scope: str, connection: sqlite3.Connection, _: float) -> int | None:
    """Note that a provider is about to be asked; return how many steps that makes, None where the row is in nobody's hands."""
    marked = connection.execute("UPDATE queued SET marked = 1 WHERE ticket = ? AND state = 'sending'", (ticket,)).rowcount
    return _step(connection, scope) if marked else None


def finish(row: Row, verdict: Verdict, connection: sqlite3.Connection, now: float) -> int:
    """Note what came of an attempt; return how many steps that makes. What has ended has no box any more, unless somebody must decide."""
    ended = verdict.state in ENDED
    connection.execute(
        "UPDATE queued SET state = ?, answer = ?, marked = ?, attempts = attempts + ?, due = min(?, expires),"
        " box = CASE WHEN ? THEN x'' ELSE box END, repeat = CASE WHEN ? THEN NULL ELSE repeat END,"
        " until = CASE WHEN ? THEN max(? + keep, repeat_until) ELSE ? END WHERE ticket = ? AND state = 'sending'",
        (
            verdict.state, verdict.answer, verdict.marked, verdict.tried, now + verdict.wait,
            ended and verdict.state is not TicketState.IN_DOUBT, verdict.state in _NOT_SENT, ended, now, FOR_EVER, row.ticket,
        ),
    )  # fmt: skip
    return _step(connection, row.scope)


def hand_back(ticket: str, connection: sqlite3.Connection, _: float) -> bool:
    """Make a row due again with which nobody began."""
    return connection.execute("UPDATE queued SET state = 'queued' WHERE ticket = ? AND state = 'sending'", (ticket,)).rowcount > 0


def retry(ticket: str, connection: sqlite3.Connection, now: float) -> bool:
    """Make a row due now."""
    query = (
        "UPDATE queued SET state = 'queued', due = ?, marked = 0, held = 0, until = ?"
        " WHERE ticket = ? AND length(box) > 0 AND state IN ('queued', 'in doubt')"
    )
    return connection.execute(query, (now, FOR_EVER, ticket)).rowcount > 0


def drop(ticket: str, connection: sqlite3.Connection, now: float) -> bool:
    """End a row without sending. What may have been sent stays in doubt, and its repeats are not sent either."""
    row = select_one("ticket = ? AND length(box) > 0 AND state IN ('queued', 'in doubt')", (ticket,), connection, now)
    if row is None:
        return False
    changes = "state = 'in doubt'" if row.marked else "state = 'failed', answer = NULL, repeat = NULL"
    connection.execute(f"UPDATE queued SET {changes}, box = x'', until = ? + keep WHERE ticket = ?", (now, ticket))  # noqa: S608
    _step(connection, row.scope)
    return True


def reseal(ticket: str, before: str, key: str, box: bytes, connection: sqlite3.Connection, _: float) -> bool:
    """Put another box in place, if it is still sealed with the key of before."""
    query = "UPDATE queued SET key = ?, box = ? WHERE ticket = ? AND key = ? AND length(box) > 0"
    return connection.execute(query, (key, box, ticket, before)).rowcount > 0


def release(connection: sqlite3.Connection, _: float) -> int:
    """Let go on what is held."""
    return connection.execute("UPDATE queued SET held = 0 WHERE held = 1").rowcount


def forget(address: str, connection: sqlite3.Connection, _: float) -> int:
    """Remove what has ended of a recipient."""
    return connection.execute(f"DELETE FROM queued WHERE address = ? AND state IN ({_ENDED})", (address,)).rowcount  # noqa: S608


def recover(scope: str, steps: int | None, connection: sqlite3.Connection, now: float) -> tuple[int, int]:
    """Take over what another worker had in its hands; return how many are held since a back-up was restored, and the steps made.

    ``steps`` is how many the worker of this machine knows of; None where nobody worked here yet.
    """
    connection.execute("UPDATE queued SET state = 'queued' WHERE state = 'sending' AND scope = ?", (scope,))
    connection.execute("INSERT OR IGNORE INTO worked VALUES (?, 0)", (scope,))
    (made,) = connection.execute("SELECT steps FROM worked WHERE scope = ?", (scope,)).fetchone()
    is_older = made > 0 if steps is None else made < steps
    held = 0
    if is_older:
        connection.execute("UPDATE worked SET steps = max(steps, ?) WHERE scope = ?", (steps or 0, scope))
        held = connection.execute("UPDATE queued SET held = 1 WHERE state = 'queued' AND scope = ?", (scope,)).rowcount
        held -= let_expire(scope, connection, now)
    return held, max(made, steps or 0)


def let_expire(scope: str, connection: sqlite3.Connection, now: float) -> int:
    """Hold no more what has expired: whoever handles it ends it, and sends nothing."""
    query = "UPDATE queued SET held = 0 WHERE state = 'queued' AND held = 1 AND scope = ? AND expires <= ?"
    return connection.execute(query, (scope, now)).rowcount


def let_go(connection: sqlite3.Connection, now: float) -> bool:
    """Remove a portion of what ended long enough ago; whether there may be more."""
    over = "SELECT ticket FROM queued WHERE until <= ? LIMIT ?"
    return connection.execute(f"DELETE FROM queued WHERE ticket IN ({over})", (now, _PORTION)).rowcount == _PORTION  # noqa: S608


def statistics(connection: sqlite3.Connection, now: float) -> Statistics:
    """Return how the queue does."""
    states = dict(connection.execute("SELECT state, count(*) FROM queued GROUP BY state").fetchall())
    (since,) = connection.execute("SELECT min(due) FROM queued WHERE state = 'queued' AND held = 0").fetchone()
    (held,) = connection.execute("SELECT count(*) FROM queued WHERE state = 'queued' AND held = 1").fetchone()
    return Statistics(states=states, oldest=0.0 if since is None else max(0.0, now - since), held=held)


def _step(connection: sqlite3.Connection, scope: str) -> int:
    connection.execute("UPDATE worked SET steps = steps + 1 WHERE scope = ?", (scope,))
    found = connection.execute("SELECT steps FROM worked WHERE scope = ?", (scope,)).fetchone()
    return int(found[0]) if found else 0
