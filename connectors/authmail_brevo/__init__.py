"""Brevo, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: Brevo's pages *Send a transactional email* and *Batch email idempotency* (2026-11), captures of its official SDKs, and the
work-arounds of django-anymail, which marks what it found by trying.
"""

import re
from email.header import Header
from functools import partial
from importlib.resources import files
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

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
from authmail_brevo.account import check_account
from authmail_brevo.answers import ANSWERS

#: Longer names of a recipient are refused (seen).
_LONGEST_NAME = 70
#: RFC 2047 section 2: an encoded word.
_LONGEST_WORD = 75
#: RFC 5322 section 3.2.3.
_SPECIALS = frozenset('()<>[]:;@\\,."')
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
#: Not the mail's own, and not what means something else at Brevo: the first of them loses the mail in silence.
_RESERVED_HEADERS = frozenset(
    {"x-sib-sandbox", "idempotencykey", "idempotency-key", "content-type", "content-transfer-encoding", "mime-version"}
    | {
        "from",
        "sender",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "return-path",
        "received",
        "dkim-signature",
    }
)
# Its template language works in subjects and bodies that are no templates, too (samples of its SDKs, page *Dynamic content*).
_TEMPLATE_SIGN = re.compile(r"\{(?=[{%])")
_api_key = partial(checks.one_word, hint=say("it begins with {beginning}", beginning="xkeysib-"))


def _tags(tags: tuple[str, ...]) -> None:
    if not all(tag.strip() and tag.isprintable() for tag in tags):
        raise ValueError(say("has a tag that is empty, or holds line breaks or control characters"))


@settings
class BrevoConfig(ApiSettings):
    """What an operator fills in."""

    host = "api.brevo.com"
    # A key for its SMTP relay begins with xsmtpsib-.
    beginnings: ClassVar = {"api_key": "xkeysib-"}

    api_key: Secret = setting(
        "API key",
        help="Brevo > Settings > SMTP & API > API keys > Generate a new API key; not the key for SMTP",
        placeholder="xkeysib-…",
        check=_api_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is authenticated at Brevo",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    tags: tuple[str, ...] = setting(
        "Tags",
        help="A list of words by which Brevo sorts its statistics; nothing about persons",
        check=_tags,
        default=(),
        group="more",
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {"api-key": self.api_key.reveal(), "Accept": "application/json"}


def send_email(email: Email, config: BrevoConfig, key: str) -> Request:
    """Return the request that sends a mail (page *Send a transactional email*).

    A host's idempotency key goes along as the page *Batch email idempotency* shows it, as a UUID among the mail's headers: Brevo then
    refuses a second request with it for a while. Its SDKs name it otherwise, so nothing is repeated in trust of it. What would be a sign
    of Brevo's template language is taken apart: a stranger's name is no program.

    Raises:
        MessageRejected: Brevo takes no such header, or no empty subject or body.
    """
    _check(email)
    to = _person(email.to)
    if len(to.get("name", "")) > _LONGEST_NAME:
        to.pop("name")
    reply_to = email.replies_to(config.reply_to)
    mail: dict[str, Any] = {
        "sender": _person(email.sent_from(Mailbox.parse(config.from_))),
        "to": [to],
        "replyTo": reply_to and _person(reply_to, is_encoded=not reply_to.name.isascii()),
        "subject": _TEMPLATE_SIGN.sub("{ ", email.subject),
        "htmlContent": _TEMPLATE_SIGN.sub("&#123;", email.html or "") or None,
        "textContent": _TEMPLATE_SIGN.sub("{ ", email.text or "") or None,
        "headers": {**email.headers, **({"idempotencyKey": _as_uuid(key)} if email.idempotency_key else {})} or None,
        "tags": list(config.tags) or None,
    }
    given = {name: value for name, value in mail.items() if value is not None}
    return Request(url=f"{config.url}/v3/smtp/email", json=given, headers=config.headers)


def _check(email: Email) -> None:
    if not email.subject.strip() or not (email.text or email.html):
        raise refused(say("Brevo takes no mail without a subject and a body; check the template"))
    for name, value in email.headers.items():
        # It sends other characters as they are, also what was encoded, which mail servers refuse (django-anymail).
        if name.lower() in _RESERVED_HEADERS or not value.isascii():
            raise refused(say("Brevo takes no header {name} of one's own, or none with this value", name=name))


def _person(mailbox: Mailbox, *, is_encoded: bool = False) -> dict[str, str]:
    """Return a mailbox as Brevo wants it.

    It drops a name in silence that has both, characters that are not ASCII and such as commas and dots; an encoded word (RFC 2047) gets
    through. In a reply address it sends every name that is not ASCII in raw bytes, so that one is encoded whatever it has (django-anymail).
    """
    name = mailbox.name.replace("=?", "= ?")  # what looks like an encoded word is none
    if is_encoded or not (name.isascii() or _SPECIALS.isdisjoint(name)):
        name = Header(name, "utf-8", maxlinelen=_LONGEST_WORD).encode(linesep="")
    return {"email": mailbox.address} | ({"name": name} if name else {})


def _as_uuid(key: str) -> str:
    return str(UUID(key) if _UUID.fullmatch(key) else uuid5(NAMESPACE_URL, f"authmail:{key}"))


connector = json_api(
    data=files("authmail_metadata") / "brevo",
    config=BrevoConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_brevo.emulator:BrevoEmulator",
)
