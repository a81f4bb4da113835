"""The online check: what the key may do, and, as far as it may ask, quota and sender's domain. It sends no mail."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_smtp2go.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_smtp2go import SMTP2GOConfig

_CYCLE = {"Mails in this cycle": "cycle_max", "Mails left": "cycle_remaining", "Reset": "cycle_end"}


async def check_account(config: "SMTP2GOConfig", http: "Http") -> AccountReport:
    """Ask which endpoints the key may call, which every key may ask (page *View permissions*); then what it may see.

    Whether a key is in sandbox mode, or tracks clicks, is not told by what a key may ask of itself.

    Returns:
        Quota and domain; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the key is wrong, or may not send.
    """
    allowed = set(_texts((await _ask(config, http, "/api_keys/permissions")).value("data")))
    if "/email/send" not in allowed:
        hint = "the API key may not send; give it permission for /email/send at SMTP2GO"
        raise AccountError(hint, reason=Reason.PERMISSION)
    facts: dict[str, str] = {}
    warnings: list[Problem] = []
    if "/stats/email_cycle" in allowed:
        told = await _ask(config, http, "/stats/email_cycle")
        facts |= {label: text for label, name in _CYCLE.items() if (text := told.text("data", name, numbers=True))}
        if facts.get("Mails left") == "0":
            hint = say("above it mails are held, so codes come too late; see the plan at SMTP2GO")
            warnings.append(Problem("apiKey", "belongs to an account whose quota is used up", hint))
    if "/domain/view" in allowed:
        warnings += await _sender_warnings(config, http, facts)
    else:
        hint = say("that is good practice; the first mail shows whether the sender is verified")
        warnings.append(Problem("apiKey", "may not see the domains, so the sender was not looked at", hint))
    return AccountReport(facts, warnings)


async def _sender_warnings(config: "SMTP2GOConfig", http: "Http", facts: dict[str, str]) -> list[Problem]:
    name = facts["Domain"] = config.mailbox.domain
    told = await _ask(config, http, "/domain/view")
    rows = told.value("data", "domains")
    found = [told.value("data", "domains", at) for at in range(len(rows) if isinstance(rows, list) else 0)]
    domains = [row["domain"] for row in found if isinstance(row, dict) and isinstance(row.get("domain"), dict)]
    mine = [one for one in domains if str(one.get("fulldomain", "")).lower() == name.lower()]
    if any(one.get("dkim_verified") is True and one.get("rpath_verified") is True for one in mine):
        return []
    hint = say("verify it at SMTP2GO, unless the address is a verified single sender")
    return [Problem("sender", say("has a domain that is not verified at SMTP2GO: {domain}", domain=name), hint)]


def _texts(value: Any) -> Iterator[str]:
    """Yield the endpoints: the page's example has a list of them, its schema lists within objects."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict) and isinstance(one.get("data"), list):
            yield from (text for text in one["data"] if isinstance(text, str))


async def _ask(config: "SMTP2GOConfig", http: "Http", path: str) -> Answer:
    reply = await http.post(f"{config.url}/v3{path}", json={}, headers=config.headers)
    answer = ANSWERS.answer(reply)
    if reply.status != 200 or answer.value("data") is None or answer.text("data", "error_code"):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return answer
