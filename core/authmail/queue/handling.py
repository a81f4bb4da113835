"""What a worker does with one queued message, and what comes of it. The same for every engine."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial

import attrs

from authmail.delivery import Delivery
from authmail.delivery.kept_answers import write_answer
from authmail.delivery.marking import Marked, marking
from authmail.delivery.sender import now, wrappers_within
from authmail.delivery.ticket import TicketState
from authmail.delivery.trail import Trail
from authmail.mail.email import Mail
from authmail.outcomes import (
    AccountError,
    MessageRejected,
    NoAnswerInTime,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
    Throttled,
    UnknownThenRejected,
)
from authmail.privacy import log_of
from authmail.queue.engine import QueueError, Row, Verdict
from authmail.queue.letter import read_letter
from authmail.queue.queue import Queue, answer_of, bound, looked_at_before, policies_of, resends
from authmail.queue.sealing import BrokenBox, UnknownKey
from authmail.queue.tracing import resumed
from authmail.words.text import say

_log = log_of("authmail.queue")

# Seconds between tries: they double up to the longest.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
# So long is a message parked whose account must be put right, or whose key is not given, before it is tried again.
_PARKED = 15.0
# What a sender may take beyond its time, to end in order.
_GRACE = 5.0
# The provider's own words are not kept: they may quote the mail.
_LEFT_OUT = ("detail",)


@attrs.define
class _Mark:
    """Tells the engine, for as long as the attempt goes on: what a sender leaves behind asks nobody for this message."""

    engine_mark: Callable[[], Awaitable[None]]
    is_over: bool = False
    is_made: bool = False

    async def __call__(self) -> None:
        if not self.is_over:
            await self.engine_mark()
            self.is_made = True


class Handling:
    """Opens a message and sends it, once for each time that it is due.

    Args:
        delivery: who sends.
        queue: whose keys open, and whose engine is told before a provider is asked.
        chance: gives a random number from 0 to 1.
    """

    def __init__(self, delivery: Delivery, queue: Queue, *, chance: Callable[[], float] = random.random) -> None:
        self._delivery = delivery
        self._queue = queue
        self._chance = chance
        _, self._sender = looked_at_before(delivery)
        self._policies = policies_of(delivery)
        self._marks_itself = any(isinstance(one, Marked) for one in wrappers_within(delivery))
        self._lacks_key_until: float | None = None

    async def __call__(self, row: Row) -> Verdict:
        """Return what comes of a row."""
        moment = await self._queue.engine.now()
        try:
            message = read_letter(self._queue.keys.open(row.box, bound(row.ticket, row.scope), row.key))
        except UnknownKey as error:
            return self._park(row, moment, error)
        except (BrokenBox, ValueError, TypeError, LookupError) as error:
            _log.error("a queued message cannot be read: %s", type(error).__name__)
            hint = say("the queued message cannot be read: its box was changed, or a later release sealed it")
            return _ended(_unless_marked(TicketState.FAILED, row), NotSent(hint, reason=Reason.CONFIG, phase=Phase.BEFORE))
        self._hear_of_keys(moment)
        with resumed(row.trace):
            return await self._send(row, message, moment)

    async def _send(self, row: Row, message: Mail, moment: float) -> Verdict:
        begun = now() - max(0.0, moment - row.created)
        is_expired = row.expires <= moment
        if row.marked and (is_expired or not resends(self._policies, message)):
            hint = say("a worker ended while the provider was asked, so the mail may have been sent")
            return await self._end(
                message, _earlier(row) or OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.DURING), begun
            )
        if is_expired:
            hint = say("the message expired before it could be sent")
            return await self._end(message, NotSent(hint, reason=Reason.TIMEOUT, phase=Phase.BEFORE), begun, TicketState.EXPIRED)
        try:
            receipt = await self._try(row, message, row.expires - moment)
        except SendError as raised:
            return await self._fail(row, message, raised.afresh(), begun)
        return await self._end(message, receipt, begun)

    async def _try(self, row: Row, message: Mail, left: float) -> Receipt:
        timeout = min(self._delivery.timeout, left)
        mark = _Mark(partial(self._queue.engine.mark, row.ticket))
        try:
            async with asyncio.timeout(timeout + _GRACE):
                if not self._marks_itself:
                    await mark()
                with marking(mark):
                    return await self._delivery.try_sending(message, timeout=timeout, sender=self._sender)
        except (SendError, asyncio.CancelledError):
            raise
        except QueueError as error:
            problem: SendError = NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
        except TimeoutError:
            problem = NoAnswerInTime(say("not done after {seconds:g} seconds", seconds=timeout))
        except Exception as error:  # noqa: BLE001 (a sender of somebody else's)
            _log.error("a sender failed: %s", type(error).__name__)
            problem = OutcomeUnknown(say("the sender failed: {kind}", kind=type(error).__name__), reason=Reason.CONNECTOR)
        finally:
            mark.is_over = True
        if not mark.is_made and isinstance(problem, OutcomeUnknown):
            problem = NotSent(problem.hint, reason=problem.reason, phase=Phase.BEFORE)
        raise problem

    async def _fail(self, row: Row, message: Mail, error: SendError, begun: float) -> Verdict:
        if isinstance(error, OutcomeUnknown):
            if isinstance(error, UnknownThenRejected) or not resends(self._policies, message):
                return await self._end(message, error, begun)
            return _again(error, self._backed_off(row), marked=True)
        if isinstance(error, MessageRejected):
            return await self._end(message, _after_all(row, error), begun)
        return _again(error, self._wait(row, error), marked=row.marked)

    def _wait(self, row: Row, error: SendError) -> float:
        """Return the seconds until the next try."""
        if isinstance(error, AccountError):
            return max(error.retry_after or 0.0, _PARKED * (0.5 + self._chance() / 2))
        if isinstance(error, Throttled) and error.retry_after:
            return error.retry_after * (1.0 + self._chance() / 10)
        return max(error.retry_after or 0.0, self._backed_off(row))

    def _backed_off(self, row: Row) -> float:
        """Return growing seconds; jittered, so that what failed together does not come back together."""
        longest = min(_FIRST_WAIT * 2.0 ** min(row.attempts, 30), _LONGEST_WAIT)
        return longest * (0.5 + self._chance() / 2)

    async def _end(self, message: Mail, answer: Receipt | SendError, begun: float, state: TicketState | None = None) -> Verdict:
        """Tell the one answer of a message."""
        await self._delivery.tell(message, answer, since=begun)
        return _ended(state or _state_after(answer), answer)

    def _park(self, row: Row, moment: float, error: UnknownKey) -> Verdict:
        told = NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
        self._lacks_key_until = moment + 2 * _PARKED
        self._delivery.tell_of_queue("unknown_key", told)
        if row.expires <= moment:
            return _ended(_unless_marked(TicketState.EXPIRED, row), told)
        return Verdict(state=TicketState.QUEUED, answer=write_answer(told), wait=_PARKED, marked=row.marked, tried=False)

    def _hear_of_keys(self, moment: float) -> None:
        """Tell that no key lacks any more, once no message has met one for a while."""
        if self._lacks_key_until is not None and moment > self._lacks_key_until:
            self._lacks_key_until = None
            self._delivery.tell_of_queue("unknown_key", None)


def _state_after(answer: Receipt | SendError) -> TicketState:
    if isinstance(answer, Receipt):
        return TicketState.SENT
    return TicketState.IN_DOUBT if isinstance(answer, OutcomeUnknown) else TicketState.FAILED


def _unless_marked(state: TicketState, row: Row) -> TicketState:
    """Return the state of what cannot be sent; one that may have been sent already is in doubt."""
    return TicketState.IN_DOUBT if row.marked else state


def _after_all(row: Row, rejected: MessageRejected) -> SendError:
    """Return the answer of a message that is refused now; it says both where an earlier try may have been accepted."""
    if not row.marked:
        return rejected
    hint = say("a worker ended while the provider was asked, so the mail may have been sent")
    trail = Trail()
    trail.add(_earlier(row) or OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.DURING), "")
    trail.add(rejected, rejected.connector)
    return trail.verdict().afresh(tried=rejected.tried)


def _earlier(row: Row) -> OutcomeUnknown | None:
    """Return the unknown outcome that the row tells of, where its worker could still write it."""
    answer = answer_of(row)
    return answer if isinstance(answer, OutcomeUnknown) else None


def _ended(state: TicketState, answer: Receipt | SendError) -> Verdict:
    return Verdict(
        state=state,
        answer=write_answer(answer, without=_LEFT_OUT),
        marked=state is TicketState.IN_DOUBT,
        tried=state is not TicketState.EXPIRED,
    )


def _again(error: SendError, wait: float, *, marked: bool) -> Verdict:
    return Verdict(state=TicketState.QUEUED, answer=write_answer(error, without=_LEFT_OUT), wait=wait, marked=marked)
