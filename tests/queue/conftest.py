"""A queue in a file, with senders that answer by a script."""

import asyncio
import importlib.util
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from authmail import Message, Receipt, hookimpl
from authmail.delivery import Dedupe, Delivery, Limits, MemoryStore, Retry
from authmail.delivery.marking import Marked
from authmail.queue import Journal, Queue, QueueKeys, new_key, work
from authmail.queue.handling import Handling
from authmail.testing.queues.subject import eventually

_OF_DELIVERY = importlib.util.spec_from_file_location("scripted", Path(__file__).parents[1] / "delivery" / "conftest.py")
_scripted = importlib.util.module_from_spec(_OF_DELIVERY)
_OF_DELIVERY.loader.exec_module(_scripted)


class Clock:
    """Time that a test moves, in seconds of UTC."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


class Heard:
    """A plugin that writes down what it hears."""

    def __init__(self):
        self.ends, self.troubles = [], []

    @hookimpl
    def message_sent(self, message, receipt):
        self.ends.append((message.to, "sent"))

    @hookimpl
    def message_failed(self, message, error):
        self.ends.append((message.to, error.outcome))

    @hookimpl
    def queue(self, trouble, error):
        self.troubles.append((trouble, error is not None))


@attrs.define
class Scene:
    """A delivery with a queue, its sender, its clock, and what its plugin heard."""

    delivery: Delivery
    queue: Queue
    sender: object
    clock: Clock
    heard: Heard

    @property
    def asked(self):
        """Whom the sender was asked for."""
        return [message.to for _, message, _ in self.sender.calls]

    async def row(self, ticket):
        return await self.queue.engine.row(ticket.id)

    async def state(self, ticket):
        return (await self.delivery.state(ticket.id)).name

    async def handled(self, ticket, **changes):
        """Handle a row as a worker does, once; return the verdict."""
        verdicts = []
        handling = Handling(self.delivery, self.queue, chance=lambda: 1.0)

        async def handle(row):
            verdict = await handling(attrs.evolve(row, **changes))
            verdicts.append(verdict)
            stop.set()
            return verdict

        stop = asyncio.Event()
        async with asyncio.timeout(20):
            await self.queue.engine.work(handle, concurrency=1, stop=stop, scope=self.delivery.name)
        return verdicts[0]

    @asynccontextmanager
    async def working(self):
        stop = asyncio.Event()
        task = asyncio.create_task(work(self.delivery, stop=stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(task, 20)

    async def until(self, ticket, state):
        """Wait until a message has a state."""

        async def has_it():
            return await self.state(ticket) == state

        await eventually(f"a message is {state}", has_it)


@pytest.fixture
def scripted():
    """Make a sender: ``scripted(NotSent(), Receipt("1"), name="one")``."""
    return _scripted.ScriptedSender


@pytest.fixture
def scene(tmp_path, scripted):
    """Make a delivery with a queue: ``scene(NotSent(), Receipt("1"))``."""

    def make(*answers, path=None, keys=None, name="", limits=None, sender=None, marked=True, timeout=10.0, on_unknown=None):
        clock, heard = Clock(), Heard()
        store = MemoryStore(clock=clock)
        sender = sender or scripted(*(answers or [Receipt("1")]))
        inner = Retry(Marked(sender) if marked else sender, attempts=1, on_unknown=on_unknown)
        whole = Dedupe(Limits(inner, store=store, **(limits or {})), store=store)
        engine = Journal(path or tmp_path / "queue.db", clock=clock)
        queue = Queue(engine, QueueKeys(keys or [KEY]), digest=store.digest)
        delivery = Delivery(whole, queue=queue, name=name, plugins=[heard], timeout=timeout)
        return Scene(delivery, queue, sender, clock, heard)

    return make


KEY = new_key()


@pytest.fixture
def code():
    """A message whose repeat is harmless."""
    return Message("zoe@example.com", "SignIn", {"code": "123456"})


@pytest.fixture
def invitation():
    """A message whose repeat is not."""
    return Message("zoe@example.com", "OrganizationInvitation", {"link": "https://example.com/i/abc"})
