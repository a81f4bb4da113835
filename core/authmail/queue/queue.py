"""The queue of a delivery: messages are checked and sealed when they come, and told of as long as they are known."""

import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime, timedelta
from typing import Self

import attrs

from authmail.delivery import Dedupe, Delivery, Failover, Limits, Retry
from authmail.delivery.events import Passage, passing
from authmail.delivery.kept_answers import read_answer, write_answer
from authmail.delivery.limits import canonical_address
from authmail.delivery.sender import MessageSender, Wrapper, now, wrappers_within
from authmail.delivery.ticket import State, Ticket, TicketState
from authmail.delivery.unknown import OnUnknown, may_resend
from authmail.errors import Misused
from authmail.mail.email import Mail
from authmail.mail.message import Message
from authmail.mail.recipient import read_recipient
from authmail.mail.size import check_mail
from authmail.mailer import Mailer
from authmail.outcomes import (
    Limited,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
    UnknownThenRejected,
)
from authmail.privacy import log_of, one_line
from authmail.queue.engine import Engine, QueueError, Row
from authmail.queue.letter import write_letter
from authmail.queue.sealing import QueueKeys
from authmail.queue.tracing import current_trace
from authmail.templates.template import Template
from authmail.words.text import say

_log = log_of("authmail.queue")

#: What boxes are bound to, besides their row.
TABLE = "authmail queue 1"
#: How long what became of a message can be asked for, in seconds.
KEEP = 86400.0
_LONGEST_REQUEST = 200
_LONGEST_EXPIRES = 366 * 86400.0


class Queue:
    """Where a delivery puts messages that a worker sends.

    Args:
        engine: keeps the messages.
        keys: the first seals, all open.
        digest: makes keyed digests of addresses and repeats, the same on all machines: a store's.
        expires: seconds after which a message is not sent, unless ``enqueue`` is told.
        concurrency: so many does one worker send at a time.
    """

    def __init__(
        self, engine: Engine, keys: QueueKeys, *, digest: Callable[..., str], expires: float = 600.0, concurrency: int = 20
    ) -> None:
        self.engine = engine
        self.keys = keys
        self.digest = digest
        self.expires = expires
        self.concurrency = concurrency

    async def __aenter__(self) -> Self:
        if isinstance(self.engine, AbstractAsyncContextManager):
            await self.engine.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        if isinstance(self.engine, AbstractAsyncContextManager):
            await self.engine.__aexit__(None, None, None)

    def abandon(self) -> None:
        """In a forked child: leave what the parent opened to the parent."""
        if hasattr(self.engine, "abandon"):
            self.engine.abandon()

    async def enqueue(
        self,
        delivery: Delivery,
        message: Mail,
        *,
        expires: float | None = None,
        transaction: object | None = None,
        try_first: float | None = None,
        request_id: str = "",
    ) -> Ticket:
        """Queue a message of a delivery; see :meth:`authmail.delivery.Delivery.enqueue`."""
        if transaction is not None and try_first is not None:
            raise Misused("try_first sends before your transaction is committed; ask for one of both")
        with passing(Passage(None, delivery.name)):
            row = await self._row(delivery, message, self.expires if expires is None else expires, request_id)
            try:
                if try_first is not None:
                    earlier = await self._known(row)
                    if earlier is not None:
                        return _ticket(earlier, row)
                    row = await self._try_first(delivery, message, row, try_first)
                return await self._add(delivery, message, row, transaction)
            except Limited:
                earlier = await self._known(row)
                if earlier is None:
                    raise
                return _ticket(earlier, row)
            except QueueError as error:
                if row.state is TicketState.SENT:  # by now; only its state cannot be asked for
                    _log.warning("a message was sent at once, and the queue could not note it: %s", error)
                    return Ticket(row.ticket, datetime.now(UTC) + timedelta(seconds=row.expires))
                problem = NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
        raise problem

    async def state(self, ticket: str) -> State | None:
        """Return what has become of a message; see :meth:`authmail.delivery.Delivery.state`."""
        try:
            row, moment = await self.engine.row(ticket), await self.engine.now()
        except QueueError as error:
            raise NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE) from None
        return None if row is None else state_of(row, moment)

    async def forget(self, address: str) -> int:
        """Remove what has ended of an address; what waits is still sent. Return how many messages that were."""
        return await self.engine.forget(self.digest("address", canonical_address(address)))

    async def _known(self, row: Row) -> Row | None:
        return None if row.repeat is None else await self.engine.known(row.repeat)

    async def _row(self, delivery: Delivery, message: Mail, expires: float, request_id: str) -> Row:
        """Return the row of a message; refuse one that would never be sent."""
        if not 0 < expires <= _LONGEST_EXPIRES:
            hint = say("a queued message must expire, after more than 0 seconds and at most a year")
            raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)
        await _check(delivery, message)
        ticket, scope = secrets.token_hex(12), delivery.name
        around, _ = looked_at_before(delivery)
        claim = next((one.claim(message, 0.0) for one in around if isinstance(one, Dedupe)), None)
        return Row(
            ticket=ticket,
            scope=scope,
            priority=0 if message.repeatable else 1,
            expires=expires,
            key=self.keys.first,
            box=self.keys.seal(write_letter(message), bound(ticket, scope)),
            repeat=claim.key if claim else None,
            fingerprint=claim.fingerprint if claim else "",
            repeat_until=claim.keep if claim else 0.0,
            address=self.digest("address", canonical_address(message.address)),
            trace=current_trace(),
            request=_readable(request_id),
        )

    async def _add(self, delivery: Delivery, message: Mail, row: Row, transaction: object | None) -> Ticket:
        adding = _Adding(self.engine, row, transaction)
        sender: MessageSender = adding
        if row.state is TicketState.QUEUED and not row.marked:  # what was or may have been sent first is counted
            around, _ = looked_at_before(delivery)
            for limits in reversed([one for one in around if isinstance(one, Limits)]):
                sender = limits.around(sender)
        with suppress(_Repeated):
            await sender.send(message, timeout=delivery.timeout)
        assert adding.added is not None  # noqa: S101 (else it raised)
        return _ticket(adding.added, row)

    async def _try_first(self, delivery: Delivery, message: Mail, row: Row, seconds: float) -> Row:
        """Send a message at once. Return its row: ended if it was sent, else as it was."""
        begun = now()
        answer: Receipt | SendError
        try:
            answer = await delivery.try_sending(message, timeout=seconds)
        except OutcomeUnknown as error:
            if resends(policies_of(delivery), message) and not isinstance(error, UnknownThenRejected):
                return attrs.evolve(row, marked=True, attempts=1, answer=write_answer(error, without=["detail"]))
            answer = error.afresh()
        except MessageRejected as error:
            answer = error.afresh()
        except SendError:
            return row
        await delivery.tell(message, answer, since=begun)
        if isinstance(answer, SendError):
            raise answer
        return attrs.evolve(row, state=TicketState.SENT, box=b"", attempts=1, answer=write_answer(answer, without=["detail"]))

    def __repr__(self) -> str:
        return f"Queue({self.engine!r})"


class _Repeated(NotSent):
    """The same message is queued already, so nothing is counted."""


class _Adding:
    """Puts a row into the queue, where limits are around a sender."""

    def __init__(self, engine: Engine, row: Row, transaction: object | None) -> None:
        self._engine = engine
        self._row = row
        self._transaction = transaction
        self.added: Row | None = None

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:  # noqa: ARG002 (a sender's)
        self.added = await self._engine.add(self._row, keep=KEEP, transaction=self._transaction)
        if self.added.ticket != self._row.ticket:
            raise _Repeated
        return Receipt(self.added.ticket)


def bound(ticket: str, scope: str) -> tuple[str, ...]:
    """Return what a row's box is bound to."""
    return TABLE, ticket, scope


def state_of(row: Row, moment: float) -> State:
    """Return what a row says to a host."""
    answer = answer_of(row)
    name = row.state
    if name is TicketState.QUEUED and row.expires <= moment:
        name = TicketState.IN_DOUBT if row.marked else TicketState.EXPIRED
    return State(
        name=name,
        attempts=row.attempts,
        receipt=answer if isinstance(answer, Receipt) else None,
        error=answer if isinstance(answer, SendError) else None,
        due=datetime.fromtimestamp(max(row.due, row.created), UTC) if name is TicketState.QUEUED else None,
    )


def answer_of(row: Row) -> Receipt | SendError | None:
    """Return the last answer of a row; None where there is none, or another release wrote it."""
    try:
        return None if row.answer is None else read_answer(row.answer)
    except ValueError:
        return None


def looked_at_before(delivery: Delivery) -> tuple[list[Dedupe | Limits], MessageSender]:
    """Return the repeats and limits around all else, which are asked when a message is queued; and who is within, whom the worker asks."""
    around: list[Dedupe | Limits] = []
    sender: MessageSender = delivery.inside[0]
    while isinstance(sender, Dedupe | Limits):
        around.append(sender)
        sender = sender.inside[0]
    return around, sender


def policies_of(delivery: Delivery) -> list[OnUnknown]:
    """Return what the senders that the worker asks were told of unknown outcomes."""
    _, sender = looked_at_before(delivery)
    within = wrappers_within(sender) if isinstance(sender, Wrapper) else ()
    return [one._on_unknown for one in within if isinstance(one, Retry | Failover)]  # noqa: SLF001 (of this house)


def resends(policies: Iterable[OnUnknown], message: Mail) -> bool:
    """Whether a message that may have been sent may go out again, by each of the policies; by itself where there is none."""
    return all(may_resend(message, policy) for policy in list(policies) or [{}])


def _readable(request: str) -> str:
    """Return an id on one line, as any database can keep it."""
    return one_line(request[:_LONGEST_REQUEST]).encode("utf-8", "replace").decode()


def _ticket(stored: Row, asked: Row) -> Ticket:
    """Return the ticket of a row that was stored, now or earlier.

    Raises:
        MessageRejected: it is another message with the same idempotency key.
    """
    if stored.fingerprint != asked.fingerprint:
        hint = say("this idempotency key belongs to another message; use a fresh key for each message")
        raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)
    return Ticket(stored.ticket, datetime.fromtimestamp(stored.expires, UTC), repeated=stored.ticket != asked.ticket)


async def _check(delivery: Delivery, message: Mail) -> None:
    """Refuse a message that the sender which is asked first would refuse unseen."""
    check_mail(message)
    *_, last = delivery.way(message)
    if isinstance(message, Message) and isinstance(last, Mailer) and last.connector.takes_mails:
        template = await delivery.template_of(message)
        if isinstance(template, Template):  # another's is rendered at the provider
            await delivery.preview(message)
            return
    if isinstance(message, Message):
        read_recipient(message.to)
