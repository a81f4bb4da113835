"""An Email and a config become the bytes of one mail and its envelope. Pure, but for the unique id and the date."""

import os
from datetime import UTC, datetime
from email.utils import format_datetime

import attrs

from authmail import Email, hide_fields, refused, say
from authmail_smtp.body import body
from authmail_smtp.config import SMTPConfig
from authmail_smtp.custom_headers import is_own_header, written
from authmail_smtp.headers import further_header, mailbox_header, text_header


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Mail:
    """A mail, ready for the dialogue.

    Args:
        sender: address of the envelope.
        recipient: address of the envelope.
        message_id: value of the ``Message-ID`` header.
        data: header and body, lines ended by CRLF, dots not yet doubled.
        needs_utf8: an address has letters beyond ASCII before its ``@``, so the server must know SMTPUTF8 (RFC 6531).
    """

    sender: str
    recipient: str
    message_id: str
    data: bytes
    needs_utf8: bool

    def __repr__(self) -> str:
        return f"Mail(data=<{len(self.data)} bytes>)"


def fresh_id() -> str:
    """Return 128 random bits as text."""
    return os.urandom(16).hex()


def compose(email: Email, config: SMTPConfig, *, unique: str, now: datetime | None = None) -> Mail:
    """Write a mail.

    Args:
        email: the mail.
        config: the settings.
        unique: a text that was never used before, for Message-ID and boundary.
        now: the date, aware; the present time by default.

    Raises:
        MessageRejected: something of it cannot be written, or is the mail's own to write.
    """
    sender = email.sent_from(config.sender)
    reply_to = email.replies_to(config.reply_to)
    message_id = f"<{unique}@{sender.domain}>"
    addresses = [sender.address, email.to.address, *([reply_to.address] if reply_to else [])]
    try:
        lines = [
            mailbox_header("From", sender),
            mailbox_header("To", email.to),
            *([mailbox_header("Reply-To", reply_to)] if reply_to else []),
            text_header("Subject", email.subject),
            f"Date: {format_datetime(now or datetime.now(UTC))}",
            f"Message-ID: {message_id}",
            "MIME-Version: 1.0",
            *_further_headers(email, config),
        ]
        data = "\r\n".join([*lines, ""]).encode("utf-8") + body(email.text, email.html, f"=_{unique}")
    except UnicodeEncodeError:
        raise refused(say("the mail holds half of a surrogate pair")) from None
    except ValueError as error:
        raise refused(error.args[0]) from None
    return Mail(
        sender=sender.address,
        recipient=email.to.address,
        message_id=message_id,
        data=data,
        needs_utf8=not all(address.isascii() for address in addresses),
    )


def _further_headers(email: Email, config: SMTPConfig) -> list[str]:
    own = next((name for name in email.headers if is_own_header(name)), None)
    if own is not None:
        raise ValueError(say("headers: {name} is written by the mail itself; use the fields of Email", name=own))
    given = {name.lower() for name in email.headers}
    configured = ((name, text) for name, text in written(config.custom_headers) if name.lower() not in given)
    return [further_header(name, text) for name, text in (*email.headers.items(), *configured)]
