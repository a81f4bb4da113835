"""Headers beyond those that every mail has: which are read by machines, and what may stand in them. Pure.

A structured header is folded and never encoded: programs that look for a URL or an id in it do not decode words (RFC 2047
section 5), and a line has at most 998 octets (RFC 5322 section 2.1.1).
"""

import json
import re
from enum import Enum

from authmail.words.text import say

#: Octets of a line, without its break.
LONGEST_LINE = 998
#: Where a header may be folded: at one blank, which is the same after the fold for whoever drops, keeps or joins blanks.
FOLD = re.compile(r"(?<! ) (?! )")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_JSON_PART = re.compile(r'"(?:[^"\\]|\\.)*"?|[,:]')


class HeaderKind(Enum):
    """Who reads a header."""

    ADDRESS = "names and addresses"
    STRUCTURED = "programs"
    TEXT = "people"


_ADDRESS = (
    "from",
    "sender",
    "to",
    "cc",
    "bcc",
    "reply-to",
    "resent-from",
    "resent-sender",
    "resent-to",
    "resent-cc",
    "resent-bcc",
)
# The end of a line is the document that says how the header reads.
_STRUCTURED = (
    "message-id", "in-reply-to", "references", "date", "mime-version", "return-path", "received", "resent-message-id",  # RFC 5322
    "list-help", "list-unsubscribe", "list-subscribe", "list-post", "list-owner", "list-archive",  # RFC 2369
    "list-id",  # RFC 2919
    "list-unsubscribe-post",  # RFC 8058
    "archived-at",  # RFC 5064
    "auto-submitted",  # RFC 3834
    "precedence", "importance", "priority", "sensitivity", "expires", "x-priority", "x-msmail-priority",  # RFC 4021, RFC 2156
    "disposition-notification-to", "disposition-notification-options",  # RFC 8098
    "return-receipt-to", "errors-to", "original-recipient",
    "feedback-id",  # Gmail's page on the feedback loop
    "x-auto-response-suppress",  # [MS-OXCMAIL]
    "x-entity-ref-id",  # Gmail: mails that must not be joined to a thread
    "authentication-results", "dkim-signature", "arc-seal", "arc-message-signature", "arc-authentication-results",
    "x-smtpapi",  # SendGrid, JSON
    "x-msys-api",  # SparkPost, JSON
    "resend-idempotency-key",  # Resend
)  # fmt: skip
_STRUCTURED_BEGINNINGS = (
    "content-",  # RFC 2045
    "x-mc-",  # Mandrill
    "x-pm-",  # Postmark
    "x-mailgun-",
    "x-mj-",  # Mailjet
    "x-ses-",  # Amazon SES
    "x-mailin-", "x-sib-",  # Brevo
    "x-alidm-",  # Aliyun Direct Mail
    "x-google-",
)  # fmt: skip
_KINDS = dict.fromkeys(_ADDRESS, HeaderKind.ADDRESS) | dict.fromkeys(_STRUCTURED, HeaderKind.STRUCTURED)


def kind_of(name: str) -> HeaderKind:
    """Return the kind of a header, whatever the case of its name; what is not known holds text for people."""
    name = name.lower()
    return HeaderKind.STRUCTURED if name.startswith(_STRUCTURED_BEGINNINGS) else _KINDS.get(name, HeaderKind.TEXT)


def structured_header(name: str, text: str) -> str | None:
    """Return the text of a header that programs read, as it may stand in a mail; None for a header of another kind.

    Blanks around it mean nothing. JSON means the same with its letters escaped and with blanks after its commas and colons, so
    letters beyond ASCII and lines that are too long are written so.

    Args:
        name: of the header.
        text: one line without control characters.

    Raises:
        ValueError: it cannot stand there; with what is wrong, and a hint.
    """
    if kind_of(name) is not HeaderKind.STRUCTURED:
        return None
    text = text.strip()
    if not _fits(name, text) and _is_json(text):
        text = _BEYOND_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)
        if not _fits(name, text):
            text = _JSON_PART.sub(lambda match: match[0] if match[0][0] == '"' else f"{match[0]} ", text)
    if not _is_plain(text):
        hint = say("percent-encode the rest of a URL")
        raise ValueError(say("is read by programs, so it takes printable ASCII alone"), hint)
    if not _fits(name, text):
        raise ValueError(
            say("has a word that is longer than a line may be, 998 octets"), say("programs read it whole; shorten it")
        )
    return text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _fits(name: str, text: str) -> bool:
    """Whether a text can stand in lines; its first word is in the line of the name, each other one may have a line."""
    first, *others = FOLD.split(text)
    return (
        _is_plain(text)
        and len(name) + len(": ") + len(first) <= LONGEST_LINE
        and all(1 + len(word) <= LONGEST_LINE for word in others)
    )


def _is_json(text: str) -> bool:
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
