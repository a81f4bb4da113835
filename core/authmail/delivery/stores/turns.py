"""Whose turn it is, where messages go out at a pace. Pure.

Time is a row of places, ``1 / rate`` apart, and each message takes one for itself; so in any n seconds there are at most ``rate * n + burst``.
Every fifth place is kept for messages with a code: however many others wait, a code finds one soon.
"""

import math

import attrs

from authmail.delivery.stores.store import Turn

#: Every place of this number is kept for messages with a code.
KEPT = 5

# Of a place. What is a whole number of places apart is so also after some arithmetic.
_CLOSE = 1e-6


@attrs.frozen
class Row:
    """The places of a pace that are taken.

    Args:
        start: time of place 0, in seconds.
        open: number of the first place that is free for every message.
        kept: number of the first place that is free for messages with a code alone.
        end: one more than the highest number that is taken.
    """

    start: float
    open: int = 0
    kept: int = KEPT - 1
    end: int = 0

    def until(self, turn: Turn) -> float:
        """Return the time from which on the row says nothing any more."""
        return self.start + (self.end + turn.burst - 1) / turn.rate


def take(turn: Turn, row: Row | None, now: float) -> tuple[float, Row | None]:
    """Take the first place that a message may have.

    Args:
        turn: what it asks for.
        row: what is taken already; None if nothing is.
        now: the time.

    Returns:
        The seconds until its turn, and the row with its place; the row as it was, if that is longer than it can wait.
    """
    slack = (turn.burst - 1) / turn.rate
    if row is None or row.until(turn) <= now:
        row = Row(now - slack)
    first = max(0, math.ceil((now - slack - row.start) * turn.rate - _CLOSE))
    place = max(row.open, first)
    place += place % KEPT == KEPT - 1
    if turn.coded:
        kept = max(row.kept, first)
        place = min(place, kept + (KEPT - 1 - kept) % KEPT)
    wait = max(0.0, row.start + place / turn.rate - now)
    if wait > turn.longest:
        return wait, None if row.end == 0 else row
    end = max(row.end, place + 1)
    if place % KEPT == KEPT - 1:
        return wait, attrs.evolve(row, kept=place + 1, end=end)
    return wait, attrs.evolve(row, open=place + 1, end=end)
