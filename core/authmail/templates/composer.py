"""From a message to a mail: choose a template, ask the host's store, render."""

from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from typing import Self

import attrs

from authmail.mail.email import Email
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message, UsageType
from authmail.mail.recipient import Recipients, check_recipient, read_recipient
from authmail.outcomes import MessageRejected, Phase, Reason, SendError, TemplateError
from authmail.privacy import log_of
from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.choice import Candidates, choose_template, find_candidates
from authmail.templates.defang import defang_name
from authmail.templates.rendering import render_email
from authmail.templates.senders import FromAddresses
from authmail.templates.strangers import Strangers
from authmail.templates.template import Template
from authmail.words.locales import wanted_locales
from authmail.words.near import nearest
from authmail.words.text import say

_log = log_of("authmail")

# Locales come from strangers, so the cache of choices has an end.
_MOST_CHOICES = 1024


#: Gives the templates of the host's store that may serve a message, for the reader's languages.
Store = Callable[[Message, tuple[str, ...]], Awaitable[Iterable[Template]]]


@attrs.frozen
class Rules:
    """What of a mail the host decides, and neither a template nor a payload.

    Args:
        strangers: whose words values are.
        from_addresses: where mails may come from.
        recipients: who may be written to.
    """

    strangers: Strangers = attrs.field(factory=Strangers)
    from_addresses: FromAddresses = attrs.field(factory=FromAddresses)
    recipients: Recipients = Recipients.NARROW

    @classmethod
    def of(
        cls,
        trusted: Iterable[str],
        link_hosts: Iterable[str] | None,
        from_addresses: Iterable[str] | None,
        recipients: Recipients,
        sender: Mailbox | None,
    ) -> Self:
        """Read what a host says.

        Raises:
            TypeError: something is of another kind; its name is told.
        """
        if not isinstance(recipients, Recipients):
            raise TypeError("recipients= takes Recipients.NARROW or Recipients.WIDE")
        allowed = FromAddresses.around(sender) if from_addresses is None else FromAddresses(from_addresses)
        return cls(Strangers(trusted, link_hosts), allowed, recipients)

    def readdress(self, email: Email) -> Email:
        """Return a mail that the host rendered, its recipient judged and the name cleaned.

        Raises:
            MessageRejected: nobody may be written to there.
        """
        to = Mailbox(check_recipient(email.to.address, self.recipients), defang_name(email.to.name))
        return email if to == email.to else attrs.evolve(email, to=to)

    def readdress_message(self, message: Message) -> Message:
        """Return a message that goes on as it is, its recipient an address alone.

        Raises:
            MessageRejected: nobody may be written to there.
        """
        to = read_recipient(message.to, self.recipients).address
        return message if to == message.to else attrs.evolve(message, to=to)


@attrs.define(eq=False)
class Composer:
    """Makes mails of messages.

    Args:
        templates: all of them, the preferred source first.
        store: the host's own, whose templates come before; None where there is none.
        default_locale: language of templates for readers of languages there are none for.
        rules: what the host decides.
    """

    _templates: tuple[Template, ...]
    _store: Store | None
    _default_locale: str | None
    rules: Rules = attrs.field(factory=Rules)
    _choices: dict[tuple[str, tuple[str, ...]], Candidates] = attrs.field(factory=dict, init=False)

    async def compose(self, message: Message) -> Email:
        """Return the mail of a message.

        Raises:
            MessageRejected: the recipient or payload cannot be used; a TemplateError where no template serves it, or one
                that the provider keeps.
        """
        written = await self.compose_or_name(message)
        if isinstance(written, ProviderTemplate):
            raise TemplateError(say("the provider writes this mail, from its template {alias}", alias=written.alias))
        return written

    async def compose_or_name(self, message: Message) -> Email | ProviderTemplate:
        """Return the mail of a message, or the template at the provider from which the mail is written there.

        Raises:
            MessageRejected: as of :meth:`compose`.
        """
        to = read_recipient(message.to, self.rules.recipients)
        try:
            template = await self.choose(message)
            if isinstance(template, ProviderTemplate):
                return template
            return render_email(template, message, to, self.rules.strangers, self.rules.from_addresses)
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
        chosen = choose_template(await self._candidates(message, wanted_locales(message.payload)), message.type, message.payload)
        if chosen.usage_type != message.type:
            _warn_of_slip(str(message.type))
        return chosen

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


@lru_cache(maxsize=256)  # told once; how many types there are is the host's, yet it has an end
def _warn_of_slip(usage_type: str) -> None:
    """Warn of a usage type that is nearly a known one: another template was sent in place of the one meant."""
    if usage_type not in [*UsageType] and (near := nearest(usage_type, UsageType)):
        _log.warning("usage type %s is not known and got the Generic mail; did you mean %s?", usage_type, near)
