"""SMTP2GO, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: SMTP2GO's pages *Send a standard email*, *Getting started* and *Authentication* (2026-11), and captures of its official SDK.
"""

from functools import partial
from importlib.resources import files
from typing import Any, ClassVar, Literal

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
from authmail_smtp2go.account import check_account
from authmail_smtp2go.answers import ANSWERS

# The first three by the page *Send a standard email*; the last is the mail's own, and must not stand there twice.
_RESERVED_HEADERS = frozenset({"content-type", "content-transfer-encoding", "mime-version", "reply-to"})
_api_key = partial(checks.one_word, hint=say("it begins with api-"))


def _sender(text: str) -> None:
    checks.one_address(text)
    if "." not in text.rpartition("@")[2]:
        raise ValueError(say("needs a whole domain, such as mail.example.com"))


@settings
class SMTP2GOConfig(ApiSettings):
    """What an operator fills in: Logto's keys, and what Logto lacks."""

    # Page *Authentication*; the global one leads to the region that is nearest to this server.
    hosts: ClassVar = {
        "global": "api.smtp2go.com",
        "us": "us-api.smtp2go.com",
        "eu": "eu-api.smtp2go.com",
        "au": "au-api.smtp2go.com",
    }
    beginnings: ClassVar = {"api_key": "api-"}

    api_key: Secret = setting(
        "API key",
        help="SMTP2GO > Sending > API Keys > Add API Key; permission for /email/send alone is enough, click tracking off",
        placeholder="api-…",
        check=_api_key,
    )
    sender: str = setting(
        "Sender address",
        help="An address of a verified sender domain, or a verified single sender",
        placeholder="no-reply@mail.example.com",
        check=_sender,
    )
    sender_name: str | None = setting(
        "Sender name", help="What people see as sender", placeholder="Example", check=checks.printable, default=None
    )
    region: Literal["global", "us", "eu", "au"] = setting(
        "Region",
        help="Where mails are handled; Global takes the region nearest to this server",
        titles={"global": "Global", "us": "United States", "eu": "European Union", "au": "Oceania"},
        destination=True,
        default="global",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request. The key may stand in the body too, which is what gets logged."""
        return {"X-Smtp2go-Api-Key": self.api_key.reveal(), "Accept": "application/json"}

    @property
    def mailbox(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox(self.sender, self.sender_name or "")


def send_email(email: Email, config: SMTP2GOConfig, nonce: str) -> Request:
    """Return the request that sends a mail (page *Send a standard email*).

    ``fastaccept`` is off: with it SMTP2GO says yes before it has looked at the mail, and its page announces it as the default.

    Raises:
        MessageRejected: SMTP2GO takes no such header, or no empty subject or body.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    headers = dict(email.headers) | ({"Reply-To": str(reply_to)} if reply_to else {})
    mail: dict[str, Any] = {
        "sender": str(email.sent_from(config.mailbox)),
        "to": [str(email.to)],
        "subject": email.subject,
        "text_body": email.text or None,
        "html_body": email.html or None,
        "custom_headers": [{"header": name, "value": value} for name, value in headers.items()] or None,
        "fastaccept": False,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/v3/email/send", json=given, headers=config.headers, id=nonce)


def _check(email: Email) -> None:
    if not email.subject.strip() or not (email.text or email.html):
        raise refused(say("SMTP2GO takes no mail without a subject and a body; check the template"))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS:
            raise refused(say("SMTP2GO takes no header {name} of one's own", name=name))


connector = json_api(
    data=files("authmail_metadata") / "smtp2go",
    config=SMTP2GOConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_smtp2go.emulator:SMTP2GOEmulator",
)
