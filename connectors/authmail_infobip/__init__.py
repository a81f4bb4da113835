"""Infobip, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: Infobip's OpenAPI description of *Send email messages* (3.210, 2026-07), its pages *API authentication* and *Base URL*, and
captures of its official SDK.
"""

import json
from collections.abc import Iterable
from functools import partial
from importlib.resources import files
from typing import Any

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
from authmail_infobip.account import check_account
from authmail_infobip.answers import ANSWERS

# By the OpenAPI description; the last is a field of its own.
_RESERVED_HEADERS = frozenset(
    {"to", "cc", "bcc", "from", "subject", "content-type", "dkim-signature", "content-transfer-encoding", "return-path"}
    | {"mime-version", "reply-to"}
)
_LONGEST_SUBJECT = 1000
_LONGEST_CAMPAIGN = 255
# Opens and clicks are tracked by default, and each of both has a switch that wins over the first.
_NO_TRACKING = {"track": False, "trackOpens": False, "trackClicks": False}
# Of accounts on trial, which reach the address of their owner alone (page *Get started with Email*, and programs of others).
_TRIAL_DOMAIN = "selfserve.worlds-connected.co"
_api_key = partial(checks.one_word, hint=say("the key alone, without App before it"))


def _campaign(text: str | None) -> None:
    checks.exact(text)
    if text is not None and len(text) > _LONGEST_CAMPAIGN:
        raise ValueError(say("must have at most {most} characters", most=_LONGEST_CAMPAIGN))


@settings
class InfobipConfig(ApiSettings):
    """What an operator fills in."""

    host = "api.infobip.com"

    api_key: Secret = setting(
        "API key",
        help="Infobip > Developer Tools > API Keys; the scope email:message:send alone is enough to send",
        check=_api_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is verified at Infobip",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    endpoint: str | None = setting(
        "Base URL",
        help="The account's own, as shown on Infobip's homepage after login; without it the shared host is used",
        placeholder="xxxxx.api.infobip.com",
        destination=True,
        max_length=255,
        check=checks.endpoint,
        default=None,
        group="basic",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    campaign: str | None = setting(
        "Campaign",
        help="A word by which Infobip sorts its reports; nothing about persons",
        check=_campaign,
        default=None,
        group="more",
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"Authorization": f"App {self.api_key.reveal()}", "Accept": "application/json"}

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if self.endpoint is None:
            hint = say("give the base URL that Infobip shows after login, such as xxxxx.api.infobip.com")
            yield Problem("endpoint", "is missing, so mails go through the shared host", hint)
        if self.sender.domain.lower() == _TRIAL_DOMAIN:
            hint = say("it reaches the account owner's address alone; send from a domain of your own")
            yield Problem("from", "is of Infobip's trial domain", hint)
        yield from super().warnings()


def send_email(email: Email, config: InfobipConfig, nonce: str) -> Request:
    """Return the request that sends a mail (OpenAPI description, *Send email messages*).

    Its id is ours, so reports and logs find it even where no answer came. Infobip sends the HTML alone where there is one.

    Raises:
        MessageRejected: Infobip takes no such subject or header, or no empty body.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    headers = json.dumps(dict(email.headers), ensure_ascii=False, separators=(",", ":")) if email.headers else None
    content = {"subject": email.subject, "text": email.text or None, "html": email.html or None, "headers": headers}
    destination = {
        "to": [{"destination": email.to.address, "messageId": nonce}],  # an address without a name, and so is the next
        "replyTo": reply_to and reply_to.address,
    }
    message = {
        "sender": str(email.sent_from(config.sender)),
        "destinations": [_given(destination)],
        "content": _given(content),
        "options": {"campaignReferenceId": config.campaign} if config.campaign else None,
    }
    mail = {"messages": [_given(message)], "options": {"tracking": _NO_TRACKING}}
    return Request(url=f"{config.url}/email/4/messages", json=mail, headers=config.headers, id=nonce)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _check(email: Email) -> None:
    if not email.subject or not (email.text or email.html):
        raise refused(say("Infobip takes no mail without a subject and a body; check the template"))
    if len(email.subject) > _LONGEST_SUBJECT:
        raise refused(say("the subject is longer than the {most} characters that Infobip takes", most=_LONGEST_SUBJECT))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS:
            raise refused(say("Infobip takes no header {name} of one's own", name=name))


connector = json_api(
    data=files("authmail_metadata") / "infobip",
    config=InfobipConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_infobip.emulator:InfobipEmulator",
)
