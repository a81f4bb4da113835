"""Rules for how an engine hands rows out."""

import asyncio

from authmail.delivery.ticket import TicketState
from authmail.queue import Row, Verdict
from authmail.testing.queues.subject import SENT, EngineRule, EngineUnderTest, Worker, added
from authmail.testing.rules_of_kits import expect, expect_that

_WAIT = 0.6
# Soon, on a machine that has much else to do; in seconds.
_SOON = 5.0
_MANY = 60


async def _order(subject: EngineUnderTest) -> None:
    engine = subject.make()
    rows = [await added(engine, priority=priority) for priority in (1, 0, 2, 1, 0)]
    worker = Worker(engine)
    async with worker.working(concurrency=1):
        await worker.got(len(rows))
    wanted = [rows[index].ticket for index in (1, 4, 0, 3, 2)]
    expect("the order of priorities 1, 0, 2, 1, 0", [wanted.index(ticket) for ticket in worker.tickets], [0, 1, 2, 3, 4])


async def _due(subject: EngineUnderTest) -> None:
    engine = subject.make()
    at: list[float] = []

    async def once_more(row: Row) -> Verdict:
        at.append(await engine.now())
        return SENT if row.attempts else Verdict(state=TicketState.QUEUED, wait=_WAIT)

    row = await added(engine, due=_WAIT)
    worker = Worker(engine, once_more)
    async with worker.working():
        await worker.got(2)
        await worker.has_ended(row.ticket)
    first, second = (at[0] - row.created, at[1] - at[0])
    expect_that(f"not before it is due, got {first:.3f} s for {_WAIT} s", _WAIT <= first < _WAIT + _SOON)
    expect_that(f"nor the next time, got {second:.3f} s for {_WAIT} s", _WAIT <= second < _WAIT + _SOON)


async def _soon(subject: EngineUnderTest) -> None:
    engine, other = subject.make(), subject.make()
    worker = Worker(engine)
    async with worker.working():
        for number, adding in enumerate((engine, other), 1):
            await asyncio.sleep(0.2)  # there is nothing to do
            await added(adding)
            await worker.got(number, _SOON)


async def _once(subject: EngineUnderTest) -> None:
    engine = subject.make()

    async def slow(_: Row) -> Verdict:
        await asyncio.sleep(0.05)
        return SENT

    worker = Worker(engine, slow)
    async with worker.working(concurrency=7):
        rows = await asyncio.gather(*(added(engine) for _ in range(_MANY)))
        await worker.got(_MANY)
        for row in rows:
            await worker.has_ended(row.ticket)
        await asyncio.sleep(_WAIT)
    expect("rows that were handed out", len(worker.tickets), _MANY)
    expect("each once", set(worker.tickets), {row.ticket for row in rows})


async def _at_once(subject: EngineUnderTest) -> None:
    engine = subject.make()
    going_on = most = 0

    async def slow(_: Row) -> Verdict:
        nonlocal going_on, most
        going_on += 1
        most = max(most, going_on)
        await asyncio.sleep(0.2)
        going_on -= 1
        return SENT

    for _ in range(12):
        await added(engine)
    worker = Worker(engine, slow)
    async with worker.working(concurrency=3):
        await worker.got(12)
    expect("the most at once", most, 3)


async def _ends(subject: EngineUnderTest) -> None:
    engine = subject.make()
    ends = (TicketState.SENT, TicketState.FAILED, TicketState.EXPIRED, TicketState.IN_DOUBT)
    rows = {(await added(engine)).ticket: state for state in ends}

    async def end(row: Row) -> Verdict:
        state = rows[row.ticket]
        return Verdict(state=state, answer=f"answer: {state}", tried=state is not TicketState.EXPIRED)

    worker = Worker(engine, end)
    async with worker.working():
        for ticket, state in rows.items():
            row = await worker.has_ended(ticket, state)
            expect(f"the answer of one that is {state}", row.answer, f"answer: {state}")
            expect(f"attempts of one that is {state}", row.attempts, int(state is not TicketState.EXPIRED))
            has_box = state is TicketState.IN_DOUBT
            expect(f"whether one that is {state} has its box", bool(row.box), has_box)
        await asyncio.sleep(_WAIT)
    again = Worker(engine, end)
    async with again.working():
        await asyncio.sleep(_WAIT)
    expect("how often rows that have ended were handed out", len(worker.tickets) + len(again.tickets), len(ends))


async def _marks(subject: EngineUnderTest) -> None:
    engine = subject.make()

    async def doubt(row: Row) -> Verdict:
        if row.attempts == 0:
            await engine.mark(row.ticket)
            stored = await subject.make().row(row.ticket)
            expect_that("a mark is there when mark() returns", stored is not None and stored.marked)
            return Verdict(state=TicketState.QUEUED, marked=True, wait=0.0)
        if row.attempts == 1:
            return Verdict(state=TicketState.QUEUED, marked=False)
        return SENT

    ticket = (await added(engine)).ticket
    worker = Worker(engine, doubt)
    async with worker.working():
        await worker.has_ended(ticket)
    expect("marks, as verdicts said", [row.marked for row in worker.rows], [False, True, False])


async def _nobody_held_up(subject: EngineUnderTest) -> None:
    engine = subject.make()
    hanging = asyncio.Event()

    async def bad(row: Row) -> Verdict:
        if row.request == "raises":
            raise RuntimeError("as a bad handler does")
        if row.request == "cancels":
            raise asyncio.CancelledError
        if row.request == "hangs":
            await hanging.wait()
        return SENT

    trouble = [await added(engine, request=request) for request in ("hangs", "raises", "cancels")]
    rows = [await added(engine) for _ in range(5)]
    worker = Worker(engine, bad)
    async with worker.working(concurrency=2):
        for row in rows:
            await worker.has_ended(row.ticket)
        for row in trouble[1:]:
            waiting = await worker.has_ended(row.ticket, TicketState.QUEUED, attempts=1)
            expect_that("what could not be handled waits for a while", waiting.due > await engine.now())
        expect("how often each was handed out", len(worker.tickets), len(set(worker.tickets)))
        hanging.set()
        await worker.has_ended(trouble[0].ticket)


async def _faults_after_the_mark(subject: EngineUnderTest) -> None:
    engine = subject.make()

    async def bad(row: Row) -> Verdict:
        await engine.mark(row.ticket)
        raise RuntimeError("as a bad handler does")

    row = await added(engine)
    worker = Worker(engine, bad)
    async with worker.working():
        waiting = await worker.has_ended(row.ticket, TicketState.QUEUED, attempts=1)
    expect_that("what failed after its mark stays marked", waiting.marked)


async def _stops(subject: EngineUnderTest) -> None:
    engine = subject.make()
    may_end = asyncio.Event()
    cancelled: list[str] = []
    marked = asyncio.Event()

    async def handle(row: Row) -> Verdict:
        try:
            if row.request.startswith("begun"):
                await engine.mark(row.ticket)
                marked.set()
            await may_end.wait()
        except asyncio.CancelledError:
            cancelled.append(row.request)
            raise
        return SENT

    begun = await added(engine, request="begun")
    again = await added(engine, request="begun, in doubt before", marked=True)
    idle = await added(engine, request="not begun")
    doubtful = await added(engine, request="not begun, in doubt before", marked=True)
    more = await added(engine, request="not fetched")
    worker = Worker(engine, handle)
    async with worker.working(concurrency=4) as stop:
        await worker.got(4)
        await marked.wait()
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.sleep(0.2)
        may_end.set()
    expect("what was cancelled", sorted(cancelled), ["not begun", "not begun, in doubt before"])
    for row in (begun, again):
        stored = await engine.row(row.ticket)
        expect_that("what was begun was waited for, and has ended", stored is not None and stored.state is TicketState.SENT)
    for row in (idle, doubtful, more):
        stored = await engine.row(row.ticket)
        expect_that(
            "what was not begun is due", stored is not None and stored.state is TicketState.QUEUED and stored.attempts == 0
        )
        expect_that("with the mark that it had", stored is not None and stored.marked == row.marked)
    after = Worker(engine)
    async with after.working():
        await after.got(3)
    expect("the next worker gets it", set(after.tickets), {idle.ticket, doubtful.ticket, more.ticket})


async def _scopes(subject: EngineUnderTest) -> None:
    engine, other = subject.make(), subject.make()
    one, two = await added(engine, scope="one"), await added(engine, scope="two")
    first, second = Worker(engine), Worker(other)
    async with first.working(scope="one"):
        await first.has_ended(one.ticket)
        async with second.working(scope="two"):  # beside it
            await second.has_ended(two.ticket)
    expect("rows of two scopes, each with its worker", [first.tickets, second.tickets], [[one.ticket], [two.ticket]])


#: Rules for workers.
WORKED = tuple(
    EngineRule(name, run)
    for name, run in {
        "hands out by priority, then by age": _order,
        "hands out what is due, and not before": _due,
        "hands out soon": _soon,
        "hands out each row once": _once,
        "hands out so many at once": _at_once,
        "ends what has ended": _ends,
        "keeps marks": _marks,
        "lets none hold up another": _nobody_held_up,
        "keeps the mark of what failed after it": _faults_after_the_mark,
        "stops in order": _stops,
        "keeps scopes apart": _scopes,
    }.items()
)
