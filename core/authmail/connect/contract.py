"""The contract, as pluggy hooks: what a connector implements, and what a host may.

A hook implementation names only the arguments it needs; they are matched by name. Version 1 of the contract is the
entry-point group ``authmail.connectors``: arguments, optional hooks and defaulted fields may be added to it.
"""

from collections.abc import Awaitable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pluggy

from authmail.connect.metadata import ConnectorMetadata
from authmail.mail.email import Email
from authmail.mail.message import Message
from authmail.outcomes import AccountReport, Receipt, SendError
from authmail.templates.template import Template

if TYPE_CHECKING:
    from authmail.http.client import Http  # for type checkers only: the contract does not load aiohttp

#: The name that hook markers and managers share.
PROJECT = "authmail"
#: Entry-point group of connectors.
GROUP = "authmail.connectors"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a function as an implementation of a hook.
hookimpl = pluggy.HookimplMarker(PROJECT)


class ConnectorHooks:
    """What a connector implements: the first three; the rest is optional."""

    @hookspec(firstresult=True)
    def get_metadata(self) -> ConnectorMetadata:
        """Return what the connector is: id, target, names, settings class. No I/O beyond its own data files.

        The id must be the name of its entry point.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def validate_config(self, config: Mapping[str, Any]) -> Any:
        """Return the typed config, usually ``SettingsClass.from_dict(config)``. No I/O.

        Args:
            config: the JSON as the user wrote it; references to secrets are resolved already.

        Raises:
            ConfigError: with every problem.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def send_message(
        self,
        message: Message | None,
        email: Email,
        original: Message | Email,
        config: Any,
        http: "Http",
        client: Any,
        deadline: float,
    ) -> Receipt | Awaitable[Receipt]:
        """Hand one mail to the provider; plain or, as nearly always, async.

        Args:
            message: as the host gave it; None if the host gave a rendered Email.
            email: rendered from a template; rendered only if this argument is named.
            original: what the host gave, a Message or a rendered Email; for connectors that pass on both as they are.
            config: what ``validate_config`` returned.
            http: posts requests within the message's time, egress rules included; faults become outcomes by
                themselves.
            client: what ``open_client`` yielded, or None.
            deadline: when the message's time is over, on the clock of :func:`time.monotonic`.

        Returns:
            A Receipt, only if the provider's answer was understood as acceptance.

        Raises:
            SendError: one of its kinds. Anything else becomes NotSent if ``http`` and ``client`` were not used yet,
                else OutcomeUnknown. With a client, ``http.mail_begun`` tells it: see :class:`~authmail.Http`.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def open_client(self, config: Any, http: "Http") -> AbstractAsyncContextManager[Any]:
        """Optional. Return an async context manager, entered once per Mailer: a connection pool, a token cache."""
        raise NotImplementedError

    @hookspec(firstresult=True)
    def check_account(self, config: Any, http: "Http", client: Any) -> AccountReport | Awaitable[AccountReport]:
        """Optional. Ask the provider whether credentials, sender and quota are in order, without sending mail.

        Returns:
            Facts, and warnings; a key that may only send is a warning.

        Raises:
            SendError: something would stop every mail.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def get_emulator(self) -> Any:
        """Optional. Return a local stand-in of the provider's API: an ``authmail.sandbox.Emulator``."""
        raise NotImplementedError


class HostHooks:
    """What a host may implement in plugins handed to ``Mailer(plugins=[…])``; all optional, plain or async."""

    @hookspec
    def get_templates(
        self,
        type: str,
        locales: tuple[str, ...],
        message: Message,
    ) -> Iterable[Template] | Awaitable[Iterable[Template]]:
        """Return templates of the host's own store for a usage type; those of ``Generic`` may be among them.

        Args:
            type: usage type of the message.
            locales: the reader's languages, best first, normalized to lower case and hyphens.
            message: the message.

        A failure is logged and the other sources serve, unless ``Mailer(strict_templates=True)``.
        """
        raise NotImplementedError

    @hookspec
    def message_sent(self, message: Message | Email, receipt: Receipt) -> Awaitable[None] | None:
        """Observe an accepted message. A failure is logged and never changes the answer."""
        raise NotImplementedError

    @hookspec
    def message_failed(self, message: Message | Email, error: SendError) -> Awaitable[None] | None:
        """Observe a message that was not accepted, or whose outcome is unknown. A failure is logged."""
        raise NotImplementedError

    @hookspec
    def attempt(
        self, message: Message | Email, sender: str, receipt: Receipt | None, error: SendError | None, seconds: float
    ) -> Awaitable[None] | None:
        """Observe one attempt of one sender, within :class:`authmail.delivery.Delivery`. A failure is logged.

        Args:
            message: the message.
            sender: name of the sender.
            receipt: what it answered, or None.
            error: why it did not accept the message, or None.
            seconds: how long that took.
        """
        raise NotImplementedError

    @hookspec
    def switched(self, message: Message | Email, sender: str, to: str, error: SendError) -> Awaitable[None] | None:
        """Observe that a message goes on to another sender, and why: somebody should hear that the first one fails."""
        raise NotImplementedError

    @hookspec
    def breaker(self, sender: str, state: str, error: SendError | None, seconds: float) -> Awaitable[None] | None:
        """Observe a sender's breaker.

        Args:
            sender: name of the sender.
            state: ``open``, nobody is asked for so many seconds; ``probing``, one message tries; ``closed``, in order.
            error: what opened it.
            seconds: how long it stays open.
        """
        raise NotImplementedError


#: The hooks without which a connector is none.
REQUIRED_HOOKS = ("get_metadata", "validate_config", "send_message")


def manager_of(specification: type, plugins: Iterable[object]) -> pluggy.PluginManager:
    """Return a manager that holds these plugins alone.

    Raises:
        pluggy.PluginValidationError: a hook does not fit the contract, or there is no hook of its name.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specification)
    for plugin in plugins:
        manager.register(plugin)
    manager.check_pending()
    return manager
