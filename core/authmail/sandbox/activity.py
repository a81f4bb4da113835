"""What went on in the sandbox, one entry for each message, for a list that people look at."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from authmail.sandbox.attempts import Attempts
from authmail.sandbox.exchanges import Ending, Exchange
from authmail.sandbox.inbox import Inbox, ReceivedMail


async def activity(inbox: Inbox, attempts: Attempts) -> list[dict[str, Any]]:
    """Return the entries, newest first.

    A test message is one entry with all its exchanges and mails; every other exchange is one; and so is a mail that
    came without any.
    """
    mails = {mail.id: mail for mail in inbox}
    exchanges = {exchange.id: exchange for exchange in inbox.exchanges}
    entries = []
    for attempt in attempts:
        own = [exchanges.pop(number) for number in attempt.exchanges if number in exchanges]
        about = {"type": attempt.type, "to": attempt.to, "outcome": attempt.outcome}
        entries.append(_entry("attempt", attempt, attempt.started_at, own, _taken(mails, own)) | about)
        await asyncio.sleep(0)  # codes are looked for only now: meanwhile the emulators go on answering
    for exchange in exchanges.values():
        entries.append(_entry("exchange", exchange, exchange.started_at, [exchange], _taken(mails, [exchange])))
        await asyncio.sleep(0)
    for mail in list(mails.values()):
        entries.append(_entry("mail", mail, mail.received_at, [], [mail]))
        await asyncio.sleep(0)
    return sorted(entries, key=lambda entry: str(entry["at"]), reverse=True)


def _taken(mails: dict[int, ReceivedMail], exchanges: Iterable[Exchange]) -> list[ReceivedMail]:
    return [mails.pop(number) for exchange in exchanges for number in exchange.mails if number in mails]


def _entry(kind: str, item: Any, at: datetime, exchanges: list[Exchange], mails: list[ReceivedMail]) -> dict[str, Any]:
    mail = mails[-1] if mails else None
    exchange = exchanges[-1] if exchanges else None
    return {
        "key": f"{kind}-{item.id}",
        "at": at.isoformat(),
        "connector": item.connector,
        **_content(exchange, mail),
        "outcome": _outcome(exchange, mail),
        "status": exchange and exchange.status,
        "mails": [mail.id for mail in mails],
        "exchanges": [exchange.id for exchange in exchanges],
    }


def _content(exchange: Exchange | None, mail: ReceivedMail | None) -> dict[str, str | None]:
    """Return what the mail says; without one, what the provider was asked for."""
    if mail:
        return {"to": ", ".join(mail.to), "subject": mail.subject, "code": mail.code, "link": mail.link}
    to, subject = (exchange.recipients, exchange.subject or exchange.request) if exchange else (None, None)
    return {"to": to, "subject": subject, "code": None, "link": None}


def _outcome(exchange: Exchange | None, mail: ReceivedMail | None) -> str:
    if exchange is None:
        return "accepted"
    if exchange.ending is not Ending.ANSWERED or exchange.status is None:
        return exchange.ending
    if exchange.status // 100 != 2:  # noqa: PLR2004 (success, in HTTP and in SMTP)
        return "refused"
    return "accepted" if mail else "answered"
