"""Sending again: never where the first may have been accepted, unless a second mail cannot come of it; never after an answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise

from authmail.mail.message import Message
from authmail.testing.case import Case, Sent, message
from authmail.testing.exchange import MISHAPS, Answer, Step, fits
from authmail.testing.rules.exchanges import replayed
from authmail.testing.rules.outcomes import try_failures
from authmail.testing.rules.privacy import observe
from authmail.testing.rules.rule import Rule
from authmail.testing.wire import Request

_MOST = 2
# "The request with this key is still being worked on" (draft-ietf-httpapi-idempotency-key-header, section 2.6): ask again.
_STILL_WORKING = 409


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


async def answered(case: Case) -> AsyncIterator[str]:
    """Count the requests at each place, whatever was answered there, and whatever was recorded."""
    spare = _MOST - 1 if case.repeats_safely else 0
    for exchange in case.exchanges:
        # What got no answer is another rule's business.
        excused = sum(bool(step.answer.mishap) or _is_still_working(case, step) for step in exchange.steps[:-1])
        for finding in _too_many(case, (await replayed(case, exchange)).sent, spare + excused):
            yield f"{exchange.name}: {finding}"
    for what, sent in (await _answer_badly(case)).items():
        for finding in _too_many(case, sent, spare):
            yield f"{what}: {finding}"


async def _answer_badly(case: Case) -> dict[str, Sent]:
    """Return what comes of answers of many statuses that nobody recorded."""
    observed = await case.once("observed", lambda: observe(case))
    found = {what: sent for what, sent in observed.items() if what.startswith("status ")}
    if case.kind == "http":
        found |= {seen.what: seen.sent for seen in await case.once("failures", lambda: try_failures(case))}
    return found


def _is_still_working(case: Case, step: Step) -> bool:
    return case.repeats_safely and step.answer.status == _STILL_WORKING


def _too_many(case: Case, sent: Sent, spare: int) -> Iterator[str]:
    """Yield the places that were asked more often than for a mail that is accepted, and so much more by the very same request."""
    shortest = min((exchange.steps for exchange in case.accepted), key=len)
    for method, path in dict.fromkeys((request.method, _path(request)) for request in sent.requests):
        came = [request for request in sent.requests if (request.method, _path(request)) == (method, path)]
        wanted = max(1, sum(_is_at(step, method, path) for step in shortest))
        if len(came) > wanted + spare:
            yield f"{len(came)} requests {method} {path} came"
        elif len(came) > wanted == 1 and not all(one.is_repeated_by(other) for one, other in pairwise(came)):
            yield f"{len(came)} requests {method} {path} came, and they differ"


def _path(request: Request) -> str:
    return request.path.partition("?")[0]


def _is_at(step: Step, method: str, path: str) -> bool:
    recorded = step.request.get("path", "/").partition("?")[0]
    return step.request.get("method", "POST") == method and fits(recorded, path)


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
    Rule(
        "repeat.answered",
        "What was answered is not asked again within one send, whatever the answer, also where it is recorded so in steps.",
        "Raise what the answer means: whether, when and where to send again is decided by the outcome. Only a provider that tells "
        "a repeat from a second mail may be asked once more (repeats_safely), or more often while it says 409, still being worked on.",
        answered,
    ),
)
