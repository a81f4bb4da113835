"""A message of Django as mails for authmail: one for each recipient, and nothing left out in silence."""

from collections.abc import Iterator
from typing import Any

import attrs

from authmail.mail.email import Email, Mail
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.privacy import raise_afresh
from authmail.words.text import say

# What Django writes where nobody has set DEFAULT_FROM_EMAIL and SERVER_EMAIL: the configured sender is meant.
_NOBODY = ("webmaster@localhost", "root@localhost")
_OF_THE_ENVELOPE = frozenset(("to", "cc", "bcc", "sender"))


@raise_afresh
def mails_of(message: Any) -> dict[str, Mail]:
    """Return the mail of each recipient of a ``django.core.mail.EmailMessage``, those of ``cc`` and ``bcc`` too.

    Each gets a mail of their own and sees no other recipient. Where the attribute ``message.authmail`` is a
    :class:`authmail.Message`, that is sent in place of what Django rendered.

    Args:
        message: Django's.

    Raises:
        MessageRejected: it has something that authmail does not carry, such as an attachment.
    """
    recipients = dict.fromkeys(str(one) for one in message.recipients())
    typed = getattr(message, "authmail", None)
    if isinstance(typed, Message):
        return {one: attrs.evolve(typed, to=one) for one in recipients}
    if typed is not None:
        raise TypeError(f"message.authmail is an authmail.Message, not {type(typed).__name__}")
    for what in _not_carried(message):
        raise _refused(what)
    parts = _parts(message)
    return {one: _mail(message, one, parts) for one in recipients}


def rendered(message: Any, *, usage_type: str = "", ip: str | None = None) -> Email:
    """Return the mail of a message with one recipient, with what is known besides.

    Args:
        message: Django's.
        usage_type: what it is for.
        ip: address of the client that asked for it.

    Raises:
        MessageRejected: as of :func:`mails_of`.
    """
    (mail,) = mails_of(message).values()
    assert isinstance(mail, Email)  # noqa: S101 (nobody has set message.authmail)
    return attrs.evolve(mail, usage_type=usage_type, ip=ip)


def _not_carried(message: Any) -> Iterator[str]:
    if message.attachments:
        yield "attachments"
    if len(message.reply_to) > 1:
        yield "Reply-To"
    for name in message.extra_headers:
        if name.lower() in _OF_THE_ENVELOPE:
            yield str(name)
    kinds = [str(kind) for _, kind in getattr(message, "alternatives", ())]
    if message.content_subtype not in ("plain", "html") or len(kinds) > 1 or any(kind != "text/html" for kind in kinds):
        yield "alternatives"


def _parts(message: Any) -> dict[str, str]:
    parts = {"html" if message.content_subtype == "html" else "text": str(message.body)}
    for content, _ in getattr(message, "alternatives", ()):  # at most one, of HTML
        parts["html"] = str(content)
    return parts


def _mail(message: Any, recipient: str, parts: dict[str, str]) -> Email:
    given = {str(name): str(value) for name, value in message.extra_headers.items()}
    lower = {name.lower(): value for name, value in given.items()}
    headers = {name: value for name, value in given.items() if name.lower() not in ("from", "reply-to")}
    try:
        to = Mailbox.parse(recipient)
    except ValueError as error:
        hint = say("the recipient cannot be used: {problem}", problem=str(error))
        raise MessageRejected(hint, reason=Reason.RECIPIENT, phase=Phase.BEFORE) from None
    try:
        sender = Mailbox.parse(lower.get("from") or str(message.from_email))
        own = sender.address not in _NOBODY
        return Email(
            to=to,
            subject=str(message.subject),
            html=parts.get("html"),
            text=parts.get("text"),
            from_name=sender.name if own else "",
            from_address=sender.address if own else None,
            reply_to=lower.get("reply-to") or next(iter(message.reply_to), None),
            headers=headers,
        )
    except ValueError as error:
        hint = say("the mail cannot be used: {problem}", problem=str(error))
        raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE) from None


def _refused(what: str) -> MessageRejected:
    hint = say("a mail of an auth server has no {what} of its own; send this one by another backend", what=what)
    return MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)
