"""MailerSend, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: MailerSend's pages *Send an email* and *General API resources* (2026-11), and captures of its official SDK.
"""

import re
from functools import partial
from importlib.resources import files
from typing import ClassVar

from authmail import (
    ApiSettings,
    Email,
    Mailbox,
    Request,
    Secret,
    checks,
    json_api,
    refused,
    say,
    setting,
    settings,
)
from authmail_mailersend.account import check_account
from authmail_mailersend.answers import ANSWERS

# Page *Send an email*.
_MOST_TAGS = 5
_LONGEST_SUBJECT = 998
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# The rewriting of links and the picture that tells of opening; each can be on by default for a domain.
_NO_TRACKING = {"track_clicks": False, "track_opens": False, "track_content": False}
_api_key = partial(checks.one_word, hint=say("it begins with mlsn."))


def _tags(tags: tuple[str, ...]) -> None:
    if len(tags) > _MOST_TAGS:
        raise ValueError(say("must have at most {most} tags, has {count}", most=_MOST_TAGS, count=len(tags)))
    if not all(tag.strip() and tag.isprintable() for tag in tags):
        raise ValueError(say("has a tag that is empty, or holds line breaks or control characters"))


@settings
class MailerSendConfig(ApiSettings):
    """What an operator fills in."""

    host = "api.mailersend.com"
    beginnings: ClassVar = {"api_key": "mlsn."}

    api_key: Secret = setting(
        "API token",
        help="MailerSend > Integrations > MailerSend API > Create new token; full access to Email alone is enough",
        placeholder="mlsn.…",
        check=_api_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is verified at MailerSend",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None
    )
    tags: tuple[str, ...] = setting(
        "Tags", help="A list of at most 5 words by which MailerSend sorts its activity", check=_tags, default=()
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request; without ``Accept`` an API of this make may answer an error with a page."""
        return {"Authorization": f"Bearer {self.api_key.reveal()}", "Accept": "application/json"}


def send_email(email: Email, config: MailerSendConfig) -> Request:
    """Return the request that sends a mail (page *Send an email*).

    Tracking is off in each mail. Headers of the host go along although only larger plans take them: without one that the host
    asked for it would be another mail.

    Raises:
        MessageRejected: MailerSend takes no such subject, or no such header.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    mail = {
        "from": _person(email.sent_from(Mailbox.parse(config.from_))),
        "to": [_person(email.to if set(email.to.name).isdisjoint(",;") else Mailbox(email.to.address))],  # no name with , or ;
        "reply_to": reply_to and _person(reply_to),  # one only
        "subject": email.subject,
        "text": email.text,
        "html": email.html,
        "tags": list(config.tags) or None,
        "headers": [{"name": name, "value": value} for name, value in email.headers.items()] or None,
        "settings": _NO_TRACKING,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/v1/email", json=given, headers=config.headers)


def _check(email: Email) -> None:
    if len(email.subject) > _LONGEST_SUBJECT:
        raise refused(say("the subject is longer than the {most} characters that MailerSend takes", most=_LONGEST_SUBJECT))
    for name in email.headers:
        if not _HEADER_NAME.fullmatch(name):
            raise refused(say("MailerSend takes no header of the name {name}: only letters, digits and hyphens", name=name))


def _person(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


connector = json_api(
    data=files("authmail_metadata") / "mailersend",
    config=MailerSendConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_mailersend.emulator:MailerSendEmulator",
)
