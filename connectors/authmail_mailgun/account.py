"""The online check: key and its right to send, then the domain. It sends no mail."""

from typing import TYPE_CHECKING

from authmail import AccountError, AccountReport, Problem, Reason, say
from authmail_mailgun.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_mailgun.config import MailgunConfig


async def check_account(config: "MailgunConfig", http: "Http") -> AccountReport:
    """Ask whether the key may send for the domain, then for the domain's state (page *Domains*).

    The first is asked by a message without sender, recipient and text, which Mailgun refuses with a 400: a wrong key, region or
    domain it refuses otherwise. A sending key may ask no more than that, and a 401 to it looks like a wrong one's.

    Returns:
        The state of the domain; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: something would stop every mail.
    """
    asked = await http.post(config.messages_url, form={}, headers=config.headers)
    answer = ANSWERS.answer(asked)
    if answer.succeeds:
        raise AccountError("this endpoint is not Mailgun's; check endpoint", reason=Reason.ENDPOINT)
    if answer.status != 400 or "parameter" not in (answer.text("message") or ""):  # noqa: PLR2004
        raise ANSWERS.failure(asked)
    told = ANSWERS.answer(await http.get(f"{config.url}/v3/domains/{config.domain}", headers=config.headers))
    facts = {"Domain": config.domain}
    if told.status in (401, 403):
        hint = say("that is good practice; the first mail shows whether the domain is verified")
        return AccountReport(facts, [Problem("apiKey", "is a sending key, so the domain was not looked at", hint)])
    state = told.text("domain", "state")
    if told.status != 200 or state is None:  # noqa: PLR2004
        raise ANSWERS.failure(told.reply)
    if state != "active" or told.value("domain", "is_disabled") is True:
        hint = say("the domain is not active at Mailgun: {state}; see Sending > Domains", state=state)
        raise AccountError(hint, reason=Reason.SENDER)
    if told.text("domain", "type") == "sandbox":
        hint = say("add a domain of your own at Mailgun")
        warning = Problem("domain", "is a sandbox domain, which reaches the authorized recipients of the account alone", hint)
        return AccountReport(facts | {"State": state}, [warning])
    return AccountReport(facts | {"State": state})
