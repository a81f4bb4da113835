"""The recorded exchanges: read, replayed, compared."""

from collections.abc import AsyncIterator
from typing import Any

import attrs

from authmail.outcomes import AccountError, MessageRejected, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.testing.case import TEMPLATES, Case, Sent
from authmail.testing.dialogue import DialogueServer, mail_differences
from authmail.testing.exchange import Exchange, outcome_differences, read_folder, request_differences
from authmail.testing.provider import Provider
from authmail.testing.rules.rule import Rule

_WANTED: tuple[type[Receipt] | type[SendError], ...] = (Receipt, MessageRejected, AccountError, Throttled, OutcomeUnknown)


async def readable(case: Case) -> AsyncIterator[str]:
    """Read them."""
    try:
        exchanges = read_folder(case.folder)
    except ValueError as error:
        yield str(error)
        return
    if not any(exchange.kind is Receipt for exchange in exchanges):
        yield f"there is no file with an outcome of the type Receipt in {case.folder.name}"


async def accepted(case: Case) -> AsyncIterator[str]:
    """Send a message with the kit's own template."""
    async with case.provider() as provider:
        sent = await case.send(provider)
    if not isinstance(sent.outcome, Receipt):
        yield sent.words


async def coverage(case: Case) -> AsyncIterator[str]:
    """Look which are missing."""
    for kind in _WANTED:
        recorded = any(issubclass(exchange.kind, kind) for exchange in case.exchanges)
        if not recorded and not case.not_recorded.get(kind.__name__):
            yield f"there is none with the outcome {kind.__name__}"


async def request(case: Case) -> AsyncIterator[str]:
    """Compare every request."""
    for exchange in case.exchanges:
        seen = await replayed(case, exchange)
        for finding in seen.differences:
            yield f"{exchange.name}: {finding}"


async def outcome(case: Case) -> AsyncIterator[str]:
    """Compare every outcome."""
    for exchange in case.exchanges:
        seen = await replayed(case, exchange)
        for finding in outcome_differences(exchange.outcome, seen.sent.outcome):
            yield f"{exchange.name}: {finding}"


@attrs.frozen
class _Replayed:
    """What came of an exchange, and where what was sent is not what was recorded."""

    sent: Sent
    differences: list[str]


async def replayed(case: Case, exchange: Exchange) -> _Replayed:
    """Return what comes of the recorded mail, with its own config and templates, at a provider that answers as recorded."""
    found: _Replayed = await case.once(f"exchange {exchange.name}", lambda: _replay(case, exchange))
    return found


async def _replay(case: Case, exchange: Exchange) -> _Replayed:
    has_templates = bool({**case.config, **exchange.config}.get("templates"))
    templates = exchange.templates or (() if has_templates else TEMPLATES)
    options: dict[str, Any] = {"config": exchange.config, "templates": templates}
    made: list[Provider | DialogueServer] = []

    def provider() -> Provider | DialogueServer:
        made.append(case.replaying(exchange))
        return made[-1]

    if exchange.is_silent:
        sent = await case.send_in_vain(provider, exchange.mail, **options)
    else:
        async with provider() as answering:
            sent = await case.send(answering, exchange.mail, **options)
            await answering.left()
    if isinstance(made[-1], DialogueServer):
        mails = [mail_differences(exchange.expected_mail, mail) for mail in sent.requests]
        return _Replayed(sent, [*made[-1].differences, *(found for mail in mails for found in mail)])
    return _Replayed(sent, _request_findings(exchange, sent))


def _request_findings(exchange: Exchange, sent: Sent) -> list[str]:
    found = []
    for number, step in enumerate(exchange.steps, start=1):
        where = f"request {number}, " if len(exchange.steps) > 1 else ""
        if number > len(sent.requests):
            found.append(f"{where}no request came; the outcome was {sent.words}")
            break
        found += [f"{where}{difference}" for difference in request_differences(step.request, sent.requests[number - 1])]
    if len(sent.requests) > len(exchange.steps):
        found.append(f"{len(sent.requests)} requests came, {len(exchange.steps)} were recorded")
    return found


RULES = (
    Rule(
        "exchange.readable",
        "There are recorded exchanges, each in a file that can be read, and in one of them the provider accepts.",
        "See the section about the kit in docs/writing-a-connector.md.",
        readable,
        basic=True,
    ),
    Rule(
        "exchange.accepted",
        "A message is accepted by a provider that answers as in the first accepted exchange.",
        "Without this nothing else can be judged: correct the request or the reading of the answer.",
        accepted,
        basic=True,
    ),
    Rule(
        "exchange.coverage",
        "There is an exchange for every outcome that a provider has: accepted, rejected, account, throttled, unknown.",
        'Record one, or say in not_recorded why there is none: {"Throttled": "the provider never says so"}.',
        coverage,
    ),
    Rule(
        "exchange.request",
        "What is sent is what was recorded: method, path, headers that are named, and the whole body.",
        "Correct the request, or the file if the provider's documentation says so; `<any>` stands for what differs each time.",
        request,
        recorded=True,
    ),
    Rule(
        "exchange.outcome",
        "The recorded answer has the outcome that was recorded.",
        "Correct what the answer means; decide by the provider's code before its status.",
        outcome,
        recorded=True,
    ),
)
