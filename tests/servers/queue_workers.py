"""Rows and workers for tests of a queue in PostgreSQL."""

import asyncio
import secrets
from contextlib import asynccontextmanager

from authmail.delivery.ticket import TicketState
from authmail.queue import Row, Verdict

KEEP = 600.0
PATIENCE = 40.0
SENT = Verdict(state=TicketState.SENT)


def new_row(**changes):
    """Return a row that was not queued yet."""
    return Row(**{"ticket": secrets.token_hex(12), "expires": 600.0, "key": "k", "box": b"sealed", **changes})


async def added(engine, **changes):
    """Queue a row, and return it as it is stored."""
    return await engine.add(new_row(**changes), keep=KEEP)


async def eventually(holds, seconds=PATIENCE):
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def has_state(engine, ticket, state="sent"):
    """Wait until a row has a state; return it."""

    async def is_there():
        row = await engine.row(ticket)
        return row is not None and row.state == state

    await eventually(is_there)
    return await engine.row(ticket)


class Handler:
    """Writes down what it gets, marks it, and sends it at once unless it is told to wait."""

    def __init__(self, engine):
        self.engine = engine
        self.tickets = []
        self.marked = []
        self.begun = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def __call__(self, row):
        self.tickets.append(row.ticket)
        await self.engine.mark(row.ticket)
        self.marked.append(row.ticket)
        self.begun.set()
        await self.goes_on.wait()
        return SENT


@asynccontextmanager
async def working(engine, handle, concurrency=10):
    """Work within a block; gives the task."""
    stop = asyncio.Event()
    task = asyncio.create_task(engine.work(handle, concurrency=concurrency, stop=stop))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait({task}, timeout=PATIENCE)
        if not task.done():
            task.cancel()
    await task
