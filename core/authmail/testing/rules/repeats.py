"""Sending again: never where the first may have been accepted, unless a second mail cannot come of it."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

from authmail.mail.message import Message
from authmail.testing.case import Case, Sent, message
from authmail.testing.exchange import MISHAPS, Answer
from authmail.testing.rules.rule import Rule

_MOST = 2


async def leave_unanswered(case: Case) -> dict[str, Sent]:
    """Return what comes of requests without an answer, for mails that may and may not come twice."""
    mails = {"a mail with a link": message(), "a mail with a code alone": message(link=None)}

    async def one(mishap: str, mail: Message) -> Sent:
        if mishap == "silence":
            return await case.send_in_vain(lambda: case.provider(Answer(mishap=mishap)), mail)
        async with case.provider(Answer(mishap=mishap)) as provider:
            return await case.send(provider, mail)

    tried = [(mishap, name) for mishap in MISHAPS for name in mails]
    sent = await asyncio.gather(*(one(mishap, mails[name]) for mishap, name in tried))
    return {f"{mishap} after {name}": found for (mishap, name), found in zip(tried, sent, strict=True)}


async def unknown(case: Case) -> AsyncIterator[str]:
    """Count the requests."""
    most = _MOST if case.repeats_safely else 1
    for what, sent in (await case.once("unanswered", lambda: leave_unanswered(case))).items():
        if len(sent.requests) > most:
            yield f"{what}: {len(sent.requests)} requests came"


async def identical(case: Case) -> AsyncIterator[str]:
    """Compare the requests."""
    for what, sent in (await case.once("unanswered", lambda: leave_unanswered(case))).items():
        if case.repeats_safely and not all(one.is_repeated_by(other) for one, other in pairwise(sent.requests)):
            yield f"{what}: the requests differ"


RULES = (
    Rule(
        "repeat.unknown",
        "A request that got no answer is not sent again: the first may have been accepted.",
        "Leave repeating to the host. If the provider tells a repeat from a second mail, declare repeats_safely = True.",
        unknown,
    ),
    Rule(
        "repeat.identical",
        "A repeated request is the very same, byte for byte: else the provider takes it for a second mail.",
        "Build the request once, with its nonce, key and date, and post that one again: see authmail.repeat_unanswered.",
        identical,
    ),
)
