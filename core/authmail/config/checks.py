"""Checks of single settings that many connectors share, for ``setting(check=…)``. Each raises ValueError(message, hint)."""

from urllib.parse import urlsplit

from authmail.mail.mailbox import Mailbox


def printable(text: str | None) -> None:
    """Refuse line breaks and control characters."""
    if text is not None and not text.isprintable():
        raise ValueError("must not hold line breaks or control characters")


def one_mailbox(text: str | None) -> None:
    """Refuse what is not one address, with or without a display name."""
    if text is not None:
        Mailbox.parse(text)


def one_address(text: str | None) -> None:
    """Refuse what is not one address without a display name."""
    if text is not None:
        Mailbox(text)


def endpoint(text: str | None) -> None:
    """Refuse what is neither a host nor an http(s) URL; see :func:`endpoint_url`."""
    if text is None:
        return
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
