"""Twilio SendGrid, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: SendGrid's pages *Mail Send* and *Mail Send errors*, its OpenAPI description (2026-11), and captures of its official SDK.
"""

from collections.abc import Iterable
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar, Literal

from authmail import (
    ApiSettings,
    Email,
    Mailbox,
    Problem,
    Request,
    Secret,
    checks,
    json_api,
    refused,
    say,
    setting,
    settings,
)
from authmail_sendgrid.account import check_account
from authmail_sendgrid.answers import ANSWERS

# Page *Mail Send*.
_MOST_CATEGORIES, _LONGEST_CATEGORY = 10, 255
_RESERVED_HEADERS = frozenset(
    {"x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding"}
    | {"to", "from", "subject", "reply-to", "cc", "bcc"}
)
# The rewriting of links, the picture that tells of opening, and the unsubscribe link; an account may have each on by default.
_NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": {"enable": False},
    "subscription_tracking": {"enable": False},
}
_EVERYBODY = {"bypass_list_management": {"enable": True}}
_api_key = partial(checks.one_word, hint=say("it begins with SG."))


def _categories(categories: tuple[str, ...]) -> None:
    if len(categories) > _MOST_CATEGORIES or len(set(categories)) < len(categories):
        raise ValueError(say("must have at most {most} categories, each once", most=_MOST_CATEGORIES))
    if not all(one.strip() and one.isprintable() and len(one) <= _LONGEST_CATEGORY for one in categories):
        raise ValueError(
            say("has a category that is empty, longer than {most} characters, or not printable", most=_LONGEST_CATEGORY)
        )


@settings
class SendGridConfig(ApiSettings):
    """What an operator fills in: Logto's keys, and what Logto lacks."""

    # A key of one region is unknown in the other.
    hosts: ClassVar = {"global": "api.sendgrid.com", "eu": "api.eu.sendgrid.com"}
    beginnings: ClassVar = {"api_key": "SG."}

    api_key: Secret = setting(
        "API key",
        help="SendGrid > Settings > API Keys > Create API Key; restricted access with Mail Send alone is enough",
        placeholder="SG.…",
        check=_api_key,
    )
    from_email: str = setting(
        "Sender address",
        help="An address of a domain that is authenticated at SendGrid, or a verified single sender",
        placeholder="no-reply@mail.example.com",
        check=checks.one_address,
    )
    from_name: str | None = setting(
        "Sender name", help="What people see as sender", placeholder="Example", check=checks.printable, default=None
    )
    region: Literal["global", "eu"] = setting(
        "Region",
        help="Where the account, or its regional subuser, is; an API key works in its own region alone",
        titles={"global": "Global", "eu": "European Union"},
        destination=True,
        default="global",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    categories: tuple[str, ...] = setting(
        "Categories",
        help="A list of at most 10 words by which SendGrid sorts its statistics; nothing about persons",
        check=_categories,
        default=(),
        group="more",
    )
    bypass_list_management: bool = setting(
        "Send to suppressed addresses",
        help="Also to those that bounced, complained or unsubscribed; without it SendGrid drops such mails in silence",
        default=False,
        group="more",
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"Bearer {self.api_key.reveal()}", "Accept": "application/json"}

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox(self.from_email, self.from_name or "")

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if self.bypass_list_management:
            hint = say("complaints count against your reputation at SendGrid; leave it off unless codes must reach everybody")
            yield Problem("bypassListManagement", "sends also to people who complained or unsubscribed", hint)
        yield from super().warnings()


def send_email(email: Email, config: SendGridConfig, nonce: str) -> Request:
    """Return the request that sends a mail (page *Mail Send*).

    Tracking is off in each mail. Text comes first, as the API wants it, and an empty part is left out, which it refuses. An id of
    our own goes along: events show it unchanged, and it names the mail where the acceptance has no id.

    Raises:
        MessageRejected: SendGrid takes no such header, or no empty subject.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    parts = {"text/plain": email.text, "text/html": email.html}
    mail: dict[str, Any] = {
        "from": _person(email.sent_from(config.sender)),
        "personalizations": [{"to": [_person(email.to)]}],
        "reply_to": reply_to and _person(reply_to),
        "subject": email.subject,
        "content": [{"type": kind, "value": text} for kind, text in parts.items() if text],
        "headers": dict(email.headers) or None,
        "categories": list(config.categories) or None,
        "custom_args": {"authmail_id": nonce},
        "tracking_settings": _NO_TRACKING,
        "mail_settings": _EVERYBODY if config.bypass_list_management else None,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/v3/mail/send", json=given, headers=config.headers, id=nonce)


def _check(email: Email) -> None:
    if not email.subject.strip() or not (email.text or email.html):
        raise refused(say("SendGrid takes no mail without a subject and a body; check the template"))
    for name, value in email.headers.items():
        if name.lower() in _RESERVED_HEADERS or not value.isascii():
            raise refused(say("SendGrid takes no header {name} of one's own, or none with this value", name=name))


def _person(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


connector = json_api(
    data=files("authmail_metadata") / "sendgrid",
    config=SendGridConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_sendgrid.emulator:SendGridEmulator",
)
