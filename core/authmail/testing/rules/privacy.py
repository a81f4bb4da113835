"""Secrets, codes and links go through every path, and are looked for wherever something comes out."""

import json
import pickle
import traceback
from collections.abc import AsyncIterator, Iterator

from authmail.outcomes import Receipt, SendError
from authmail.testing.case import CODE, LINK, RECIPIENT, Case, Sent
from authmail.testing.exchange import Answer
from authmail.testing.rules.rule import Rule
from authmail.testing.wire import Request, spellings

_JSON = {"Content-Type": "application/json"}
_STATUSES = {
    "http": (200, 202, 302, 400, 401, 403, 422, 429, 500, 503),
    "smtp": (250, 421, 450, 451, 452, 535, 550, 552, 554),
}


async def observe(case: Case) -> dict[str, Sent]:
    """Return what comes of successes and failures, as the connector itself puts it: before core strikes secrets out."""
    found = {}
    for exchange in case.exchanges:
        if not exchange.is_silent:
            async with case.replaying(exchange) as provider:
                found[exchange.name] = await case.send(provider, debug=True)
    for status in _STATUSES[case.kind]:
        async with case.provider(Answer(status, _JSON, b"{}")) as provider:
            found[f"status {status}"] = await case.send(provider, debug=True)
    async with case.provider(Answer(mishap="cut")) as provider:
        found["a cut"] = await case.send(provider, debug=True)
    found["silence"] = await case.send_in_vain(lambda: case.provider(Answer(mishap="silence")), debug=True)
    return found


def _echo(request: Request, _: int) -> Answer:
    said = f"{dict(request.headers)} {request.body.decode('utf-8', 'replace')}"
    if request.method == "MAIL":
        return Answer(550, {}, said.encode())
    return Answer(400, _JSON, json.dumps({"code": "Odd", "message": said, "error": said, "errors": [{"message": said}]}).encode())


def _confidential(case: Case) -> Iterator[str]:
    for text in (*case.secrets, CODE, LINK):
        yield from spellings(text)


def _tells(case: Case, text: str) -> bool:
    return any(part in text for part in _confidential(case))


def _own_words(error: SendError) -> str:
    return " ".join(str(part) for part in (*error.args, error.hint, error.detail, error.code, error.request_id))


async def error(case: Case) -> AsyncIterator[str]:
    """Look at the errors that the connector raises."""
    for name, sent in (await case.once("observed", lambda: observe(case))).items():
        if isinstance(sent.outcome, SendError):
            texts = (_own_words(sent.outcome), repr(vars(sent.outcome)), pickle.dumps(sent.outcome).decode("latin-1"))
            if any(_tells(case, text) for text in texts):
                yield f"after {name}: {type(sent.outcome).__name__} tells one"
            if RECIPIENT in sent.outcome.hint:
                yield f"after {name}: the hint of {type(sent.outcome).__name__} holds the recipient's address"


async def receipt(case: Case) -> AsyncIterator[str]:
    """Look at the receipts."""
    for name, sent in (await case.once("observed", lambda: observe(case))).items():
        if isinstance(sent.outcome, Receipt) and _tells(case, repr(sent.outcome)):
            yield f"after {name} it tells one"


async def log(case: Case) -> AsyncIterator[str]:
    """Look at what was logged."""
    for name, sent in (await case.once("observed", lambda: observe(case))).items():
        for record in sent.records:
            text = f"{record.getMessage()} {record.args!r}"
            if _tells(case, text) or RECIPIENT in text:
                yield f"after {name}: a record of {record.name} tells one"


async def frames(case: Case) -> AsyncIterator[str]:
    """Capture the variables of what was raised through core's edge, and of what was logged."""
    for name, sent in (await case.once("observed", lambda: observe(case))).items():
        for record in sent.records:
            if record.exc_info and record.exc_info[1] and _tells(case, _with_locals(record.exc_info[1])):
                yield f"after {name}: the traceback that {record.name} logs holds one"
    async with case.provider(_echo) as provider:
        sent = await case.send(provider)
    # The frame of the check itself holds the message.
    if isinstance(sent.outcome, BaseException) and _tells(case, _with_locals(sent.outcome.with_traceback(None))):
        yield "an error tells one that the provider repeated"


def _with_locals(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


RULES = (
    Rule(
        "privacy.error",
        "An error holds no secret, code or link, neither in its words nor in anything hung onto it; its hint holds no recipient.",
        "Say what happened and name the setting. The provider's own words go into detail, without what they repeat of the request.",
        error,
    ),
    Rule(
        "privacy.receipt",
        "A receipt holds no secret, code or link.",
        "Its detail is for the provider's own words.",
        receipt,
    ),
    Rule(
        "privacy.log",
        "Nothing that is logged holds a secret, code, link or whole address, at any level.",
        "Log ids and codes of the provider, or nothing: the host has the outcome.",
        log,
    ),
    Rule(
        "privacy.frames",
        "Nobody who captures the local variables of tracebacks, as error trackers do, gets a secret, code or link.",
        "Log no exceptions with traceback (no exc_info, no logging.exception): frames of the request hold the mail.",
        frames,
    ),
)
