"""A message's time: it is kept, and giving up leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator

from authmail.outcomes import OutcomeUnknown
from authmail.testing.case import LIMIT, Case, message
from authmail.testing.exchange import Answer
from authmail.testing.rules.repeats import leave_unanswered
from authmail.testing.rules.rule import Rule


async def limit(case: Case) -> AsyncIterator[str]:
    """Send to a provider that is silent."""
    for what, sent in (await case.once("unanswered", lambda: leave_unanswered(case))).items():
        if sent.outcome is None:
            yield f"{what}: the message did not end"


async def no_answer(case: Case) -> AsyncIterator[str]:
    """Look at the outcomes after silence."""
    for what, sent in (await case.once("unanswered", lambda: leave_unanswered(case))).items():
        if (
            (what.startswith("silence") or case.kind == "smtp")
            and sent.outcome is not None
            and not isinstance(sent.outcome, OutcomeUnknown)
        ):
            yield f"{what}: {sent.words}"


async def cancel(case: Case) -> AsyncIterator[str]:
    """Cancel a message whose request is out."""
    async with case.provider(Answer(mishap="silence")) as provider, case.mailer(provider) as mailer:
        task = asyncio.ensure_future(mailer.send(message(), timeout=60))
        await asyncio.wait(
            [task, arrived := asyncio.ensure_future(provider.arrived.wait())], timeout=LIMIT, return_when="FIRST_COMPLETED"
        )
        arrived.cancel()
        task.cancel()
        await asyncio.wait([task], timeout=1)
        if not task.done():
            yield "it goes on"
        elif not task.cancelled():
            yield f"it ended with {type(task.exception() or task.result()).__name__}"
        while not task.done():
            task.cancel()
            await asyncio.wait([task], timeout=1)
        if not task.cancelled():
            task.exception()  # looked at, so that nobody complains that it was not


RULES = (
    Rule(
        "time.limit",
        "A provider that does not answer holds a message no longer than its time limit.",
        "Let CancelledError pass (no `except BaseException`, no shield), and wait for nothing but `http` and `client`.",
        limit,
    ),
    Rule(
        "time.unknown",
        "A request that got no answer within the time limit has the outcome unknown.",
        "Let the errors of `http` pass; they are right already.",
        no_answer,
    ),
    Rule(
        "time.cancel",
        "A message that is cancelled ends at once, with CancelledError.",
        "Let CancelledError pass: `except Exception` does, `except BaseException` does not.",
        cancel,
    ),
)
