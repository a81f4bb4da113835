"""An event loop whose time jumps to the next timer whenever nothing is left to do: hours of delays in milliseconds."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer, but jumps there; still waits for threads and sockets when there is no timer."""

    def __init__(self) -> None:
        super().__init__()
        self.jumped = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(None if timeout is None else 0)
        if not ready and timeout:
            self.jumped += timeout
        return ready


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """A loop for code that waits by :mod:`asyncio` alone. Do not use it with sockets or threads: timers overtake them."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return the seconds that were jumped over so far."""
        return self._jumping.jumped


def run_in_fake_time(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine as :func:`asyncio.run` does, on a :class:`FakeTimeLoop`."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(work)
