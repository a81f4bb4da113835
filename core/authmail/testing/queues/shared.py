"""Rules for an engine that processes share: together, killed, and forked."""

import asyncio
import json
import os
import signal
import sys
import warnings
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from authmail.delivery.ticket import TicketState
from authmail.testing.queues.subject import PATIENCE, RESCUE, EngineRule, EngineUnderTest, Worker, added, eventually
from authmail.testing.rules_of_kits import expect, expect_that

_MANY = 60
_FORKS = 5


@asynccontextmanager
async def _started(subject: EngineUnderTest, *orders: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "authmail.testing.queues.process", subject.maker, subject.argument, *orders,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 24,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None  # noqa: S101 (a pipe)
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 3 * PATIENCE)
    except TimeoutError:
        line = b""
    expect_that("the process goes on", line)
    return json.loads(line)


async def _durable(subject: EngineUnderTest) -> None:
    told: list[str] = []
    async with _started(subject, "add") as process:
        while len(told) < _MANY:
            told.append(await _line(process))
        process.kill()
        rest, _ = await process.communicate()
    told += [json.loads(line) for line in rest.decode().split("\n")[:-1]]  # what it told before it died
    expect("how it died", process.returncode, -signal.SIGKILL)
    engine = subject.make()
    for ticket in told:
        row = await engine.row(ticket)
        expect_that("what add() returned is there after kill -9", row is not None and row.state is TicketState.QUEUED)


async def _rescued(subject: EngineUnderTest) -> None:
    engine = subject.make()
    rows = {request: await added(engine, request=request) for request in ("mark", "leave", "end")}
    async with _started(subject, "work") as process:
        told = {await _line(process) for _ in range(3)}
        expect("what the worker did", told, {"mark", "leave", "end"})
        await Worker(engine).has_ended(rows["end"].ticket)
        process.kill()
        await process.wait()
        worker = Worker(engine)
        loop = asyncio.get_running_loop()
        killed = loop.time()
        async with worker.working():
            await worker.got(2, PATIENCE + RESCUE)
            took = loop.time() - killed
            fresh = await added(engine)
            await worker.has_ended(fresh.ticket)
            for request in ("mark", "leave"):
                await worker.has_ended(rows[request].ticket)
    expect_that(f"what a killed worker had is handed out again within {RESCUE:g} s, got {took:.1f}", took <= RESCUE)
    marks = {row.request: row.marked for row in worker.rows}
    expect("what is handed out again, and whether it is marked", marks, {"mark": True, "leave": False, "": False})


async def _two_workers(subject: EngineUnderTest) -> None:
    engine = subject.make()
    async with _started(subject, "work") as one, _started(subject, "work") as other:
        rows = await asyncio.gather(*(added(engine, request="end") for _ in range(_MANY)))

        async def all_ended() -> bool:
            return (await engine.statistics()).states.get("sent", 0) == _MANY

        await eventually("all rows are sent", all_ended, 60)
        told = []
        for process in (one, other):
            process.send_signal(signal.SIGTERM)
            out, _ = await asyncio.wait_for(process.communicate(), 60)
            told += out.splitlines()
    expect("how often two processes were handed rows", len(told), len(rows))


async def _next_worker(subject: EngineUnderTest) -> None:
    engine = subject.make()
    async with _started(subject, "work") as first:
        await added(engine, request="end")
        await _line(first)
        async with _started(subject, "work") as second:
            first.kill()
            await first.wait()
            for _ in range(3):
                await added(engine, request="end")
                await _line(second)


async def _forks(subject: EngineUnderTest) -> None:
    engine = subject.make()
    early = _fork(_child(subject.make(), "early"))  # before it is used
    mine = await added(engine, request="mine")
    children = [early]
    worker = Worker(engine)
    async with worker.working():
        for number in range(_FORKS):
            going_on = [asyncio.create_task(added(engine)) for _ in range(3)]
            await asyncio.sleep(0)
            children.append(_fork(_child(engine, f"child {number}")))
            await asyncio.gather(*going_on)
        for child in children:
            status = await asyncio.wait_for(asyncio.to_thread(os.waitpid, child, 0), 60)
            expect("a forked child that queues a message", os.waitstatus_to_exitcode(status[1]), 0)
        await worker.has_ended(mine.ticket)
        await worker.got(1 + 3 * _FORKS + _FORKS + 1)
    expect("rows of parent and children, each once", len(worker.tickets), len(set(worker.tickets)))


async def _child(engine: Any, request: str) -> None:
    row = await added(engine, request=request)
    expect_that("a child reads what it wrote", await engine.row(row.ticket) is not None)


def _fork(work: Coroutine[Any, Any, None]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of threads, which is the point
        child = os.fork()
    if child:
        work.close()
        return child
    status = 1
    try:
        signal.alarm(30)  # a child that hangs is a failure, not a wait
        asyncio.events._set_running_loop(None)  # noqa: SLF001 (the parent's)
        asyncio.run(work)
        status = 0
    finally:
        os._exit(status)


#: Rules for engines that processes share.
SHARED = tuple(
    EngineRule(name, run, shared=True)
    for name, run in {
        "is durable when add returns": _durable,
        "hands out again what a killed worker had": _rescued,
        "hands out each row once to two processes": _two_workers,
        "goes on with the next worker": _next_worker,
        **({"survives forks before, during and after use": _forks} if hasattr(os, "fork") else {}),
    }.items()
)
