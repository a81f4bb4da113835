"""What the kit for engines tests, and what a rule is."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import attrs

from authmail.delivery.ticket import TicketState
from authmail.privacy import hide_fields
from authmail.queue import Engine, QueueError, Row, Verdict
from authmail.testing.rules_of_kits import KitRule, UnderTest

#: Seconds that an engine may take here for anything that has no time of its own.
PATIENCE = 20.0
#: Seconds in which what a killed worker had in its hands is handed out again.
RESCUE = 8.0
#: Seconds for which rows are kept after their end.
KEEP = 600.0

SENT = Verdict(state=TicketState.SENT, answer='{"receipt": {"message_id": "1"}}')


@attrs.frozen(field_transformer=hide_fields)
class EngineUnderTest(UnderTest[Engine]):
    """An engine, and how more of it are made."""

    unusable = QueueError


@attrs.frozen
class EngineRule(KitRule[EngineUnderTest]):
    """One thing that an engine keeps to."""


def new_row(**changes: Any) -> Row:
    """Return a row that was not queued yet."""
    return Row(**{"ticket": secrets.token_hex(12), "expires": 600.0, "key": "k", "box": b"\x00sealed\xff", **changes})


async def added(engine: Engine, **changes: Any) -> Row:
    """Queue a row, and return it as it is stored."""
    return await engine.add(new_row(**changes), keep=KEEP)


class Worker:
    """A handler that writes down what it gets.

    Args:
        engine: whose rows.
        handle: what it does with a row; by default it is sent at once.
    """

    def __init__(self, engine: Engine, handle: Callable[[Row], Awaitable[Verdict]] | None = None) -> None:
        self.engine = engine
        self.rows: list[Row] = []
        self._handle = handle

    async def __call__(self, row: Row) -> Verdict:
        """Do what a worker does with a row."""
        self.rows.append(row)
        return SENT if self._handle is None else await self._handle(row)

    @property
    def tickets(self) -> list[str]:
        """What it got, in order."""
        return [row.ticket for row in self.rows]

    @asynccontextmanager
    async def working(self, concurrency: int = 10, scope: str = "") -> AsyncIterator[asyncio.Event]:
        """Work within a block; gives what stops it."""
        stop = asyncio.Event()
        task = asyncio.create_task(self.engine.work(self, concurrency=concurrency, stop=stop, scope=scope))
        try:
            yield stop
        finally:
            stop.set()
            _, going_on = await asyncio.wait({task}, timeout=PATIENCE)
            task.cancel()
        if going_on:
            raise AssertionError("the worker does not stop")
        await task

    async def got(self, number: int, seconds: float | None = None) -> None:
        """Wait until it got so many rows."""
        await eventually(f"{number} rows are handed out, got {len(self.rows)}", lambda: len(self.rows) >= number, seconds)

    async def has_ended(self, ticket: str, state: TicketState = TicketState.SENT, attempts: int = 0) -> Row:
        """Wait until a row has a state, and that many attempts, and return it."""
        found: list[Row] = []

        async def is_there() -> bool:
            row = await self.engine.row(ticket)
            found[:] = [row] if row is not None and row.state is state and row.attempts >= attempts else []
            return bool(found)

        await eventually(f"a row is {state}", is_there)
        return found[0]


async def eventually(what: str, holds: Callable[[], Any], seconds: float | None = None) -> None:
    """Wait until something holds; by default as long as anything may take.

    Raises:
        AssertionError: it did not in time; with words for it.
    """
    seconds = PATIENCE if seconds is None else seconds
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                holding = holds()
                if await holding if isinstance(holding, Awaitable) else holding:
                    return
                await asyncio.sleep(0.01)
    raise AssertionError(f"{what}: not so within {seconds:g} s")
