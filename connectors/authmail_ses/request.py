"""A mail and a config become one signed request. Pure: the time comes from outside."""

import json
from collections.abc import Mapping
from datetime import datetime
from email.header import Header
from typing import Any

from authmail import Email, Mailbox, Reason, Request, refused, say
from authmail_ses.config import SESConfig
from authmail_ses.signing import signed_headers

# MessageHeader of the service model; and that there are at most 15 headers.
_MOST_HEADERS = 15
_LONGEST_NAME = 126
_LONGEST_VALUE = 995
_LONGEST_HEADER = 996
_LONGEST_WORD = 75  # RFC 2047, section 2
# Tracking of clicks rewrites links, that of opens adds a picture; this wins over account and configuration set.
_NO_TRACKING = {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}}


def send_email(email: Email, config: SESConfig, now: datetime) -> Request:
    """Return the request that sends a mail (*SendEmail* of API version 2).

    Args:
        email: the mail.
        config: the settings.
        now: the time, aware.

    Raises:
        MessageRejected: SES takes no such address or header.
    """
    reply_to = email.replies_to(config.reply_to)
    mail = {
        "FromEmailAddress": _mailbox(email.sent_from(config.sender)),
        "FromEmailAddressIdentityArn": config.email_address_identity_arn,
        "Destination": {"ToAddresses": [_mailbox(email.to)]},
        "ReplyToAddresses": reply_to and [_mailbox(reply_to)],
        "FeedbackForwardingEmailAddress": config.feedback_forwarding_email_address,
        "FeedbackForwardingEmailAddressIdentityArn": config.feedback_forwarding_email_address_identity_arn,
        "Content": {"Simple": _content(email)},
        "EmailTags": [{"Name": name, "Value": value} for name, value in config.tags.items()],
        "ConfigurationSetName": config.configuration_set_name,
        "TenantName": config.tenant_name,
        "ConfigurationOverrides": _NO_TRACKING,
    }
    body = json.dumps(_given(mail), ensure_ascii=False, separators=(",", ":")).encode()
    url = f"{config.url}/v2/email/outbound-emails"
    headers = signed_headers("POST", url, {"content-type": "application/json"}, body, config.credentials, now)
    return Request(url=url, headers=headers, body=body)


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _content(email: Email) -> dict[str, Any]:
    body = {"Text": email.text and _text(email.text), "Html": email.html and _text(email.html)}
    content = {"Subject": _text(email.subject), "Body": _given(body), "Headers": _headers(email.headers)}
    return _given(content)


def _text(text: str) -> dict[str, str]:
    """Return a text with its charset, without which SES takes it for ASCII."""
    return {"Data": text, "Charset": "UTF-8"}


def _encoded(text: str) -> str:
    """Return a text for people in ASCII, by encoded words where it must be, or reads like one (RFC 2047)."""
    is_plain = text.isascii() and "=?" not in text
    return text if is_plain else Header(text, "utf-8", maxlinelen=_LONGEST_WORD).encode(linesep="")


def _mailbox(mailbox: Mailbox) -> str:
    # A name that is not ASCII must be encoded by whoever sends (*Destination* of API version 1).
    address, name = _address(mailbox), _encoded(mailbox.name)
    return str(mailbox) if name == mailbox.name else f"{name} <{address}>"


def _address(mailbox: Mailbox) -> str:
    if not mailbox.address.isascii():  # *Destination* of the service model: SES has no SMTPUTF8
        hint = say("an address has characters other than ASCII before the @, which SES does not take")
        raise refused(hint, Reason.RECIPIENT)
    return mailbox.address


def _headers(headers: Mapping[str, str]) -> list[dict[str, str]]:
    if len(headers) > _MOST_HEADERS:
        hint = say("the mail has {count} headers, SES takes at most {most}", count=len(headers), most=_MOST_HEADERS)
        raise refused(hint)
    found = [{"Name": name, "Value": _encoded(value)} for name, value in headers.items()]
    for header in found:
        name, value = header["Name"], header["Value"]
        if len(name) > _LONGEST_NAME or not value or len(value) > _LONGEST_VALUE or len(name + value) > _LONGEST_HEADER:
            hint = say("the header {name} is empty or longer than SES takes", name=name[:_LONGEST_NAME])
            raise refused(hint)
    return found
