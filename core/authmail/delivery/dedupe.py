"""Dedupe: one mail for one message, however often it is asked for, and the first answer for every repeat."""

import asyncio
import json
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Self

import attrs

from authmail.delivery.limits import canonical_address
from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, now
from authmail.delivery.stores import Entry, MemoryStore, Store, StoreError, asked
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Mail
from authmail.mail.message import Message
from authmail.mail.vital import REQUIRED
from authmail.outcomes import (
    MessageRejected,
    NoAnswerInTime,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
)
from authmail.privacy import log_of
from authmail.words.text import say

_log = log_of("authmail.delivery")

_RECEIPT = [field.name for field in attrs.fields(Receipt)]

# How often an entry of another process is looked at, in seconds.
_LOOK = 0.1
# What a sender may take beyond its time, to end in order.
_GRACE = 2.0


class Dedupe(Wrapper):
    """Sends a message once, and gives whoever asks again the first answer, also while the first is still on its way.

    The same message is one with the same ``idempotency_key``. Without one, a message with a code or link is the same if
    type, recipient and code or link are, for a short time: a double click. ``Message(resend=True)`` goes out anyway.
    What was certainly not sent is forgotten, so that it may be tried again. What may have been sent stays unknown.

    A message goes on to its end if the task that asked for it is cancelled, so that its answer is known afterwards.

    Args:
        sender: who sends.
        store: where answers are kept; in memory by default.
        keep: seconds for which the answer to an ``idempotency_key`` is kept.
        hold: seconds for which a message without one is the same; 0 for never.
        scope: keeps several of these apart in one store, such as a tenant's id.
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
        self._store = MemoryStore() if store is None else store
        self._keep = keep
        self._hold = hold
        self._scope = scope
        self._strict = strict
        self._running = _Running()

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender, the store, and what is still on its way."""
        return (self._sender, self._store, self._running)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message, unless it was sent before.

        Raises:
            MessageRejected: its idempotency key belongs to another message.
            SendError: the sender's, now or at the first time.
        """
        timeout = DEFAULT_TIMEOUT if timeout is None else timeout
        key, fingerprint, keep = self._identity(message)
        if key is None:
            return await attempt(self._sender, message, timeout)
        running = self._running.get(key)
        if running is None:
            task = self._running.start(key, fingerprint, self._first(key, fingerprint, keep, message, timeout))
            answer = await asyncio.shield(task)
        elif running.fingerprint != fingerprint:
            raise _other_message()
        else:
            answer = await _in_time(running.task, timeout)
        if isinstance(answer, SendError):
            raise answer.afresh()
        return answer

    def steps(self, message: Mail) -> Iterable[Step]:
        """Say what counts as a repeat of this message."""
        key, _, keep = self._identity(message)
        if key is None:
            yield Step(
                "repeats",
                "go out",
                "asked for again" if message.resend else "no idempotency key, code or link",
            )
        elif message.idempotency_key:
            yield Step("repeats", f"get the first answer for {keep:g} s", "by its idempotency key")
        else:
            yield Step("repeats", f"get the first answer for {keep:g} s", "by type, recipient and code or link")

    async def _first(self, key: str, fingerprint: str, keep: float, message: Mail, timeout: float) -> Receipt | SendError:
        """Return the answer of an entry, or send and make one. An error is returned, for several may wait for it."""
        deadline = now() + timeout
        try:
            entry = await self._entry(key, fingerprint, keep, timeout)
            if entry is not None:
                return _read(entry)
        except StoreError as error:
            if self._strict:
                return NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
            _log.warning("sent without looking for repeats: %s", error)
        except SendError as error:
            return error
        try:
            answer: Receipt | SendError = await attempt(self._sender, message, deadline - now())
        except SendError as error:
            answer = error.afresh()
        # Anything else, such as the end of the loop: it may have been sent, which the entry says when its lease is over.
        try:
            if isinstance(answer, Receipt | OutcomeUnknown):
                await asked(self._store.finish(key, _written(answer)))
            else:
                await asked(self._store.forget(key))
        except StoreError as error:
            _log.warning("an answer could not be kept: %s", error)
        return answer

    async def _entry(self, key: str, fingerprint: str, keep: float, timeout: float) -> Entry | None:
        """Return the entry there is, once it has an answer or its time is over; None if the message is ours to send."""
        deadline = now() + timeout
        while True:
            lease = timeout + _GRACE
            entry = await asked(self._store.begin(key, fingerprint, lease=lease, keep=max(keep, lease)))
            if entry is None:
                return None
            if entry.fingerprint != fingerprint:
                raise _other_message()
            if entry.answer is not None or entry.lease <= 0:
                return entry
            if now() + _LOOK > deadline:
                raise NoAnswerInTime(say("another process is sending the message, and there is no answer yet"))
            await asyncio.sleep(_LOOK)

    def _identity(self, message: Mail) -> tuple[str | None, str, float]:
        """Return key and fingerprint, and for how many seconds they hold; no key if a message is never a repeat."""
        if message.idempotency_key:
            key = self._store.digest("key", self._scope, message.idempotency_key)
            return key, self._fingerprint(message), self._keep
        if self._hold > 0 and not message.resend and isinstance(message, Message) and message.vital:
            fingerprint = self._fingerprint(message)
            return fingerprint, fingerprint, self._hold
        return None, "", 0.0

    def _fingerprint(self, message: Mail) -> str:
        to = canonical_address(message.address)
        if isinstance(message, Message):
            return self._store.digest("message", self._scope, message.usage_type, to, *_told_apart_by(message))
        return self._store.digest("email", self._scope, to, message.subject, message.html or "", message.text or "")


async def _in_time(task: asyncio.Task[Receipt | SendError], timeout: float) -> Receipt | SendError:
    try:
        async with asyncio.timeout(timeout):
            return await asyncio.shield(task)
    except TimeoutError:
        raise NoAnswerInTime(say("the message was being sent already, and there is no answer yet")) from None


def _told_apart_by(message: Message) -> list[str]:
    """Return code and link, empty where there is none, and then what else of a message is vital."""
    payload = message.payload if isinstance(message.payload, Mapping) else {}
    first = [str(payload.get(name) or "") for name in REQUIRED]
    return [*first, *(value for value in message.vital if value not in first)]


def _other_message() -> MessageRejected:
    hint = say("this idempotency key belongs to another message; use a fresh key for each message")
    return MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)


# Odd values that a provider gave for ids are kept as texts.
_encode = json.JSONEncoder(default=str).encode


def _written(answer: Receipt | OutcomeUnknown) -> str:
    if isinstance(answer, Receipt):
        return _encode({"receipt": {name: getattr(answer, name) for name in _RECEIPT}})
    return _encode({"unknown": {name: value for name, value in answer.to_dict().items() if name != "outcome"}})


def _read(entry: Entry) -> Receipt | SendError:
    if entry.answer is None:
        hint = say("whoever began to send this message stopped before saying how it ended, so it may have been sent")
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.DURING)
    try:
        answer = json.loads(entry.answer)
        return Receipt(**answer["receipt"]) if "receipt" in answer else OutcomeUnknown(**answer["unknown"])
    except (ValueError, TypeError, LookupError):  # of another version, or of a broken file
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

    def start(
        self, key: str, fingerprint: str, work: Coroutine[Any, Any, Receipt | SendError]
    ) -> asyncio.Task[Receipt | SendError]:
        task = asyncio.create_task(work)
        self._sendings[key] = _Sending(fingerprint, task)
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
