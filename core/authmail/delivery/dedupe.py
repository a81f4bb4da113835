"""Dedupe: one mail for one message, however often it is asked for, and the first answer for every repeat."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from typing import Any, Self

import attrs

from authmail.delivery.events import passage
from authmail.delivery.kept_answers import read_answer, write_answer
from authmail.delivery.limits import canonical_address
from authmail.delivery.sender import MessageSender, Step, attempt, deadline_of, now
from authmail.delivery.sharing import where_shared
from authmail.delivery.stores import Claim, Entry, MemoryStore, Store, StoreError, asked
from authmail.delivery.trip import Claiming, Trip, set_out, shared
from authmail.errors import Misused
from authmail.mail.email import Mail
from authmail.mail.message import Message
from authmail.mail.vital import REQUIRED, leaves
from authmail.outcomes import (
    MessageRejected,
    NoAnswerInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
)
from authmail.words.text import say

# How often an entry of another process is looked at, in seconds.
_LOOK = 0.1
# No message takes longer than this, in seconds, whatever time it is given.
_LONGEST = 86400.0
# What a sender may take beyond its time, to end in order.
_GRACE = 2.0


class Dedupe(Claiming):
    """Sends a message once, and gives whoever asks again the first answer, also while the first is still on its way.

    The same message is one with the same ``idempotency_key``. Without one it is the same if type, recipient and code or link
    are, or where it has neither the whole payload, for a short time: a double click. ``Message(resend=True)`` goes out anyway.
    A rendered Email is a repeat by its key alone. What was certainly not sent is forgotten, so that it may be tried again. What
    may have been sent stays unknown.

    A message goes on to its end if the task that asked for it is cancelled, so that its answer is known afterwards.

    Args:
        sender: who sends.
        store: where answers are kept; in memory by default, of this process alone.
        keep: seconds for which the answer to an ``idempotency_key`` is kept.
        hold: seconds for which a message without one is the same; 0 for never.
        scope: keeps several of these apart in one store, such as a tenant's id; the name of the Delivery around it by default.
        strict: refuse to send while the store cannot be used; by default messages then go out anyway, with a warning in
            the log.
    """

    def __init__(
        self,
        sender: MessageSender,
        *,
        store: Store | None = None,
        keep: float = 86400.0,
        hold: float = 30.0,
        scope: str = "",
        strict: bool = False,
    ) -> None:
        self._sender = sender
        self.store = MemoryStore() if store is None else store
        self._keep = keep
        self._hold = hold
        self.scope = scope
        self.strict = strict
        self._running = _Running()

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender, the store, and what is still on its way."""
        return (self._sender, self.store, self._running)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message, unless it was sent before.

        Raises:
            MessageRejected: its idempotency key belongs to another message.
            SendError: the sender's, now or at the first time.
        """
        deadline = deadline_of(timeout)
        claim = self.claim(message, deadline - now())
        if claim.key is None:
            return await attempt(self._sender, message, deadline)
        running = self._running.get(claim.key)
        if running is None:
            task = self._running.start(claim, self._first(claim, message, deadline))
            answer = await _goes_on(task)
        elif running.fingerprint != claim.fingerprint:
            raise _other_message()
        else:
            passage().repeated = True
            answer = await _in_time(running.task, deadline)
        if isinstance(answer, SendError):
            raise answer.afresh()
        return answer

    def claim(self, message: Mail, timeout: float) -> Claim:
        """Return what makes a message the same as another, and for how long; no key if it never is."""
        key, fingerprint, keep = self._identity(message)
        lease = min(timeout, _LONGEST) + _GRACE
        return Claim(key=key, fingerprint=fingerprint, lease=lease, keep=max(keep, lease)) if key else Claim()

    def steps(self, message: Mail) -> Iterable[Step]:
        """Say what counts as a repeat of this message."""
        key, _, keep = self._identity(message)
        where = where_shared(self.store)
        if key is None:
            yield Step("repeats", "go out", "asked for again" if message.resend else "no idempotency key")
        elif message.idempotency_key:
            yield Step("repeats", f"get the first answer for {keep:g} s", f"by its idempotency key, {where}")
        else:
            by = "code or link" if message.vital else "payload"
            yield Step("repeats", f"get the first answer for {keep:g} s", f"by type, recipient and {by}, {where}")

    async def _first(self, claim: Claim, message: Mail, deadline: float) -> Receipt | SendError:
        """Return the answer of an entry, or send and make one. An error is returned, for several may wait for it."""
        try:
            while True:
                trip = await set_out(self, message, deadline, claim)
                entry = trip.begun.entry if trip.begun else None
                if entry is None:
                    break
                passage().repeated = True
                if entry.fingerprint != claim.fingerprint:
                    return _other_message()
                found = await self._answer_of(claim, entry, deadline)
                if found is not None:
                    return _read(found)
        except SendError as error:
            return error
        except StoreError as error:  # while another process was waited for
            return NoAnswerInTime(str(error))
        passage().repeated = False
        return await self._sent(trip, message, deadline)

    async def _sent(self, trip: Trip, message: Mail, deadline: float) -> Receipt | SendError:
        try:
            with shared(trip):
                answer: Receipt | SendError = await attempt(self._sender, message, deadline)
        except SendError as error:
            answer = error.afresh()
        except Misused:
            trip.answer(None)
            await trip.end(deadline)
            raise
        # Anything else, such as the end of the loop: it may have been sent, which the entry says when its lease is over.
        trip.answer(write_answer(answer) if isinstance(answer, Receipt | OutcomeUnknown) else None)
        await trip.end(deadline)
        return answer

    async def _answer_of(self, claim: Claim, entry: Entry, deadline: float) -> Entry | None:
        """Return the entry of another process, once it has an answer or its time is over; None if it is gone."""
        found: Entry | None = entry
        while found is not None and found.answer is None and found.lease > 0:
            if now() + _LOOK > deadline:
                raise NoAnswerInTime(say("another process is sending the message, and there is no answer yet"))
            await asyncio.sleep(_LOOK)
            left = deadline - now()
            found = await asked(self.store.answer_of(str(claim.key), timeout=left), left)
        return found

    def _identity(self, message: Mail) -> tuple[str | None, str, float]:
        """Return key and fingerprint, and for how many seconds they hold; no key if a message is never a repeat."""
        scope = self.scope or passage().scope
        if message.resend:
            return None, "", 0.0
        if message.idempotency_key:
            key = self.store.digest("key", scope, message.idempotency_key)
            return key, self.store.digest(*_same(message, scope, keyed=True)), self._keep
        if self._hold > 0 and isinstance(message, Message):
            fingerprint = self.store.digest(*_same(message, scope, keyed=False))
            return fingerprint, fingerprint, self._hold
        return None, "", 0.0


def _same(message: Mail, scope: str, *, keyed: bool) -> Iterator[str]:
    """Yield what two messages must have in common to be the same one."""
    to = canonical_address(message.address)
    if isinstance(message, Message):
        payload, vital = message.payload if isinstance(message.payload, Mapping) else {}, message.vital
        first = [str(payload.get(name) or "") for name in REQUIRED]
        yield from ("message", scope, message.usage_type, to, *first)
        yield from (value for value in vital if value not in first)
        if not vital and not keyed:
            yield from (f"{name}={value}" for name, value, _ in leaves(message.payload))
    elif message.vital:
        yield from ("mail", scope, message.usage_type, to, *message.vital)
    else:
        yield from ("email", scope, to, message.subject, message.html or "", message.text or "")


async def _goes_on(task: asyncio.Task[Receipt | SendError]) -> Receipt | SendError:
    """Wait for an answer; a caller who is cancelled leaves the message to go on."""
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        passage().going_on = task
        raise


async def _in_time(task: asyncio.Task[Receipt | SendError], deadline: float) -> Receipt | SendError:
    try:
        async with asyncio.timeout(max(deadline - now(), 0)):
            return await _goes_on(task)
    except TimeoutError:
        passage().going_on = None
        raise NoAnswerInTime(say("the message was being sent already, and there is no answer yet")) from None


def _other_message() -> MessageRejected:
    hint = say("this idempotency key belongs to another message; use a fresh key for each message")
    return MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)


def _read(entry: Entry) -> Receipt | SendError:
    if entry.answer is None:
        hint = say("whoever began to send this message stopped before saying how it ended, so it may have been sent")
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.DURING)
    try:
        return read_answer(entry.answer)
    except ValueError:  # of another version, or of a broken file
        hint = say("it was sent or may have been; the store's record of the answer cannot be read")
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.AFTER)


@attrs.frozen
class _Sending:
    fingerprint: str
    task: asyncio.Task[Receipt | SendError]


class _Running:
    """Messages on their way, by key. Closing waits for them. What another loop sends is another process's, as it were."""

    def __init__(self) -> None:
        self._sendings: dict[str, _Sending] = {}

    def get(self, key: str) -> _Sending | None:
        sending = self._sendings.get(key)
        return sending if sending is not None and sending.task.get_loop() is asyncio.get_running_loop() else None

    def start(self, claim: Claim, work: Coroutine[Any, Any, Receipt | SendError]) -> asyncio.Task[Receipt | SendError]:
        task = asyncio.create_task(work)
        key = str(claim.key)
        self._sendings[key] = _Sending(claim.fingerprint, task)
        task.add_done_callback(lambda _: self._ended(key, task))
        return task

    def _ended(self, key: str, task: asyncio.Task[Receipt | SendError]) -> None:
        sending = self._sendings.get(key)
        if sending is not None and sending.task is task:
            del self._sendings[key]
        if not task.cancelled():
            task.exception()  # a bug in a sender reaches whoever still waits; asyncio need not complain of it too

    async def __aenter__(self) -> Self:
        return self

    def abandon(self) -> None:
        self._sendings = {}

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        tasks = [sending.task for sending in self._sendings.values() if sending.task.get_loop() is loop]
        await asyncio.gather(*tasks, return_exceptions=True)
