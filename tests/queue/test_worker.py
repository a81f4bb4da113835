"""A worker: what it sends, whom it tells, and how it ends."""

import asyncio
import sqlite3

import pytest

from authmail import Message, NotSent, OutcomeUnknown, Receipt
from authmail.delivery import AlertCause, Alerts, Delivery
from authmail.errors import Misused
from authmail.queue import Journal, QueueError, journal_rows, new_key, work
from authmail.queue.engine import Statistics
from authmail.queue.handling import Handling
from authmail.queue.worker import _watch
from authmail.testing.queues.subject import eventually


async def test_each_message_is_told_once(scene):
    """Sent, failed, in doubt and expired, however often it was tried."""
    messages = {
        "sent": Message("a@example.com", "SignIn", {"code": "1"}),
        "in doubt": Message("b@example.com", "Invite", {"link": "https://e.example/i"}),
        "expired": Message("c@example.com", "SignIn", {"code": "2"}),
    }
    here = scene(NotSent("down", retry_after=0.0), Receipt("1"), OutcomeUnknown("cut"))
    async with here.delivery:
        expired = await here.delivery.enqueue(messages["expired"], expires=5)
        here.clock.now += 6
        async with here.working():
            await here.until(expired, "expired")
            sent = await here.delivery.enqueue(messages["sent"])
            await eventually("it is tried", lambda: here.asked)
            here.clock.now += 2
            await here.until(sent, "sent")
            doubtful = await here.delivery.enqueue(messages["in doubt"])
            await here.until(doubtful, "in doubt")
            await eventually("its end is told", lambda: len(here.heard.ends) == 3)
    assert here.heard.ends == [("c@example.com", "not sent"), ("a@example.com", "sent"), ("b@example.com", "unknown")]
    assert here.asked == ["a@example.com", "a@example.com", "b@example.com"]


async def test_an_old_queue_is_told_and_when_it_is_over(scene, code, monkeypatch):
    """Once a look, as long as it is so; then once that it is not."""
    ages = [0.0, 61.0, 90.0, QueueError("no"), 3.0, 4.0]
    looks = asyncio.Event()

    async def aged(self):
        if not ages:
            looks.set()
            return Statistics(states={})
        age = ages.pop(0)
        if isinstance(age, QueueError):
            raise age
        return Statistics(states={}, oldest=age)

    monkeypatch.setattr("authmail.queue.worker._LOOK", 0.0)
    monkeypatch.setattr(Journal, "statistics", aged)
    here = scene()
    watching = asyncio.create_task(_watch(here.delivery, here.queue))
    await looks.wait()
    watching.cancel()
    assert here.heard.troubles == [("old_queue", False), ("old_queue", True), ("old_queue", True), ("old_queue", False)]


async def test_a_missing_key_raises_an_alert(scene, code):
    """Somebody is told who can give it; the other messages go on."""
    alerts = Alerts()
    here, there = scene(), scene(keys=[new_key()])
    async with here.delivery:
        await here.delivery.enqueue(code)
    other = Message("b@example.com", "SignIn", {"code": "2"})
    async with Delivery(there.delivery._sender, queue=there.queue, plugins=[alerts]) as delivery:
        there.delivery = delivery
        async with there.working():
            await there.until(await delivery.enqueue(other), "sent")
            await eventually("somebody is told", lambda: alerts._troubles)
    assert [key[0] for key in alerts._troubles] == [AlertCause.UNKNOWN_KEY]


async def test_the_alert_of_a_key_is_over_when_none_lacks_any_more(scene, code):
    """Not with each message that opens beside those that do not."""
    key = new_key()
    here, there = scene(), scene(keys=[key])
    async with here.delivery:
        lacking = await here.delivery.enqueue(code)
    async with there.delivery:
        handling = Handling(there.delivery, there.queue)
        unknown = await there.queue.engine.row(lacking.id)
        await handling(unknown)
        handling._hear_of_keys(there.clock.now + 10)
        assert there.heard.troubles == [("unknown_key", True)]
        handling._hear_of_keys(there.clock.now + 31)
        handling._hear_of_keys(there.clock.now + 62)
        assert there.heard.troubles == [("unknown_key", True), ("unknown_key", False)]


async def test_a_worker_that_is_cancelled_hands_back(scene, invitation):
    """What nobody began with; the task ends."""
    here = scene(Receipt("1"))
    async with here.delivery:
        working = asyncio.create_task(work(here.delivery))
        ticket = await here.delivery.enqueue(invitation)
        await here.until(ticket, "sent")
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        assert "sending" not in (await here.queue.engine.statistics()).states


async def test_a_worker_needs_a_queue(scripted):
    """It says what makes one."""
    with pytest.raises(Misused, match=r"\[queue\]"):
        await work(Delivery(scripted()))


async def test_a_mark_that_cannot_be_written_leaves_no_doubt(scene, monkeypatch):
    """Nobody was asked, so a link waits for the next try, as a code does."""

    tried = []

    def fails(*_):
        tried.append(1)
        raise sqlite3.OperationalError("disk I/O error")

    here = scene(Receipt("1"))
    async with here.delivery:
        ticket = await here.delivery.enqueue(Message("b@example.com", "Invite", {"link": "https://e.example/i"}))
        with monkeypatch.context() as broken:
            broken.setattr(journal_rows, "mark", fails)
            async with here.working():
                await eventually("it was tried", lambda: tried)
                await here.until(ticket, "queued")
        row = await here.row(ticket)
        assert (row.marked, row.attempts, here.asked) == (False, 1, [])
