"""The clock of a store in a file: the same for all processes of a machine, and deaf to whoever sets the wall clock."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# How often the file is told how late it is, in seconds; whoever starts the machine again goes on from there.
_TELL = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (boot TEXT PRIMARY KEY, ahead REAL NOT NULL, seen REAL NOT NULL) WITHOUT ROWID;
"""


def since_boot() -> float:
    """Return seconds that every process of the machine counts alike, whatever is done to the wall clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def steady(clock: Callable[[], float]) -> Callable[[], float]:
    """Return a clock that stands still where another one goes backwards."""
    last, lost = clock(), 0.0

    def now() -> float:
        nonlocal last, lost
        read = clock()
        lost += max(0.0, last - read)
        last = read
        return read + lost

    return now


class FileClock:
    """Time as a file's first opener after each start of the machine saw it, and as it went on since.

    Args:
        connection: to the file, within a transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        boot = _boot()
        seen = connection.execute("SELECT max(seen) FROM clock").fetchone()[0] or 0.0
        row = connection.execute("SELECT ahead FROM clock WHERE boot = ?", (boot,)).fetchone()
        self._boot = boot
        # Where a machine does not name its starts, seconds that fell back tell of one.
        if row is None or (not boot and since_boot() + row[0] < seen - 2 * _TELL):
            self._ahead = max(time.time(), seen) - since_boot()
            connection.execute("DELETE FROM clock")
            connection.execute("INSERT INTO clock (boot, ahead, seen) VALUES (?, ?, ?)", (boot, self._ahead, self.now()))
        else:
            self._ahead = row[0]
        self._told = self.now()

    def now(self) -> float:
        """Return the time, in seconds."""
        return since_boot() + self._ahead

    def tell(self, connection: sqlite3.Connection, now: float) -> None:
        """Write down how late it is, now and then."""
        if now - self._told > _TELL:
            self._told = now
            connection.execute("UPDATE clock SET seen = max(seen, ?) WHERE boot = ?", (now, self._boot))


def _boot() -> str:
    try:
        return _BOOT.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
