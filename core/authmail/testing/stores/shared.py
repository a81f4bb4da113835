"""Rules for a store that processes share: together, killed, and forked."""

import asyncio
import json
import os
import signal
import sys
import warnings
from collections.abc import Coroutine
from typing import Any

from authmail.delivery import Limit
from authmail.testing.rules_of_kits import expect, expect_that
from authmail.testing.stores.subject import PATIENCE, StoreRule, StoreUnderTest, begin, count, end

_LONG = 600.0
_PROCESSES = 4
_FORKS = 20


async def _start(subject: StoreUnderTest, *orders: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "authmail.testing.stores.process",
        subject.maker,
        subject.argument,
        *orders,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def _lines(process: asyncio.subprocess.Process) -> list[Any]:
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return [json.loads(line) for line in out.decode().splitlines()]


async def _four_processes(subject: StoreUnderTest) -> None:
    processes = [await _start(subject, "send", "40") for _ in range(_PROCESSES)]
    results = [line for process in processes for line in await _lines(process)]
    sent = [key for key, outcome in results if outcome == "sent"]
    expect("messages of four processes that send the same forty", len(results), _PROCESSES * 40)
    expect("each went out once", len(sent), len(set(sent)))
    expect("and ten of them, as the limit says", len(sent), 10)


async def _killed(subject: StoreUnderTest) -> None:
    process = await _start(subject, "die", "k")
    await process.communicate()
    expect("the process died before it could say how it ended", process.returncode, -signal.SIGKILL)
    store = subject.make()
    entry = (await begin(store, "k"))[1].entry
    expect_that("its message is known, without an answer", entry is not None and entry.answer is None)
    await asyncio.sleep(max(0.0, entry.lease if entry else 0.0) + 0.05)
    entry = await store.answer_of("k", timeout=PATIENCE)
    expect_that("also when its time is over", entry is not None and entry.answer is None and entry.lease <= 0)
    expect("another message goes on", (await begin(store, "l"))[1].entry, None)
    expect_that("what it counted stays counted", (await count(store, ("c", Limit(1, _LONG))))[1].wait > 0)


async def _forks(subject: StoreUnderTest) -> None:
    store = subject.make()
    early = _fork(_child(subject.make(), "early"))  # before it is used
    mine = await begin(store, "mine")
    children = [early]
    for number in range(_FORKS):
        going_on = [asyncio.create_task(begin(store, f"p{number}-{part}")) for part in range(5)]
        await asyncio.sleep(0)
        children.append(_fork(_child(store, f"c{number}")))
        begun = await asyncio.gather(*going_on)
        expect_that("the parent goes on", all(one[1].entry is None for one in begun))
    for child in children:
        status = await asyncio.wait_for(asyncio.to_thread(os.waitpid, child, 0), 60)
        expect("a forked child that begins a message of its own and sees the parent's", os.waitstatus_to_exitcode(status[1]), 0)
    for number in range(_FORKS):
        entry = await store.answer_of(f"c{number}", timeout=PATIENCE)
        expect("what a child wrote", entry and entry.answer, "from a child")
    await end(store, mine, "mine")
    entry = await subject.make().answer_of("mine", timeout=PATIENCE)
    expect("what the parent wrote after all forks", entry and entry.answer, "mine")


async def _child(store: Any, key: str) -> None:
    if key != "early":
        entry = (await begin(store, "mine"))[1].entry
        expect_that("a child sees what the parent began", entry is not None)
    await end(store, await begin(store, key), "from a child")


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


#: Rules for stores that processes share.
SHARED = tuple(
    StoreRule(name, run, shared=True)
    for name, run in {
        "is one for four processes": _four_processes,
        "knows what a killed process had begun": _killed,
        **({"survives forks before, during and after use": _forks} if hasattr(os, "fork") else {}),
    }.items()
)
