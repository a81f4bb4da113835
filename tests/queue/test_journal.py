"""The journal: one worker at a time, files that are locked, full, or out of a back-up, and nothing in clear in them."""

import asyncio
import base64
import gc
import shutil
import sqlite3
import threading
import weakref
from contextlib import asynccontextmanager

import attrs
import pytest

from authmail import Email, Message, Receipt
from authmail.delivery import SQLiteStore
from authmail.queue import Journal, QueueError, TicketState, Verdict, journal_rows
from authmail.queue.journal_lock import WorkerLock
from authmail.testing.queues.subject import SENT, Worker, added, eventually, new_row


def test_a_lock_is_one_workers(tmp_path):
    """Also of two in one process, which the system's lock does not tell apart."""
    path = tmp_path / "queue.db"
    with WorkerLock(path) as one, WorkerLock(path) as other, WorkerLock(path, "tenant") as tenant:
        assert one.take()
        assert one.take()
        assert not other.take()
        assert tenant.take()
    with WorkerLock(path) as next_one:
        assert next_one.take()


def test_a_lock_that_was_not_got_lets_go_of_none(tmp_path):
    """Closing a file gives up all locks that the process has on it."""
    path = tmp_path / "queue.db"
    with WorkerLock(path) as one:
        assert one.take()
        with WorkerLock(path) as other:
            assert not other.take()
        with WorkerLock(path) as third:
            assert not third.take()


def test_a_lock_keeps_the_greatest_count(tmp_path):
    """Readable for its owner alone."""
    path = tmp_path / "queue.db"
    with WorkerLock(path) as lock:
        assert lock.take()
        assert lock.steps is None
        for steps in (3, 12, 7):
            lock.note(steps)
        assert lock.steps == 12
    assert (tmp_path / "queue.db.worker").stat().st_mode & 0o077 == 0


async def test_a_second_worker_of_the_process_stands_by(tmp_path):
    """And takes over when the first has stopped."""
    engine, other = Journal(tmp_path / "q.db"), Journal(tmp_path / "q.db")
    first, second = Worker(engine), Worker(other)
    async with first.working():
        row = await added(engine)
        await first.has_ended(row.ticket)
        async with second.working():
            row = await added(engine)
            await first.has_ended(row.ticket)
            assert second.rows == []
    async with second.working():
        row = await added(engine)
        await second.has_ended(row.ticket)


@asynccontextmanager
async def _locked(path):
    """Keep the file locked within a block, from a thread of its own."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def test_a_locked_file_is_waited_for(tmp_path):
    """By all who ask, and nothing is lost."""
    engine = Journal(tmp_path / "q.db")
    await added(engine)
    async with _locked(tmp_path / "q.db"):
        adding = [asyncio.create_task(added(engine)) for _ in range(20)]
        await asyncio.sleep(0.2)
        assert not any(task.done() for task in adding)
        assert len(await engine.find([TicketState.QUEUED], most=99)) == 1  # who only looks does not wait
    await asyncio.gather(*adding)
    assert len(await engine.find([TicketState.QUEUED], most=99)) == 21


async def test_a_file_that_stays_locked_is_told(tmp_path, monkeypatch):
    """As an error of the queue."""
    monkeypatch.setattr("authmail.queue.journal_groups._PATIENCE", 0.1)
    engine = Journal(tmp_path / "q.db")
    await added(engine)
    async with _locked(tmp_path / "q.db"):
        with pytest.raises(QueueError, match=r"q\.db cannot be used: it is in use"):
            await added(engine)
    await added(engine)


async def _limit_pages(engine, more):
    """Let the file grow by so many pages and no more, as a disk that is nearly full."""

    def limit(connection, _):
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    await engine._groups.read(limit)


async def test_a_full_disk_loses_nothing_and_is_got_over(tmp_path):
    """What was sent is recorded as soon as there is room; nothing goes out twice meanwhile."""
    engine = Journal(tmp_path / "q.db")
    row = await added(engine)
    full, sent = asyncio.Event(), []

    async def handle(row):
        await engine.mark(row.ticket)
        sent.append(row.ticket)
        await _limit_pages(engine, 0)
        full.set()
        return attrs.evolve(SENT, answer="x" * 100_000)

    worker = Worker(engine, handle)
    async with worker.working():
        await full.wait()
        with pytest.raises(QueueError, match="full"):
            await engine.add(new_row(box=b"x" * 100_000), keep=1.0)
        assert (await engine.row(row.ticket)).state == "sending"
        await _limit_pages(engine, 10_000)
        await worker.has_ended(row.ticket)
    assert sent == [row.ticket]


async def test_a_worker_that_cannot_read_its_file_ends(tmp_path, monkeypatch):
    """After a while, so that its supervisor sees it."""
    monkeypatch.setattr("authmail.queue.journal_shift._GIVE_UP", 0.0)
    monkeypatch.setattr("authmail.queue.journal_shift._PAUSE", 0.01)
    engine = Journal(tmp_path / "q.db")
    await added(engine)

    worker = asyncio.create_task(engine.work(Worker(engine), concurrency=1, stop=asyncio.Event()))
    await eventually("it works", lambda: engine._shifts)
    await engine._groups.write(lambda connection, _: connection.execute("DROP TABLE queued").fetchall())
    with pytest.raises(QueueError, match="no such table"):
        async with asyncio.timeout(20):
            await worker


async def test_an_older_file_is_held_until_it_is_released(tmp_path, caplog):
    """What it holds may have been sent since; what has expired meanwhile is handed out, for its end."""
    path, copy = tmp_path / "q.db", tmp_path / "copy.db"
    engine = Journal(path)
    async with engine:
        first, second, short = [
            await added(engine, expires=expires, due=due) for expires, due in ((600, 0), (600, 60), (2.0, 1.9))
        ]
        worker = Worker(engine)
        async with worker.working():
            await worker.has_ended(first.ticket)
    shutil.copy(path, copy)
    async with engine:
        await engine.retry(second.ticket)
        worker = Worker(engine)
        async with worker.working():
            await worker.has_ended(second.ticket)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(copy, path)

    restored = Journal(path)
    await restored.retry(second.ticket)
    worker = Worker(restored)
    async with worker.working():
        await worker.got(1)
        assert worker.tickets == [short.ticket]
        assert (await restored.statistics()).held == 1
        later = await added(restored)  # what comes now was not in the back-up
        await worker.has_ended(later.ticket)
        assert await restored.release() == 1
        await worker.has_ended(second.ticket)
    assert "back-up" in caplog.text
    again = Worker(restored)
    async with again.working():
        row = await added(restored)
        await again.has_ended(row.ticket)


async def test_a_killed_workers_file_is_not_taken_for_an_older_one(tmp_path):
    """It knows as much as its worker did, or more."""
    engine = Journal(tmp_path / "q.db")
    for _ in range(3):
        row = await added(engine)
        worker = Worker(engine)
        async with worker.working():
            await worker.has_ended(row.ticket)
    assert (await engine.statistics()).held == 0


async def test_a_newer_releases_journal_is_refused(tmp_path):
    """It is told, and left as it is."""
    path = tmp_path / "q.db"
    async with Journal(path) as engine:
        await engine._groups.write(lambda connection, _: connection.execute("UPDATE journal SET version = 9").rowcount)
    with pytest.raises(QueueError, match="newer release"):
        await added(Journal(path))


async def test_one_that_cannot_be_stored_keeps_nobody_waiting(tmp_path):
    """A text that no database can hold, among others at the same moment."""
    engine = Journal(tmp_path / "q.db")
    one, bad, other = await asyncio.gather(added(engine), added(engine, trace="\ud800"), added(engine), return_exceptions=True)
    assert isinstance(bad, QueueError)
    assert "ud800" not in str(bad)
    assert {one.state, other.state} == {"queued"}


async def test_loops_share_a_journal(tmp_path):
    """As those of several threads, each with its own loop."""
    engine = Journal(tmp_path / "q.db")
    rows = []

    def of_thread():
        rows.append(asyncio.run(added(engine)))

    threads = [threading.Thread(target=of_thread) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert len(await engine.find([TicketState.QUEUED], most=9)) == 5


async def test_a_journal_holds_on_to_no_loop(tmp_path):
    """A script that runs one loop after the other keeps none."""
    engine = Journal(tmp_path / "q.db")

    def once():
        loop = asyncio.new_event_loop()
        loop.run_until_complete(_queue_and_work(engine))
        loop.close()
        return weakref.ref(loop)

    loops = await asyncio.to_thread(lambda: [once() for _ in range(3)])
    gc.collect()
    assert [loop() for loop in loops] == [None, None, None]


async def _queue_and_work(engine):
    row = await added(engine)
    worker = Worker(engine)
    async with worker.working():
        await worker.has_ended(row.ticket)


def _all_bytes(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


def _shapes(secret):
    """Yield a secret as it may stand in a file: plain, and in base64 at each of three places."""
    yield secret
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + secret)
        yield whole[4 if before else 0 : len(whole) // 4 * 4 - 4]


async def test_the_files_tell_nothing(scene, tmp_path):
    """In the middle of a run and after it, WAL and store included: no code, link, address, body or answer of the provider's."""
    secrets = [b"482913", b"zoe.quux@example.com", b"https://example.com/i/sesame", b"zoe.quux", b"dear reader"]
    path = tmp_path / "queue.db"
    here = scene(Receipt("1", detail="to zoe.quux@example.com"), path=path)
    store = SQLiteStore(path, secret=b"a secret of sixteen bytes or more")
    here.queue.digest = store.digest
    messages = [
        Message("zoe.quux@example.com", "SignIn", {"code": "482913"}, idempotency_key="zoe.quux"),
        Message("zoe.quux@example.com", "Invite", {"link": "https://example.com/i/sesame"}),
        Email("zoe.quux@example.com", "482913", text="dear reader"),
    ]
    async with here.delivery, store:
        tickets = [await here.delivery.enqueue(message) for message in messages]
        stages = [_all_bytes(tmp_path)]
        async with here.working():
            for ticket in tickets:
                await here.until(ticket, "sent")
            stages.append(_all_bytes(tmp_path))
    stages.append(_all_bytes(tmp_path))
    for stage in stages:
        assert len(stage) > 4096
        for secret in secrets:
            for shape in _shapes(secret):
                assert shape not in stage


async def test_a_wiped_box_is_gone_from_the_file(tmp_path):
    """Not only from the row: its bytes are overwritten."""
    path = tmp_path / "q.db"
    engine = Journal(path)
    box = b"sealed" * 40
    async with engine:
        row = await added(engine, box=box)
        worker = Worker(engine, lambda row: _failed())
        async with worker.working():
            await worker.has_ended(row.ticket, TicketState.FAILED)
    assert box not in path.read_bytes()


async def _failed():
    return Verdict(state=TicketState.FAILED)


async def test_what_ended_long_ago_is_removed(tmp_path):
    """Also where hundreds come with one transaction, which takes but a few along."""
    engine = Journal(tmp_path / "q.db")
    adding = (engine.add(new_row(state=TicketState.SENT, box=b""), keep=0.0) for _ in range(700))
    await asyncio.gather(*adding)
    kept = await engine.add(new_row(state=TicketState.SENT, box=b""), keep=600.0)

    async def is_tidy():
        return (await engine.statistics()).states == {"sent": 1}

    async with Worker(engine).working():
        await eventually("all that is over is gone", is_tidy)
    assert await engine.row(kept.ticket) == kept


async def test_looking_for_what_is_due_is_quick_beside_many_that_wait(tmp_path):
    """What is parked is not looked at, whatever its priority."""
    engine = Journal(tmp_path / "q.db")
    await asyncio.gather(*(added(engine, due=500.0, priority=number % 3) for number in range(300)))

    def plan(connection, _):
        seen = []
        connection.set_trace_callback(seen.append)
        try:
            journal_rows.due("", 5, connection, 0.0)
        finally:
            connection.set_trace_callback(None)
        return [detail for query in seen for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {query}")]

    plans = await engine._groups.read(plan)
    assert plans
    assert all("USING COVERING INDEX queued_by_state" in detail for detail in plans)
