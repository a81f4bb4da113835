"""A template and a payload become an Email."""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import attrs

from authmail.mail.email import Email
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.mail.vital import REQUIRED
from authmail.outcomes import TemplateError
from authmail.privacy import one_line
from authmail.templates.choice import missing_vital
from authmail.templates.language import Placeholder, compiled, html_text, placeholders, text_of, value_at
from authmail.templates.plaintext import html_to_text
from authmail.templates.strangers import STRANGERS, clean_text, defang
from authmail.templates.template import Template
from authmail.words.text import join_words, say

_log = logging.getLogger("authmail")


def render_email(template: Template, message: Message, to: Mailbox) -> Email:
    """Render a template for a message.

    Values are escaped in HTML; in subject, sender and text their line breaks and control characters become blanks.
    What the payload cannot fill is empty, with one warning in the log, except ``code`` and ``link``.

    Raises:
        TemplateError: the payload lacks a code or link that the template asks for.
    """
    plan = _plan(template)
    values = {name: value_at(message.payload, path) for name, path in plan.paths.items()}
    texts = {name: _plain(plan.paths[name], value) for name, value in values.items()}
    for name in plan.vital:
        if not texts[name].strip() and (lacking := missing_vital(template, message.payload)):
            hint = say(
                "the template for {type} needs {lacking}, which the payload lacks",
                type=template.usage_type,
                lacking=join_words(lacking),
            )
            raise TemplateError(hint)
    if None in values.values():
        unfilled = [name for name, value in values.items() if value is None]
        _log.warning("template %s (%s): no value for %s", template.usage_type, template.locale, ", ".join(unfilled))
    return Email(
        to=to,
        subject=plan.subject % texts,
        html=None if plan.html is None else plan.html % {key: _markup(piece, values[name]) for key, name, piece in plan.markup},
        text=plan.text % texts,
        from_name=(plan.send_from[0] % texts).strip(),
        from_address=_mailbox(("", plan.send_from[1]), texts, "sendFrom"),
        reply_to=_mailbox(plan.reply_to, texts, "replyTo"),
        text_is_own=plan.text_is_own,
        repeatable=message.repeatable,
        usage_type=message.usage_type,
        idempotency_key=message.idempotency_key,
        ip=message.ip,
        resend=message.resend,
    )


@attrs.frozen
class _Plan:
    """What of a template can be worked out once. Its texts are ``%`` formats, which are filled in one step each."""

    subject: str
    html: str | None
    text: str
    text_is_own: bool
    send_from: tuple[str, str]
    reply_to: tuple[str, str]
    #: Every placeholder's name and path.
    paths: Mapping[str, tuple[str, ...]]
    vital: tuple[str, ...]
    #: Of each placeholder in the HTML: what the format calls it, its name, itself. Within tags it is filled otherwise.
    markup: tuple[tuple[str, str, Placeholder], ...]


@lru_cache(maxsize=1024)
def _plan(template: Template) -> _Plan:
    own_text = template.text if template.is_html else template.content
    text = html_to_text(template.content) if own_text is None else own_text
    send_from = split_mailbox(template.send_from or "")
    reply_to = split_mailbox(template.reply_to or "", address_alone=True)
    everywhere = [
        piece for part in (template.subject, template.content, text, *send_from, *reply_to) for piece in placeholders(part)
    ]
    in_html = {_key_in_html(piece): piece for piece in compiled(template.content) if isinstance(piece, Placeholder)}
    return _Plan(
        subject=_format(template.subject),
        html=_format(template.content, _key_in_html) if template.is_html else None,
        text=_format(text),
        text_is_own=own_text is not None,
        send_from=(_format(send_from[0]), _format(send_from[1])),
        reply_to=(_format(reply_to[0]), _format(reply_to[1])),
        paths={piece.name: piece.path for piece in everywhere},
        vital=tuple(piece.name for piece in everywhere if piece.path[0] in REQUIRED),
        markup=tuple((key, piece.name, piece) for key, piece in in_html.items()),
    )


def _key_in_html(piece: Placeholder) -> str:
    return f"<{piece.name}>" if piece.in_tag else piece.name


def _format(text: str, key: Callable[[Placeholder], str] = lambda piece: piece.name) -> str:
    return "".join(piece.replace("%", "%%") if isinstance(piece, str) else f"%({key(piece)})s" for piece in compiled(text))


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
    text = one_line(template).strip()
    if text.endswith(">") and "<" in text:
        name, _, address = text[:-1].rpartition("<")
        return name.strip().strip('"'), address.strip()
    outside = "".join(piece for piece in compiled(text) if isinstance(piece, str))
    if address_alone or ("@" in outside and " " not in outside):
        return "", text
    return text, ""


def _mailbox(parts: tuple[str, str], texts: Mapping[str, str], key: str) -> Mailbox | None:
    if not parts[1]:
        return None
    name, address = ((part % texts).strip() for part in parts)
    try:
        return Mailbox(address, name)
    except ValueError as error:
        _log.warning("%s of a template is left out: %s", key, error)
        return None


def _plain(path: tuple[str, ...], value: Any) -> str:
    text = one_line(text_of(value))
    return defang(text) if path[0] in STRANGERS else text


def _markup(piece: Placeholder, value: Any) -> str:
    if piece.path[0] in STRANGERS:
        value = (clean_text if piece.in_tag else defang)(text_of(value))
    return html_text(value)
