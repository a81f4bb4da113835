"""A mail that the emulated server took, as it comes into the inbox: read by Python's own parser."""

import re
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from authmail.sandbox import Inbox

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def put(inbox: Inbox, data: bytes, recipients: tuple[str, ...], *, sender: str, facts: Mapping[str, str]) -> None:
    """Put a mail into the inbox.

    Args:
        inbox: where to.
        data: the mail, whatever is in it.
        recipients: of the envelope.
        sender: of the envelope, for a mail that names none.
        facts: what else is known.
    """
    message = _read(data)
    inbox.add(
        sender=_shown(message, "From") or sender,
        to=recipients,
        subject=_shown(message, "Subject"),
        html=_content(message, "html"),
        text=_content(message, "plain"),
        reply_to=_shown(message, "Reply-To") or None,
        extra={"Message-ID": _shown(message, "Message-ID"), **facts},
    )


def subject_of(data: bytes) -> str:
    """Return a mail's subject."""
    return _shown(_read(data), "Subject")


def _read(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=default)


def _shown(message: EmailMessage, name: str) -> str:
    """Return a header as a mail program shows it: decoded, in one line."""
    try:
        return _CONTROLS.sub(" ", str(message.get(name, ""))).strip()
    except (ValueError, IndexError, AttributeError):  # the standard library's parser has its faults with strange headers
        return ""


def _content(message: EmailMessage, kind: str) -> str | None:
    """Return the first part of a kind that is no attachment."""
    try:
        part = message.get_body((kind,))
        return None if part is None else str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")
    except (LookupError, ValueError, AttributeError):
        return None
