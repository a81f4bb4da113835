"""A connector under test: its declaration, and the ways in which checks send through it."""

import asyncio
import copy
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import attrs

from authmail.config.secrets import secrets_in
from authmail.connect.connector import Connector
from authmail.connect.registry import get_connector
from authmail.http.egress import Egress
from authmail.mail.email import Email
from authmail.mail.message import Message
from authmail.mailer import Mailer
from authmail.outcomes import Receipt
from authmail.templates.template import Template
from authmail.testing.dialogue import DialogueServer, accepted_answer
from authmail.testing.exchange import Answer, Exchange, read_folder
from authmail.testing.faults import FAULTS, Fault
from authmail.testing.provider import Provider, Respond, by_path, in_order
from authmail.testing.records import logged
from authmail.testing.wire import Request

#: Seconds for a message that is answered; no check waits so long where all is well.
LIMIT = 5.0
#: Seconds for a message that gets no answer.
SHORT = 0.6
#: Seconds after which a message that had SHORT is given up.
_PATIENCE = 1.0
_TURNS = 100

CODE = "739154"
LINK = "https://link-canary.example/join?t=Qx7pL2"
RECIPIENT = "zoe.canary@example.com"
TEMPLATES = (
    Template("Generic", "{{code}} is your code", '<p>Hello {{user.name}}, <b>{{code}}</b> or <a href="{{link}}">here</a></p>'),
    Template("SignIn", "{{code}} signs you in", "<p>The code is <b>{{code}}</b></p>"),
)


class Server(Protocol):
    """What a connector can be made to send to."""

    connections: int

    @property
    def url(self) -> str:
        """Where it is."""

    @property
    def requests(self) -> Sequence[Request | bytes]:
        """What it got."""


@attrs.frozen
class Sent:
    """What came of one message.

    Args:
        outcome: the Receipt, or what was raised; None if it did not end in time.
        requests: what the provider got for it.
        connections: how many were made for it.
        records: what was logged meanwhile.
    """

    outcome: Receipt | BaseException | None
    requests: tuple[Any, ...]
    connections: int
    records: tuple[logging.LogRecord, ...]

    @property
    def words(self) -> str:
        """The outcome in words."""
        if self.outcome is None:
            return "no end in time"
        return f"{type(self.outcome).__name__}: {self.outcome}"


@attrs.define(eq=False, slots=False)
class Case:
    """A connector under test. What the attributes mean is said at :class:`~authmail.testing.ConnectorConformance`."""

    name: str
    declared: Mapping[str, Any]
    folder: Path
    config_for: Callable[[str], Mapping[str, Any]]
    kind: str = "http"
    leaves_out: Mapping[str, str] = attrs.field(factory=dict)
    not_recorded: Mapping[str, str] = attrs.field(factory=dict)
    repeats_safely: bool = False
    status_decides: bool = False
    faults: tuple[Fault, ...] = FAULTS
    only: str | None = None
    basics: dict[str, list[str]] | None = None
    _known: dict[str, Any] = attrs.field(factory=dict)

    @cached_property
    def connector(self) -> Connector:
        """The installed connector."""
        return get_connector(self.name)

    @property
    def settings(self) -> type:
        """The settings class; where there is none, which a basic rule finds, a class without settings."""
        return self.connector.metadata.settings or object

    @property
    def config(self) -> dict[str, Any]:
        """A copy of the config: a connector may change what it gets."""
        return copy.deepcopy(dict(self.declared))

    @cached_property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The recorded exchanges, or the one that this case is about."""
        return tuple(exchange for exchange in read_folder(self.folder) if self.only in (None, exchange.name))

    @cached_property
    def accepted(self) -> tuple[Exchange, ...]:
        """Those in which the provider accepts."""
        return tuple(exchange for exchange in read_folder(self.folder) if exchange.kind is Receipt)

    @property
    def success(self) -> Exchange:
        """The first exchange in which the provider accepts."""
        return self.accepted[0]

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """The secrets of the config."""
        return tuple(secrets_in(self.connector.validate_config(self.config, templates=TEMPLATES)))

    def about(self, exchange: str) -> "Case":
        """Return the same case for one exchange."""
        return attrs.evolve(self, only=exchange)

    async def once(self, name: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """Return what was seen, looking only the first time."""
        if name not in self._known:
            self._known[name] = await look()
        return self._known[name]

    def provider(self, respond: Respond | Answer | None = None) -> Provider | DialogueServer:
        """Return a provider that accepts, or gives one answer, or answers as it is asked."""
        chosen = (lambda *_: respond) if isinstance(respond, Answer) else respond
        if self.kind == "smtp":
            return DialogueServer(self.success.dialogue, chosen)
        return Provider(chosen or by_path(self.success.steps))

    def replaying(self, exchange: Exchange) -> Provider | DialogueServer:
        """Return a provider that answers as it was recorded."""
        if self.kind == "smtp":
            return DialogueServer(exchange.dialogue, strict=True)
        return Provider(in_order(exchange.steps))

    @property
    def acceptance(self) -> Respond:
        """What a provider answers that accepts."""
        if self.kind == "smtp":
            answer = accepted_answer(self.success.dialogue)
            return lambda *_: answer
        return by_path(self.success.steps)

    @asynccontextmanager
    async def mailer(
        self,
        provider: "Server",
        *,
        config: Mapping[str, Any] | None = None,
        egress: Egress = Egress.ANY,
        templates: tuple[Template, ...] = TEMPLATES,
        debug: bool = False,
        ca_file: str | None = None,
    ) -> AsyncIterator[Mailer]:
        """Open a Mailer that sends to a provider."""
        settings = {**self.config, **(config or {}), **self.config_for(provider.url)}
        options: dict[str, Any] = {"templates": templates or None, "debug": debug, "ca_file": ca_file}
        async with Mailer(self.connector, settings, egress=egress, **options) as mailer:
            yield mailer

    async def send(
        self, provider: "Server", mail: Message | Email | None = None, *, timeout: float = LIMIT, **options: Any
    ) -> Sent:
        """Send one mail through a Mailer of its own, and return what came of it, whatever it was.

        Args:
            provider: where to.
            mail: what; a message with code and link by default.
            timeout: seconds.
            **options: of :meth:`mailer`.
        """
        before, connected = len(provider.requests), provider.connections

        async def sending() -> Receipt:
            async with self.mailer(provider, **options) as mailer:
                return await mailer.send(mail or message(), timeout=timeout)

        with logged() as records:
            task = asyncio.ensure_future(sending())
            await asyncio.wait([task], timeout=timeout + _PATIENCE)
            outcome = await _end(task)
        return Sent(outcome, tuple(provider.requests[before:]), provider.connections - connected, tuple(records))

    async def send_in_vain(
        self, silent: Callable[[], Provider | DialogueServer], mail: Message | Email | None = None, **options: Any
    ) -> Sent:
        """Send one mail to a provider that is silent, with little time; with more where the machine took all of it.

        Args:
            silent: makes the provider.
            mail: as of :meth:`send`.
            **options: of :meth:`mailer`.
        """
        timeout = SHORT
        while True:
            async with silent() as provider:
                sent = await self.send(provider, mail, timeout=timeout, **options)
            timeout *= 4
            if sent.requests or timeout > LIMIT:
                return sent


async def _end(task: "asyncio.Task[Receipt]") -> Receipt | BaseException | None:
    """Return a task's result or error; None if it had to be cancelled, however often."""
    if task.done():
        return task.exception() or task.result()
    for _ in range(_TURNS):  # on a busy machine both times may be over at once
        await asyncio.sleep(0)
    if task.done():
        return task.exception() or task.result()
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=SHORT)
    if not task.cancelled():
        task.exception()  # looked at, so that nobody complains that it was not
    return None


def message(code: str | None = CODE, link: str | None = LINK, to: str = RECIPIENT, **payload: Any) -> Message:
    """Return a message; with a code and without a link, a second mail is harmless."""
    values = {"code": code, "link": link, "user": {"name": "Zoe"}, **payload}
    return Message(to, "Generic" if link else "SignIn", {key: value for key, value in values.items() if value is not None})
