"""The online check: key, account, sender and quota, without sending mail."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from authmail import AccountError, AccountReport, OutcomeUnknown, Problem, Reason, say
from authmail_aliyun_dm.answers import ANSWERS
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.request import signed_request

if TYPE_CHECKING:
    from authmail import Http

#: ``UserStatus`` of DescAccountSummary (SDK 1.11.1) that stop mail.
_USER_STATES = {"1": "frozen", "2": "overdue", "4": "restricted from sending", "8": "deleted"}
_FACTS = {
    "DailyQuota": "Daily quota",
    "MonthQuota": "Monthly quota",
    "DailyRemainFreeQuota": "Free mails left today",
    "QuotaLevel": "Quota level",
}


async def check_account(config: AliyunDMConfig, http: "Http") -> AccountReport:
    """Ask for the account's summary and for the sender address.

    Returns:
        Quota and state of the sender; a warning for what the key may not ask.

    Raises:
        SendError: the key is wrong, the account cannot send, or the sender is not known in this region.
    """
    facts: dict[str, str] = {}
    warnings: list[Problem] = []
    summary = await _ask("DescAccountSummary", {}, config, http, warnings)
    state = _USER_STATES.get(str(summary.get("UserStatus", "")))
    if state is not None:
        raise AccountError(say("the Direct Mail account is {state}", state=say(state)), reason=Reason.ACCOUNT)
    facts |= {label: str(summary[name]) for name, label in _FACTS.items() if summary.get(name) not in (None, "")}
    senders = await _ask("QueryMailAddressByParam", {"KeyWord": config.account_name[:60]}, config, http, warnings)
    if senders:
        facts |= _sender_facts(senders, config, warnings)
    return AccountReport(facts, warnings)


async def _ask(
    action: str, parameters: Mapping[str, str], config: AliyunDMConfig, http: "Http", warnings: list[Problem]
) -> Mapping[str, Any]:
    """Return the answer's members; nothing, with a warning, if the key may not ask."""
    request = signed_request(action, parameters, config, nonce=os.urandom(16).hex(), now=datetime.now(UTC))
    reply = await http.post(request.url, body=request.body, headers=request.headers)
    if reply.status == 200:  # noqa: PLR2004
        members = reply.json()
        if isinstance(members, dict):
            return members
        raise OutcomeUnknown(say("the answer to {action} cannot be read", action=action), status=reply.status)
    error = ANSWERS.failure(reply, request)
    if isinstance(error, AccountError) and error.reason is Reason.PERMISSION:
        warnings.append(
            Problem(
                "accessKeyId",
                say("may not ask {action}", action=action),
                say("grant dm:{action} to check this too", action=action),
            )
        )
        return {}
    raise error


def _sender_facts(answer: Mapping[str, Any], config: AliyunDMConfig, warnings: list[Problem]) -> dict[str, str]:
    data = answer.get("data")
    rows = data.get("mailAddress") if isinstance(data, dict) else None
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    wanted = config.account_name.lower()
    row = next((row for row in rows if str(row.get("AccountName", "")).lower() == wanted), None)
    if row is None:
        hint = "the sender address (accountName) does not exist in {region}; check regionId and the console"
        raise AccountError(say(hint, region=config.region_id), reason=Reason.SENDER)
    # 0 is in order, everything else is frozen or not verified (SDK 1.11.1).
    for name, key, message in (
        ("AccountStatus", "accountName", "is frozen or not usable"),
        ("DomainStatus", "accountName", "has a domain that is not verified"),
    ):
        if str(row.get(name, "0")) not in ("0", ""):
            warnings.append(Problem(key, message, "see the console"))
    if config.reply_to_address and str(row.get("ReplyStatus", "0")) not in ("0", ""):
        warnings.append(Problem("replyToAddress", "has no verified reply address", "verify one in the console"))
    return {"Sender": str(row.get("AccountName")), "Sent today": str(row.get("DailyCount", "?"))}
