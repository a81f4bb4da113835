"""The online check: key and its rights, and, as far as the key may ask, credits and the sender's domain. It sends no mail."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_sendgrid.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_sendgrid import SendGridConfig

_CREDITS = {"Credits": "total", "Credits left": "remain", "Reset": "next_reset"}


async def check_account(config: "SendGridConfig", http: "Http") -> AccountReport:
    """Ask what the key may do (page *Scopes*): any valid key may ask that; then what it may see.

    Tracking is not asked for: each mail switches it off.

    Returns:
        Credits, and the state of the sender's domain; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the key is wrong, or may not send.
    """
    scopes = (await _ask(config, http, "/v3/scopes")).value("scopes")
    if not isinstance(scopes, list):
        raise AccountError("this endpoint is not SendGrid's; check endpoint", reason=Reason.ENDPOINT)
    if "mail.send" not in scopes:
        raise AccountError("the API key may not send; give it Mail Send at SendGrid", reason=Reason.PERMISSION)
    facts: dict[str, str] = {}
    warnings: list[Problem] = []
    if "user.credits.read" in scopes:
        told = await _ask(config, http, "/v3/user/credits")
        facts |= {label: text for label, name in _CREDITS.items() if (text := told.text(name, numbers=True))}
        if facts.get("Credits left") == "0":
            hint = say("mail goes out only if the plan includes more than its credits; see the plan at SendGrid")
            warnings.append(Problem("apiKey", "belongs to an account without credits left", hint))
    if "whitelabel.read" in scopes:
        domain = config.sender.domain
        facts["Domain"] = domain
        if not await _is_authenticated(domain, config, http):
            hint = say("authenticate it at SendGrid, unless the address is a verified single sender")
            warnings.append(
                Problem("fromEmail", say("has a domain that is not authenticated at SendGrid: {domain}", domain=domain), hint)
            )
    else:
        hint = say("that is good practice; the first mail shows whether the sender is verified")
        warnings.append(Problem("apiKey", "may not see the domains, so the sender was not looked at", hint))
    return AccountReport(facts, warnings)


async def _is_authenticated(domain: str, config: "SendGridConfig", http: "Http") -> bool:
    rows = (await _ask(config, http, f"/v3/whitelabel/domains?domain={quote(domain)}&limit=50")).members
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return any(str(row.get("domain", "")).lower() == domain.lower() and row.get("valid") is True for row in found)


async def _ask(config: "SendGridConfig", http: "Http", path: str) -> Answer:
    reply = await http.get(f"{config.url}{path}", headers=config.headers)
    answer = ANSWERS.answer(reply)
    if reply.status != 200 or answer.members is None:  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return answer
