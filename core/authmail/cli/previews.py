"""What a message would look like, also while its config is not filled in yet: a mail needs templates alone."""

from collections.abc import Mapping
from typing import Any

import attrs

from authmail import ConfigError, Email, Mailbox, Message, Problem, Template
from authmail.cli.config_file import ConfigFile, DeliveryFile
from authmail.config.sender import sender_key
from authmail.config.settings import fields_of
from authmail.privacy import hide_fields
from authmail.templates.composer import Composer
from authmail.templates.coverage import strangers_in
from authmail.templates.sight import unseen_in

# What providers call the name that people see as sender, beside an address of its own.
_NAME_KEYS = ("fromAlias", "fromName", "senderName")


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Preview:
    """A mail that was not sent.

    Args:
        email: what a connector would be handed.
        template: what it is made from.
        sender: name and address that people see, as far as they are filled in.
        warnings: what of the code or link a reader would not see.
        strangers: placeholders whose values are a stranger's words.
        unfinished: something is still to be filled in before anything can be sent.
    """

    email: Email
    template: Template | None
    sender: str
    warnings: list[Problem]
    strangers: tuple[str, ...]
    unfinished: bool


async def preview_of(file: ConfigFile | DeliveryFile, message: Message) -> Preview:
    """Return the mail of a message.

    Raises:
        ConfigError: its templates cannot be used.
        SendError: no template serves it, or its connector hands messages on as they are.
    """
    unfinished = False
    try:
        delivery = file.delivery()
        email, template = await delivery.preview(message), await delivery.template_of(message)
    except ConfigError as error:
        composer = _composer(file, error)
        email, template = await composer.compose(message), await composer.choose(message)
        unfinished = True
    first = _first(file)
    paths = dict(first.named_templates()) if first else {}
    warnings = list(unseen_in(template, paths.get(template, ""))) if template else []
    strangers = strangers_in(template, message.payload, recipient=message.address) if template else ()
    return Preview(email, template, _sender(first, email) if first else "", warnings, strangers, unfinished)


def _first(file: ConfigFile | DeliveryFile) -> ConfigFile | None:
    """Return the sender that is asked first."""
    if isinstance(file, ConfigFile):
        return file
    senders, delivery = file.readable_senders(), file.raw.get("delivery")
    order = delivery.get("order") if isinstance(delivery, Mapping) else None
    names = [*(order if isinstance(order, list) else []), *senders]
    return next((senders[name] for name in names if name in senders), None)


def _composer(file: ConfigFile | DeliveryFile, error: ConfigError) -> Composer:
    """Return what makes mails of the templates alone, unless it is they that are wrong."""
    first = _first(file)
    if first is None or not first.connector.takes_mails or any("templates" in problem.path for problem in error.problems):
        raise error
    locale = file.raw.get("defaultLocale") if isinstance(file, DeliveryFile) else None
    return Composer(tuple(template for template, _ in first.named_templates()), None, locale if isinstance(locale, str) else None)


def _sender(file: ConfigFile, email: Email) -> str:
    """Return the From line, as a template or the config has it; what is not filled in stands as it is."""
    values: dict[str, Any] = {key: file.raw.get(key) for key, _, _ in fields_of(file.connector.metadata.settings or object)}
    configured = str(values.get(sender_key(values) or "") or "")
    name = email.from_name or next((str(values[key]) for key in _NAME_KEYS if values.get(key)), "")
    address = email.from_address.address if email.from_address else configured
    try:
        mailbox = Mailbox.parse(address)
        return str(Mailbox(mailbox.address, name or mailbox.name))
    except ValueError:
        return f"{name} {address}".strip()
