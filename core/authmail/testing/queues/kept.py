"""Rules for what an engine keeps, whoever works."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager

import attrs

from authmail.delivery.ticket import TicketState
from authmail.queue import QueueError, Verdict
from authmail.testing.queues.subject import KEEP, EngineRule, EngineUnderTest, Worker, added, new_row
from authmail.testing.rules_of_kits import expect, expect_that

# A machine's clock and a server's differ by less, in seconds.
_CLOCKS = 120.0
_SHORT = 0.5


async def _keeps(subject: EngineUnderTest) -> None:
    engine = subject.make()
    asked = new_row(
        scope="tenant", priority=3, marked=True, repeat="r", fingerprint="f", repeat_until=60.0, address="a",
        answer='{"receipt": {"message_id": "é"}}', trace="00-1-2-01", request="request 1", attempts=2,
    )  # fmt: skip
    before = await engine.now()
    stored = await engine.add(asked, keep=KEEP)
    after = await engine.now()
    expect_that("created is when it was added", before <= stored.created <= after)
    for name, given in {"expires": asked.expires, "due": 0.0, "repeat_until": 60.0}.items():
        expect_that(f"{name} is so many seconds later", abs(getattr(stored, name) - stored.created - given) < 1e-3)  # noqa: PLR2004
    times = {name: getattr(asked, name) for name in ("created", "expires", "due", "repeat_until")}
    expect_that("all else is as it was given", attrs.evolve(stored, **times) == asked)
    expect_that("another engine reads the same", await subject.make().row(asked.ticket) == stored)
    expect("an unknown ticket", await engine.row("unknown"), None)


async def _utc(subject: EngineUnderTest) -> None:
    engine = subject.make()
    first = await engine.now()
    expect_that(f"now() is seconds of UTC, got {first}", abs(first - time.time()) < _CLOCKS)
    await asyncio.sleep(_SHORT)
    expect_that("and goes on by seconds", _SHORT * 0.9 <= await engine.now() - first < _CLOCKS)
    row = await added(engine)
    expect_that(f"so is created, got {row.created}", abs(row.created - time.time()) < _CLOCKS)


async def _repeats(subject: EngineUnderTest) -> None:
    engine = subject.make()
    first = await added(engine, repeat="r", fingerprint="one", repeat_until=60.0)
    again = await added(engine, repeat="r", fingerprint="other", repeat_until=60.0)
    expect("the ticket of a repeat", again.ticket, first.ticket)
    expect("the fingerprint that it has", again.fingerprint, "one")
    known = await engine.known("r")
    expect_that("what is known of it", known is not None and known.ticket == first.ticket)
    expect("of another one nothing is", await engine.known("s"), None)
    plain = [(await added(engine)).ticket for _ in range(2)]
    expect("rows that are nobody's repeat", len({*plain, first.ticket}), 3)
    many = await asyncio.gather(*(added(subject.make(), repeat="m", repeat_until=60.0) for _ in range(10)))
    expect("tickets of ten at once", len({row.ticket for row in many}), 1)


async def _repeats_end(subject: EngineUnderTest) -> None:
    engine = subject.make()
    short = await added(engine, repeat="short", repeat_until=_SHORT)
    await asyncio.sleep(_SHORT * 1.5)
    expect("what is known when its time is over", await engine.known("short"), None)
    expect_that("the message is a new one then", (await added(engine, repeat="short", repeat_until=60)).ticket != short.ticket)
    states = {state: await added(engine, repeat=f"{state}", repeat_until=60.0) for state in TicketState}

    async def ended(row: object) -> Verdict:
        repeat = getattr(row, "repeat", None)
        return Verdict(state=TicketState(repeat) if repeat in set(TicketState) else TicketState.SENT)

    worker = Worker(engine, ended)
    async with worker.working():
        for state in (TicketState.SENT, TicketState.IN_DOUBT, TicketState.FAILED, TicketState.EXPIRED):
            await worker.has_ended(states[state].ticket, state)
    for state in (TicketState.SENT, TicketState.IN_DOUBT):
        repeat = await added(engine, repeat=f"{state}", repeat_until=60.0)
        expect(f"ticket of a repeat of one that is {state}", repeat.ticket, states[state].ticket)
    for state in (TicketState.FAILED, TicketState.EXPIRED):
        repeat = await added(engine, repeat=f"{state}", repeat_until=60.0)
        expect_that(f"one that is {state} surely was not sent, and may be queued again", repeat.ticket != states[state].ticket)


async def _finds(subject: EngineUnderTest) -> None:
    engine = subject.make()
    tickets = []
    for _ in range(3):
        tickets.append((await added(engine)).ticket)
        await asyncio.sleep(0.01)
    found = await engine.find([TicketState.QUEUED], most=2)
    expect("the newest first, and no more than were asked for", [row.ticket for row in found], tickets[:0:-1])
    expect("of another state", list(await engine.find([TicketState.SENT, TicketState.FAILED], most=9)), [])


async def _decides(subject: EngineUnderTest) -> None:
    engine = subject.make()
    doubtful, dropped, given_up, ended = [
        await added(engine, address="a", repeat=f"r{number}", repeat_until=60.0) for number in range(4)
    ]
    verdicts = {doubtful.ticket: TicketState.IN_DOUBT, given_up.ticket: TicketState.IN_DOUBT, ended.ticket: TicketState.SENT}
    expect("whether a queued one can be dropped", await engine.drop(dropped.ticket), True)
    row = await engine.row(dropped.ticket)
    expect_that(
        "what was dropped has failed, its box is wiped", row is not None and row.state is TicketState.FAILED and not row.box
    )

    async def judged(row: object) -> Verdict:
        state = verdicts[getattr(row, "ticket", "")]
        return Verdict(state=state, marked=state is TicketState.IN_DOUBT)

    worker = Worker(engine, judged)
    async with worker.working():
        for ticket, state in verdicts.items():
            await worker.has_ended(ticket, state)
        expect("whether what has ended can be tried again", await engine.retry(ended.ticket), False)
        expect("whether it can be dropped", await engine.drop(ended.ticket), False)
        expect("whether one in doubt can be dropped", await engine.drop(given_up.ticket), True)
        row = await engine.row(given_up.ticket)
        expect_that("it stays in doubt, its box is wiped", row is not None and row.state is TicketState.IN_DOUBT and not row.box)
        expect("whether it can be tried again then", await engine.retry(given_up.ticket), False)
        verdicts[doubtful.ticket] = TicketState.SENT
        expect("whether one in doubt can be tried again", await engine.retry(doubtful.ticket), True)
        await worker.has_ended(doubtful.ticket)
        expect_that("it is handed out without its mark", not worker.rows[-1].marked)
        expect("whether what was dropped was handed out", dropped.ticket in worker.tickets, False)
    late = await added(engine, due=600.0, address="a")
    expect("whether one that waits can be tried at once", await engine.retry(late.ticket), True)
    verdicts[late.ticket] = TicketState.SENT
    async with worker.working():
        await worker.has_ended(late.ticket)
    waiting = await added(engine, address="a")
    expect("how many rows of a recipient are forgotten", await engine.forget("a"), 5)
    expect_that("one that has not ended is none of them", await engine.row(waiting.ticket) is not None)
    expect("what is left of the others", await engine.row(ended.ticket), None)
    expect("how many of an unknown recipient", await engine.forget("b"), 0)
    for what, act in {"retry": engine.retry, "drop": engine.drop}.items():
        expect(f"{what} of an unknown ticket", await act("unknown"), False)
    expect("how many were held", await engine.release(), 0)


async def _reseals(subject: EngineUnderTest) -> None:
    engine = subject.make()
    row = await added(engine)
    expect("whether a box can be replaced", await engine.reseal(row, "new", b"new box"), True)
    expect("whether it can be once more, as it was", await engine.reseal(row, "newer", b"newer box"), False)
    stored = await engine.row(row.ticket)
    expect_that("the box and its key", stored is not None and (stored.key, stored.box) == ("new", b"new box"))


async def _statistics(subject: EngineUnderTest) -> None:
    engine = subject.make()
    empty = await engine.statistics()
    expect("states of an empty queue", {state: number for state, number in empty.states.items() if number}, {})
    expect("the oldest of an empty queue", empty.oldest, 0.0)
    for due in (0.0, 0.0, 600.0):
        await added(engine, due=due)
    await asyncio.sleep(_SHORT)
    found = await engine.statistics()
    expect("how many are queued", found.states.get("queued"), 3)
    expect_that(f"the oldest that is due waits as long as it does, got {found.oldest}", _SHORT * 0.9 <= found.oldest < _CLOCKS)
    expect("how many are held", found.held, 0)
    worker = Worker(engine)
    async with worker.working():
        await worker.got(2)
        for ticket in worker.tickets:
            await worker.has_ended(ticket)
    found = await engine.statistics()
    expect("how many are queued and sent then", (found.states.get("queued"), found.states.get("sent")), (1, 2))
    expect("the oldest where none is due", found.oldest, 0.0)


async def _entering(subject: EngineUnderTest) -> None:
    engine = subject.make()
    await added(engine)
    if isinstance(engine, AbstractAsyncContextManager):
        async with engine, engine:
            await added(engine)
        expect("rows, when it was left", len(await engine.find([TicketState.QUEUED], most=9)), 2)


async def _refuses(subject: EngineUnderTest) -> None:
    engine = subject.make()
    row = await added(engine)
    adding = [engine.add(new_row(ticket=ticket), keep=KEEP) for ticket in ("first", row.ticket, "second")]
    first, refused, second = await asyncio.wait_for(asyncio.gather(*adding, return_exceptions=True), 20)
    expect_that("a row that cannot be stored is a QueueError", isinstance(refused, QueueError))
    for one in (first, second):
        expect_that("and keeps none beside it from being stored", not isinstance(one, BaseException))


#: Rules for what is kept.
KEPT = tuple(
    EngineRule(name, run)
    for name, run in {
        "keeps what it was given": _keeps,
        "tells seconds of UTC": _utc,
        "gives the same message the same row": _repeats,
        "lets a repeat be a message again": _repeats_end,
        "finds rows by their state": _finds,
        "does what an operator decides": _decides,
        "replaces a box": _reseals,
        "counts": _statistics,
        "needs no entering": _entering,
        "refuses one row and stores the others": _refuses,
    }.items()
)
