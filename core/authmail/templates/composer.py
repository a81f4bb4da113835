"""From a message to a mail: choose a template, ask the host's store, render."""

from collections.abc import Awaitable, Callable, Iterable

import attrs

from authmail.mail.email import Email
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.outcomes import MessageRejected, Phase, Reason, SendError
from authmail.templates.choice import Candidates, choose_template, find_candidates
from authmail.templates.rendering import render_email
from authmail.templates.template import Template
from authmail.words.locales import wanted_locales
from authmail.words.text import say

# Locales come from strangers, so the cache of choices has an end.
_MOST_CHOICES = 1024


#: Gives the templates of the host's store that may serve a message, for the reader's languages.
Store = Callable[[Message, tuple[str, ...]], Awaitable[Iterable[Template]]]


def read_recipient(to: str) -> Mailbox:
    """Return a message's recipient.

    Raises:
        MessageRejected: it is not one single address.
    """
    try:
        return Mailbox.parse(to)
    except ValueError as error:
        hint = say("the recipient cannot be used: {problem}", problem=error.args[0])
    raise MessageRejected(hint, reason=Reason.RECIPIENT, phase=Phase.BEFORE)


@attrs.define(eq=False)
class Composer:
    """Makes mails of messages.

    Args:
        templates: all of them, the preferred source first.
        store: the host's own, whose templates come before; None where there is none.
        default_locale: language of templates for readers of languages there are none for.
    """

    _templates: tuple[Template, ...]
    _store: Store | None
    _default_locale: str | None
    _choices: dict[tuple[str, tuple[str, ...]], Candidates] = attrs.field(factory=dict, init=False)

    async def compose(self, message: Message) -> Email:
        """Return the mail of a message.

        Raises:
            MessageRejected: the recipient or payload cannot be used; a TemplateError where no template serves it.
        """
        to = read_recipient(message.to)
        try:
            return render_email(await self.choose(message), message, to)
        except SendError:
            raise
        except Exception as error:
            hint = say("the message cannot be rendered: {kind}; its payload must be JSON-like values", kind=type(error).__name__)
            raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE) from error

    async def choose(self, message: Message) -> Template:
        """Return the template that serves a message.

        Raises:
            TemplateError: none does.
        """
        return choose_template(await self._candidates(message, wanted_locales(message.payload)), message.type, message.payload)

    async def _candidates(self, message: Message, locales: tuple[str, ...]) -> Candidates:
        if self._store is not None:
            templates = (*await self._store(message, locales), *self._templates)
            return find_candidates(templates, message.type, locales, self._default_locale)
        key = (message.type, locales)
        found = self._choices.get(key)
        if found is None:
            if len(self._choices) >= _MOST_CHOICES:
                self._choices.clear()
            found = self._choices[key] = find_candidates(self._templates, message.type, locales, self._default_locale)
        return found
