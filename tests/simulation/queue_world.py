"""Hours of a host that queues its mail, in fake time: ``python tests/simulation/queue_world.py`` prints what became of it.

The journal is the real one; its file stands still while it is asked, as everything does that is no timer. The worker is stopped and
started anew now and then, and providers have the weather of :mod:`fault_model`.
"""

import asyncio
import logging
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import attrs
import click
from fault_model import Provider
from ledger import Ledger
from queue_judge import Queued, Story, violations
from world import PROMISES, Scale, _wishes

from authmail import Message, SendError, hookimpl
from authmail.delivery import Dedupe, Delivery, Limits, MemoryStore
from authmail.delivery.marking import Marked
from authmail.queue import Journal, Queue, QueueKeys, Row, Verdict, journal_shift, new_key
from authmail.queue.handling import Handling
from authmail.queue.journal_groups import Groups
from authmail.queue.journal_schema import make_tables
from authmail.testing.fake_time import run_in_fake_time

#: Seconds of UTC at which each life begins.
EPOCH = 1_800_000_000.0
#: A life in which everything happens, each for so many seconds.
ALL_WEATHERS = ("fair", "down", "slow", "throttling", "cutting", "garbling", "revoked")
_WEATHER = 180.0
_EXPIRES = (60.0, 300.0, 600.0, 900.0)
_CONCURRENCY = 1
_RESTART = 600.0
# A message that expires is ended a little later, when somebody has a hand free.
_AFTERWARDS = 1000.0
_LOOK = 1.0


class StillFile:
    """A journal's file in memory, which answers in no time.

    Args:
        clock: gives seconds of UTC.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        make_tables(self._connection)

    async def run(self, work: Callable[[sqlite3.Connection, float], Any], seconds: float, *, writes: bool) -> Any:
        """Do something in one transaction."""
        self._connection.execute("BEGIN")
        try:
            return work(self._connection, self._clock())
        finally:
            self._connection.execute("COMMIT")

    def time(self) -> float:
        """Return the time."""
        return self._clock()

    async def close(self) -> None:
        """Nothing is open."""


class StillJournal(Journal):
    """A journal in fake time."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        super().__init__(path)
        self._file = StillFile(clock)  # type: ignore[assignment]
        self._groups = Groups(self._file, path.name)  # type: ignore[arg-type]


class _Ear:
    """A plugin that writes down what is told of each message."""

    def __init__(self, told: Counter[int]) -> None:
        self._told = told

    @hookimpl
    def message_sent(self, message: Message) -> None:
        self._told[message.payload["number"]] += 1

    @hookimpl
    def message_failed(self, message: Message) -> None:
        self._told[message.payload["number"]] += 1


@contextmanager
def _patient() -> Iterator[None]:
    """Look less often for what is due: half of a life would be looks."""
    before, journal_shift._LOOK = journal_shift._LOOK, _LOOK
    try:
        yield
    finally:
        journal_shift._LOOK = before


def lived(scale: Scale, weathers: Sequence[str] = ()) -> Story:
    """Return the story of a whole life.

    Args:
        scale: how much happens.
        weathers: the provider's, one after the other; by chance without.
    """
    with tempfile.TemporaryDirectory() as folder, _patient():
        return run_in_fake_time(_life(scale, weathers, Path(folder)))


async def _life(scale: Scale, weathers: Sequence[str], folder: Path) -> Story:
    loop, random = asyncio.get_running_loop(), Random(f"{scale.seed}queue")
    ledger, told = Ledger(), Counter[int]()
    # One alone: another would take what this one does not, and nothing would wait.
    provider = Provider("one", Random(f"{scale.seed}one"), ledger, scale.hours + 2, PROMISES.allowance())
    if weathers:
        provider._changes = [index * _WEATHER for index in range(len(weathers) + 1)]
        provider._weather = [*weathers, "fair"]
    store = MemoryStore(clock=loop.time)
    engine = StillJournal(folder / "journal.db", lambda: EPOCH + loop.time())
    queue = Queue(engine, QueueKeys([new_key()]), digest=store.digest, concurrency=_CONCURRENCY)
    # Without a breaker, which would keep messages from being tried as well.
    sender = Marked(provider)
    delivery = Delivery(Dedupe(Limits(sender, store=store), store=store), queue=queue, plugins=[_Ear(told)])
    story = Story(ledger=ledger, told=told)
    async with delivery:
        working = asyncio.create_task(_work(delivery, queue, story, random))
        for number, (pause, person, message, _) in enumerate(_wishes(scale)):
            await asyncio.sleep(pause)
            await _queue(delivery, story, message, person)
            scale.progress(number)
        await asyncio.sleep(_AFTERWARDS)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for one in story.queued.values():
            state = await delivery.state(one.ticket)
            one.state = "gone" if state is None else str(state.name)
    return story


async def _queue(delivery: Delivery, story: Story, message: Message, person: Random) -> None:
    now, expires = asyncio.get_running_loop().time(), person.choice(_EXPIRES)
    message = attrs.evolve(message, resend=True)  # each is one
    try:
        ticket = await delivery.enqueue(message, expires=expires)
    except SendError:  # its limits
        return
    number = message.payload["number"]
    story.queued[number] = Queued(ticket=ticket.id, at=now, expires=now + expires, is_code=message.repeatable)


async def _work(delivery: Delivery, queue: Queue, story: Story, random: Random) -> None:
    """Work, and be stopped and started anew now and then."""
    handling = Handling(delivery, queue, chance=random.random)
    numbers: dict[str, int] = {}
    loop = asyncio.get_running_loop()

    async def handle(row: Row) -> Verdict:
        if row.ticket not in numbers:
            numbers.update({one.ticket: number for number, one in story.queued.items()})
        begun = loop.time()
        verdict = await handling(row)
        story.handled.append((numbers.get(row.ticket, -1), begun, loop.time(), str(verdict.state)))
        return verdict

    while True:
        stop = asyncio.Event()
        loop.call_later(random.expovariate(1 / _RESTART), stop.set)
        await queue.engine.work(handle, concurrency=_CONCURRENCY, stop=stop, scope=delivery.name)


@click.command()
@click.option("--messages", default=2000, show_default=True)
@click.option("--per-second", default=0.5, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(messages: int, per_second: float, seed: int) -> None:
    """Live, and print what became of the messages."""
    logging.disable()
    story = lived(Scale(messages, per_second, seed))
    for state, number in Counter(one.state for one in story.queued.values()).most_common():
        click.echo(f"{state:<10} {number}")
    broken = list(violations(story))
    for problem in broken[:20]:
        click.echo(problem)
    if broken:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
