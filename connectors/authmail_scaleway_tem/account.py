"""The online check: key, project and the sender's domain, and, as far as the key may ask, the mails of the month. It sends no mail."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_scaleway_tem.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_scaleway_tem import ScalewayTEMConfig

_NOT_PERMITTED = 403


async def check_account(config: "ScalewayTEMConfig", http: "Http") -> AccountReport:
    """Ask for the sender's domain in the project (page *Transactional Email API*, domains).

    Whether the key may send is not told by what it may ask; a wrong project looks like a missing right.

    Returns:
        State and reputation of the domain, mails of this month; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the key is wrong, or the domain is not checked.
    """
    name = config.sender.domain
    told = await _ask(config, http, f"/domains?project_id={config.project_id}&name={quote(name)}")
    if told.status == _NOT_PERMITTED:
        hint = say("that is good practice, if projectId is right; the first mail shows it")
        return AccountReport({}, [Problem("secretKey", "may not see the domains, so the sender was not looked at", hint)])
    rows = told.value("domains")
    if told.status != 200 or not isinstance(rows, list):  # noqa: PLR2004
        raise ANSWERS.failure(told.reply)
    found = [at for at in range(len(rows)) if (told.text("domains", at, "name") or "").lower() == name.lower()]
    state = told.text("domains", found[0], "status") if found else None
    if state != "checked":
        hint = say(
            "the domain {domain} is not a checked domain of this project: {state}", domain=name, state=state or say("not there")
        )
        raise AccountError(hint, reason=Reason.SENDER)
    reputation = told.text("domains", found[0], "reputation", "status")
    warnings = []
    if reputation == "bad":
        hint = say("Scaleway blocks such domains; see what bounces under Transactional Email > Domains")
        warnings.append(Problem("from", say("has a domain with a bad reputation at Scaleway: {domain}", domain=name), hint))
    used = (await _ask(config, http, f"/project-consumption?project_id={config.project_id}")).text(
        "monthly_emails_count", numbers=True
    )
    facts = {"Domain": name, "State": state, "Reputation": reputation, "Mails this month": used}
    return AccountReport({label: text for label, text in facts.items() if text is not None}, warnings)


async def _ask(config: "ScalewayTEMConfig", http: "Http", path: str) -> Answer:
    return ANSWERS.answer(await http.get(f"{config.root}{path}", headers=config.headers))
