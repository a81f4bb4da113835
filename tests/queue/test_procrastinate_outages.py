"""PostgreSQL is killed, paused, out of connections, behind a broken network or a pooler; workers are suspended: each message is sent once."""

import asyncio
import signal
import sys
from contextlib import suppress

import psycopg
import pytest
import queue_process
from broken_network import Network
from procrastinate import App, PsycopgConnector
from queue_workers import KEEP, PATIENCE, SENT, Handler, added, eventually, has_state, new_row, working
from server_queues import procrastinate
from store_servers import PgBouncer, PostgresServer, running

from authmail.queue import QueueError


@pytest.fixture(scope="module")
def fragile(tmp_path_factory):
    """A server that tests kill."""
    with running(PostgresServer(tmp_path_factory.mktemp("postgres"), "max_connections=20")) as server:
        yield server


@pytest.fixture
async def engine(fragile, own):
    async with procrastinate(f"{fragile.url}|{own}") as engine:
        await engine.migrate()
        yield engine


def give_rights(owner, role, engine):
    """Make a role that may do what a worker does, and nothing else."""
    owner.execute(f"CREATE ROLE {role} LOGIN")
    owner.execute(f"GRANT USAGE ON SCHEMA {role} TO {role}")
    owner.execute("GRANT" + engine.statements_for(role).split("\nGRANT", 1)[1])


async def off_the_loop(work, *values):
    await asyncio.to_thread(work, *values)


async def test_a_server_that_is_killed_and_started_again(engine, fragile):
    """The worker that lived through it sends what is queued afterwards, and what it had in hand is recorded."""
    handle = Handler(engine)
    async with working(engine, handle) as worker:
        handle.goes_on.clear()
        before = await added(engine)
        await handle.begun.wait()
        await off_the_loop(fragile.kill)
        with pytest.raises(QueueError, match="cannot be used"):
            await added(engine)
        handle.goes_on.set()  # its answer cannot be recorded yet
        await asyncio.sleep(2)
        await off_the_loop(fragile.start)
        await has_state(engine, before.ticket)
        after = await added(engine)
        await has_state(engine, after.ticket)
        assert not worker.done()
    assert handle.tickets == [before.ticket, after.ticket]


async def test_a_server_that_is_killed_while_nothing_is_queued(engine, fragile):
    """Its worker hears of a new message afterwards: it does not live on deaf."""
    handle = Handler(engine)
    async with working(engine, handle) as worker:
        await has_state(engine, (await added(engine)).ticket)
        for _ in range(2):
            await off_the_loop(fragile.kill)
            await off_the_loop(fragile.start)
            await has_state(engine, (await added(engine)).ticket)
        assert not worker.done()
    assert len(handle.tickets) == 3


async def test_a_server_that_hangs_for_longer_than_a_worker_may_be_silent(engine, fragile):
    """Nobody is taken for ended by that: what was in hand is not handed out again."""
    one, other = Handler(engine), Handler(engine)
    async with working(engine, one, concurrency=1), working(engine, other, concurrency=1):
        one.goes_on.clear()
        other.goes_on.clear()
        rows = [await added(engine), await added(engine)]
        await asyncio.gather(one.begun.wait(), other.begun.wait())
        fragile.pause()
        try:
            await asyncio.sleep(9)
        finally:
            fragile.go_on()
        await asyncio.sleep(5)
        one.goes_on.set()
        other.goes_on.set()
        for row in rows:
            await has_state(engine, row.ticket)
    assert sorted(one.tickets + other.tickets) == sorted(row.ticket for row in rows)


async def test_a_worker_that_ends_while_the_server_hangs(engine, fragile):
    """It does not wait for ever; what it had goes on with the next."""
    took, never = asyncio.Event(), asyncio.Event()

    async def handle(row):
        took.set()
        await never.wait()

    stop = asyncio.Event()
    task = asyncio.create_task(engine.work(handle, concurrency=1, stop=stop))
    row = await added(engine)
    await took.wait()
    fragile.pause()
    try:
        stop.set()
        await asyncio.wait_for(task, PATIENCE)
    finally:
        fragile.go_on()
    async with working(engine, Handler(engine)):
        await has_state(engine, row.ticket)


async def test_a_server_without_free_connections(engine, fragile):
    """Whoever queues is told, and the worker goes on as soon as there is one."""
    handle = Handler(engine)
    taken = []
    async with working(engine, handle) as worker:
        await has_state(engine, (await added(engine)).ticket)
        await off_the_loop(fragile.kill)
        await off_the_loop(fragile.start)
        with suppress(psycopg.OperationalError):
            while True:
                taken.append(await psycopg.AsyncConnection.connect(fragile.url))
        with pytest.raises(QueueError, match="too many clients"):
            await procrastinate(f"{fragile.url}|other").now()
        await asyncio.sleep(1)
        for connection in taken:
            await connection.close()
        await has_state(engine, (await added(engine)).ticket)
        assert not worker.done()


@pytest.mark.parametrize("how", ["hangs", "cuts", "swallows"])
async def test_a_broken_network(how, engine, fragile, own):
    """A worker whose answers do not come asks again, by other connections."""
    async with Network(fragile.port) as network:
        url = f"postgresql://authmail@127.0.0.1:{network.port}/postgres"
        async with procrastinate(f"{url}|{own}") as behind:
            handle = Handler(behind)
            async with working(behind, handle) as worker:
                await has_state(engine, (await added(engine)).ticket)
                network.breaks(how)
                await network.has_broken.wait()
                await asyncio.sleep(1)
                network.breaks("whole")
                await has_state(engine, (await added(engine)).ticket)
                assert not worker.done()


async def test_a_server_that_is_not_there_at_the_beginning(own):
    """A worker that never could do anything ends at once."""
    with pytest.raises(QueueError, match="cannot be used"):
        await procrastinate(f"postgresql://authmail@127.0.0.1:1/postgres|{own}").work(None, concurrency=1, stop=asyncio.Event())


async def test_a_worker_that_cannot_fetch_although_the_server_answers(engine, fragile, own):
    """It ends, so that its supervisor may start another; and says why."""
    with psycopg.connect(fragile.url, autocommit=True) as owner:
        give_rights(owner, own, engine)
        owner.execute("REVOKE EXECUTE ON FUNCTION procrastinate_fetch_job_v2 FROM PUBLIC")
    try:
        await added(engine)
        async with procrastinate(f"{fragile.url_of('postgres', own)}|{own}") as weak:
            with pytest.raises(QueueError, match="fetched none for 10 s although postgresql://.* answers"):
                await weak.work(Handler(weak), concurrency=5, stop=asyncio.Event())
    finally:
        with psycopg.connect(fragile.url, autocommit=True) as owner:
            owner.execute("GRANT EXECUTE ON FUNCTION procrastinate_fetch_job_v2 TO PUBLIC")


async def test_a_heartbeat_that_fails(engine, fragile, own):
    """The worker begins again where it could not say that it is alive, and says so from then on."""
    with psycopg.connect(fragile.url, autocommit=True) as owner:
        give_rights(owner, own, engine)
        async with procrastinate(f"{fragile.url_of('postgres', own)}|{own}") as weak, working(weak, Handler(weak)):
            await has_state(engine, (await added(engine)).ticket)
            owner.execute("REVOKE EXECUTE ON FUNCTION procrastinate_update_heartbeat_v1 FROM PUBLIC")
            await asyncio.sleep(3)
            owner.execute("GRANT EXECUTE ON FUNCTION procrastinate_update_heartbeat_v1 TO PUBLIC")
            (since,) = owner.execute("SELECT clock_timestamp() + interval '3 seconds'").fetchone()
            beats = "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > %s"
            await eventually(lambda: asyncio.sleep(0, owner.execute(beats, (since,)).fetchone()[0]))


async def test_pgbouncer(engine, fragile, own):
    """Behind a pooler in transaction mode messages are looked for."""
    bouncer = PgBouncer(fragile.folder, fragile, connections=5)
    with running(bouncer):
        async with procrastinate(f"{bouncer.url}|{own}") as behind:
            async with working(behind, Handler(behind)):
                for _ in range(3):
                    await has_state(behind, (await added(behind)).ticket)
            async with await psycopg.AsyncConnection.connect(bouncer.url, prepare_threshold=None) as connection:
                row = await behind.add(new_row(), keep=KEEP, transaction=connection)
            assert await engine.row(row.ticket) == row


async def test_a_worker_that_was_suspended(engine, fragile, own):
    """Others take over what it had, and when it comes back it asks no provider."""
    row = await added(engine)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        queue_process.__file__,
        f"{fragile.url}|{own}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert await process.stdout.readline() == b"took\n"
        process.send_signal(signal.SIGSTOP)
        handle = Handler(engine)
        async with working(engine, handle):
            await has_state(engine, row.ticket)
            process.send_signal(signal.SIGCONT)
            process.stdin.write(b"\n")
            assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"another worker has taken over the message\n"
            fresh = await added(engine)
            process.stdin.write(b"\n")
            await has_state(engine, fresh.ticket)
        assert row.ticket in handle.tickets
        assert (await engine.row(row.ticket)).attempts == 1
    finally:
        process.kill()
        await process.communicate()


async def test_a_worker_that_ends_while_a_provider_takes_long(engine):
    """It is alive until the last answer is there: nobody takes over what it still does."""
    slow, other = Handler(engine), Handler(engine)
    slow.goes_on.clear()
    stop = asyncio.Event()
    ending = asyncio.create_task(engine.work(slow, concurrency=1, stop=stop))
    row = await added(engine)
    await slow.begun.wait()
    stop.set()
    async with working(engine, other):
        await asyncio.sleep(9)
        slow.goes_on.set()
        await ending
        assert (await has_state(engine, row.ticket)).attempts == 1
    assert other.tickets == []


async def test_jobs_that_are_lost(engine, fragile):
    """A message whose job is gone gets another."""
    row, later = await added(engine), await added(engine, due=0.5)
    with psycopg.connect(fragile.url, autocommit=True) as owner:
        owner.execute("DELETE FROM procrastinate_jobs")
    async with working(engine, Handler(engine)):
        await has_state(engine, row.ticket)
        await has_state(engine, later.ticket)


async def test_a_worker_of_the_host_that_takes_any_job(engine, fragile):
    """It cannot do ours, and fails; the message gets another job."""
    row = await added(engine)
    app = App(connector=PsycopgConnector(conninfo=fragile.url))
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False)
    async with working(engine, Handler(engine)):
        await has_state(engine, row.ticket)


async def test_a_handler_that_finds_the_server_gone(engine, fragile):
    """It can mark nothing, so nobody is asked; the message goes out later."""
    asked, is_there, goes_on = [], asyncio.Event(), asyncio.Event()

    async def handle(row):
        is_there.set()
        await goes_on.wait()
        await engine.mark(row.ticket)
        asked.append(row.ticket)
        return SENT

    async with working(engine, handle):
        row = await added(engine)
        await is_there.wait()
        await off_the_loop(fragile.kill)
        goes_on.set()
        await asyncio.sleep(1)
        await off_the_loop(fragile.start)
        waiting = await has_state(engine, row.ticket, "queued")
        assert (waiting.marked, asked) == (False, [])
        await engine.retry(row.ticket)
        await eventually(lambda: asyncio.sleep(0, asked == [row.ticket]))
