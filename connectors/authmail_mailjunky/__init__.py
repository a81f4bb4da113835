"""MailJunky, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: MailJunky's documentation, its official SDKs for Python and Node, and captures of these and of Logto's connector (2026-11).
"""

from collections.abc import Iterable
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar

from authmail import ApiSettings, Email, Mailbox, Problem, Request, Secret, checks, json_api, say, setting, settings
from authmail_mailjunky.account import check_account
from authmail_mailjunky.answers import ANSWERS

# The guide of Logto's connector names both kinds of key.
_TEST_KEY = "mj_test_"
_api_key = partial(checks.one_word, hint=say("it begins with {beginning}", beginning="mj_live_"))


@settings
class MailJunkyConfig(ApiSettings):
    """What an operator fills in: Logto's keys, and what Logto lacks."""

    # Where Logto's connector sends; the SDKs send to api.mailjunky.ai, with the same path.
    host = "mailjunky.ai"
    beginnings: ClassVar = {"api_key": "mj_"}

    api_key: Secret = setting(
        "API key",
        help="A live key from your MailJunky account, with permission to send email",
        placeholder="mj_live_…",
        check=_api_key,
    )
    from_email: str = setting(
        "Sender address",
        help="An address of a domain that is verified at MailJunky",
        placeholder="no-reply@mail.example.com",
        check=checks.one_address,
    )
    from_name: str | None = setting(
        "Sender name", help="What people see as sender", placeholder="Example", check=checks.printable, default=None
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
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
        if self.api_key.reveal().startswith(_TEST_KEY):
            hint = say("nothing says that its mails are delivered; for real mails take a key that begins with mj_live_")
            yield Problem("apiKey", say("is a test key of MailJunky"), hint)
        yield from super().warnings()


def send_email(email: Email, config: MailJunkyConfig) -> Request:
    """Return the request that sends a mail, as the SDKs make it.

    Tags and metadata stay out: its two SDKs disagree on their form, and a sign-in mail needs none. There is no switch for tracking.
    """
    reply_to = email.replies_to(config.reply_to)
    mail: dict[str, Any] = {
        "from": str(email.sent_from(config.sender)),
        "to": email.to.address,
        "subject": email.subject,
        "html": email.html or None,
        "text": email.text or None,
        "reply_to": str(reply_to) if reply_to else None,
        "headers": dict(email.headers) or None,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/api/v1/emails/send", json=given, headers=config.headers)


connector = json_api(
    data=files("authmail_metadata") / "mailjunky",
    config=MailJunkyConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_mailjunky.emulator:MailJunkyEmulator",
)
