"""The online check: key, balance and the sender's domain, as far as the key may ask. It sends no mail."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from authmail import AccountReport, Answer, Problem, say
from authmail_infobip.answers import ANSWERS

if TYPE_CHECKING:
    from authmail import Http
    from authmail_infobip import InfobipConfig


async def check_account(config: "InfobipConfig", http: "Http") -> AccountReport:
    """Ask for the sender's domain (OpenAPI description, *Get domain details*), and for the balance, which few keys may see.

    Whether the key may send is told by no question. The domain's tracking is not looked at: each mail switches it off.

    Returns:
        Balance and domain; warnings for what was not looked at, or may stop mail.

    Raises:
        SendError: the key is wrong.
    """
    told = await _ask(config, http, f"/email/1/domains/{quote(config.sender.domain, safe='')}")
    facts = {"Domain": config.sender.domain}
    balance = ANSWERS.answer(await http.get(f"{config.url}/account/1/balance", headers=config.headers))
    if isinstance(left := balance.value("balance"), int | float) and not isinstance(left, bool):
        facts["Balance"] = f"{left:.2f} {balance.text('currency') or ''}".strip()
    return AccountReport(facts, [*_warnings(told, config.sender.domain)])


def _warnings(told: Answer, domain: str) -> Iterator[Problem]:
    if told.status == 403:  # noqa: PLR2004
        hint = say("that is good practice; the first mail shows whether the sender is verified")
        yield Problem("apiKey", "may not see the domains, so the sender was not looked at", hint)
    elif told.value("blocked") is True:
        hint = say("too many of its mails bounced; Infobip takes none for some time, see the domain there")
        yield Problem("from", say("has a domain that Infobip blocks: {domain}", domain=domain), hint)
    elif told.value("active") is not True:  # known and not verified, or not known
        text = say("has a domain that is not verified at Infobip: {domain}", domain=domain)
        yield Problem("from", text, say("verify it under Channels and Numbers > Email > Domains at Infobip"))


async def _ask(config: "InfobipConfig", http: "Http", path: str) -> Answer:
    """Return the answer; that the key may not ask, and that there is no such domain, are answers, too.

    Raises:
        SendError: the key is wrong, or something else answers in Infobip's place.
    """
    reply = await http.get(f"{config.url}{path}", headers=config.headers)
    answer = ANSWERS.answer(reply)
    says_no = reply.status in (403, 404) and ANSWERS.code(answer) is not None
    if not says_no and (reply.status != 200 or not isinstance(answer.value("active"), bool)):  # noqa: PLR2004
        raise ANSWERS.failure(reply)
    return answer
