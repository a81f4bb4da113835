"""Plugins of the host: what they may implement, and how they are told. Observers never change the answer."""

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

import pluggy

from authmail.config.secret import Secret
from authmail.connect.contract import hookspec
from authmail.mail.email import Mail
from authmail.mail.message import Message
from authmail.outcomes import Receipt, SendError, TemplateError
from authmail.privacy import log_of
from authmail.templates.template import Template
from authmail.words.text import say

_log = log_of("authmail")


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
    def message_sent(self, message: Mail, receipt: Receipt, repeated: bool) -> Awaitable[None] | None:
        """Observe an accepted message: each is heard of once. A failure is logged and never changes the answer.

        Args:
            message: the message.
            receipt: the provider's answer.
            repeated: it was the same as an earlier one and got its answer; no mail went out for it.
        """
        raise NotImplementedError

    @hookspec
    def message_failed(self, message: Mail, error: SendError, repeated: bool) -> Awaitable[None] | None:
        """Observe a message that was not accepted, or whose outcome is unknown: each is heard of once. A failure is logged.

        Args:
            message: the message.
            error: the answer, also where nobody waited for it any more.
            repeated: it was the same as an earlier one and got its answer.
        """
        raise NotImplementedError

    @hookspec
    def attempt(
        self, message: Mail, sender: str, receipt: Receipt | None, error: SendError | None, seconds: float
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
    def switched(self, message: Mail, sender: str, to: str, error: SendError) -> Awaitable[None] | None:
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

    @hookspec
    def store(self, store: str, error: SendError | None) -> Awaitable[None] | None:
        """Observe that the store of limits and repeats cannot be used, or can be again.

        Args:
            store: its kind, such as ``RedisStore``.
            error: why it cannot, once for each message; None once it can.
        """
        raise NotImplementedError

    @hookspec
    def queue(self, trouble: str, error: SendError | None) -> Awaitable[None] | None:
        """Observe that the queue is in trouble, or in order again.

        Args:
            trouble: ``old_queue``: messages wait for too long; ``unknown_key``: one was sealed with a key that is not given.
            error: what happened; None once it is over.
        """
        raise NotImplementedError

    @hookspec
    def alert(self, alert: Mapping[str, Any]) -> Awaitable[None] | None:
        """Observe what :class:`authmail.delivery.Alerts` tells: each cause once an hour, and when it is over.

        Args:
            alert: JSON-ready: ``alert``, ``state`` and the other keys of docs/observability.md.
        """
        raise NotImplementedError

    @hookspec
    def token_refreshed(self, connector: str, setting: str, token: Secret, replaces: Secret) -> Awaitable[None] | None:
        """Store a token that a provider gave in place of one of a config.

        The provider may end the old one at once, so the config must have the new one when it is read again. A failure is
        logged by its type alone and changes nothing: this process uses the new token all the same.

        Args:
            connector: the connector's factory id.
            setting: path of the setting in its config, such as ``auth.refreshToken``.
            token: the new one; ``token.reveal()`` is what to store, encrypted as the config is.
            replaces: the one before: what the config had, or what was told last. The stored config has it, so that it can
                be found among several.
        """
        raise NotImplementedError


async def ask_templates(
    host: pluggy.PluginManager, message: Message, locales: tuple[str, ...], *, strict: bool
) -> list[Template]:
    """Return what the ``get_templates`` hooks of the host's plugins give for a message.

    Args:
        host: manager of the plugins.
        message: the message.
        locales: the reader's languages, best first.
        strict: a failing hook fails the message; else it is logged by its type alone, and other templates serve.

    Raises:
        TemplateError: a hook failed.
    """
    templates: list[Template] = []
    try:
        for answer in host.hook.get_templates(type=message.type, locales=locales, message=message):
            found: Iterable[Template] = await answer if isinstance(answer, Awaitable) else answer
            templates += found
    except Exception as error:
        if strict:
            raise TemplateError(say("the host's template store failed: {kind}", kind=type(error).__name__)) from error
        _log.warning("the host's template store failed (%s); other templates serve", type(error).__name__)
    return templates
