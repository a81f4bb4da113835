"""A template and a payload become an Email."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Self

import attrs

from authmail.mail.email import Email
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.mail.vital import REQUIRED
from authmail.outcomes import MessageRejected, Phase, Reason, TemplateError
from authmail.privacy import log_of, one_line
from authmail.templates.choice import missing_vital
from authmail.templates.filling import Filling
from authmail.templates.language import compiled, placeholders, text_of
from authmail.templates.places import Spot, find_places
from authmail.templates.plaintext import html_to_text
from authmail.templates.senders import FromAddresses
from authmail.templates.strangers import Strangers
from authmail.templates.template import Template
from authmail.words.text import join_words, say

_log = log_of("authmail")

#: A subject longer than a line of a mail may be (RFC 5322) is nobody's.
_LONGEST_SUBJECT = 998
_LONGEST_VITAL = 16_384


def render_email(
    template: Template,
    message: Message,
    to: Mailbox,
    strangers: Strangers | None = None,
    from_addresses: FromAddresses | None = None,
) -> Email:
    """Render a template for a message.

    Values are escaped in HTML; in subject, sender and text their line breaks and control characters become blanks. Words
    of strangers are made harmless for where they stand (see :mod:`authmail.templates.strangers`). What the payload cannot
    fill is empty, with one warning in the log, except ``code`` and ``link``.

    Args:
        template: what to fill.
        message: its values.
        to: the recipient.
        strangers: whose words values are; by default the rule with nothing trusted.
        from_addresses: where the mail may come from; by default anywhere.

    Raises:
        TemplateError: the payload lacks a code or link that the template asks for.
        MessageRejected: its code or link is longer than any.
    """
    plan = _plan(template)
    filling = Filling(message.payload, strangers or Strangers(), to.address)
    _check_vital(plan, template, filling)
    if None in (values := {name: filling.value(path) for name, path in plan.paths.items()}).values():
        unfilled = [name for name, value in values.items() if value is None]
        _log.warning("template %s (%s): no value for %s", template.usage_type, template.locale, ", ".join(unfilled))
    email = Email(
        to=to,
        subject=_cut(plan.subject.fill(filling.words)),
        html=None if plan.html is None else plan.html.fill(filling.markup),
        text=plan.text.fill(filling.words),
        from_name=_cut(plan.send_from[0].fill(filling.name)).strip(),
        from_address=_sender(plan, filling, from_addresses),
        reply_to=_mailbox(plan.reply_to, filling, "replyTo"),
        text_is_own=plan.text_is_own,
        repeatable=message.repeatable,
        usage_type=message.usage_type,
        idempotency_key=message.idempotency_key,
        ip=message.ip,
        resend=message.resend,
    )
    _tell_changes(template, plan, filling)
    return email


def _check_vital(plan: "_Plan", template: Template, filling: Filling) -> None:
    for path in plan.vital:
        text = text_of(filling.value(path))
        if not text.strip() and (lacking := missing_vital(template, filling.payload)):
            hint = say(
                "the template for {type} needs {lacking}, which the payload lacks",
                type=template.usage_type,
                lacking=join_words(lacking),
            )
            raise TemplateError(hint)
        if len(text) > _LONGEST_VITAL:
            hint = say("{name} of the payload is longer than {most} characters", name=path[0], most=_LONGEST_VITAL)
            raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)


def _tell_changes(template: Template, plan: "_Plan", filling: Filling) -> None:
    """Log what was changed, once for each placeholder of a template."""
    if new := filling.changed - plan.told:
        plan.told.update(new)
        line = "template %s (%s): a stranger's words were cut or changed in %s; if they are the host's own: Mailer(trusted=[…])"
        _log.warning(line, template.usage_type, template.locale, ", ".join(sorted(new)))


@attrs.frozen
class _Part:
    """A text of a template as a ``%`` format, which is filled in one step, and its placeholders."""

    template: str
    spots: tuple[Spot, ...]

    @classmethod
    def of(cls, text: str, *, is_html: bool = False) -> Self:
        """Take a text apart."""
        pieces = [
            piece.replace("%", "%%") if isinstance(piece, str) else f"%({index})s" for index, piece in enumerate(compiled(text))
        ]
        return cls("".join(pieces), tuple(find_places(text, is_html=is_html)))

    def fill(self, write: Callable[[Spot], str]) -> str:
        """Return the text with what is written for each placeholder."""
        return self.template % {spot.key: write(spot) for spot in self.spots}


@attrs.frozen
class _Plan:
    """What of a template can be worked out once."""

    subject: _Part
    html: _Part | None
    text: _Part
    text_is_own: bool
    send_from: tuple[_Part, _Part]
    reply_to: tuple[_Part, _Part]
    #: Every placeholder's name and path.
    paths: Mapping[str, tuple[str, ...]]
    vital: tuple[tuple[str, ...], ...]
    #: Placeholders of which the log told already.
    told: set[str] = attrs.field(factory=set)


@lru_cache(maxsize=1024)
def _plan(template: Template) -> _Plan:
    own_text = template.text if template.is_html else template.content
    text = html_to_text(template.content) if own_text is None else own_text
    send_from = split_mailbox(template.send_from or "")
    reply_to = split_mailbox(template.reply_to or "", address_alone=True)
    everywhere = [
        piece for part in (template.subject, template.content, text, *send_from, *reply_to) for piece in placeholders(part)
    ]
    return _Plan(
        subject=_Part.of(template.subject),
        html=_Part.of(template.content, is_html=True) if template.is_html else None,
        text=_Part.of(text),
        text_is_own=own_text is not None,
        send_from=(_Part.of(send_from[0]), _Part.of(send_from[1])),
        reply_to=(_Part.of(reply_to[0]), _Part.of(reply_to[1])),
        paths={piece.name: piece.path for piece in everywhere},
        vital=tuple(piece.path for piece in everywhere if piece.path[0] in REQUIRED),
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SUBJECT else text[: _LONGEST_SUBJECT - 1] + "…"


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


def _sender(plan: _Plan, filling: Filling, allowed: FromAddresses | None) -> Mailbox | None:
    found = _mailbox((_Part.of(""), plan.send_from[1]), filling, "sendFrom")
    if found is None or allowed is None or allowed.allows(found):
        return found
    _log.warning(
        "sendFrom of a template names an address at %s, which is not among Mailer(from_addresses=…): the configured one stays",
        found.domain,
    )
    return None


def _mailbox(parts: tuple[_Part, _Part], filling: Filling, key: str) -> Mailbox | None:
    name, address = parts
    if not address.template:
        return None
    if theirs := [spot.piece.name for spot in address.spots if not filling.is_own(spot)]:
        _log.warning("%s of a template is left out: a stranger's words in its address (%s, see trusted=)", key, ", ".join(theirs))
        return None
    try:
        return Mailbox(address.fill(filling.words).strip(), _cut(name.fill(filling.name)).strip())
    except ValueError as error:
        _log.warning("%s of a template is left out: %s", key, error)
        return None
