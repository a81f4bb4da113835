"""Many messages at once through one Mailer."""

import asyncio
from collections.abc import AsyncIterator

import attrs

from authmail.outcomes import Receipt
from authmail.testing.case import Case, message
from authmail.testing.exchange import Answer
from authmail.testing.rules.rule import Rule
from authmail.testing.wire import Request

_MANY = 20
_FIRST_CODE = 550100


async def cross_talk(case: Case) -> AsyncIterator[str]:
    """Send many, each with its own code, and give each another id."""
    known = case.success.outcome.get("message_id", "")
    accept = case.acceptance
    numbers: dict[str, int] = {}

    def respond(request: Request, count: int) -> Answer:
        number = next((number for number in range(_MANY) if request.shows(_code(number))), count)
        numbers[f"{known}{number}"] = number
        return _with_id(accept(request, count), known, f"{known}{number}")

    async with case.provider(respond) as provider, case.mailer(provider) as mailer:
        sends = (mailer.send(message(_code(number), to=_recipient(number))) for number in range(_MANY))
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        mine = [request for request in provider.requests if request.shows(_recipient(number))]
        if not isinstance(outcome, Receipt):
            yield f"one of {_MANY} was not accepted: {type(outcome).__name__}: {outcome}"
        elif len(mine) != 1 or not mine[0].shows(_code(number)):
            yield "a recipient got another one's code, or another number of mails than one"
        elif known and numbers.get(outcome.message_id, number) != number:
            yield "a caller got another one's receipt"


def _code(number: int) -> str:
    return f"{_FIRST_CODE + number}"


def _recipient(number: int) -> str:
    return f"recipient-{number:03}@example.com"


def _with_id(answer: Answer, known: str, other: str) -> Answer:
    if not known:
        return answer
    headers = {name: value.replace(known, other) for name, value in answer.headers.items()}
    return attrs.evolve(answer, headers=headers, body=answer.body.replace(known.encode(), other.encode()))


RULES = (
    Rule(
        "concurrency.cross-talk",
        "Messages that are sent at once don't mix: each recipient gets its own code, each caller its own receipt.",
        "Keep what belongs to one message in local variables, not in the module or the client.",
        cross_talk,
    ),
)
