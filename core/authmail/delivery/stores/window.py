"""How a store counts in a rolling window at a cost that is always the same. Pure.

Up to :data:`EXACT` messages their times are kept. Beyond, the window is cut into slices and a slice has one number: the
slice that the window begins in counts whole, so what is let through is rather less than the limit, and never more.
"""

import math
from collections.abc import Iterable

from authmail.delivery.stores.store import Limit

#: Limits up to this are counted to the message.
EXACT = 128
#: Into so many slices the window of a larger one is cut.
SLICES = 60


def is_exact(limit: Limit) -> bool:
    """Whether the time of each message is kept."""
    return limit.most <= EXACT


def kept_under(key: str, limit: Limit) -> str:
    """Return the key that a store counts under: both ways of counting are apart, for a limit may be changed."""
    exact, sliced = both_ways(key)
    return exact if is_exact(limit) else sliced


def both_ways(key: str) -> tuple[str, str]:
    """Return the keys that a store counts under in either way."""
    return key, f"{key}/{SLICES}"


def slice_at(limit: Limit, now: float) -> int:
    """Return the number of the slice that a time is in."""
    return math.floor(now * SLICES / limit.seconds)


def first_slice(limit: Limit, now: float) -> int:
    """Return the number of the oldest slice that still counts."""
    return slice_at(limit, now) - SLICES


def end_of_slice(limit: Limit, number: int) -> float:
    """Return the time from which on a slice counts no more."""
    return (number + SLICES + 1) * limit.seconds / SLICES


def wait_for_room(limit: Limit, now: float, counted: Iterable[tuple[int, int]]) -> float:
    """Return the seconds after which there is room for one more message, 0 if there is some now.

    Args:
        limit: a limit of more than :data:`EXACT`.
        now: the time.
        counted: slices that count, the oldest first, each with its number of messages.
    """
    slices = list(counted)
    too_many = sum(number for _, number in slices) - limit.most + 1
    if too_many <= 0:
        return 0.0
    for position, number in slices:
        too_many -= number
        if too_many <= 0:
            return max(end_of_slice(limit, position) - now, math.ulp(now))
    return limit.seconds
