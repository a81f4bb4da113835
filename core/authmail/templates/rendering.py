"""A template and a payload become an Email."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import attrs

from authmail.email import Email, Sender
from authmail.mailbox import Mailbox, header_safe
from authmail.message import Message
from authmail.outcomes import TemplateError
from authmail.plaintext import html_to_text
from authmail.templates.choice import missing_vital
from authmail.templates.language import compiled, html_text, placeholders, text_of, value_at
from authmail.templates.strangers import STRANGERS, cleaned, inert
from authmail.templates.template import Template

_log = logging.getLogger("authmail")


def rendered(template: Template, message: Message, to: Mailbox) -> Email:
    """Render a template for a message.

    Values are escaped in HTML; in subject, sender and text their line breaks and control characters become blanks.
    What the payload cannot fill is empty, with one warning in the log, except ``code`` and ``link``.

    Raises:
        TemplateError: the payload lacks a code or link that the template asks for.
    """
    payload = message.payload
    lacking = missing_vital(template, payload)
    if lacking:
        raise TemplateError(f"the template for {template.usage_type} needs {' and '.join(lacking)}, which the payload lacks")
    plan = _plan(template)
    unfilled = [name for name, path in plan.optional if value_at(payload, path) is None]
    if unfilled:
        _log.warning("template %s (%s): no value for %s", template.usage_type, template.locale, ", ".join(unfilled))
    return Email(
        to=to,
        subject=_filled_plain(template.subject, payload),
        html=_filled_html(template.content, payload) if template.is_html else None,
        text=_filled_plain(plan.text, payload),
        sender=_sender(plan, payload),
        reply_to=_mailbox(plan.reply_to, payload, "replyTo"),
        text_is_own=not template.is_html or template.text is not None,
        repeatable=message.repeatable,
        usage_type=message.type,
        idempotency_key=message.idempotency_key,
    )


@attrs.frozen
class _Plan:
    """What of a template can be worked out once."""

    text: str
    optional: tuple[tuple[str, tuple[str, ...]], ...]
    send_from: tuple[str, str]
    reply_to: tuple[str, str]


@lru_cache(maxsize=1024)
def _plan(template: Template) -> _Plan:
    own_text = template.text if template.is_html else template.content
    texts = (template.subject, template.content, template.text, template.send_from, template.reply_to)
    optional = {piece.name: piece.path for text in texts if text for piece in placeholders(text)}
    return _Plan(
        text=html_to_text(template.content) if own_text is None else own_text,
        optional=tuple(optional.items()),
        send_from=split_mailbox(template.send_from or ""),
        reply_to=split_mailbox(template.reply_to or "", address_alone=True),
    )


def split_mailbox(template: str, *, address_alone: bool = False) -> tuple[str, str]:
    """Split ``Name <address>`` into its two templates before any value is filled in.

    So a value cannot change or add an address, whatever brackets it holds. A text without brackets is an address if
    it has an ``@`` and no blank outside its placeholders, else a name.

    Args:
        template: the text as the template's author wrote it.
        address_alone: read a text without brackets as an address in any case.

    Returns:
        Templates of the name and of the address, either empty.
    """
    text = header_safe(template).strip()
    if text.endswith(">") and "<" in text:
        name, _, address = text[:-1].rpartition("<")
        return name.strip().strip('"'), address.strip()
    outside = "".join(piece for piece in compiled(text) if isinstance(piece, str))
    if address_alone or ("@" in outside and " " not in outside):
        return "", text
    return text, ""


def _sender(plan: _Plan, payload: Mapping[str, Any]) -> Sender | None:
    name, address = plan.send_from
    if not name and not address:
        return None
    sender = Sender(_filled_plain(name, payload).strip(), _mailbox(("", address), payload, "sendFrom"))
    return sender if sender.name or sender.address else None


def _mailbox(parts: tuple[str, str], payload: Mapping[str, Any], key: str) -> Mailbox | None:
    if not parts[1]:
        return None
    name, address = (_filled_plain(part, payload).strip() for part in parts)
    try:
        return Mailbox(address, name)
    except ValueError as error:
        _log.warning("%s of a template is left out: %s", key, error)
        return None


def _filled_html(template: str, payload: Mapping[str, Any]) -> str:
    parts = []
    for piece in compiled(template):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        value = value_at(payload, piece.path)
        if piece.path[0] in STRANGERS:
            value = (cleaned if piece.in_tag else inert)(text_of(value))
        parts.append(html_text(value))
    return "".join(parts)


def _filled_plain(template: str, payload: Mapping[str, Any]) -> str:
    parts = []
    for piece in compiled(template):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        text = header_safe(text_of(value_at(payload, piece.path)))
        parts.append(inert(text) if piece.path[0] in STRANGERS else text)
    return "".join(parts)
