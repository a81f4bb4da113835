"""What every worker does with the rows that an engine hands out: many at once, and an end in order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from authmail.delivery.kept_answers import write_answer
from authmail.delivery.ticket import TicketState
from authmail.outcomes import NotSent, Reason
from authmail.privacy import log_of
from authmail.queue.engine import Handler, QueueError, Row, Verdict

_log = log_of("authmail.queue")

# A row whose handling failed by a fault of ours is tried again after so many seconds.
_AFTER_FAULT = 30.0
# An end that could not be recorded is recorded again after so many seconds; they double up to the second figure.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


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
        self._tickets: set[str] = set()
        self._asking: set[str] = set()
        self._handed_back: set[str] = set()
        self._is_ending = False
        self._free = asyncio.Event()

    @property
    def busy(self) -> int:
        """How many there are."""
        return len(self._tasks)

    def take(self, rows: Iterable[Row]) -> list[asyncio.Task[None]]:
        """Begin with some more; return what was begun."""
        begun = {asyncio.create_task(self.do(row)): row for row in rows}
        for task, row in begun.items():
            self._tasks[task] = row
            self._tickets.add(row.ticket)
            task.add_done_callback(self._done)
        return list(begun)

    def has(self, ticket: str) -> bool:
        """Whether a row is among them."""
        return ticket in self._tickets

    def begin(self, ticket: str) -> None:
        """Note that a provider is about to be asked, so that the row is not handed back any more.

        Raises:
            QueueError: it was; nobody may be asked.
        """
        if ticket in self._handed_back:
            raise QueueError("the message was handed back")
        self._asking.add(ticket)

    async def do(self, row: Row) -> None:
        """Do all that one row needs."""
        try:
            verdict = await self._handle(row)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            verdict = self._at_fault(row, error)
        except Exception as error:  # noqa: BLE001 (one bad message holds up no other)
            verdict = self._at_fault(row, error)
        await self._record(row, verdict)

    def _at_fault(self, row: Row, error: BaseException) -> Verdict:
        _log.error("a queued message could not be handled: %s", type(error).__name__)
        answer = write_answer(NotSent("authmail could not handle the message", reason=Reason.CONNECTOR))
        is_marked = row.marked or row.ticket in self._asking
        return Verdict(state=TicketState.QUEUED, answer=answer, wait=_AFTER_FAULT, marked=is_marked)

    async def _record(self, row: Row, verdict: Verdict) -> None:
        """Record an end, however long that takes: what was sent must not be taken for what was not."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self._finish(row, verdict)
            except QueueError as error:
                _log.error("the end of a queued message could not be recorded: %s", error)
                if self._is_ending:
                    return None  # the next worker finds its mark
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

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
        self._is_ending = True
        going_on = dict(self._tasks)
        for task, row in going_on.items():
            if row.ticket not in self._asking:
                self._handed_back.add(row.ticket)
                task.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)
        back = [self._hand_back(row) for row in going_on.values() if row.ticket in self._handed_back]
        for result in await asyncio.gather(*back, return_exceptions=True):
            if isinstance(result, QueueError):
                _log.warning("a message that nobody began with waits for the next worker: %s", result)

    def _done(self, task: asyncio.Task[None]) -> None:
        row = self._tasks.pop(task)
        self._tickets.discard(row.ticket)
        self._asking.discard(row.ticket)
        self._free.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("the end of a queued message could not be recorded: %s", type(error).__name__)
