"""The online check: keys, their state, and whether the sender is validated. It sends no mail."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from authmail import AccountError, AccountReport, Answer, Problem, Reason, say
from authmail_mailjet.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_mailjet import MailjetConfig

# A sub-account's own keys may not see the list of keys.
_NOT_ALLOWED = frozenset({401, 403, 404})


async def check_account(config: "MailjetConfig", http: "Http") -> AccountReport:
    """Ask for the senders, which every pair of keys may see, then for the state of this one (pages *Sender* and *API key*).

    The list of keys holds their secrets: only the state of this one is read. Tracking is not asked for, since each mail switches it
    off; what is left of the quota Mailjet does not tell.

    Returns:
        State of the keys and of the sender; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the keys are wrong, or stopped.
    """
    state, warnings = await _state_of_sender(config, http)
    facts = {"Sender": config.sender.address, "State of the sender": state}
    reply = await http.get(f"{config.url}/v3/REST/apikey?Limit=1000", headers=config.headers)
    answer = ANSWERS.answer(reply)
    if reply.status in _NOT_ALLOWED:
        hint = say("that is usual for a sub-account; the first mail shows whether it may send")
        return AccountReport(
            facts, [*warnings, Problem("apiKey", "may not see the state of the keys, so it was not looked at", hint)]
        )
    for row in _rows(answer):
        if row.get("APIKey") != config.api_key.reveal():
            continue
        level = str(row.get("Runlevel") or row.get("RunLevel") or "Normal")
        if row.get("IsActive") is False or level == "Hardlock":
            raise AccountError(
                say("Mailjet has stopped this pair of keys; see the account, ask its support"), reason=Reason.ACCOUNT
            )
        facts["State of the keys"] = level
        if level != "Normal":
            hint = say("see your mail from Mailjet, and the account there")
            warnings.append(Problem("apiKey", say("is held back by Mailjet: {level}", level=level), hint))
    return AccountReport(facts, warnings)


async def _state_of_sender(config: "MailjetConfig", http: "Http") -> tuple[str, list[Problem]]:
    """Return what Mailjet says of the sender's address, or of its whole domain."""
    answer = ANSWERS.answer(await http.get(f"{config.url}/v3/REST/sender?Limit=1000", headers=config.headers))
    wanted = {config.sender.address.lower(), f"*@{config.sender.domain}".lower()}
    states = [str(row.get("Status")) for row in _rows(answer) if str(row.get("Email")).lower() in wanted]
    if "Active" in states:
        return "Active", []
    hint = say("validate the address or its domain under Sender domains & addresses, for this pair of keys")
    warning = Problem("from", say("is not validated at Mailjet: {address}", address=config.sender.address), hint)
    return (states or ["unknown"])[0], [warning]


def _rows(answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield the rows of a list.

    Raises:
        SendError: there is none.
    """
    rows = answer.value("Data")
    if answer.status != 200 or not isinstance(rows, list):  # noqa: PLR2004
        raise ANSWERS.failure(answer.reply)
    yield from (row for row in rows if isinstance(row, dict))
