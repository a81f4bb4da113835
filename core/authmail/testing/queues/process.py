"""A process of the kit for engines: ``python -m authmail.testing.queues.process MAKER ARGUMENT add`` or ``work``."""

import asyncio
import json
import signal
import sys
from contextlib import AsyncExitStack
from typing import Any

from authmail.queue import Engine, Row, Verdict
from authmail.testing.queues.subject import SENT, added
from authmail.testing.rules_of_kits import make_by_name


def _tell(what: str) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def _add(engine: Engine) -> None:
    """Queue rows for ever; tell each ticket once it is durable."""
    while True:
        _tell((await added(engine)).ticket)


async def _work(engine: Engine) -> None:
    """Do with each row what it asks for, and tell that: ``end`` it, ``mark`` it and hang, or ``leave`` it and hang."""

    async def handle(row: Row) -> Verdict:
        if row.request == "mark":
            await engine.mark(row.ticket)
        _tell(row.request)
        if row.request != "end":
            await asyncio.Event().wait()
        return SENT

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await engine.work(handle, concurrency=10, stop=stop)


async def _run(made: Any, order: str) -> None:
    async with AsyncExitStack() as stack:
        if hasattr(made, "__aenter__"):
            await stack.enter_async_context(made)
        await (_add(made) if order == "add" else _work(made))


if __name__ == "__main__":
    asyncio.run(_run(make_by_name(*sys.argv[1:3]), sys.argv[3]))
