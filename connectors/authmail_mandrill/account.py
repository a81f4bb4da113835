"""The online check: key, quota, what waits, and whether the sender's domain can sign. It sends no mail, and adds nothing."""

from typing import TYPE_CHECKING

from authmail import AccountReport, Answer, Problem, say
from authmail_mandrill.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_mandrill import MandrillConfig

_FACTS = {"Mails an hour": "hourly_quota", "Mails waiting": "backlog", "Reputation": "reputation"}


async def check_account(config: "MandrillConfig", http: "Http") -> AccountReport:
    """Ask about the account (call *users/info*) and for its domains (*senders/domains*; *check-domain* would add one).

    Tracking is not asked for: each mail switches it off. Whether a key is one of test mode, which sends nothing, is not told.

    Returns:
        Quota, backlog and reputation, and the state of the sender's domain; warnings for what may stop mail.

    Raises:
        SendError: the key is wrong, or the account stopped.
    """
    told = await _ask(config, http, "/users/info.json")
    if told.text("public_id") is None and told.text("username") is None:
        raise ANSWERS.failure(told.reply)
    facts = {label: text for label, name in _FACTS.items() if (text := told.text(name, numbers=True))}
    warnings: list[Problem] = []
    if facts.get("Mails waiting", "0") != "0":
        hint = say("codes come too late then; see the hour's quota and the reputation at Mandrill")
        warnings.append(
            Problem("apiKey", say("belongs to an account with {count} mails that wait", count=facts["Mails waiting"]), hint)
        )
    domain = facts["Domain"] = config.sender.domain
    if not await _can_sign(domain, config, http):
        hint = say("add it under Sending Domains at Mandrill, set its DKIM record, and verify it")
        warnings.append(Problem("from", say("has a domain that Mandrill cannot sign for: {domain}", domain=domain), hint))
    return AccountReport(facts, warnings)


async def _can_sign(domain: str, config: "MandrillConfig", http: "Http") -> bool:
    """Whether a domain can be used; ``valid_signing`` is False where it is set up and not verified."""
    answer = await _ask(config, http, "/senders/domains.json")
    if not isinstance(answer.members, list):
        raise ANSWERS.failure(answer.reply)
    rows = [row for row in answer.members if isinstance(row, dict)]
    return any(str(row.get("domain")).lower() == domain.lower() and row.get("valid_signing") is True for row in rows)


async def _ask(config: "MandrillConfig", http: "Http", path: str) -> Answer:
    reply = await http.post(f"{config.api}{path}", json={"key": config.api_key.reveal()}, headers={"Accept": "application/json"})
    answer = ANSWERS.answer(reply)
    if reply.status != 200 or answer.members is None or answer.text("name"):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return answer
