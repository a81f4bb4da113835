"""Scaleway Transactional Email, as data: settings and request. Table of answers, account check and emulator stand beside.

Sources: Scaleway's pages *Transactional Email API* (v1alpha1), *Capabilities and limits* and *Fix common issues* (2026-07), and captures
of its official SDK.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from importlib.resources import files
from typing import Any

from authmail import (
    ApiSettings,
    Email,
    Mailbox,
    Problem,
    Reason,
    Request,
    Secret,
    checks,
    json_api,
    refused,
    say,
    setting,
    settings,
)
from authmail_scaleway_tem.account import check_account
from authmail_scaleway_tem.answers import ANSWERS

_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
#: Where the service is (page *Capabilities and limits*); the API has other regions for other services.
_REGION = "fr-par"
#: Bytes of a mail that comes by the API (the same page).
_LARGEST = 2_000_000
_RESERVED_HEADERS = frozenset({"from", "to", "cc", "bcc", "subject", "reply-to", "content-type", "mime-version"})
_secret_key = partial(checks.one_word, hint=say("it is a UUID, such as 0f0f0f0f-0000-4000-8000-000000000000"))


def _sender(text: str) -> None:
    checks.one_mailbox(text)
    if not Mailbox.parse(text).address.isascii():
        raise ValueError(say("must be ASCII before its @"))


@settings
class ScalewayTEMConfig(ApiSettings):
    """What an operator fills in."""

    host = "api.scaleway.com"

    secret_key: Secret = setting(
        "Secret key",
        help="Scaleway > IAM > API keys: the secret key, not the access key, of an application that may send mail",
        check=_secret_key,
    )
    project_id: str = setting(
        "Project ID",
        help="Scaleway > Project settings: the project that has the domain",
        pattern=_UUID,
        pattern_hint=say("it is a UUID, such as 0f0f0f0f-0000-4000-8000-000000000000"),
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is exactly the one that is checked at Scaleway",
        placeholder="Acme <no-reply@mail.example.com>",
        check=_sender,
    )
    region: str = setting(
        "Region",
        help="Where the domain is; Transactional Email is in fr-par alone",
        pattern=r"[a-z]{2}-[a-z]{3}",
        pattern_hint=say("such as fr-par"),
        destination=True,
        default=_REGION,
        group="more",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    code_minutes: int | None = setting(
        "Minutes that a code is valid",
        help="Scaleway gives up a mail with a code and no link that it could not deliver by then",
        minimum=1,
        maximum=1440,
        default=None,
        group="more",
    )

    @property
    def root(self) -> str:
        """Where the service is."""
        return f"{self.url}/transactional-email/v1alpha1/regions/{self.region}"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"X-Auth-Token": self.secret_key.reveal(), "Accept": "application/json"}

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        key = self.secret_key.reveal()
        if key.startswith("SCW"):
            yield Problem(
                "secretKey", "is the access key, which is only the secret key's name", say("use the secret key, a UUID")
            )
        elif not re.fullmatch(_UUID, key):
            hint = say("it is a UUID, such as 0f0f0f0f-0000-4000-8000-000000000000")
            yield Problem("secretKey", "does not look like a secret key of Scaleway", hint)
        if self.region != _REGION:
            yield Problem("region", "has no Transactional Email", say("write fr-par, or leave it out"))
        yield from super().warnings()


def send_email(email: Email, config: ScalewayTEMConfig, now: datetime) -> Request:
    """Return the request that sends a mail (page *Transactional Email API*). Text and HTML must both be there, and may be empty.

    Scaleway tracks nothing, and tells no repeat from a second mail.

    Raises:
        MessageRejected: Scaleway takes no such header, address or size.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    headers = ({"Reply-To": str(reply_to)} if reply_to else {}) | dict(email.headers)
    # A link may be opened later; where there is none, the mail is of no use after its code.
    limit = timedelta(minutes=config.code_minutes) if config.code_minutes and email.repeatable else None
    mail: dict[str, Any] = {
        "from": _person(email.sent_from(config.sender)),
        "to": [_person(email.to)],
        "subject": email.subject,
        "text": email.text or "",
        "html": email.html or "",
        "project_id": config.project_id,
        "send_before": limit and (now + limit).isoformat(timespec="seconds"),
        "additional_headers": [{"key": name, "value": value} for name, value in headers.items()] or None,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.root}/emails", json=given, headers=config.headers)


def _check(email: Email) -> None:
    if not email.subject.strip() or not (email.text or email.html):
        raise refused(say("Scaleway takes no mail without a subject and a body; check the template"))
    if not email.to.address.isascii():
        raise refused(say("Scaleway takes no address that is not ASCII before its @"), Reason.RECIPIENT)
    if len((email.text or "").encode()) + len((email.html or "").encode()) > _LARGEST:
        raise refused(say("the mail is larger than the 2 MB that Scaleway takes"))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS:
            raise refused(say("Scaleway takes no header {name} of one's own", name=name))


def _person(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


connector = json_api(
    data=files("authmail_metadata") / "scaleway_tem",
    config=ScalewayTEMConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_scaleway_tem.emulator:ScalewayTEMEmulator",
)
