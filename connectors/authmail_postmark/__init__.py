"""Postmark, as data: settings and requests. The table of answers, the account check and the emulator stand beside.

Two kinds of mail: those that authmail renders, and those that Postmark writes from a template of its own, as Logto's connector has
it. Sources: Postmark's pages *Email API*, *Templates API* and *Servers API* (2026-11), and captures of its official SDKs.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from importlib.resources import files
from typing import Any

from authmail import (
    ApiSettings,
    Email,
    Mailbox,
    Message,
    Problem,
    ProviderTemplate,
    Request,
    Secret,
    Template,
    checks,
    json_api,
    say,
    setting,
    settings,
)
from authmail_postmark.account import check_account
from authmail_postmark.answers import ANSWERS

#: With this in place of a token Postmark accepts every mail and delivers none (page *Sandbox mode*).
TEST_TOKEN = "POSTMARK_API_TEST"  # noqa: S105 (Postmark's own word, and no secret)
_TOKEN = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
#: The stream for newsletters that every server has (page *Message Streams API*).
_BROADCAST = "broadcast"
# Either can be on by default for a server: links are then rewritten, and a picture tells of opening.
_NO_TRACKING = {"TrackOpens": False, "TrackLinks": "None"}
_server_token = partial(checks.one_word, hint=say("it is a UUID, such as 0f0f0f0f-0000-4000-8000-000000000000"))


@settings
class PostmarkConfig(ApiSettings):
    """What an operator fills in; the keys of Logto's connector, and four more."""

    host = "api.postmarkapp.com"

    server_token: Secret = setting(
        "Server API token",
        help="Postmark > your server > API Tokens; not the token of the account",
        check=_server_token,
    )
    from_email: str = setting(
        "From",
        help="Sender, with or without a name; its domain or address is confirmed at Postmark",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None
    )
    message_stream: str | None = setting(
        "Message stream",
        help="ID of a transactional stream of the server; outbound unless said otherwise",
        pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}",
        pattern_hint=say("letters, digits, - and _, as Postmark shows it"),
        default=None,
    )
    tag: str | None = setting(
        "Tag", help="A word by which Postmark sorts its activity", max_length=1000, check=checks.printable, default=None
    )
    templates: tuple[Template | ProviderTemplate, ...] = setting(
        "Templates",
        help="SignIn, Register, ForgotPassword and Generic are required; with subject and content, or with templateAlias alone",
        required_types=("SignIn", "Register", "ForgotPassword", "Generic"),
        default=(),
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request; without ``Accept`` Postmark may answer 415."""
        return {"X-Postmark-Server-Token": self.server_token.reveal(), "Accept": "application/json"}

    @property
    def aliases(self) -> tuple[str, ...]:
        """What the templates at Postmark are called there, each once."""
        named = (template.alias for template in self.templates if isinstance(template, ProviderTemplate))
        return tuple(dict.fromkeys(named))

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        token = self.server_token.reveal()
        if token == TEST_TOKEN:
            hint = say("every code is lost; use the server's own token")
            yield Problem("serverToken", "is Postmark's test token, which accepts every mail and delivers none", hint)
        elif not _TOKEN.fullmatch(token):
            hint = say("it is a UUID, such as 0f0f0f0f-0000-4000-8000-000000000000")
            yield Problem("serverToken", "does not look like a token of a server at Postmark", hint)
        if self.message_stream == _BROADCAST:
            hint = say("use outbound, or another transactional stream")
            yield Problem("messageStream", "is the stream for newsletters, from which people unsubscribe", hint)
        yield from super().warnings()


def send(
    message: Message | Email,
    email: Email | None,
    template: ProviderTemplate | None,
    values: Mapping[str, Any],
    config: PostmarkConfig,
) -> Request:
    """Return the request that sends a mail (page *Email API*), or has it written at Postmark (page *Templates API*).

    Tracking is off in each. A template at Postmark gets the values of the message, cleaned of what strangers typed.
    """
    sender, reply_to = Mailbox.parse(config.from_email), Mailbox.parse(config.reply_to) if config.reply_to else None
    if email is not None:
        path, mail = "/email", _written_here(email, sender, reply_to)
    else:
        path = "/email/withTemplate"
        mail = {"From": sender, "To": message.to, "ReplyTo": reply_to, "TemplateModel": values}
        mail["TemplateAlias"] = template and template.alias
    mail |= {"Tag": config.tag, "MessageStream": config.message_stream, **_NO_TRACKING}
    given = {name: str(value) if isinstance(value, Mailbox) else value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}{path}", json=given, headers=config.headers)


def _written_here(email: Email, sender: Mailbox, reply_to: Mailbox | None) -> dict[str, Any]:
    return {
        "From": email.sent_from(sender),
        "To": email.to,
        "ReplyTo": email.reply_to or reply_to,
        "Subject": email.subject,
        "HtmlBody": email.html,
        "TextBody": email.text,
        "Headers": [{"Name": name, "Value": value} for name, value in email.headers.items()] or None,
    }


connector = json_api(
    data=files("authmail_metadata") / "postmark",
    config=PostmarkConfig,
    request=send,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_postmark.emulator:PostmarkEmulator",
)
