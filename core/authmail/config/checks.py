"""Checks of single settings that many connectors share, for ``setting(check=…)``. Each raises ValueError(message, hint)."""

import re
from urllib.parse import urlsplit

from authmail.config.secret import Secret
from authmail.config.slips import refuse_blanks
from authmail.config.webhook_key import WebhookKey
from authmail.mail.headers import structured_header
from authmail.mail.mailbox import Mailbox

__all__ = [
    "endpoint",
    "endpoint_url",
    "exact",
    "one_address",
    "one_mailbox",
    "one_word",
    "printable",
    "read_number",
    "refuse_blanks",
    "structured_header",
    "url",
    "webhook_secret",
]

# More digits, or those of other scripts, are a number to int() too, and some of them take it long or make it fail.
_NUMBER = re.compile("[0-9]{1,12}")


def read_number(text: str) -> int | None:
    """Return the whole number that a text from outside is: one to twelve digits, 0 to 9. None if it is none."""
    return int(text) if _NUMBER.fullmatch(text) else None


def printable(text: str | None) -> None:
    """Refuse line breaks and control characters."""
    if text is not None and not text.isprintable():
        raise ValueError("must not hold line breaks or control characters")


def exact(text: str | None) -> None:
    """Refuse line breaks, control characters, and blanks around: for names that a provider knows by every character."""
    refuse_blanks(text)
    printable(text)


def one_word(secret: Secret, hint: str = "") -> None:
    """Refuse a key that is not one word of ASCII, such as one that was copied with a line break in it.

    Args:
        secret: the value.
        hint: how a right one looks, never this one.
    """
    key = secret.reveal()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError("must be one word without blanks or line breaks", hint)


def one_mailbox(text: str | None) -> None:
    """Refuse what is not one address, with or without a display name."""
    refuse_blanks(text)
    if text is not None:
        Mailbox.parse(text)


def one_address(text: str | None) -> None:
    """Refuse what is not one address without a display name."""
    refuse_blanks(text)
    if text is not None:
        Mailbox(text)


def endpoint(text: str | None) -> None:
    """Refuse what is neither a host nor an http(s) URL; see :func:`endpoint_url`."""
    if text is None:
        return
    refuse_blanks(text)
    try:  # whose own error would quote the text
        parts = urlsplit(text if "://" in text else f"https://{text}")
        right = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or not text.isprintable() or set(text) & set(" @?#\\"):
        raise ValueError("must be a host such as api.example.com, or its https:// URL", "without user, query or fragment")


def endpoint_url(text: str | None, default: str) -> str:
    """Return the URL that an optional ``endpoint`` setting means, without a slash at its end.

    Args:
        text: a host or a URL that :func:`endpoint` lets pass; None takes the default.
        default: URL of the provider's public host.
    """
    chosen = default if text is None else text
    return (chosen if "://" in chosen else f"https://{chosen}").rstrip("/")


def url(text: str) -> None:
    """Refuse what is not a whole http(s) URL; its path and query are kept."""
    try:  # whose own error would quote the text
        parts = urlsplit(text)
        right = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or not text.isprintable() or set(text) & set(" \\"):
        raise ValueError("must be an https:// URL, such as https://mail.example.com/send", "path and query are kept")


def webhook_secret(secret: Secret | None) -> None:
    """Refuse a secret that nothing can be signed with; see :class:`~authmail.WebhookKey`."""
    if secret is None:
        return
    try:
        empty = not len(WebhookKey(secret))
    except ValueError:
        empty = True
    if empty:
        raise ValueError("must be whsec_ and a key in Base64", "as the receiver's library or console made it")
