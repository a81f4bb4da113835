"""A mail that is ready to be handed to a provider."""

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from authmail.mail.mailbox import Mailbox, header_safe, masked


def _mailbox(value: Mailbox | str) -> Mailbox:
    return value if isinstance(value, Mailbox) else Mailbox.parse(value)


def _mailbox_or_none(value: Mailbox | str | None) -> Mailbox | None:
    return None if value is None else _mailbox(value)


def _header_names(_: object, __: object, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not name.isascii() or not name.isprintable() or not name or ":" in name or " " in name:
            raise ValueError("headers: a name is printable ASCII without blanks and colons")
        if header_safe(value) != value:
            raise ValueError(f"headers: the value of {name} holds a control character or line break")


@attrs.frozen
class Sender:
    """What a mail overrides of the configured sender.

    Args:
        name: display name; empty keeps the configured one.
        address: address; None keeps the configured one.
    """

    name: str = attrs.field(default="", converter=header_safe)
    address: Mailbox | None = attrs.field(default=None, converter=_mailbox_or_none)


@attrs.frozen(repr=False)
class Email:
    """A rendered mail. A host that renders itself makes one; otherwise core does, from a template.

    Args:
        to: the recipient, a :class:`Mailbox` or its text.
        subject: line breaks and control characters become blanks.
        html: the HTML part.
        text: the text part. One of the two parts is needed.
        sender: what overrides the configured sender; None keeps it.
        reply_to: where answers go, a :class:`Mailbox` or its text.
        headers: further headers; printable values only.
        text_is_own: False where the text was derived from the HTML.
        repeatable: a second mail like this one is harmless (it has a code and no link).
        usage_type: what the mail is for, where known.
        idempotency_key: the same key means the same mail.

    Raises:
        ValueError: an address is not one single address, a header is not a header, or both parts are missing.
    """

    to: Mailbox = attrs.field(converter=_mailbox)
    subject: str = attrs.field(converter=header_safe)
    html: str | None = None
    text: str | None = None
    sender: Sender | None = None
    reply_to: Mailbox | None = attrs.field(default=None, converter=_mailbox_or_none)
    headers: Mapping[str, str] = attrs.field(factory=dict, converter=MappingProxyType, validator=_header_names, hash=False)
    text_is_own: bool = True
    repeatable: bool = False
    usage_type: str = ""
    idempotency_key: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.html is None and self.text is None:
            raise ValueError("an Email needs html, text or both")

    def sent_from(self, configured: Mailbox) -> Mailbox:
        """Return the sender: the configured one with what the mail overrides of it."""
        if self.sender is None:
            return configured
        address = self.sender.address.address if self.sender.address else configured.address
        return Mailbox(address, self.sender.name or configured.name)

    def __repr__(self) -> str:
        parts = [f"to={masked(self.to.address)!r}", f"subject=<{len(self.subject)} characters>"]
        parts += [f"{name}=<{len(body)} characters>" for name in ("html", "text") if (body := getattr(self, name)) is not None]
        return f"Email({', '.join(parts)})"
