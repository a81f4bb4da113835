"""The online check: key, state, quota, sender and configuration set of one region, without sending mail."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from authmail import AccountError, AccountReport, Mailbox, OutcomeUnknown, Problem, Reason, say
from authmail_ses.answers import ANSWERS
from authmail_ses.signing import signed_headers

if TYPE_CHECKING:
    from authmail import Http
    from authmail_ses.config import SESConfig

_MOST_IDENTITIES = 1000  # of one answer
_UNLIMITED = -1


async def check_account(config: "SESConfig", http: "Http") -> AccountReport:
    """Ask for the account, its identities and the configuration set.

    Returns:
        State and quota; warnings for a sandbox, an account under review, and what the key may not ask.

    Raises:
        SendError: the key is wrong, the account cannot send, the sender is not verified in this region, or there is no such
            configuration set.
    """
    warnings: list[Problem] = []
    account = await _ask("account", "GetAccount", config, http, warnings)
    facts = _account_facts(account, warnings) if account else {}
    if config.email_address_identity_arn is None:  # else it is an identity of another account
        identities = await _ask("list-identities", "ListEmailIdentities", config, http, warnings, question=_named(config.sender))
        facts |= _sender_facts(identities, config, warnings) if identities else {}
    if config.configuration_set_name:
        path = f"configuration-sets/{config.configuration_set_name}"
        found = await _ask(path, "GetConfigurationSet", config, http, warnings)
        if _value(found, "SendingOptions", "SendingEnabled") is False:
            raise AccountError(say("sending is paused for the configuration set; see the SES console"), reason=Reason.ACCOUNT)
    return AccountReport(facts, warnings)


async def _ask(
    path: str,
    operation: str,
    config: "SESConfig",
    http: "Http",
    warnings: list[Problem],
    *,
    question: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the answer's members; nothing, with a warning, if the key may not ask."""
    url, now = f"{config.url}/v2/email/{path}", datetime.now(UTC)
    if question is None:
        reply = await http.get(url, headers=signed_headers("GET", url, {}, b"", config.credentials, now))
    else:
        body = json.dumps(question).encode()
        headers = signed_headers("POST", url, {"content-type": "application/json"}, body, config.credentials, now)
        reply = await http.post(url, body=body, headers=headers)
    answer = ANSWERS.answer(reply)
    if reply.status == 200 and isinstance(answer.members, dict) and answer.members:  # noqa: PLR2004
        return answer.members
    failure = ANSWERS.failure(reply)
    if not isinstance(failure, AccountError) or failure.reason is not Reason.PERMISSION:
        raise failure
    hint = say("grant ses:{operation} to check this too", operation=operation)
    warnings.append(Problem("accessKeyId", say("may not ask {operation}", operation=operation), hint))
    return {}


def _account_facts(account: dict[str, Any], warnings: list[Problem]) -> dict[str, str]:
    state = account.get("EnforcementStatus")
    if "SendingEnabled" not in account:
        raise OutcomeUnknown(say("the answer about the account is not SES's"))
    if account["SendingEnabled"] is False or state == "SHUTDOWN":
        raise AccountError(say("sending is paused for the account; see the SES console"), reason=Reason.ACCOUNT)
    if state == "PROBATION":
        warnings.append(Problem("accessKeyId", "belongs to an account under review", "see Reputation metrics in the SES console"))
    in_sandbox = account.get("ProductionAccessEnabled") is False
    if in_sandbox:
        hint = say("ask for production access in the SES console; until then verified recipients alone get mail")
        warnings.append(Problem("region", "is one in which the account is in the sandbox", hint))
    facts = {"Reputation": str(state), "Access": "sandbox" if in_sandbox else "production"}
    return facts | _quota_facts(account)


def _quota_facts(account: dict[str, Any]) -> dict[str, str]:
    quota = account.get("SendQuota")
    numbers = [_value(quota, name) for name in ("Max24HourSend", "SentLast24Hours", "MaxSendRate")]
    if not all(isinstance(number, int | float) for number in numbers):
        return {}
    most, sent, rate = numbers
    if most != _UNLIMITED and sent >= most:
        hint = "the account's quota of mails in 24 hours is used up; wait, or have it raised at AWS"
        raise AccountError(hint, reason=Reason.QUOTA)
    limit = "unlimited" if most == _UNLIMITED else f"{most:g}"
    return {"Mails in 24 hours": limit, "Sent in 24 hours": f"{sent:g}", "Mails a second": f"{rate:g}"}


def _sender_facts(answer: dict[str, Any], config: "SESConfig", warnings: list[Problem]) -> dict[str, str]:
    listed = answer.get("EmailIdentities")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    identities = {str(row.get("IdentityName")).lower(): row.get("SendingEnabled") is True for row in rows}
    names = [name for name in _names(config.sender) if name in identities]
    if usable := next((name for name in names if identities[name]), None):
        return {"Sender": usable}
    if not names and answer.get("NextToken"):
        warnings.append(Problem("emailAddress", "is not among the first identities, and there are more than could be asked for"))
        return {}
    hint = say(
        "the sender (emailAddress) is verified in {region} no longer, or not yet; see the SES console", region=config.region
    )
    if not names:
        hint = say(
            "neither the sender (emailAddress) nor its domain is an identity in {region}; check region", region=config.region
        )
    raise AccountError(hint, reason=Reason.SENDER)


def _named(sender: Mailbox) -> dict[str, Any]:
    """Return what asks for the identities that may be the sender's (*ListEmailIdentities*)."""
    domain = ".".join(sender.domain.lower().split(".")[-2:])
    return {"Filter": {"IDENTITY_NAME_CONTAINS": domain}, "PageSize": _MOST_IDENTITIES}


def _names(sender: Mailbox) -> Iterator[str]:
    """Yield the identities by which a sender may send: its address, its domain, and those above."""
    yield sender.address.lower()
    labels = sender.domain.lower().split(".")
    yield from (".".join(labels[at:]) for at in range(len(labels) - 1))


def _value(members: Any, *path: str) -> Any:
    for name in path:
        members = members.get(name) if isinstance(members, dict) else None
    return members
