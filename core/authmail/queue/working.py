"""What every worker does with the rows that an engine hands out: many at once, and an end in order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from authmail.delivery.kept_answers import write_answer
from authmail.delivery.ticket import TicketState
from authmail.outcomes import NotSent, Reason
from authmail.privacy import log_of
from authmail.queue.engine import Handler, Row, Verdict

_log = log_of("authmail.queue")

# A row whose handling failed by a fault of ours is tried again after so many seconds.
_AFTER_FAULT = 30.0


class Hands:
    """The messages that a worker has in its hands.

    Args:
        handle: what is done with a row.
        finish: records what came of it.
        hand_back: makes a row due again with which nobody began; whether that is so.
    """

    def __init__(
        self, handle: Handler, finish: Callable[[Row, Verdict], Awaitable[None]], hand_back: Callable[[Row], Awaitable[bool]]
    ) -> None:
        self._handle = handle
        self._finish = finish
        self._hand_back = hand_back
        self._tasks: dict[asyncio.Task[None], Row] = {}
        self._free = asyncio.Event()

    @property
    def busy(self) -> int:
        """How many there are."""
        return len(self._tasks)

    def take(self, rows: Iterable[Row]) -> None:
        """Begin with some more."""
        for row in rows:
            task = asyncio.create_task(self.do(row))
            self._tasks[task] = row
            task.add_done_callback(self._done)

    async def do(self, row: Row) -> None:
        """Do all that one row needs."""
        try:
            verdict = await self._handle(row)
        except Exception as error:  # noqa: BLE001 (one bad message holds up no other)
            _log.error("a queued message could not be handled: %s", type(error).__name__)
            answer = write_answer(NotSent("authmail could not handle the message", reason=Reason.CONNECTOR))
            verdict = Verdict(state=TicketState.QUEUED, answer=answer, wait=_AFTER_FAULT, marked=row.marked)
        await self._finish(row, verdict)

    async def wait(self, *events: asyncio.Event, seconds: float) -> None:
        """Wait until a hand is free, something happens, or so much time is over."""
        self._free.clear()
        waiting = [asyncio.ensure_future(event.wait()) for event in (self._free, *events)]
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def end(self) -> None:
        """Hand back what was not begun, and wait for the rest."""
        for task, row in list(self._tasks.items()):
            if await self._hand_back(row):
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._free.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the end of a queued message could not be recorded: %s", type(error).__name__)
