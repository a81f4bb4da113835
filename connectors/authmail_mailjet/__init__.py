"""Mailjet, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: Mailjet's guide *Send API v3.1*, its pages *Authentication* and *Status codes* (2026-11), and captures of its official SDKs.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import partial
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

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
from authmail_mailjet.account import check_account
from authmail_mailjet.answers import ANSWERS

_KEY = re.compile(r"[0-9a-f]{32}")
# Guide *Send API v3.1*, list of forbidden headers (error send-0011); Reply-To has a field of its own.
_RESERVED_HEADERS = frozenset(
    {"from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "delivered-to", "dkim-signature", "date"}
    | {
        "domainkey-status",
        "received-spf",
        "authentication-results",
        "received",
        "user-agent",
        "x-mailer",
        "list-id",
        "message-id",
    }
    | {"x-feedback-id", "x-csa-complaints", "x-mailjet-prio", "x-mailjet-debug", "x-mailjet-trackopen", "x-mailjet-trackclick"}
    | {"x-mailjet-segmentation", "x-mailjet-campaign"}
)
_RESERVED_BEGINNING = "x-mj-"
_MOST_HEADERS = 50
_one_key = partial(checks.one_word, hint=say("it has 32 digits and letters"))


def _api_key(secret: Secret) -> None:
    _one_key(secret)
    if ":" in secret.reveal():  # it would end there (RFC 7617 section 2)
        raise ValueError(say("must not hold a colon"))


@settings
class MailjetConfig(ApiSettings):
    """What an operator fills in. The pair of keys is that of the account or of one of its sub-accounts."""

    hosts = MappingProxyType({"global": "api.mailjet.com", "us": "api.us.mailjet.com"})

    api_key: Secret = setting(
        "API key",
        help="Mailjet > Account settings > API Key Management; 32 digits and letters",
        placeholder="0123456789abcdef0123456789abcdef",
        check=_api_key,
    )
    secret_key: Secret = setting(
        "Secret key",
        help="Shown once, when the pair of keys is made",
        check=_one_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its address or domain is validated at Mailjet",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    region: Literal["global", "us"] = setting(
        "Region",
        help="United States only for an account that was opened there; the keys of one are unknown in the other",
        titles={"global": "Global", "us": "United States"},
        destination=True,
        default="global",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request: HTTP Basic, the API key as user."""
        pair = f"{self.api_key.reveal()}:{self.secret_key.reveal()}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}", "Accept": "application/json"}

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        api_key, secret_key = self.api_key.reveal(), self.secret_key.reveal()
        for path, key in (("apiKey", api_key), ("secretKey", secret_key)):
            if not _KEY.fullmatch(key):
                yield Problem(path, "does not look like a key of Mailjet", say("it has 32 digits and letters"))
        if api_key == secret_key:
            yield Problem("secretKey", "is the same as the API key", "a pair has two different ones")
        yield from super().warnings()


def send_email(email: Email, config: MailjetConfig, nonce: str) -> Request:
    """Return the request that sends a mail (guide *Send API v3.1*).

    Tracking is off in each mail. ``TemplateLanguage`` is left out, so that Mailjet fills in nothing by itself, and there is no
    ``SandboxMode``, which loses mails. An id of our own goes along: events show it, and mails can be looked up by it.

    Raises:
        MessageRejected: Mailjet takes no such header, or no empty body.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    mail: dict[str, Any] = {
        "From": _person(email.sent_from(config.sender)),
        "To": [_person(email.to)],
        "ReplyTo": reply_to and _person(reply_to),  # one only
        "Subject": email.subject,
        "TextPart": email.text or None,
        "HTMLPart": email.html or None,
        "Headers": dict(email.headers) or None,
        "CustomID": nonce,
        "TrackOpens": "disabled",
        "TrackClicks": "disabled",
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/v3.1/send", json={"Messages": [given]}, headers=config.headers, id=nonce)


def _check(email: Email) -> None:
    if not (email.text or email.html):
        raise refused(say("Mailjet takes no mail without a body; check the template"))
    if len(email.headers) > _MOST_HEADERS:
        raise refused(say("Mailjet takes at most {most} headers", most=_MOST_HEADERS))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS or name.lower().startswith(_RESERVED_BEGINNING):
            raise refused(say("Mailjet takes no header {name} of one's own", name=name))


def _person(mailbox: Mailbox) -> dict[str, str]:
    return {"Email": mailbox.address} | ({"Name": mailbox.name} if mailbox.name else {})


connector = json_api(
    data=files("authmail_metadata") / "mailjet",
    config=MailjetConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_mailjet.emulator:MailjetEmulator",
)
