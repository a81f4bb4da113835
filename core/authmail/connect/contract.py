"""The contract, as pluggy hooks: what a connector implements.

A hook implementation names only the arguments it needs; they are matched by name. Version 1 of the contract is the
entry-point group ``authmail.connectors``: arguments, optional hooks and defaulted fields may be added to it.
"""

from collections.abc import Awaitable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pluggy

from authmail.connect.account import AccountReport
from authmail.connect.metadata import ConnectorMetadata
from authmail.mail.email import Email, Mail
from authmail.outcomes import Receipt
from authmail.templates.at_provider import ProviderTemplate

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
        message: Mail,
        email: Email,
        values: Mapping[str, Any],
        template: ProviderTemplate | None,
        config: Any,
        http: "Http",
        client: Any,
        deadline: float,
    ) -> Receipt | Awaitable[Receipt]:
        """Hand one mail to the provider; plain or, as nearly always, async.

        Args:
            message: what the host handed in, a Message or an Email that it rendered itself.
            email: the rendered mail; rendered only if this argument is named.
            values: of a connector whose provider renders: the payload, cleaned of what strangers typed. A rendered Email
                is refused for it.
            template: of a connector whose config may name templates at the provider, and which asks for ``email`` too: the
                one that serves the message. Then ``email`` is None; else this is None, and ``values`` is empty.
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
