"""A mail that is ready to be handed to a provider."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

from authmail.mail.headers import structured_header
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.mail.vital import vital_in_texts
from authmail.privacy import hide_fields, make_afresh, masked, one_line
from authmail.words.text import say

_NO_VALUES: Mapping[str, Any] = MappingProxyType({})


def _mailbox(value: Mailbox | str) -> Mailbox:
    return value if isinstance(value, Mailbox) else Mailbox.parse(value)


def _mailbox_or_none(value: Mailbox | str | None) -> Mailbox | None:
    return None if value is None else _mailbox(value)


def _unchanging(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(headers)


def _header_names(_: object, __: object, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not name.isascii() or not name.isprintable() or not name or ":" in name or " " in name:
            raise ValueError("headers: a name is printable ASCII without blanks and colons")
        if one_line(value) != value:
            raise ValueError(say("headers: the value of {name} holds a control character or line break", name=name))
        try:
            structured_header(name, value)
        except ValueError as error:
            raise ValueError(say("headers: {name} {what}", name=name, what=error.args[0])) from None


@make_afresh
@attrs.frozen(repr=False, field_transformer=hide_fields)
class Email:
    """A rendered mail. A host that renders itself makes one; otherwise core does, from a template.

    Args:
        to: the recipient, a :class:`Mailbox` or its text.
        subject: line breaks and control characters become blanks.
        html: the HTML part.
        text: the text part. One of the two parts is needed.
        from_name: display name in place of the configured sender's; empty keeps it.
        from_address: address in place of the configured sender's, a :class:`Mailbox` or its text; None keeps it.
        reply_to: where answers go, a :class:`Mailbox` or its text.
        headers: further headers; printable values only, and those that programs read (``List-Unsubscribe``) in ASCII.
        text_is_own: False where the text was derived from the HTML.
        repeatable: a second mail like this one is harmless (it has a code and no link).
        usage_type: what the mail is for, where known.
        idempotency_key: the same key means the same mail.
        ip: address of the client that asked for it, where the host knows it.
        resend: send it even if the very same mail went out just now: the person asked for it again.

    Raises:
        ValueError: an address is not one single address, a header is not a header, or both parts are missing.
    """

    to: Mailbox = attrs.field(converter=_mailbox)
    subject: str = attrs.field(converter=one_line)
    html: str | None = None
    text: str | None = None
    from_name: str = attrs.field(default="", converter=one_line)
    from_address: Mailbox | None = attrs.field(default=None, converter=_mailbox_or_none)
    reply_to: Mailbox | None = attrs.field(default=None, converter=_mailbox_or_none)
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=_unchanging, validator=_header_names, hash=False)
    text_is_own: bool = True
    repeatable: bool = False
    usage_type: str = ""
    idempotency_key: str | None = None
    ip: str | None = None
    resend: bool = False

    def __attrs_post_init__(self) -> None:
        if self.html is None and self.text is None:
            raise ValueError("an Email needs html, text or both")

    def sent_from(self, configured: Mailbox) -> Mailbox:
        """Return the sender: the configured one with what the mail overrides of it."""
        if not self.from_name and self.from_address is None:
            return configured
        address = configured.address if self.from_address is None else self.from_address.address
        return Mailbox(address, self.from_name or configured.name)

    def replies_to(self, configured: str | None) -> Mailbox | None:
        """Return where replies go: the mail's own mailbox, else the configured one, if there is one."""
        return self.reply_to or (Mailbox.parse(configured) if configured else None)

    @property
    def address(self) -> str:
        """The recipient's address, without a name."""
        return self.to.address

    @property
    def payload(self) -> Mapping[str, Any]:
        """Nothing: a mail that is rendered has no values left. Here, so that a mail can be asked as a message can."""
        return _NO_VALUES

    @property
    def vital(self) -> tuple[str, ...]:
        """What looks like a code or link; see :mod:`authmail.mail.vital`."""
        return vital_in_texts((self.subject, self.html or "", self.text or ""))

    def __repr__(self) -> str:
        parts = [f"to={masked(self.to.address)!r}", f"subject=<{len(self.subject)} characters>"]
        parts += [f"{name}=<{len(body)} characters>" for name in ("html", "text") if (body := getattr(self, name)) is not None]
        return f"Email({', '.join(parts)})"


#: What a host hands in: a message to render, or a mail that it rendered itself. Both have one face: ``usage_type``,
#: ``address``, ``vital``, ``repeatable``, ``payload``, ``ip``, ``idempotency_key``, ``resend``.
Mail = Message | Email
