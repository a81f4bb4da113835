"""Delivery: the outermost sender, which tells observers, logs and metrics the one answer per message."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any, Self

from authmail.connect.arguments import read_plugins
from authmail.connect.observers import Observers
from authmail.delivery.alerts import Alerts
from authmail.delivery.events import Passage, passing
from authmail.delivery.limits import canonical_address
from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, deadline_of, name_of, now, wrappers_within
from authmail.delivery.sharing import Sharing
from authmail.delivery.stores import StoreError
from authmail.delivery.stores.store import keyed_digest, new_secret
from authmail.delivery.ticket import MessageQueue, State, Ticket
from authmail.delivery.trip import Claiming
from authmail.errors import Misused
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Email, Mail
from authmail.mail.message import Message, UsageType
from authmail.mailer import Mailer
from authmail.outcomes import OutcomeUnknown, Phase, Reason, Receipt, SendError, TemplateError
from authmail.privacy import log_of, one_line, raise_afresh
from authmail.templates.samples import sample_payload
from authmail.templates.template import Template
from authmail.words.text import say

_log = log_of("authmail.delivery")


class Delivery(Wrapper):
    """Sends messages through policies, and says what became of each.

    Plugins hear ``message_sent`` or ``message_failed`` once per message, and ``attempt``, ``switched`` and ``breaker`` on
    the way. With OpenTelemetry's API installed there are metrics, see :mod:`authmail.delivery.metrics`. The log has one
    record per message, its recipient as a keyed hash; never a code, link or body.

    Args:
        sender: a policy or a :class:`~authmail.Mailer`.
        plugins: objects or modules with host hooks.
        timeout: seconds for everything that a message needs, unless ``send`` is told.
        log_secret: key of the recipients' hashes in the log; by default one of this process.
        name: keeps limits and repeats apart from those of other deliveries in the same store, such as a tenant's id. Nothing of a
            config does, so that a swap or a new key forgets nothing.
        replaces: the delivery that this one takes over from, name and all that is counted and remembered; for a reload.
        queue: where :meth:`enqueue` puts messages.

    Raises:
        ConfigError: a delivery of the same name and store, with other accounts, is in use.
    """

    passes_once = True

    def __init__(
        self,
        sender: MessageSender,
        *,
        plugins: Iterable[object] = (),
        timeout: float = DEFAULT_TIMEOUT,
        log_secret: bytes | None = None,
        name: str = "",
        replaces: "Delivery | None" = None,
        queue: MessageQueue | None = None,
    ) -> None:
        self._sender = sender
        self._timeout = timeout
        self.name = name
        self.queue = queue
        self._observers = Observers(read_plugins([*plugins, *_metrics()]))
        self._log_secret = log_secret or new_secret()
        replaced = None if replaces is None else replaces._sharing  # noqa: SLF001 (another of this class)
        self._sharing: Sharing = Sharing(self, name, replaced)

    @property
    def timeout(self) -> float:
        """Seconds for everything that a message needs, unless :meth:`send` is told."""
        return self._timeout

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender, and what tells alerts."""
        alerts = (plugin for plugin in self._observers.host.get_plugins() if isinstance(plugin, Alerts))
        queues = () if self.queue is None else (self.queue,)
        return (self._sender, *queues, *(part for one in alerts for part in one.inside))

    @raise_afresh
    async def enqueue(
        self,
        message: Mail,
        *,
        expires: float | None = None,
        transaction: object | None = None,
        try_first: float | None = None,
        request_id: str = "",
    ) -> Ticket:
        """Queue a message: it is durable when this returns, and a worker sends it.

        Address, template, limits and repeats are looked at now; the same message gets the same ticket.

        Args:
            message: what to send.
            expires: seconds after which it is not sent any more; the queue's own by default.
            transaction: a connection of yours to the queue's database: the message is queued if your transaction is committed.
            try_first: seconds in which to send it at once; queued is only what surely did not go out by then, or what may go out twice.
            request_id: your own id of what caused it; stored beside it, so nothing confidential.

        Raises:
            MessageRejected: it would never be sent.
            Limited: the limits leave no room.
            OutcomeUnknown: it was tried first and may have been sent, and a second mail might do harm. It is not queued.
            NotSent: the queue cannot be used.
            Misused: there is no queue.
        """
        self._sharing.begin()
        return await self._need_queue().enqueue(
            self, message, expires=expires, transaction=transaction, try_first=try_first, request_id=request_id
        )

    @raise_afresh
    async def state(self, ticket: str) -> State | None:
        """Return what has become of a queued message; None where there is no such ticket, or not any more.

        Raises:
            NotSent: the queue cannot be used.
            Misused: there is no queue.
        """
        return await self._need_queue().state(ticket)

    def _need_queue(self) -> MessageQueue:
        if self.queue is None:
            raise Misused("this delivery has no queue: a [queue] table in the file makes one")
        return self.queue

    async def try_sending(self, message: Mail, *, timeout: float, sender: MessageSender | None = None) -> Receipt:
        """Try to send, and tell nobody of the answer: for a queue, whose answer may come later.

        Args:
            message: what to send.
            timeout: seconds.
            sender: the sender within to begin with.
        """
        with passing(Passage(self._observers or None, self.name)):
            return await attempt(sender or self._sender, message, deadline_of(timeout, self._timeout))

    async def tell(self, message: Mail, answer: Receipt | SendError, *, since: float) -> None:
        """Tell log, metrics and plugins the one answer of a message that was queued.

        Args:
            message: the message.
            answer: its answer.
            since: when it was begun, a time of the loop.
        """
        self._tell(message, Passage(self._observers or None, self.name), since, answer)
        await self._observers.give_way()

    def tell_of_queue(self, trouble: str, error: SendError | None) -> None:
        """Tell plugins that the queue is in trouble, or in order again (None)."""
        self._observers.tell("queue", trouble=trouble, error=error)

    @raise_afresh
    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message and give one answer.

        Args:
            message: what to send.
            timeout: seconds for everything: waiting, attempts and other providers.

        Raises:
            SendError: one of its kinds; ``tried`` names the attempts, where there were several.
        """
        self._sharing.begin()
        begun = now()
        way = Passage(self._observers or None, self.name)
        error: SendError
        try:
            with passing(way):
                receipt = await attempt(self._sender, message, deadline_of(timeout, self._timeout))
        except SendError as raised:
            error = raised
        except asyncio.CancelledError:
            self._hear_of_cancelled(message, way, begun)
            raise
        else:
            self._tell(message, way, begun, receipt)
            await self._observers.give_way()
            return receipt
        self._tell(message, way, begun, error)
        await self._observers.give_way()
        raise error

    async def __aenter__(self) -> Self:
        self._sharing.begin()
        try:
            return await super().__aenter__()
        except BaseException:
            self._sharing.end()
            raise

    @raise_afresh
    async def close(self) -> None:
        """Close what was opened, and wait for observers. Closing twice is harmless; it can be opened again, also on another loop."""
        await super().close()
        await self._observers.close()
        self._sharing.end()

    def abandon(self) -> None:
        """In a forked child: leave what the parent opened to the parent, so that this can be opened again."""
        super().abandon()
        self._observers.abandon()

    def _tell(self, message: Mail, way: Passage, begun: float, answer: Receipt | SendError) -> None:
        """Say to log and observers what became of a message: once for each, whoever still waits."""
        self._record(message, begun, answer, repeated=way.repeated)
        if not self._observers:
            return
        if isinstance(answer, Receipt):
            self._observers.tell("message_sent", message=message, receipt=answer, repeated=way.repeated)
        else:
            self._observers.tell("message_failed", message=message, error=answer, repeated=way.repeated)

    def _hear_of_cancelled(self, message: Mail, way: Passage, begun: float) -> None:
        if way.going_on is None:
            hint = say("its caller was cancelled meanwhile, so nobody knows what became of it")
            self._tell(message, way, begun, OutcomeUnknown(hint, reason=Reason.TIMEOUT, phase=Phase.DURING))
        else:
            way.going_on.add_done_callback(lambda task: self._tell(message, way, begun, _answer_of(task)))

    @raise_afresh
    async def test(self, to: str, *, type: str = UsageType.GENERIC, locale: str | None = None) -> Receipt:  # noqa: A002 (the contract's word)
        """Send a sample, code ``000000``, by the very same path: an admin page's "Send" button. Never held back as a repeat.

        Args:
            to: an address of the admin's own.
            type: usage type.
            locale: language to try.
        """
        return await self.send(Message(to=to, type=type, payload=sample_payload(type, locale), resend=True))

    @raise_afresh
    async def forget(self, address: str) -> int:
        """Forget what the limits within count of an address, and what has ended of it in the queue; return how many messages that were.

        What is kept of each message for repeats is under a hash of more than the address, so nobody can find it by that; it goes by
        itself after ``keep`` and ``hold``.

        Args:
            address: the recipient's, in any spelling.

        Raises:
            StoreError: a store cannot be used, or has no ``forget``.
        """
        number = 0
        who = Message(address, UsageType.GENERIC, {}).address
        for one in wrappers_within(self):
            if isinstance(one, Claiming) and (keys := tuple(one.keys_of(who, self.name))):
                forget = getattr(one.store, "forget", None)
                if forget is None:
                    raise StoreError(f"{type(one.store).__name__} has no method forget")
                number += await forget(keys)
        if self.queue is not None:
            number += await self.queue.forget(who)
        return number

    @raise_afresh
    async def preview(self, message: Message) -> Email:
        """Return the mail that the first sender to be asked would send. Contacts no provider.

        Raises:
            MessageRejected: it would be refused before sending.
        """
        return await self._mailer(message).preview(message)

    @raise_afresh
    async def template_of(self, message: Message) -> Template | None:
        """Return the template of :meth:`preview`'s mail; None where the provider renders. Contacts no provider.

        Raises:
            TypeError: the first sender is no Mailer.
            TemplateError: none serves it.
        """
        return await self._mailer(message).template_of(message)

    @raise_afresh
    def steps(self, message: Mail) -> Iterable[Step]:
        """Name the deadline."""
        yield Step("deadline", f"{self._timeout:g} s", "for everything together")

    @raise_afresh
    async def explain(self, message: Message) -> list[Step]:
        """Return what would be decided about a message: limits, route, senders, template, and why. Sends nothing."""
        *wrappers, last = self.way(message)
        steps = [step for wrapper in wrappers if isinstance(wrapper, Wrapper) for step in wrapper.steps(message)]
        return [*steps, await _template_step(last, message)] if isinstance(last, Mailer) else steps

    def _mailer(self, message: Message) -> Mailer:
        *_, last = self.way(message)
        if not isinstance(last, Mailer):
            raise TypeError(f"{name_of(last)} is no Mailer, so it cannot show a mail")
        return last

    def way(self, message: Mail) -> Iterator[MessageSender]:
        """Yield the senders that a message would go through first, this one to the innermost. Needs the running loop."""
        sender: MessageSender = self
        while isinstance(sender, Wrapper):
            yield sender
            sender = sender.toward(message)
        yield sender

    def _record(self, message: Mail, begun: float, answer: Receipt | SendError, *, repeated: bool) -> None:
        level = logging.INFO if isinstance(answer, Receipt) else logging.WARNING
        if not _log.isEnabledFor(level):
            return
        fields: dict[str, Any] = {
            "type": message.usage_type,
            "recipient": keyed_digest(self._log_secret, [canonical_address(message.address)])[:16],
            "seconds": round(now() - begun, 3),
        }
        if isinstance(answer, Receipt):
            fields |= {"outcome": "accepted", "connector": answer.connector, "message_id": answer.message_id}
        else:
            fields |= {
                "outcome": answer.outcome,
                "reason": str(answer.reason),
                "code": answer.code,
                "connector": answer.connector,
            }
            fields |= {"attempts": len(answer.tried)} if answer.tried else {}
        fields |= {"delivery": self.name} if self.name else {}
        fields |= {"repeated": True} if repeated else {}
        # Type and ids are anybody's: no line break may begin a line of their own.
        words = " ".join(f"{name}={one_line(str(value))[:200]}" for name, value in fields.items() if value not in (None, ""))
        _log.log(level, "message %s", words, extra={"authmail": fields})


def _answer_of(task: asyncio.Task[Receipt | SendError]) -> Receipt | SendError:
    if task.cancelled() or task.exception() is not None:
        hint = say("its caller was cancelled meanwhile, so nobody knows what became of it")
        return OutcomeUnknown(hint, reason=Reason.CONNECTOR, phase=Phase.DURING)
    return task.result()


async def _template_step(mailer: Mailer, message: Message) -> Step:
    try:
        template = await mailer.template_of(message)
    except TemplateError as error:
        return Step("template", "none", error.hint)
    if template is None:
        return Step("template", "the provider's own", f"{mailer.connector.id} renders there")
    exact = "of this type" if template.usage_type == message.type else f"no template of type {message.type} serves"
    return Step("template", f"{template.usage_type}, {template.locale or 'all languages'}", exact)


def _metrics() -> list[object]:
    try:
        installed = find_spec("opentelemetry.metrics") is not None
    except ModuleNotFoundError:
        installed = False
    if not installed:
        return []
    from authmail.delivery.metrics import Metrics  # imported late: OpenTelemetry is optional

    return [Metrics()]
