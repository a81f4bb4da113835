"""Delivery: the outermost sender, which tells observers, logs and metrics the one answer per message."""

import logging
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from authmail.connect.arguments import read_plugins
from authmail.connect.plugins import notify
from authmail.delivery.events import heard_by
from authmail.delivery.limits import canonical_address
from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, name_of, now
from authmail.delivery.stores.store import keyed_digest, new_secret
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Email, Mail
from authmail.mail.message import Message, UsageType
from authmail.mailer import Mailer
from authmail.outcomes import Receipt, SendError, TemplateError
from authmail.privacy import log_of, one_line, raise_afresh
from authmail.templates.samples import sample_payload
from authmail.templates.template import Template

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
    """

    def __init__(
        self,
        sender: MessageSender,
        *,
        plugins: Iterable[object] = (),
        timeout: float = DEFAULT_TIMEOUT,
        log_secret: bytes | None = None,
    ) -> None:
        self._sender = sender
        self._timeout = timeout
        self._plugins = read_plugins([*plugins, *_metrics()])
        self._observed = bool(self._plugins.get_plugins())
        self._log_secret = log_secret or new_secret()

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender."""
        return (self._sender,)

    @raise_afresh
    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message and give one answer.

        Args:
            message: what to send.
            timeout: seconds for everything: waiting, attempts and other providers.

        Raises:
            SendError: one of its kinds; ``tried`` names the attempts, where there were several.
        """
        timeout = self._timeout if timeout is None else timeout
        begun = now()
        error: SendError
        with heard_by(self._plugins if self._observed else None):
            try:
                receipt = await attempt(self._sender, message, timeout)
            except SendError as raised:
                error = raised
            else:
                self._record(message, begun, receipt=receipt)
                if self._observed:
                    await notify(self._plugins, "message_sent", message=message, receipt=receipt)
                return receipt
            self._record(message, begun, error=error)
            if self._observed:
                await notify(self._plugins, "message_failed", message=message, error=error)
        raise error

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
        *wrappers, last = self._way(message)
        steps = [step for wrapper in wrappers if isinstance(wrapper, Wrapper) for step in wrapper.steps(message)]
        return [*steps, await _template_step(last, message)] if isinstance(last, Mailer) else steps

    def _mailer(self, message: Message) -> Mailer:
        *_, last = self._way(message)
        if not isinstance(last, Mailer):
            raise TypeError(f"{name_of(last)} is no Mailer, so it cannot show a mail")
        return last

    def _way(self, message: Message) -> Iterator[MessageSender]:
        """Yield the senders that a message would go through first, this one to the innermost."""
        sender: MessageSender = self
        while isinstance(sender, Wrapper):
            yield sender
            sender = sender.toward(message)
        yield sender

    def _record(self, message: Mail, begun: float, *, receipt: Receipt | None = None, error: SendError | None = None) -> None:
        level = logging.INFO if receipt else logging.WARNING
        if not _log.isEnabledFor(level):
            return
        fields: dict[str, Any] = {
            "type": message.usage_type,
            "recipient": keyed_digest(self._log_secret, [canonical_address(message.address)])[:16],
            "seconds": round(now() - begun, 3),
        }
        if receipt is not None:
            fields |= {"outcome": "accepted", "connector": receipt.connector, "message_id": receipt.message_id}
        if error is not None:
            fields |= {"outcome": error.outcome, "reason": str(error.reason), "code": error.code, "connector": error.connector}
            fields |= {"attempts": len(error.tried)} if error.tried else {}
        # Type and ids are anybody's: no line break may begin a line of their own.
        words = " ".join(f"{name}={one_line(str(value))[:200]}" for name, value in fields.items() if value not in (None, ""))
        _log.log(level, "message %s", words, extra={"authmail": fields})


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
