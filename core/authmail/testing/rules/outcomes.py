"""What answers mean that nobody recorded: unreadable ones, pages of something in between, faults of the provider."""

from collections.abc import AsyncIterator

import attrs

from authmail.http.reply import REPLY_LIMIT
from authmail.outcomes import NotSent, OutcomeUnknown, Reason, Receipt, SendError, Throttled
from authmail.testing.case import Case, Sent
from authmail.testing.exchange import Answer
from authmail.testing.provider import by_path
from authmail.testing.rules.rule import Rule
from authmail.testing.wire import Request

_PAGE = b"<html><body><h1>Sign in to the network</h1></body></html>"
_HTML = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/json"}
# What the server did not get whole, does not want yet, or wants later (RFC 9110, 8470, 6585): it was not accepted.
_NOT_NOW = (408, 425, 429)
_VALUES = (b"{}", b"[]", b"null", b"0", b'"ok"', b"[[[", b'{"a": {"b": [null]}}')


@attrs.frozen
class Seen:
    """An answer, and what came of it."""

    answer: Answer
    sent: Sent

    @property
    def what(self) -> str:
        """The answer in words."""
        body = self.answer.body
        size = f"a body of {len(body)} bytes" if len(body) > len(_PAGE) else f"the body {body!r}"
        return f"status {self.answer.status} with {size}"

    def __str__(self) -> str:
        return f"{self.what}: {self.sent.words}"


async def try_answers(case: Case, *answers: Answer) -> list[Seen]:
    """Return what comes of each answer, given in place of the provider's last one."""
    *before, last = case.success.steps
    first = {step.request.get("path", "/") for step in before} - {last.request.get("path", "/")}
    found = []
    for answer in answers:

        def respond(request: Request, number: int, answer: Answer = answer) -> Answer:
            return by_path(before)(request, number) if request.path in first else answer

        async with case.provider(respond) as provider:
            found.append(Seen(answer, await case.send(provider)))
    return found


async def try_unreadable(case: Case) -> list[Seen]:
    """Return what comes of successes that cannot be read: each status of success with bodies that don't belong to it."""
    answers = []
    for good in {exchange.steps[-1].answer.status: exchange.steps[-1].answer for exchange in case.accepted}.values():
        bodies = [(_HTML, _PAGE), ({}, b""), *((_JSON, value) for value in _VALUES), (_JSON, b" " * (REPLY_LIMIT + 1000))]
        if good.body:
            bodies.append((dict(good.headers), good.body[: len(good.body) // 2]))
        answers += [Answer(good.status, headers, body) for headers, body in bodies]
    return await try_answers(case, *answers)


async def try_failures(case: Case) -> list[Seen]:
    """Return what comes of statuses of failure, with bodies that are not the provider's."""
    statuses = (400, 401, 403, 404, 408, 413, 422, 500, 502, 504)
    answers = [Answer(status, _HTML, _PAGE) for status in statuses]
    others: tuple[tuple[dict[str, str], bytes], ...] = (({}, b""), (_JSON, b"[1]"), (_JSON, b"{}"))
    answers += [Answer(status, headers, body) for status in (400, 404, 500) for headers, body in others]
    answers.append(Answer(429, {**_JSON, "Retry-After": "7"}, b"{}"))
    answers.append(Answer(503, _HTML, _PAGE))
    return await try_answers(case, *answers)


async def unreadable_success(case: Case) -> AsyncIterator[str]:
    """Answer with the status of success and something else."""
    for seen in await case.once("unreadable", lambda: try_unreadable(case)):
        if not isinstance(seen.sent.outcome, OutcomeUnknown) and not case.status_decides:
            yield str(seen)


async def server_error(case: Case) -> AsyncIterator[str]:
    """Answer with pages of errors."""
    for seen in await case.once("failures", lambda: try_failures(case)):
        allowed = (OutcomeUnknown, NotSent, Throttled) if seen.answer.status == 503 else OutcomeUnknown  # noqa: PLR2004
        if seen.answer.status >= 500 and not isinstance(seen.sent.outcome, allowed):  # noqa: PLR2004
            yield str(seen)


async def refusal(case: Case) -> AsyncIterator[str]:
    """Answer with pages of errors."""
    for seen in await case.once("failures", lambda: try_failures(case)):
        is_refusal = 400 <= seen.answer.status < 500 and seen.answer.status not in _NOT_NOW  # noqa: PLR2004
        if is_refusal and isinstance(seen.sent.outcome, Receipt | NotSent | None):
            yield str(seen)


async def retry_after(case: Case) -> AsyncIterator[str]:
    """Answer with a 429."""
    for seen in await case.once("failures", lambda: try_failures(case)):
        error = seen.sent.outcome
        if seen.answer.status == 429 and (  # noqa: PLR2004
            isinstance(error, Receipt) or (isinstance(error, Throttled) and error.retry_after != 7)  # noqa: PLR2004
        ):
            yield f"Retry-After: 7 gives retry_after {getattr(error, 'retry_after', None)}: {seen}"


async def crash(case: Case) -> AsyncIterator[str]:
    """Look for errors that core had to replace."""
    for seen in [
        *await case.once("unreadable", lambda: try_unreadable(case)),
        *await case.once("failures", lambda: try_failures(case)),
    ]:
        error = seen.sent.outcome
        if isinstance(error, BaseException) and (not isinstance(error, SendError) or error.reason is Reason.CONNECTOR):
            yield str(seen)


async def hint(case: Case) -> AsyncIterator[str]:
    """Look for errors without words."""
    for seen in [
        *await case.once("unreadable", lambda: try_unreadable(case)),
        *await case.once("failures", lambda: try_failures(case)),
    ]:
        if isinstance(seen.sent.outcome, SendError) and not seen.sent.outcome.hint.strip():
            yield str(seen)


RULES = (
    Rule(
        "outcome.unreadable-success",
        "A success that cannot be read as the provider's acceptance is OutcomeUnknown: it may be a proxy's.",
        "Return a Receipt only with the id that the answer gives; raise reply.failure() for everything else.",
        unreadable_success,
        kinds=("http",),
    ),
    Rule(
        "outcome.server-error",
        "A 5xx that does not come from the provider promises nothing: OutcomeUnknown, or NotSent for a 503.",
        "Raise reply.failure() where the provider's own code is missing.",
        server_error,
        kinds=("http",),
    ),
    Rule(
        "outcome.refusal",
        "A 4xx that does not come from the provider is no acceptance, and no reason to send again by itself.",
        "Raise reply.failure() where the provider's own code is missing.",
        refusal,
        kinds=("http",),
    ),
    Rule(
        "outcome.retry-after",
        "Throttled says after how many seconds the provider wants to be asked again.",
        "Raise reply.failure(…), which reads Retry-After; give retry_after= where the provider says it elsewhere.",
        retry_after,
        kinds=("http",),
    ),
    Rule(
        "outcome.crash",
        "No answer makes a connector fail by accident, with another exception than a SendError.",
        "Check what the answer holds before you use it: it may be a list, a null, or an object without the key.",
        crash,
        kinds=("http",),
    ),
    Rule(
        "outcome.hint",
        "Every error says in plain words what happened and what to do.",
        "Give hint=, or raise reply.failure(), which has one.",
        hint,
        kinds=("http",),
    ),
)
