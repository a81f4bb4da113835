"""What a worker does with one queued message, and what comes of it. The same for every engine."""

import random
from collections.abc import Awaitable, Callable
from functools import partial

from authmail.delivery import Dedupe, Delivery, Limits
from authmail.delivery.kept_answers import write_answer
from authmail.delivery.marking import Marked, marking
from authmail.delivery.sender import MessageSender, now, wrappers_within
from authmail.delivery.ticket import TicketState
from authmail.delivery.unknown import may_resend
from authmail.mail.email import Mail
from authmail.outcomes import (
    AccountError,
    MessageRejected,
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
from authmail.queue.engine import Row, Verdict
from authmail.queue.letter import read_letter
from authmail.queue.queue import Queue, bound
from authmail.queue.sealing import BrokenBox, UnknownKey
from authmail.queue.tracing import resumed
from authmail.words.text import say

_log = log_of("authmail.queue")

# Seconds between tries: they double up to the longest.
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
# So long is a message parked whose account must be put right, or whose key is not given, before it is tried again.
_PARKED = 15.0
# The provider's own words are not kept: they may quote the mail.
_LEFT_OUT = ("detail",)


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
        self._sender = _inner(delivery)
        self._marks_itself = any(isinstance(one, Marked) for one in wrappers_within(delivery))

    async def __call__(self, row: Row) -> Verdict:
        """Return what comes of a row."""
        moment = await self._queue.engine.now()
        try:
            message = read_letter(self._queue.keys.open(row.box, bound(row.ticket, row.scope), row.key))
        except UnknownKey as error:
            return self._park(row, moment, error)
        except (BrokenBox, ValueError, TypeError) as error:
            _log.error("a queued message cannot be read: %s", type(error).__name__)
            hint = say("the queued message cannot be read: its box was changed, or a later release sealed it")
            return _ended(TicketState.FAILED, NotSent(hint, reason=Reason.CONFIG, phase=Phase.BEFORE))
        self._delivery.tell_of_queue("unknown_key", None)
        with resumed(row.trace):
            return await self._send(row, message, moment)

    async def _send(self, row: Row, message: Mail, moment: float) -> Verdict:
        begun = now() - max(0.0, moment - row.created)
        if row.marked and not may_resend(message, {}):
            hint = say("a worker ended while the provider was asked, so the mail may have been sent")
            error: SendError = OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.DURING)
            await self._delivery.tell(message, error, since=begun)
            return _ended(TicketState.IN_DOUBT, error)
        if row.expires <= moment:
            error = NotSent(say("the message expired before it could be sent"), reason=Reason.TIMEOUT, phase=Phase.BEFORE)
            await self._delivery.tell(message, error, since=begun)
            return _ended(TicketState.EXPIRED, error)
        try:
            receipt = await self._try(row, message, row.expires - moment)
        except SendError as raised:
            error = raised.afresh()
        else:
            await self._delivery.tell(message, receipt, since=begun)
            return _ended(TicketState.SENT, receipt)
        return await self._fail(row, message, error, begun)

    async def _try(self, row: Row, message: Mail, left: float) -> Receipt:
        timeout = min(self._delivery.timeout, left)
        mark: Callable[[], Awaitable[None]] = partial(self._queue.engine.mark, row.ticket)
        if not self._marks_itself:
            await mark()
        with marking(mark):
            return await self._delivery.try_sending(message, timeout=timeout, sender=self._sender)

    async def _fail(self, row: Row, message: Mail, error: SendError, begun: float) -> Verdict:
        if isinstance(error, OutcomeUnknown):
            if isinstance(error, UnknownThenRejected) or not may_resend(message, {}):
                await self._delivery.tell(message, error, since=begun)
                return _ended(TicketState.IN_DOUBT, error)
            return _again(error, self._backed_off(row), marked=True)
        if isinstance(error, MessageRejected):
            await self._delivery.tell(message, error, since=begun)
            return _ended(TicketState.FAILED, error)
        if isinstance(error, AccountError):
            return _again(error, max(error.retry_after or 0.0, _PARKED * (0.5 + self._chance() / 2)))
        if isinstance(error, Throttled) and error.retry_after:
            return _again(error, error.retry_after * (1.0 + self._chance() / 10))
        return _again(error, max(error.retry_after or 0.0, self._backed_off(row)))

    def _backed_off(self, row: Row) -> float:
        """Return the seconds until the next try; jittered, so that what failed together does not come back together."""
        longest = min(_FIRST_WAIT * 2.0 ** min(row.attempts, 30), _LONGEST_WAIT)
        return longest * (0.5 + self._chance() / 2)

    def _park(self, row: Row, moment: float, error: UnknownKey) -> Verdict:
        told = NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
        self._delivery.tell_of_queue("unknown_key", told)
        if row.expires <= moment:
            return _ended(TicketState.EXPIRED, told)
        return Verdict(state=TicketState.QUEUED, answer=write_answer(told), wait=_PARKED, marked=row.marked, tried=False)


def _inner(delivery: Delivery) -> MessageSender:
    """Return the sender within limits and repeats, which were looked at when the message came."""
    sender: MessageSender = delivery.inside[0]
    while isinstance(sender, Dedupe | Limits):
        sender = sender.inside[0]
    return sender


def _ended(state: TicketState, answer: Receipt | SendError) -> Verdict:
    return Verdict(
        state=state,
        answer=write_answer(answer, without=_LEFT_OUT),
        marked=state is TicketState.IN_DOUBT,
        tried=state is not TicketState.EXPIRED,
    )


def _again(error: SendError, wait: float, *, marked: bool = False) -> Verdict:
    return Verdict(state=TicketState.QUEUED, answer=write_answer(error, without=_LEFT_OUT), wait=wait, marked=marked)
