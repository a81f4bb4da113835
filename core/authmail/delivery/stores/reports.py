"""What a store says of itself, for operators: how it stands, and how much is in it."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs

from authmail.errors import Problem
from authmail.words.text import Text, say

_TRIPS = 5
# A store may count by a clock of its own; whoever reads two logs side by side is told from here on, in seconds.
_CLOCKS_APART = 1.0


@attrs.frozen(kw_only=True)
class StoreCheck:
    """How a store stands.

    Args:
        kind: ``Redis``, ``Valkey``, ``PostgreSQL``, ``SQLite`` or ``memory``.
        place: path or URL, without user and password.
        version: of the server or library.
        schema: version of what is kept; None where nothing was made yet.
        round_trip: seconds that one question takes, the median of a few.
        clock_difference: seconds that the server's clock is ahead of this machine's.
        problems: why it cannot be used.
        warnings: what would lose data in silence, or is not as it should be.
        notes: what is good to know.
    """

    kind: str
    place: str = ""
    version: str | None = None
    schema: int | None = None
    round_trip: float | None = None
    clock_difference: float | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[Text, ...] = ()


@attrs.frozen(kw_only=True)
class StoreStats:
    """How much is in a store, also of what is over and was not let go of yet.

    Args:
        entries: messages whose answer is known, or that are on their way.
        counts: times and slices that limits count.
        notes: texts that processes leave each other.
        paces: rows of places.
        first_end: seconds until the first of them is over; negative where it is.
        last_end: seconds until the last of them is.
        size: in bytes.
        of_server: whether that is all that the server has in memory, also of others.
        exact: whether all were counted; else the numbers are estimates.
    """

    entries: int = 0
    counts: int = 0
    notes: int = 0
    paces: int = 0
    first_end: float | None = None
    last_end: float | None = None
    size: int | None = None
    of_server: bool = False
    exact: bool = True


#: Table of a store → what it is of :class:`StoreStats`.
TABLES = {"entries": "entries", "times": "counts", "slices": "counts", "notes": "notes", "turns": "paces"}


def stats_of(numbers: Mapping[str, int], ends: Sequence[float]) -> StoreStats:
    """Return what is in a store.

    Args:
        numbers: of each kind.
        ends: when something is over, in seconds from now: at least the first and the last.
    """
    return StoreStats(
        entries=numbers.get("entries", 0),
        counts=numbers.get("counts", 0),
        notes=numbers.get("notes", 0),
        paces=numbers.get("paces", 0),
        first_end=min(ends, default=None),
        last_end=max(ends, default=None),
    )


async def round_trip(ask: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds that a question takes, the median of a few."""
    times = []
    for _ in range(_TRIPS):
        begun = time.perf_counter()
        await ask()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


@attrs.frozen
class Clocks:
    """A server's time, asked for between two looks at this machine's clock.

    Args:
        before: this machine's.
        server: the server's.
        after: this machine's.
    """

    before: float
    server: float
    after: float

    @property
    def difference(self) -> float:
        """Seconds that the server's clock is ahead."""
        return self.server - (self.before + self.after) / 2

    def warnings(self) -> list[Problem]:
        """Return a warning where they are surely too far apart."""
        if abs(self.difference) - (self.after - self.before) / 2 <= _CLOCKS_APART:
            return []
        message = say("the server's clock and this machine's are {seconds} s apart", seconds=f"{abs(self.difference):.1f}")
        return [Problem("clock", message, say("let both follow the same time servers; limits keep to the server's clock alone"))]


def problems_of_schema(found: int | None, own: int) -> list[Problem]:
    """Return a problem where a newer release than the next one writes a store."""
    if found is None or found <= own + 1:
        return []
    message = say("a newer release writes this store: version {found}, this one reads up to {own}", found=found, own=own + 1)
    return [Problem("schema", message, say("install that release here too"))]


def not_written(error: Exception) -> Problem:
    """Return the problem of a store that takes no note."""
    return Problem("writing", say("a note cannot be written: {error}", error=str(error)))
