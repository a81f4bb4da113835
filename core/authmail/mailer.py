"""Mailer: the way of one message, from the host's call to one answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pluggy import PluginManager

from authmail.config.identity import identity_of
from authmail.config.sender import sender_of
from authmail.config.settings import templates_of
from authmail.connect.arguments import read_config, read_connector, read_plugins, read_templates
from authmail.connect.connector import Connector
from authmail.connect.edge import Edge
from authmail.connect.observers import Observers, tell_of_token
from authmail.connect.plugins import ask_templates
from authmail.errors import Misused
from authmail.http.client import Http
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.http.egress import Egress
from authmail.http.session import Transport
from authmail.http.ways import check_kind, check_ways
from authmail.mail.email import Email, Mail
from authmail.mail.message import Message, UsageType
from authmail.mail.recipient import Recipients
from authmail.mail.size import check_mail
from authmail.outcomes import (
    MessageRejected,
    NoAnswerInTime,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    SendError,
    TemplateError,
)
from authmail.privacy import log_of, raise_afresh
from authmail.templates.composer import Composer, Rules
from authmail.templates.samples import sample_payload
from authmail.templates.strangers import clean_payload
from authmail.templates.template import Template
from authmail.words.text import say

if TYPE_CHECKING:
    import aiohttp

_log = log_of("authmail")

_CANCELLED = "its caller was cancelled meanwhile"


class _NotOpen(Misused, RuntimeError):
    pass


class _NoMail(Misused, TypeError):
    pass


class Mailer:
    """Sends messages through one connector and config. Open it with ``async with``; many tasks may share it.

    Args:
        connector: a :class:`Connector`, its factory id or its target.
        config: what ``connector.validate_config`` returned, or the JSON itself.
        templates: templates of the host's own, a list (also of their JSON) or a folder (``fr/SignIn.html``); before the config's. With them,
            or with a ``get_templates`` hook, the config needs none; an empty list says so for a host that sends Emails.
        plugins: objects or modules with host hooks (see :mod:`authmail.connect.contract`).
        session: a session of the host's own, made by ``egress.session()``; the host closes it.
        egress: where connectors may connect. None, with a session, says that the host vouches for where that one connects.
        timeout: seconds that one message may take, all in all.
        default_locale: language of templates for readers of languages there are none for.
        trusted: names of placeholders whose values no stranger writes: ``["shop", "organization.name"]``.
        link_hosts: hosts of links in values such as ``resetUrl``; what is elsewhere is a stranger's.
        from_addresses: addresses and domains that a template's ``sendFrom`` may name; by default the configured domain, its
            parents and what is below it.
        recipients: which addresses may be written to.
        proxy: URL of an HTTP proxy.
        ca_file: PEM file of the authorities to trust instead of the system's.
        strict_templates: a failing ``get_templates`` hook fails the message.
        debug: errors keep their cause and the frames inside, which may hold secrets and codes.

    Raises:
        ConfigError: the config, the templates or another argument cannot be used.
        TypeError: an argument is of another kind; its name is told.
        ConnectorNotFound: there is no such connector, or it is broken.
    """

    # Of the class, since an error tracker may show a Mailer whose config was refused.
    _stack: AsyncExitStack | None = None

    @raise_afresh
    def __init__(
        self,
        connector: Connector | str,
        config: Any,
        *,
        templates: Iterable[Template | Mapping[str, Any]] | Path | Traversable | str | None = None,
        plugins: Iterable[object] = (),
        session: "aiohttp.ClientSession | None" = None,
        egress: Egress | None = Egress.PUBLIC,
        timeout: float = DEFAULT_TIMEOUT,
        default_locale: str | None = None,
        trusted: Iterable[str] = (),
        link_hosts: Iterable[str] | None = None,
        from_addresses: Iterable[str] | None = None,
        recipients: Recipients = Recipients.NARROW,
        proxy: str | None = None,
        ca_file: str | Path | None = None,
        strict_templates: bool = False,
        debug: bool = False,
    ) -> None:
        check_ways(egress, session, timeout, proxy, ca_file)
        check_kind("default_locale", default_locale, (str,), "a language tag", optional=True)
        check_kind("strict_templates", strict_templates, (bool,), "True or False")
        check_kind("debug", debug, (bool,), "True or False")
        self._connector = read_connector(connector)
        self._host = read_plugins(plugins)
        store = partial(ask_templates, self._host, strict=strict_templates) if _has_templates(self._host) else None
        own = read_templates(templates)
        self._config = read_config(self._connector, config, elsewhere=templates is not None or store is not None)
        self._templates = (*own, *templates_of(self._config))
        rules = Rules.of(trusted, link_hosts, from_addresses, recipients, sender_of(self._config))
        self._composer = Composer(self._templates, store, default_locale, rules)
        self._observers = Observers(self._host)
        self._token_listener = partial(tell_of_token, self._observers, self._connector.id)
        self._session = session
        self._egress = egress
        self._timeout = timeout
        self._proxy = proxy
        self._ca_file = ca_file
        self._debug = debug  # asked by raise_afresh
        self._edge = Edge(self._config, self._connector.id, self._templates, debug=debug)
        self._transport: Transport | None = None
        self._client: Any = None
        self._inherited: AsyncExitStack | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def connector(self) -> Connector:
        """The connector."""
        return self._connector

    @property
    def timeout(self) -> float:
        """Seconds that a message may take, unless :meth:`send` is told."""
        return self._timeout

    @raise_afresh
    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise RuntimeError("this Mailer is open already; open it once and share it between tasks")
        transport = Transport(
            egress=self._egress, session=self._session, proxy=self._proxy, ca_file=self._ca_file, user_agent=self._connector.id
        )
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(transport)
                self._client = await self._connector.open_client(self._config, self._http(transport, float("inf")), stack)
                self._transport = transport
                self._loop = asyncio.get_running_loop()
                self._stack = stack.pop_all()
            return self
        except SendError as raised:
            error = self._edge.clean_error(raised)
        raise error

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what was opened. Closing twice is harmless; the Mailer can be opened again, also on another loop."""
        stack, self._stack, self._transport, self._client = self._stack, None, None, None
        if stack is not None:
            await stack.aclose()
        await self._observers.close()

    def abandon(self) -> None:
        """In a forked child: leave what the parent opened to the parent, so that this Mailer can be opened again."""
        # Kept, for a session that is collected would say that nobody closed it; its connections are the parent's.
        self._inherited = self._stack or self._inherited
        self._observers.abandon()
        self._stack = self._transport = self._client = None

    @raise_afresh
    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message, once, and give one answer.

        Args:
            message: what to send; core renders a Message from a template, an Email goes as it is.
            timeout: seconds, all in all; the Mailer's own by default.

        Returns:
            The Receipt, if the provider accepted the mail.

        Raises:
            SendError: one of its kinds, if it did not or nobody knows. Neither the error nor its traceback holds a
                secret, code, link or body.
        """
        timeout = self._timeout if timeout is None else timeout
        http = self._http(self._open_transport(message), time.monotonic() + timeout)
        try:
            receipt = await self._send(message, http, timeout)
        except SendError as raised:
            error = self._edge.clean_error(raised, message)
        except asyncio.CancelledError:
            self._observers.tell("message_failed", message=message, error=self._ended(http, say(_CANCELLED)), repeated=False)
            raise
        else:
            if self._observers:
                self._observers.tell("message_sent", message=message, receipt=receipt, repeated=False)
                await self._observers.give_way()
            return receipt
        _log.debug("%s: %s %s", self._connector.id, error.outcome, error.reason)
        self._observers.tell("message_failed", message=message, error=error, repeated=False)
        await self._observers.give_way()
        raise error

    @raise_afresh
    async def preview(self, message: Message) -> Email:
        """Return the mail that :meth:`send` would hand to the connector. Contacts no provider; needs no open Mailer.

        Raises:
            MessageRejected: it would be refused before sending; a TemplateError where no template serves it, or where
                the connector's receiver writes the mail.
        """
        try:
            if not self._connector.takes_mails:
                hint = "{connector} hands messages on as they are; the mail is written by its receiver"
                raise TemplateError(say(hint, connector=self._connector.id))
            return await self._composer.compose(message)
        except SendError as raised:
            error = self._edge.clean_error(raised, message)
        raise error

    @raise_afresh
    async def template_of(self, message: Message) -> Template | None:
        """Return the template that a message is rendered from; None where the provider renders. Contacts no provider.

        Raises:
            TemplateError: none serves it.
        """
        return await self._composer.choose(message) if self._connector.takes_mails else None

    @raise_afresh
    async def test(self, to: str, *, type: str = UsageType.GENERIC, locale: str | None = None) -> Receipt:  # noqa: A002 (the contract's word)
        """Send a sample, code ``000000``, by the very same path as :meth:`send`: an admin page's "Send" button.

        Args:
            to: an address of the admin's own.
            type: usage type; its documented payload is filled with made-up values.
            locale: language to try.
        """
        return await self.send(Message(to=to, type=type, payload=sample_payload(type, locale)))

    def _open_transport(self, message: Mail) -> Transport:
        if self._transport is None or self._loop is not asyncio.get_running_loop():
            raise _NotOpen("this Mailer is not open on this loop; use 'async with Mailer(…) as mailer'")
        if not isinstance(message, Mail):
            raise _NoMail("send() takes a Message or an Email")
        return self._transport

    async def _send(self, message: Mail, http: Http, timeout: float) -> Receipt:
        asked = self._connector.send_arguments
        try:
            async with asyncio.timeout(timeout):
                receipt = await self._call(message, http, asked)
        except SendError:
            raise
        except TimeoutError as error:
            raise self._ended(http, say("not done after {seconds:g} seconds", seconds=timeout)) from error
        except Exception as error:
            hint = say(
                "the connector failed: {kind}; this is a bug of {distribution}",
                kind=type(error).__name__,
                distribution=self._connector.distribution,
            )
            if _maybe_sent(http, asked):
                raise OutcomeUnknown(hint, reason=Reason.CONNECTOR, phase=Phase.AFTER) from error
            raise NotSent(hint, reason=Reason.CONNECTOR, phase=Phase.BEFORE) from error
        _log.debug("%s: accepted, message id %s, request id %s", receipt.connector, receipt.message_id, receipt.request_id)
        return receipt

    def _ended(self, http: Http, hint: str) -> SendError:
        """Return what it means that a message was ended before it had its answer."""
        return (NoAnswerInTime if _maybe_sent(http, self._connector.send_arguments) else NotSentInTime)(
            hint, connector=self._connector.id
        )

    def account(self, digest: Callable[..., str]) -> str:
        """Return what stands for the account at the provider: a keyed digest of all that identifies and authenticates it.

        Args:
            digest: makes one of texts, which hold secrets; see :meth:`authmail.delivery.Store.digest`.
        """
        return digest(self._connector.id, *identity_of(self._config))

    def _http(self, transport: Transport, deadline: float) -> Http:
        return Http(transport, deadline, self._token_listener)

    async def _call(self, message: Mail, http: Http, asked: frozenset[str]) -> Receipt:
        given: dict[str, Any] = {"message": message, "config": self._config, "http": http}
        given |= {"client": self._client, "deadline": http.deadline, "email": None, "template": None, "values": {}}
        check_mail(message)
        if isinstance(message, Email):
            if "values" in asked and "email" not in asked:
                hint = "{connector} renders at the provider and takes a Message, not a rendered Email"
                raise MessageRejected(say(hint, connector=self._connector.id), reason=Reason.MESSAGE, phase=Phase.BEFORE)
            given["email"] = given["message"] = self._composer.rules.readdress(message)
        else:
            given |= await self._written(message, asked)
        result = self._connector.send_message(given)
        receipt = await result if isinstance(result, Awaitable) else result
        if not isinstance(receipt, Receipt) or not receipt.message_id:
            hint = "the connector gave no Receipt with a message id"
            raise OutcomeUnknown(say(hint), reason=Reason.CONNECTOR, phase=Phase.AFTER)
        return self._edge.clean_receipt(receipt, message)

    async def _written(self, message: Message, asked: frozenset[str]) -> dict[str, Any]:
        """Return the mail of a message; where its receiver or the provider writes it, what that needs."""
        written = None
        if "email" in asked:
            write = self._composer.compose_or_name if "template" in asked else self._composer.compose
            written = await write(message)
        if isinstance(written, Email):
            return {"email": written}
        given: dict[str, Any] = {"message": self._composer.rules.readdress_message(message), "template": written}
        if "values" in asked:
            given["values"] = clean_payload(message.payload, self._composer.rules.strangers, message.address)
        return given

    def __repr__(self) -> str:
        connector = getattr(self, "_connector", None)
        return f"Mailer({connector and connector.id!r}, {'open' if self._stack else 'closed'})"


def _has_templates(host: PluginManager) -> bool:
    return bool(host.hook.get_templates.get_hookimpls())


def _maybe_sent(http: Http, asked: frozenset[str]) -> bool:
    """Whether the mail may have gone out: what the connector says; else whether anything was asked of a provider."""
    return http.used or "client" in asked if http.mail_begun is None else http.mail_begun
