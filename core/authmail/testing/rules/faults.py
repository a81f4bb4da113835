"""What goes wrong between connector and provider: the table of faults, each on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Iterable

from authmail.mail.email import Email
from authmail.outcomes import MessageRejected, Receipt, SendError
from authmail.testing.case import RECIPIENT, Case, Sent
from authmail.testing.faults import AFTER, BEFORE, DURING, HARMLESS, Fault
from authmail.testing.rules.rule import Rule

_AT_ONCE = 16
_SUCCESSES = range(200, 300)
_LARGE = "A line that is sent very often. " * 100_000


async def _meet_each(case: Case, faults: Iterable[Fault]) -> dict[Fault, Sent]:
    """Return what comes of a mail that meets each of the faults; those in the case's selection, side by side."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def meet(fault: Fault) -> Sent:
        mail = Email(RECIPIENT, "Canary", text=_LARGE if fault.large else "Canary")
        async with gate, fault.server(case.success.steps[-1].answer) as server:
            return await case.send(server, mail, timeout=fault.limit, ca_file=server.ca_file)

    # A provider that is asked several times for one mail would meet the fault in the first request, which sends nothing.
    chosen = [fault for fault in faults if fault in case.faults] if len(case.success.steps) == 1 else []
    return dict(zip(chosen, await asyncio.gather(*map(meet, chosen)), strict=True))


async def _wrong(case: Case, faults: Iterable[Fault]) -> AsyncIterator[str]:
    for fault, sent in (await _meet_each(case, faults)).items():
        expected = Receipt if fault.outcome is None else fault.outcome
        if not _is_meaningless(case, fault, sent) and not _is_right(fault, sent.outcome, expected):
            phase = f", phase {fault.phase}" if fault.phase else ""
            yield f"{fault}: must be {expected.__name__}{phase}; it is {sent.words}"


def _is_meaningless(case: Case, fault: Fault, sent: Sent) -> bool:
    """Whether a fault is none to this provider, or did not come about."""
    good = case.success.steps[-1].answer
    if fault.status in _SUCCESSES and (case.status_decides or (fault.status == good.status and not good.body)):
        return True  # without a body, it is a success of this provider
    # It takes no mails as large as that.
    return fault.large and isinstance(sent.outcome, MessageRejected) and not sent.connections


def _is_right(fault: Fault, outcome: object, expected: type[Receipt] | type[SendError]) -> bool:
    return isinstance(outcome, expected) and (not isinstance(outcome, SendError) or outcome.phase == fault.phase)


_PASS = "Let the errors of `http` pass; they are right already."  # noqa: S105 (no password)


async def before(case: Case) -> AsyncIterator[str]:
    """Names, refusals, TLS."""
    async for finding in _wrong(case, BEFORE):
        yield finding


async def during(case: Case) -> AsyncIterator[str]:
    """Cuts and silences, at each place."""
    async for finding in _wrong(case, DURING):
        yield finding


async def after(case: Case) -> AsyncIterator[str]:
    """Garbage, bombs, pages of proxies."""
    async for finding in _wrong(case, AFTER):
        yield finding


async def harmless(case: Case) -> AsyncIterator[str]:
    """Oddities of servers."""
    async for finding in _wrong(case, HARMLESS):
        yield finding


RULES = (
    Rule(
        "fault.before",
        "Where no connection comes about, nothing was sent, and the outcome says so.",
        _PASS,
        before,
        kinds=("http",),
    ),
    Rule(
        "fault.during",
        "Where the connection breaks or is silent once the request is out, the outcome is unknown.",
        _PASS,
        during,
        kinds=("http",),
    ),
    Rule(
        "fault.after",
        "Where the answer is not HTTP, or not whole, or endless, the outcome is unknown.",
        _PASS,
        after,
        kinds=("http",),
    ),
    Rule(
        "fault.harmless",
        "An answer that is unusual and valid is an acceptance all the same: in chunks, compressed, byte by byte.",
        "Read reply.status, reply.json() and the headers that the provider documents, nothing else.",
        harmless,
        kinds=("http",),
    ),
)
