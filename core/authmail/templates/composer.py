"""From a message to a mail: choose a template, ask the host's store, render."""

import logging
from collections.abc import Awaitable, Iterable

import attrs
import pluggy

from authmail.mail.email import Email
from authmail.mail.locales import wanted_locales
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.outcomes import MessageRejected, Phase, Reason, SendError, TemplateError
from authmail.templates.choice import Candidates, candidates, chosen
from authmail.templates.rendering import rendered
from authmail.templates.template import Template

_log = logging.getLogger("authmail")

# Locales come from strangers, so the cache of choices has an end.
_MOST_CHOICES = 1024


def recipient(to: str) -> Mailbox:
    """Return a message's recipient.

    Raises:
        MessageRejected: it is not one single address.
    """
    try:
        return Mailbox.parse(to)
    except ValueError as error:
        hint = f"the recipient cannot be used: {error}"
    raise MessageRejected(hint, reason=Reason.RECIPIENT, phase=Phase.BEFORE)


@attrs.define(eq=False)
class Composer:
    """Makes mails of messages.

    Args:
        templates: all of them, the preferred source first.
        host: manager of the host's plugins, whose templates come before.
        default_locale: language of templates for readers of languages there are none for.
        strict: a failing store of the host fails the message.
    """

    _templates: tuple[Template, ...]
    _host: pluggy.PluginManager
    _default_locale: str | None
    _strict: bool
    _choices: dict[tuple[str, tuple[str, ...]], Candidates] = attrs.field(factory=dict, init=False)
    _asks_host: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._asks_host = bool(self._host.hook.get_templates.get_hookimpls())

    async def compose(self, message: Message) -> Email:
        """Return the mail of a message.

        Raises:
            MessageRejected: the recipient or payload cannot be used; a TemplateError where no template serves it.
        """
        to = recipient(message.to)
        try:
            return rendered(await self.choose(message), message, to)
        except SendError:
            raise
        except Exception as error:
            hint = f"the message cannot be rendered: {type(error).__name__}; its payload must be JSON-like values"
            raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE) from error

    async def choose(self, message: Message) -> Template:
        """Return the template that serves a message.

        Raises:
            TemplateError: none does.
        """
        return chosen(await self._candidates(message, wanted_locales(message.payload)), message.type, message.payload)

    async def _candidates(self, message: Message, locales: tuple[str, ...]) -> Candidates:
        if self._asks_host:
            templates = (*await self._stored(message, locales), *self._templates)
            return candidates(templates, message.type, locales, self._default_locale)
        key = (message.type, locales)
        found = self._choices.get(key)
        if found is None:
            if len(self._choices) >= _MOST_CHOICES:
                self._choices.clear()
            found = self._choices[key] = candidates(self._templates, message.type, locales, self._default_locale)
        return found

    async def _stored(self, message: Message, locales: tuple[str, ...]) -> list[Template]:
        """Return what the host's store gives."""
        templates: list[Template] = []
        try:
            for answer in self._host.hook.get_templates(type=message.type, locales=locales, message=message):
                found: Iterable[Template] = await answer if isinstance(answer, Awaitable) else answer
                templates += found
        except Exception as error:
            if self._strict:
                raise TemplateError(f"the host's template store failed: {type(error).__name__}") from error
            _log.warning("the host's template store failed (%s); other templates serve", type(error).__name__)
        return templates
