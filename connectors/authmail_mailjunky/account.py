"""The online check: the key. It sends no mail, and MailJunky tells no more without sending one."""

from typing import TYPE_CHECKING

from authmail import AccountReport, Problem, say
from authmail_mailjunky.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_mailjunky import MailJunkyConfig

# A key without this right, and a host that has the mails alone.
_NOT_TOLD = (403, 404, 405)


async def check_account(config: "MailJunkyConfig", http: "Http") -> AccountReport:
    """Ask for one contact, as the SDKs can: it proves the key. Nothing is taken from the answer, for it is about a person.

    Returns:
        Warnings: for the sender's domain, which no question tells of, and for a key of which nothing was told.

    Raises:
        SendError: the key is wrong.
    """
    reply = await http.get(f"{config.url}/api/v1/contacts?limit=1", headers=config.headers)
    answer = ANSWERS.answer(reply)
    hint = say("the first mail shows it")
    warnings = [Problem("fromEmail", say("was not looked at, since MailJunky does not tell which domains are verified"), hint)]
    if reply.status in _NOT_TOLD:
        warnings.append(Problem("apiKey", say("was not looked at, since MailJunky does not answer this question here"), hint))
    elif reply.status != 200 or not isinstance(answer.members, dict):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return AccountReport({}, warnings)
