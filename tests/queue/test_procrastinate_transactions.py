"""A message is queued in the host's own transaction: of psycopg, SQLAlchemy and Django. What is rolled back was never queued."""

import asyncio
import json
import sys

import django_host
import psycopg
import pytest
import sqlalchemy
from queue_workers import KEEP, added, new_row
from server_queues import procrastinate
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from authmail.queue import QueueError


@pytest.fixture
async def engine(postgres_server, own):
    async with procrastinate(f"{postgres_server.url}|{own}") as engine:
        await engine.migrate()
        yield engine


class Host:
    """A host that queues within a transaction of some kind, and ends it."""

    def __init__(self, url):
        self.url = url
        self.over_psycopg = url.replace("postgresql:", "postgresql+psycopg:")


class AsyncPsycopg(Host):
    async def queue(self, engine, row, how, earlier):
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            if earlier:
                await connection.execute("SELECT 1")
            queued = await engine.add(row, keep=KEEP, transaction=connection)
            await getattr(connection, how)()
            return queued


class SyncPsycopg(Host):
    async def queue(self, engine, row, how, earlier):
        with psycopg.connect(self.url) as connection:
            if earlier:
                connection.execute("SELECT 1")
            queued = await engine.add(row, keep=KEEP, transaction=connection)
            getattr(connection, how)()
            return queued


class Alchemy(Host):
    def __init__(self, url, made):
        super().__init__(url)
        self.made = made

    async def queue(self, engine, row, how, earlier):
        alchemy = sqlalchemy.create_engine(self.over_psycopg)
        try:
            with self.made(alchemy) as host:
                if earlier:
                    host.execute(sqlalchemy.text("SELECT 1"))
                queued = await engine.add(row, keep=KEEP, transaction=host)
                getattr(host, how)()
                return queued
        finally:
            alchemy.dispose()


class AsyncAlchemy(Alchemy):
    async def queue(self, engine, row, how, earlier):
        alchemy = create_async_engine(self.over_psycopg)
        try:
            async with self.made(alchemy) as host:
                if earlier:
                    await host.execute(sqlalchemy.text("SELECT 1"))
                queued = await engine.add(row, keep=KEEP, transaction=host)
                await getattr(host, how)()
                return queued
        finally:
            await alchemy.dispose()


def session(alchemy):
    return Session(alchemy)


def async_session(alchemy):
    return AsyncSession(alchemy)


HOSTS = {
    "psycopg": AsyncPsycopg,
    "psycopg, sync": SyncPsycopg,
    "SQLAlchemy Connection": lambda url: Alchemy(url, sqlalchemy.Engine.connect),
    "SQLAlchemy Session": lambda url: Alchemy(url, session),
    "SQLAlchemy AsyncConnection": lambda url: AsyncAlchemy(url, lambda alchemy: alchemy.connect()),
    "SQLAlchemy AsyncSession": lambda url: AsyncAlchemy(url, async_session),
}


def jobs(server, ticket):
    """How many jobs there are of a message."""
    with psycopg.connect(server.url) as connection:
        found = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE args->>'ticket' = %s", (ticket,))
        return found.fetchone()[0]


@pytest.mark.parametrize("earlier", [True, False], ids=["used before", "fresh"])
@pytest.mark.parametrize("how", ["commit", "rollback"])
@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
async def test_the_hosts_transaction_decides(host, how, earlier, engine, postgres_server):
    """A committed message has a job, one that is rolled back neither row nor job."""
    row = new_row(repeat="r", repeat_until=60.0)
    queued = await host(postgres_server.url).queue(engine, row, how, earlier)
    assert queued.ticket == row.ticket
    is_there = await engine.row(row.ticket) is not None
    assert (is_there, jobs(postgres_server, row.ticket)) == ((True, 1) if how == "commit" else (False, 0))


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
async def test_a_key_is_free_again_after_a_rollback(host, engine, postgres_server):
    """What was never queued has no repeats; what was has."""
    first, second, third = (new_row(repeat="r", repeat_until=60.0) for _ in range(3))
    used = host(postgres_server.url)
    await used.queue(engine, first, "rollback", False)
    assert (await used.queue(engine, second, "commit", False)).ticket == second.ticket
    assert (await used.queue(engine, third, "commit", False)).ticket == second.ticket
    assert jobs(postgres_server, third.ticket) == 0


async def test_two_of_the_same_message_at_once(engine, postgres_server):
    """The second waits for what becomes of the first, in whoever's transaction that is."""
    first, second, third = (new_row(repeat="r", repeat_until=60.0) for _ in range(3))
    for how, wanted in (("rollback", second), ("commit", second)):
        async with await psycopg.AsyncConnection.connect(postgres_server.url) as connection:
            begun = await engine.add(first if how == "rollback" else third, keep=KEEP, transaction=connection)
            waiting = asyncio.create_task(engine.add(second, keep=KEEP)) if how == "rollback" else None
            await asyncio.sleep(0.2)
            await getattr(connection, how)()
            if waiting is not None:
                assert (await waiting).ticket == wanted.ticket
            else:
                assert begun.ticket == wanted.ticket


async def test_an_error_leaves_the_transaction_usable(engine, postgres_server):
    """The host's own work is not lost with a message that cannot be stored."""
    row = await added(engine)
    async with await psycopg.AsyncConnection.connect(postgres_server.url) as connection:
        with pytest.raises(QueueError, match="another message with this ticket"):
            await engine.add(new_row(ticket=row.ticket), keep=KEEP, transaction=connection)
        assert (await (await connection.execute("SELECT 2")).fetchone()) == (2,)
        later = await engine.add(new_row(), keep=KEEP, transaction=connection)
    assert await engine.row(later.ticket) is not None


async def test_tables_are_made_meanwhile(postgres_server, own):
    """Where the user may, the first message makes them."""
    async with procrastinate(f"{postgres_server.url}|{own}") as engine:
        async with await psycopg.AsyncConnection.connect(postgres_server.url) as connection:
            row = await engine.add(new_row(), keep=KEEP, transaction=connection)
        assert await engine.row(row.ticket) == row


async def test_a_connection_without_a_transaction(engine, postgres_server):
    """Each statement is one of its own there; row and job are one together."""
    async with await psycopg.AsyncConnection.connect(postgres_server.url, autocommit=True) as connection:
        row = await engine.add(new_row(), keep=KEEP, transaction=connection)
        assert (await engine.row(row.ticket), jobs(postgres_server, row.ticket)) == (row, 1)


@pytest.mark.parametrize(
    "other", [object(), "postgresql://host", sqlalchemy.create_engine("sqlite://")], ids=lambda one: type(one).__name__
)
async def test_what_is_no_connection(other, engine):
    """It is said what can be handed over."""
    with pytest.raises(QueueError, match=r"transaction= takes a connection of psycopg 3"):
        await engine.add(new_row(), keep=KEEP, transaction=other)


async def test_another_database(engine, postgres_server, own):
    """The host's connection has the queue's tables in its reach, or it is told what is missing; nothing of the message is."""
    with psycopg.connect(postgres_server.url, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {own}")
    async with await psycopg.AsyncConnection.connect(postgres_server.url_of(own)) as connection:
        with pytest.raises(QueueError, match="could not be queued in your transaction: .* does not exist"):
            await engine.add(new_row(), keep=KEEP, transaction=connection)


async def test_a_transaction_that_sees_no_others(engine, postgres_server):
    """REPEATABLE READ does not see who queued the same message: that is told, and the transaction goes on."""
    async with await psycopg.AsyncConnection.connect(postgres_server.url) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        await connection.execute("SELECT 1")
        await added(engine, repeat="r", repeat_until=60.0)
        with pytest.raises(QueueError):
            await engine.add(new_row(repeat="r", repeat_until=60.0), keep=KEEP, transaction=connection)
        await connection.execute("SELECT 1")


@pytest.mark.parametrize("how", ["commit", "rollback"])
async def test_django(how, postgres_server, own):
    """``transaction.atomic()`` decides, from code without an event loop: in a process of its own, as Django is one for a process."""
    asked = [django_host.__file__, str(postgres_server.port), own, how]
    process = await asyncio.create_subprocess_exec(sys.executable, *asked, stdout=asyncio.subprocess.PIPE)
    told, _ = await process.communicate()
    is_queued = how == "commit"
    assert json.loads(told) == {"within": "queued", "after": "queued" if is_queued else None, "repeated": is_queued}
