"""SparkPost, as data: settings and request. The table of answers, the account check and the emulator stand beside.

Sources: SparkPost's pages *API overview*, *Transmissions* and *Create API keys* (2026-11), and captures of its official SDK.
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
from authmail_sparkpost.account import check_account
from authmail_sparkpost.answers import ANSWERS

# Page *Transmissions*: the first two are made of the parts, the others have fields of their own.
_RESERVED_HEADERS = frozenset({"content-type", "content-transfer-encoding", "subject", "from", "to", "reply-to"})
_LONGEST_CAMPAIGN = 64
# Five mails in the life of an account, and only one template of SparkPost's own (page *Transmissions*).
_SANDBOX_DOMAIN = "sparkpostbox.com"
# Tracking is on by default, and so is a template language that would read ``{{…}}`` in a finished body, or choke on it. The SDK
# knows all five; what an account does not know is ignored (page *API overview*).
_OPTIONS = {
    "transactional": True,
    "open_tracking": False,
    "initial_open": False,
    "click_tracking": False,
    "perform_substitutions": False,
}

_api_key = partial(checks.one_word, hint=say("the key alone, without Bearer before it"))


def _campaign(text: str | None) -> None:
    checks.exact(text)
    if text is not None and len(text.encode()) > _LONGEST_CAMPAIGN:
        raise ValueError(say("must have at most {most} bytes", most=_LONGEST_CAMPAIGN))


@settings
class SparkPostConfig(ApiSettings):
    """What an operator fills in."""

    # Accounts of one are unknown in the other (page *API overview*).
    hosts: ClassVar = {"us": "api.sparkpost.com", "eu": "api.eu.sparkpost.com"}

    api_key: Secret = setting(
        "API key",
        help="SparkPost > Configuration > API Keys > Create API Key; Transmissions: Read/Write is enough to send",
        check=_api_key,
    )
    from_: str = setting(
        "From",
        key="from",
        help="Sender, with or without a name; its domain is a verified sending domain",
        placeholder="Acme <no-reply@mail.example.com>",
        check=checks.one_mailbox,
    )
    region: Literal["us", "eu"] = setting(
        "Region",
        help="Where the account was made; a key works there alone",
        titles={"us": "United States", "eu": "European Union"},
        destination=True,
        default="us",
    )
    reply_to: str | None = setting(
        "Reply to", help="Replies go here; a template's own address wins", check=checks.one_mailbox, default=None, group="more"
    )
    subaccount: int | None = setting(
        "Subaccount",
        help="Its number, where a key of the main account sends for a subaccount",
        minimum=1,
        default=None,
        group="more",
    )
    ip_pool: str | None = setting(
        "IP pool", help="The id of a pool of dedicated addresses", check=checks.exact, default=None, group="more"
    )
    campaign: str | None = setting(
        "Campaign",
        help="A word by which SparkPost sorts its reports; nothing about persons",
        check=_campaign,
        default=None,
        group="more",
    )

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every request: the key alone, without ``Bearer`` before it."""
        of_whom = {} if self.subaccount is None else {"X-MSYS-SUBACCOUNT": str(self.subaccount)}
        return {"Authorization": self.api_key.reveal(), "Accept": "application/json"} | of_whom

    @property
    def sender(self) -> Mailbox:
        """Whom mails come from, unless a template says otherwise."""
        return Mailbox.parse(self.from_)

    def warnings(self) -> Iterable[Problem]:
        """Yield what somebody most likely did not mean."""
        if self.sender.domain.lower() == _SANDBOX_DOMAIN:
            hint = say("it takes five mails in the life of an account; send from a domain of your own")
            yield Problem("from", "is SparkPost's sandbox domain", hint)
        yield from super().warnings()


def send_email(email: Email, config: SparkPostConfig, nonce: str) -> Request:
    """Return the request that sends a mail (page *Transmissions*).

    Webhooks and the events of SparkPost show ``metadata`` again: so a mail is found whose answer was lost.

    Raises:
        MessageRejected: SparkPost takes no such header, or no empty body.
    """
    _check(email)
    reply_to = email.replies_to(config.reply_to)
    content = {
        "from": _person(email.sent_from(config.sender)),
        "subject": email.subject,
        "text": email.text or None,
        "html": email.html or None,
        "reply_to": reply_to and str(reply_to),
        "headers": dict(email.headers) or None,
    }
    mail: dict[str, Any] = {
        "recipients": [{"address": _person(email.to)}],
        "content": _given(content),
        "options": _OPTIONS | _given({"ip_pool": config.ip_pool}),
        "campaign_id": config.campaign,
        "metadata": {"authmail_id": nonce},
    }
    return Request(url=f"{config.url}/api/v1/transmissions", json=_given(mail), headers=config.headers, id=nonce)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _check(email: Email) -> None:
    if not (email.text or email.html):
        raise refused(say("SparkPost takes no mail without a body; check the template"))
    for name in email.headers:
        if name.lower() in _RESERVED_HEADERS:
            raise refused(say("SparkPost takes no header {name} of one's own", name=name))


def _person(mailbox: Mailbox) -> dict[str, str]:
    return {"email": mailbox.address} | ({"name": mailbox.name} if mailbox.name else {})


connector = json_api(
    data=files("authmail_metadata") / "sparkpost",
    config=SparkPostConfig,
    request=send_email,
    answers=ANSWERS,
    account=check_account,
    emulator="authmail_sparkpost.emulator:SparkPostEmulator",
)
