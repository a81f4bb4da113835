"""The online check: key, account, credits and sender. It sends no mail, and asks two or three of the hundred questions that an hour has."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from authmail import AccountError, AccountReport, Answer, Mailbox, Problem, Reason, say
from authmail_brevo.answers import ANSWERS, NOT_OPEN

if TYPE_CHECKING:
    from authmail import Http
    from authmail_brevo import BrevoConfig

_MAIL_CREDITS = "sendLimit"
_UNKNOWN = (400, 404)


async def check_account(config: "BrevoConfig", http: "Http") -> AccountReport:
    """Ask for account, sender and domain (pages *Get account*, *Get senders*, *Get domain configuration*).

    Brevo may take a mail of an unknown sender with a 201 and drop it afterwards (seen), so the sender is looked at with care. The
    account's answer names persons and keys: plan, credits and one switch are taken from it. Tracking is told by none.

    Returns:
        Plan, credits and the state of the sender; warnings for what may stop mail.

    Raises:
        SendError: the key is wrong, the account is not open for transactional mail, or the sender is unknown.
    """
    account = _members(await _ask(config, http, "/account"))
    if _object(account.get("relay")).get("enabled") is False:
        raise AccountError(NOT_OPEN.hint, reason=NOT_OPEN.reason)
    facts, warnings = _credits(account)
    sender = Mailbox.parse(config.from_)
    is_authenticated = await _is_authenticated(sender.domain, config, http)
    if not is_authenticated and not await _is_active(sender, config, http):
        hint = say(
            "Brevo knows neither the sender nor its domain: {domain}; authenticate the domain, and check from",
            domain=sender.domain,
        )
        raise AccountError(hint, reason=Reason.SENDER)
    facts["Domain"] = sender.domain
    if not is_authenticated:
        hint = say("authenticate it at Brevo, for mailbox providers refuse or hide such mail")
        warnings.append(
            Problem("from", say("has a domain that is not authenticated at Brevo: {domain}", domain=sender.domain), hint)
        )
    return AccountReport(facts, warnings)


def _credits(account: dict[str, Any]) -> tuple[dict[str, str], list[Problem]]:
    """Return plan and what is left of its mails. An account may have several plans, those for text messages among them."""
    told = account.get("plan")
    rows = [_object(row) for row in (told if isinstance(told, list) else [])]
    plans = [row for row in rows if row.get("creditsType") == _MAIL_CREDITS and row.get("type") != "sms"]
    left = [row["credits"] for row in plans if isinstance(row.get("credits"), int)]
    facts = {"Plan": ", ".join(str(row.get("type")) for row in plans)} if plans else {}
    if not left:
        return facts, []
    facts["Credits left"] = str(sum(left))
    if sum(left) > 0:
        return facts, []
    hint = say("mail is refused until there are new ones; see the plan at Brevo")
    return facts, [Problem("apiKey", say("belongs to an account without credits left"), hint)]


async def _is_authenticated(domain: str, config: "BrevoConfig", http: "Http") -> bool:
    """Ask for the one domain: the list of all comes in pages. Of one that it does not know Brevo says so with a 400 or 404."""
    answer = await _ask(config, http, f"/senders/domains/{quote(domain)}")
    if answer.status in _UNKNOWN and answer.text("code"):
        return False
    return _members(answer).get("authenticated") is True


async def _is_active(sender: Mailbox, config: "BrevoConfig", http: "Http") -> bool:
    rows = _members(await _ask(config, http, f"/senders?domain={quote(sender.domain)}")).get("senders")
    entries = [_object(row) for row in (rows if isinstance(rows, list) else [])]
    return any(str(one.get("email")).lower() == sender.address.lower() and one.get("active") is True for one in entries)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


async def _ask(config: "BrevoConfig", http: "Http", path: str) -> Answer:
    return ANSWERS.answer(await http.get(f"{config.url}/v3{path}", headers=config.headers))


def _members(answer: Answer) -> dict[str, Any]:
    if answer.status != 200 or not isinstance(answer.members, dict):  # noqa: PLR2004
        raise ANSWERS.failure(answer.reply)
    return answer.members
