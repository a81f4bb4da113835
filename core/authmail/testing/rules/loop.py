"""The event loop: whoever sends shares it with everything else that the host does."""

import asyncio
import selectors
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from authmail.testing.case import Case
from authmail.testing.rules.rule import Rule

#: Seconds of one turn that are too long; sending takes about one millisecond at a time.
_LONGEST_TURN = 0.04
# A connector that blocks the loop does so each time; a busy machine, or an import at first use, does not.
_TRIES = 12
# Of the thread that reads it: nanoseconds on a processor, and waiting for one (Linux, Documentation/scheduler/sched-stats).
_SCHEDULED = Path("/proc/thread-self/schedstat")


def _waited() -> float:
    """Return the seconds that this thread has waited for a processor so far; 0 where the system does not tell."""
    try:
        return int(_SCHEDULED.read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class _WatchingSelector(selectors.DefaultSelector):
    """Knows the longest turn: the time in which the loop did not look at its sockets and timers, so that all others waited.

    What the thread waited for a processor is taken off: it is the machine's. What it waits between two clocks being read
    counts, by their order, for the turn; the other way round a turn could seem shorter than it was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0.0
        self._began: tuple[float, float] | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self._began is not None:
            began, waited_before = self._began
            waited = _waited() - waited_before
            self.longest = max(self.longest, time.perf_counter() - began - waited)
        ready = super().select(timeout)
        self._began = time.perf_counter(), _waited()
        return ready


async def free(case: Case) -> AsyncIterator[str]:
    """Send on a loop of its own, some times, and look at the best."""
    turns: list[float] = []
    thread = threading.Thread(target=_send_until_free, args=(case, turns))
    thread.start()
    thread.join()  # on purpose: whatever else this process does meanwhile would be taken for the connector
    if min(turns) > _LONGEST_TURN:
        yield f"each of {len(turns)} mails held it for {min(turns) * 1000:.0f} ms or longer at a time"


def _send_until_free(case: Case, turns: list[float]) -> None:
    while not turns or (min(turns) > _LONGEST_TURN and len(turns) < _TRIES):
        turns.append(_longest_turn(case))


def _longest_turn(case: Case) -> float:
    """Return the seconds of the longest turn while a Mailer is opened, sends a mail, and is closed."""
    selector = _WatchingSelector()

    async def one() -> None:
        async with case.provider() as provider:
            selector.longest = 0.0
            await case.send(provider)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.run(one())
    return selector.longest


RULES = (
    Rule(
        "loop.free",
        "A mail holds the event loop for no longer than 40 ms at a time: meanwhile everything else of the host stands still.",
        "Await what takes time; give a computation or a library that blocks to asyncio.to_thread.",
        free,
    ),
)
