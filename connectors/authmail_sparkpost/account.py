"""The online check: key, account, quota and the sender's domain, as far as the key may ask. It sends no mail."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_sparkpost.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_sparkpost import SparkPostConfig

_LIMITS = {"Mails today": "day", "Mails this month": "month"}


async def check_account(config: "SparkPostConfig", http: "Http") -> AccountReport:
    """Ask for the account (page *Account*) and for the sender's domain (page *Sending Domains*).

    Whether the key may send is told by no question. Tracking is not asked for: each mail switches it off.

    Returns:
        Plan, quota and domain; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the key is wrong, or the account is not active.
    """
    facts: dict[str, str] = {}
    warnings: list[Problem] = []
    account = await _ask(config, http, "/account?include=usage")
    if account is None:
        warnings.append(_unseen(say("may not see the account, so its quota was not looked at")))
    else:
        warnings += _of_account(account, facts)
    domain = facts["Domain"] = config.sender.domain
    told = await _ask(config, http, f"/sending-domains/{quote(domain, safe='')}")
    if told is None:
        warnings.append(_unseen(say("may not see the domains, so the sender was not looked at")))
    elif told.value("results", "status", "ownership_verified") is not True or _is_blocked(told):
        text = say("has a domain that is not verified at SparkPost: {domain}", domain=domain)
        warnings.append(
            Problem("from", text, say("verify it under Sending Domains at SparkPost; until then it refuses every mail"))
        )
    return AccountReport(facts, warnings)


def _of_account(told: Answer, facts: dict[str, str]) -> list[Problem]:
    """Read the account.

    Raises:
        AccountError: it is not active.
    """
    status = told.text("results", "status")
    if status not in (None, "active"):
        hint = say("SparkPost has stopped the account; see your mail, ask its support")
        raise AccountError(hint, reason=Reason.ACCOUNT)
    plan = told.text("results", "subscription", "name")
    facts |= {"Plan": plan} if plan else {}
    used_up = False
    for label, span in _LIMITS.items():
        used, limit = (told.value("results", "usage", span, part) for part in ("used", "limit"))
        if isinstance(used, int) and isinstance(limit, int):
            facts[label] = f"{used}/{limit}"
            used_up |= used >= limit
    hint = say("SparkPost refuses what is above it; see the plan there")
    return [Problem("apiKey", "belongs to an account whose quota is used up", hint)] if used_up else []


def _is_blocked(told: Answer) -> bool:
    return told.text("results", "status", "compliance_status") in ("blocked", "pending")


def _unseen(what: str) -> Problem:
    return Problem("apiKey", what, say("that is good practice; the first mail shows whether all is well"))


async def _ask(config: "SparkPostConfig", http: "Http", path: str) -> Answer | None:
    """Return the answer; None where the key has no right to ask. A domain that is not there is an answer, too."""
    reply = await http.get(f"{config.url}/api/v1{path}", headers=config.headers)
    answer = ANSWERS.answer(reply)
    if reply.status == 403 and answer.value("errors") is not None:  # noqa: PLR2004
        return None
    is_unknown_domain = reply.status == 404 and answer.value("errors") is not None and "domains" in path  # noqa: PLR2004
    if not is_unknown_domain and (reply.status != 200 or answer.value("results") is None):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return answer
