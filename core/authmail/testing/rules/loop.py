"""The event loop: whoever sends shares it with everything else that the host does."""

import asyncio
import selectors
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from authmail.outcomes import Receipt
from authmail.privacy import hide_fields
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


@attrs.frozen(order=True, field_transformer=hide_fields)
class _Turn:
    """How long the loop did not look at its sockets and timers, so that all others waited.

    Args:
        lasted: seconds by the clock.
        worked: the same without what the thread waited for a processor, which is the machine's doing.
    """

    lasted: float = 0.0
    worked: float = 0.0


class _WatchingSelector(selectors.DefaultSelector):
    """Knows the longest turn of its loop."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = _Turn()
        self._began: tuple[float, float] | None = None

    def select(self, timeout: float | None = None) -> Any:
        if self._began is not None:
            began, waited = self._began
            lasted = time.perf_counter() - began
            self.longest = max(self.longest, _Turn(lasted, lasted - (_waited() - waited)))
        ready = super().select(timeout)
        self._began = time.perf_counter(), _waited()
        return ready


async def free(case: Case) -> AsyncIterator[str]:
    """Send on a loop of its own, some times, and look at the best."""
    turns: list[_Turn] = []
    thread = threading.Thread(target=_send_until_free, args=(case, turns))
    thread.start()
    thread.join()  # on purpose: whatever else this process does meanwhile would be taken for the connector
    if turns and min(turns).lasted > _LONGEST_TURN and median(turn.worked for turn in turns) > _LONGEST_TURN:
        yield f"each of {len(turns)} mails held it for {min(turns).lasted * 1000:.0f} ms or longer at a time"


def _send_until_free(case: Case, turns: list[_Turn]) -> None:
    for _ in range(_TRIES):
        turn = _longest_turn(case)
        if turn is not None:
            turns.append(turn)
            if turn.lasted <= _LONGEST_TURN:
                return


def _longest_turn(case: Case) -> _Turn | None:
    """Return the longest turn while a Mailer is opened, sends a mail, and is closed; None if the mail was not accepted."""
    selector = _WatchingSelector()

    async def one() -> bool:
        async with case.provider() as provider:
            selector.longest = _Turn()
            sent = await case.send(provider)
        return isinstance(sent.outcome, Receipt)

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        return selector.longest if runner.run(one()) else None


RULES = (
    Rule(
        "loop.free",
        "A mail holds the event loop for no longer than 40 ms at a time: meanwhile everything else of the host stands still.",
        "Await what takes time; give a computation or a library that blocks to asyncio.to_thread.",
        free,
    ),
)
