"""Mandrill, which Mailchimp calls Transactional, as data: settings and request. Answers, account check and emulator stand beside.

Sources: Mailchimp's pages *Send new message* and *Users*, its API description 1.4 (2026-11), and captures of its official SDK.
"""

from functools import partial
from importlib.resources import files
from types import MappingProxyType
from typing import Any

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
from authmail_mandrill.account import check_account
from authmail_mandrill.answers import ANSWERS

# Page *Send new message*, tags.
_LONGEST_TAG = 50
# The mail's own: they have a field, or would stand there twice.
_RESERVED_HEADERS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "subject", "reply-to"} | {"mime-version", "content-type", "content-transfer-encoding"}
)
#: Whatever the account's defaults: no tracking, no copy of the body in the account's own pages, nothing made of it or filled into it.
#: Without ``merge`` a name such as ``*|UNSUB|*``, which a stranger has chosen, could become a link of Mandrill's.
_AS_IT_IS = {
    "track_opens": False,
    "track_clicks": False,
    "view_content_link": False,
    "auto_text": False,
    "auto_html": False,
    "inline_css": False,
    "merge": False,
    "important": True,
    "preserve_recipients": False,
}


def _tags(tags: tuple[str, ...]) -> None:
    for tag in tags:
        if not tag.strip() or not tag.isprintable() or len(tag) > _LONGEST_TAG or tag.startswith("_"):
            raise ValueError(
                say("has a tag that is empty, longer than {most} characters, or begins with an underscore", most=_LONGEST_TAG)
            )


@settings
class MandrillConfig(ApiSettings):
    """What an operator fills in."""

    host = "mandrillapp.com"
    beginnings = MappingProxyType({"api_key": "md-"})

    api_key: Secret = setting(
        "API key",
        help="Mandrill > Settings > SMTP & API Info > New API Key; a key of Mailchimp's marketing side does not work",
        placeholder="md-…",
        check=partial(checks.one_word, hint=say("it begins with md-")),
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is verified at Mandrill and has its DKIM record",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    tags: tuple[str, ...] = setting(
        "Tags",
        help="A list of words by which Mandrill sorts its statistics; nothing about persons",
        check=_tags,
        default=(),
        group="more",
    )
    subaccount: str | None = setting(
        "Subaccount", help="Id of the subaccount whose quota and reputation count", check=checks.exact, default=None, group="more"
    )

    @property
    def api(self) -> str:
        """Where the calls are, in the version that the official SDK speaks."""
        return f"{self.url}/api/1.3"

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)


def send_email(email: Email, config: MandrillConfig, nonce: str) -> Request:
    """Return the request that sends a mail (page *Send new message*).

    The key stands in the body, where all official SDKs have it: that a header does as well no page of Mailchimp's own was found to
    say. An id of our own goes along: events show it, and it names the mail where the acceptance has no id.

    Raises:
        MessageRejected: the mail has no body, or a header that Mandrill has a field for.
    """
    _check(email)
    reply_to, sender = email.replies_to(config.reply_to), email.sent_from(config.sender)
    headers = dict(email.headers) | ({"Reply-To": str(reply_to)} if reply_to else {})
    message: dict[str, Any] = {
        "from_email": sender.address,
        "from_name": sender.name or None,
        "to": [{"email": email.to.address, **({"name": email.to.name} if email.to.name else {}), "type": "to"}],
        "subject": email.subject,
        "text": email.text or None,
        "html": email.html or None,
        "headers": headers or None,
        "tags": list(config.tags) or None,
        "subaccount": config.subaccount,
        "metadata": {"authmail_id": nonce},
        **_AS_IT_IS,
    }
    given = {name: value for name, value in message.items() if value is not None}
    body = {"key": config.api_key.reveal(), "message": given}
    return Request(url=f"{config.api}/messages/send.json", json=body, headers={"Accept": "application/json"}, id=nonce)


def _check(email: Email) -> None:
    if not (email.text or email.html):
        raise refused(say("the mail has no body; check the template"))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS:
            raise refused(say("the header {name} has a field of its own at Mandrill", name=name))


connector = json_api(
    data=files("authmail_metadata") / "mandrill",
    config=MandrillConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_mandrill.emulator:MandrillEmulator",
)
