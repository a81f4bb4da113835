"""The online check: key and sender's domain, without sending mail."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from authmail import AccountError, AccountReport, Problem, Reason, say
from authmail_resend.answers import ANSWERS
from authmail_resend.config import TEST_DOMAIN, ResendConfig

if TYPE_CHECKING:
    from authmail import Http

#: ``status`` of a domain that sends nothing (Domains page); with others beside ``verified`` it sends, for now.
_SILENT = ("not_started", "pending", "failed")
_QUOTAS = {"x-resend-daily-quota": "Sent today", "x-resend-monthly-quota": "Sent this month"}


async def check_account(config: ResendConfig, http: "Http") -> AccountReport:
    """Ask for the domains, and for the tracking of the sender's.

    Returns:
        State of the domain; warnings for a key that may only send, and for tracking, which rewrites links.

    Raises:
        SendError: the key is wrong, or the sender's domain sends nothing.
    """
    name = config.sender.address.rpartition("@")[2].lower()
    if name == TEST_DOMAIN:
        hint = say("verify a domain of your own and use an address of it")
        return AccountReport({}, [Problem("from", "is Resend's test sender, which reaches nobody but yourself", hint)])
    try:
        listed, facts = await _ask(config, http, "/domains?limit=100")
    except AccountError as error:
        if error.code != "restricted_api_key":
            raise
        hint = say("that is good practice; with a key of full access this check looks at the domain too")
        return AccountReport({}, [Problem("apiKey", "may only send, so the domain was not looked at", hint)])
    rows = listed.get("data")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    domain = next((row for row in rows if str(row.get("name", "")).lower() == name), None)
    if domain is None:
        if listed.get("has_more") is True:
            return AccountReport(
                facts, [Problem("from", say("was not looked at: {name} is not among the first 100 domains", name=name))]
            )
        hint = say("the domain {name} is not added at Resend; a subdomain must be added by itself", name=name)
        raise AccountError(hint, reason=Reason.SENDER)
    facts = {"Domain": name, "Status": str(domain.get("status")), "Region": str(domain.get("region")), **facts}
    return AccountReport(facts, await _warnings(domain, config, http))


async def _warnings(domain: Mapping[str, Any], config: ResendConfig, http: "Http") -> list[Problem]:
    status = domain.get("status")
    if status in _SILENT:
        raise AccountError(
            say("the domain of the sender is not verified at Resend: {status}", status=status), reason=Reason.SENDER
        )
    warnings = []
    if status != "verified":
        warnings.append(Problem("from", "has a domain that is not verified completely", "check its DNS records at Resend"))
    if "click_tracking" not in domain:
        identifier = str(domain.get("id", ""))
        if not identifier.replace("-", "").isalnum():
            return warnings
        domain, _ = await _ask(config, http, f"/domains/{identifier}")
    if domain.get("click_tracking") is True:
        warnings.append(Problem("from", "has a domain that tracks clicks, which rewrites links", "turn it off at Resend"))
    if domain.get("open_tracking") is True:
        warnings.append(Problem("from", "has a domain that tracks opening, by a picture in each mail", "turn it off at Resend"))
    return warnings


async def _ask(config: ResendConfig, http: "Http", path: str) -> tuple[Mapping[str, Any], dict[str, str]]:
    reply = await http.get(f"{config.url}{path}", headers=config.headers)
    members = ANSWERS.answer(reply).members
    if reply.status != 200 or not isinstance(members, dict):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return members, {label: reply.headers[name] for name, label in _QUOTAS.items() if name in reply.headers}
