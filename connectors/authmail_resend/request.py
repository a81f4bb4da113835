"""A mail and a config become one request. Pure: the key comes from outside."""

from authmail import Email, Request
from authmail_resend.config import ResendConfig


def send_email(email: Email, config: ResendConfig, key: str) -> Request:
    """Return the request that sends a mail (API reference, Send email).

    HTML and text go out together. Tracking is a setting of the domain at Resend, not of a mail.

    Args:
        email: the mail.
        config: the settings.
        key: by which Resend tells a repeat from a second mail, for 24 hours; at most 256 characters.
    """
    reply_to = email.replies_to(config.reply_to)
    mail = {
        "from": str(email.sent_from(config.sender)),
        "to": [email.to.address],
        "subject": email.subject,
        "html": email.html,
        "text": email.text,
        "reply_to": reply_to and str(reply_to),
        "headers": dict(email.headers) or None,
        "tags": [{"name": name, "value": value} for name, value in config.tags.items()] or None,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/emails", json=given, headers={**config.headers, "Idempotency-Key": key})
