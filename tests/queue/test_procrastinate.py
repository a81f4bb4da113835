"""The queue in PostgreSQL as operators meet it: rights, back-ups, dumps that tell nothing, workers that race, two queues in one database."""

import asyncio
import base64
import subprocess

import psycopg
import pytest
from queue_workers import SENT, Handler, added, eventually, has_state, new_row, working
from server_queues import procrastinate
from server_stores import SECRET
from store_servers import program

from authmail import Message, NotSent, Receipt
from authmail.delivery import Dedupe, Delivery, Failover, PostgresStore, Retry
from authmail.delivery.ticket import TicketState
from authmail.errors import ConfigError
from authmail.queue import Procrastinate, Queue, QueueError, QueueKeys, Verdict, new_key, work


@pytest.fixture
async def engine(postgres_server, own):
    async with procrastinate(f"{postgres_server.url}|{own}") as engine:
        await engine.migrate()
        yield engine


@pytest.fixture
def owner(postgres_server):
    """Whoever runs the database."""
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def elsewhere(owner, postgres_server, own):
    """An empty database."""
    owner.execute(f"CREATE DATABASE {own}")
    yield postgres_server.url_of(own)
    owner.execute(f"DROP DATABASE {own} WITH (FORCE)")


def dumped(url, *options):
    """Return what pg_dump writes of a database."""
    command = [program("pg_dump", "postgresql-client"), "--no-owner", *options, url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def restored(url, text):
    """Write a dump into a database."""
    command = [program("psql", "postgresql-client"), "-q", "-v", "ON_ERROR_STOP=1", url]
    subprocess.run(command, check=True, input=text, text=True, stdout=subprocess.DEVNULL)


async def test_two_workers_race(engine, own, postgres_server):
    """Each message is handed out once, whoever is quicker."""
    other = procrastinate(f"{postgres_server.url}|{own}")
    one, two = Handler(engine), Handler(other)
    async with other, working(engine, one), working(other, two):
        rows = await asyncio.gather(*(added(engine) for _ in range(100)))
        for row in rows:
            await has_state(engine, row.ticket)
    assert sorted(one.tickets + two.tickets) == sorted(row.ticket for row in rows)
    assert (await engine.statistics()).states == {"sent": 100}


async def test_the_same_job_twice(engine, own, owner):
    """A row names its job: another for the same message does nothing, whatever made it."""
    handle = Handler(engine)
    handle.goes_on.clear()
    async with working(engine, handle):
        row = await added(engine)
        await handle.begun.wait()
        (queue,) = owner.execute("SELECT queue_name FROM procrastinate_jobs WHERE args->>'ticket' = %s", (row.ticket,)).fetchone()
        copied = "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES (%s, 'authmail.send', jsonb_build_object('ticket', %s::text))"
        for _ in range(3):
            owner.execute(copied, (queue, row.ticket))
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = %s"
        await eventually(lambda: asyncio.sleep(0, owner.execute(jobs, (queue,)).fetchone()[0] == 1))
        handle.goes_on.set()
        await has_state(engine, row.ticket)
    assert handle.tickets == [row.ticket]


async def test_nobody_marks_without_having_it(engine):
    """Only an attempt that has the message in hand asks a provider."""
    row = await added(engine)
    with pytest.raises(QueueError, match="another worker has taken over the message"):
        await engine.mark(row.ticket)
    assert not (await engine.row(row.ticket)).marked


async def test_two_queues_in_one_database(postgres_server, own):
    """Their workers take nothing of each other's, also with names as long as they may be."""
    names = [f"{own}{'x' * 19}{letter}" for letter in "ab"]
    async with (
        procrastinate(f"{postgres_server.url}|{names[0]}") as one,
        procrastinate(f"{postgres_server.url}|{names[1]}") as two,
    ):
        handles = [Handler(one), Handler(two)]
        async with working(one, handles[0]), working(two, handles[1]):
            rows = [await added(one), await added(two)]
            await has_state(one, rows[0].ticket)
            await has_state(two, rows[1].ticket)
    assert [handle.tickets for handle in handles] == [[rows[0].ticket], [rows[1].ticket]]


async def test_a_dump_that_is_restored_elsewhere(engine, elsewhere, own, postgres_server):
    """What had not ended is held until it is released, marks and all; what has expired meanwhile is let go at once."""
    handle = Handler(engine)
    async with working(engine, handle):
        ended = await added(engine)
        await has_state(engine, ended.ticket)
        handle.goes_on.clear()
        handle.begun.clear()
        in_hand = await added(engine)
        await handle.begun.wait()
        waiting, expired = await added(engine, due=2.0), await added(engine, due=1.0, expires=1.0)
        restored(elsewhere, dumped(postgres_server.url, "-n", own, "-n", "public").replace("CREATE SCHEMA public;", ""))
        handle.goes_on.set()
        await has_state(engine, waiting.ticket)
    async with procrastinate(f"{elsewhere}|{own}") as copy:
        marks = {}

        async def handle_copy(row):
            marks[row.ticket] = row.marked
            return Verdict(state=TicketState.EXPIRED) if row.expires <= await copy.now() else SENT

        async with working(copy, handle_copy):
            await has_state(copy, expired.ticket, "expired")
            assert (await copy.statistics()).held == 2
            assert await copy.release() == 2
            for row in (in_hand, waiting):
                await has_state(copy, row.ticket)
        assert marks == {expired.ticket: False, in_hand.ticket: True, waiting.ticket: False}
        async with working(copy, handle_copy):  # it is known again
            await has_state(copy, (await added(copy)).ticket)


async def test_a_dump_that_is_restored_in_place_while_a_worker_runs(engine, own, owner, postgres_server):
    """It is another table then, which the worker notices."""
    async with working(engine, Handler(engine)):
        await has_state(engine, (await added(engine)).ticket)
        later = await added(engine, due=3.0)
        text = dumped(postgres_server.url, "-n", own)
        owner.execute(f"DROP SCHEMA {own} CASCADE")
        restored(postgres_server.url, text)

        async def is_held():
            return (await engine.statistics()).held == 1

        await eventually(is_held)
        await asyncio.sleep(3)
        assert (await engine.row(later.ticket)).state == "queued"
        await engine.release()
        await has_state(engine, later.ticket)


async def test_a_user_with_few_rights(engine, own, owner, postgres_server):
    """It needs what the printed statements grant, and can do all that a host and a worker do."""
    owner.execute(f"CREATE ROLE {own} LOGIN")
    url = f"{postgres_server.url_of('postgres', own)}|{own}"
    async with procrastinate(url) as weak:
        with pytest.raises(
            QueueError, match="the user may not do this .*authmail store migrate makes the tables, as their owner"
        ):
            await added(weak)
        owner.execute(f"GRANT USAGE ON SCHEMA {own} TO {own}")
        owner.execute("GRANT" + engine.statements_for(own).split("\nGRANT", 1)[1])
        async with working(weak, Handler(weak)):
            row = await added(weak)
            await has_state(weak, row.ticket)
        assert await weak.forget("") == 1


async def test_statements_make_the_tables(elsewhere, own):
    """As the owner runs them, in an empty database; then nothing is left to be made."""
    engine = procrastinate(f"{elsewhere}|{own}")
    with psycopg.connect(elsewhere, autocommit=True) as owner:
        owner.execute(engine.statements_for("authmail"))
    async with engine, working(engine, Handler(engine)):
        await has_state(engine, (await added(engine)).ticket)
        await engine.migrate()


async def test_many_make_the_tables_at_once(elsewhere, own):
    """Whoever comes first makes them, and nobody fails; procrastinate's are made once for all schemas."""
    engines = [procrastinate(f"{elsewhere}|{own}{number % 2}") for number in range(6)]
    rows = await asyncio.gather(*(added(engine) for engine in engines))
    assert len(rows) == 6
    for engine in engines:
        async with engine:
            pass


async def test_a_newer_queue(engine, own, owner):
    """Its worker does not touch what it cannot read."""
    owner.execute(f"UPDATE {own}.queue_version SET version = 3")
    with pytest.raises(QueueError, match=r"a newer release writes the queue \(version 3\)"):
        await engine.work(Handler(engine), concurrency=1, stop=asyncio.Event())


async def test_what_is_over_goes(engine, own, owner):
    """A worker removes what is kept no longer."""
    row = new_row()
    await engine.add(row, keep=0.1)
    async with working(engine, Handler(engine)):

        async def is_gone():
            return await engine.row(row.ticket) is None

        await eventually(is_gone)


CODE, LINK, NAME = "739164", "https://example.com/join/0a1b2c3d", "zoe.canary"


def spellings(text):
    """A text as a dump could show it: plain, hex, and base64 wherever it begins."""
    plain = text.encode()
    yield text
    yield plain.hex()
    for shift in range(3):
        yield base64.b64encode(b" " * shift + plain).decode()[4 if shift else 0 : -4]


async def test_a_dump_tells_nothing(own, postgres_server):
    """In the middle of a run: sent, waiting and failed messages, with jobs and events; no code, link or address is in it."""
    store = PostgresStore(postgres_server.url, secret=SECRET, schema=own)
    queue = Queue(Procrastinate(store), QueueKeys([new_key()]), digest=store.digest)

    class Sender:
        name = "sender"
        answers = [Receipt("1"), NotSent("it could not be sent", detail=f"{CODE} {LINK} {NAME}@example.com")]

        async def send(self, message, *, timeout=None):
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

    delivery = Delivery(Dedupe(Retry(Failover([Sender()]), attempts=1), store=store), queue=queue)
    async with delivery:
        stop = asyncio.Event()
        working_on = asyncio.create_task(work(delivery, stop=stop))
        tickets = [
            await delivery.enqueue(Message(f"{NAME}@example.com", "SignIn", {"code": CODE})),
            await delivery.enqueue(Message(f"{NAME}@example.com", "OrganizationInvitation", {"link": LINK})),
        ]

        async def both_tried():
            states = [await delivery.state(ticket.id) for ticket in tickets]
            return all(state.attempts for state in states)

        await eventually(both_tried)
        text = dumped(postgres_server.url, "--inserts")
        stop.set()
        await working_on
    assert tickets[0].id in text
    for told in (CODE, LINK, NAME):
        for spelled in spellings(told):
            assert spelled not in text


async def test_the_files_engine(postgres_server, own):
    """``[queue]`` with a store in PostgreSQL is this engine, and a journal does not fit."""
    from authmail.delivery.file.settings import QueueSettings
    from authmail.queue.file import queue_of

    store = PostgresStore(postgres_server.url, secret=SECRET, schema=own)
    made = queue_of(QueueSettings.from_dict({"keys": [new_key()]}), store)
    assert isinstance(made.engine, Procrastinate)
    assert made.engine.place == store.place
    with pytest.raises(ConfigError, match="does not fit the store"):
        queue_of(QueueSettings.from_dict({"keys": [new_key()], "engine": "journal"}), store)
