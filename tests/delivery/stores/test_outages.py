"""The server of a store is killed, paused, out of connections, behind a broken network: messages go on, each with one answer in its time."""

import asyncio
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import server_stores
from broken_network import Network
from server_stores import SECRET
from store_servers import PostgresServer, RedisServer, free_port, running

from authmail import Message, NotSent, OutcomeUnknown, Receipt, SendError, hookimpl
from authmail.delivery import (
    Alerts,
    Breaker,
    Claim,
    Dedupe,
    Delivery,
    Failover,
    Limit,
    Limits,
    PostgresStore,
    RedisStore,
    Retry,
    StoreError,
)

# A message's time, in seconds, and what may be added where others have the machine.
TIME, LATE = 0.6, 5.0
ALL_CONNECTIONS = 5
UNCOUNTED = "sent without limits or a look for repeats"


class Provider:
    """Accepts everything, and remembers how often it was asked for what."""

    def __init__(self, takes=0.0):
        self.calls = Counter()
        self.is_asked = asyncio.Event()
        self.takes = takes

    async def send(self, message, *, timeout=None):
        self.calls[message.idempotency_key] += 1
        self.is_asked.set()
        await asyncio.sleep(self.takes)
        return Receipt(f"{message.idempotency_key}/{self.calls[message.idempotency_key]}")


class Told:
    """A plugin that hears of alerts."""

    def __init__(self):
        self.alerts = []

    @hookimpl
    def alert(self, alert):
        self.alerts.append((alert["alert"], alert["state"], alert["sender"]))


class Kind:
    """One kind of store, and a server of its own that may be broken."""

    def __init__(self, name, server, own):
        self.name = name
        self.server = server
        self._own = own

    def store(self, port=None, **options):
        """Make another store over the same data."""
        parts = urlsplit(self.server.url)
        user = f"{parts.username}@" if parts.username else ""
        url = urlunsplit(parts._replace(netloc=f"{user}127.0.0.1:{port or self.server.port}"))
        if self.name == "redis":
            return RedisStore(url, secret=SECRET, prefix=self._own, **options)
        return PostgresStore(url, secret=SECRET, schema=self._own, **options)

    async def kill(self):
        await asyncio.to_thread(self.server.kill)

    async def start(self):
        await asyncio.to_thread(self.server.start)


@pytest.fixture(scope="module")
def breakable(tmp_path_factory):
    """A server of each kind, for tests that break it and mend it again."""
    made = {}

    def server(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            made[name] = RedisServer(folder) if name == "redis" else PostgresServer(folder)
            made[name].start()
        return made[name]

    yield server
    for one in made.values():
        with suppress(AssertionError, OSError):  # a test that failed may have left it down
            one.go_on()
        with suppress(RuntimeError):
            one.stop()


@pytest.fixture(params=["redis", "postgres"])
def kind(request, breakable, own):
    """Each kind of store."""
    return Kind(request.param, breakable(request.param), own)


@pytest.fixture
def postgres(breakable, own):
    """That in PostgreSQL, which keeps what it was told."""
    return Kind("postgres", breakable("postgres"), own)


@pytest.fixture(params=[True, False], ids=["strict", "not strict"])
def strict(request):
    """Whether messages wait for the store."""
    return request.param


def everything(store, sender, *, strict=False, plugins=(), most=1000):
    """The nesting of a file."""
    within = Retry(Failover([Breaker(sender, store=store)]), jitter=lambda: 0.0)
    limits = Limits(within, store=store, strict=strict, recipient=Limit(most, 600), ip=Limit(200, 600), account=Limit(100, 600))
    return Delivery(Dedupe(limits, store=store, strict=strict), plugins=plugins, timeout=TIME)


def message(key):
    return Message("zoe@example.com", "SignIn", {"code": "123456"}, ip="192.0.2.1", idempotency_key=key)


async def answer_in_time(delivery, key, timeout=None):
    """Return the one answer to a message, which is there in its time."""
    async with asyncio.timeout((timeout or TIME) + LATE):
        try:
            return await delivery.send(message(key), timeout=timeout)
        except SendError as error:
            return error


async def works(kind, delivery, provider, key):
    """The very same objects go on: a message goes out, and somebody else on the same data hears of it."""
    answer = await answer_in_time(delivery, key, timeout=5.0)
    assert answer == Receipt(f"{key}/1")
    async with everything(kind.store(), provider, strict=True) as other:
        assert await answer_in_time(other, key, timeout=5.0) == answer
    assert provider.calls[key] == 1


async def goes_on(delivery, provider, key, caplog, *, strict):
    """While the store cannot be used, a message goes out with a word in the log, or is refused."""
    caplog.clear()
    answer = await answer_in_time(delivery, key)
    if strict:
        assert type(answer) is NotSent
        assert provider.calls[key] == 0
    else:
        assert answer == Receipt(f"{key}/1")
        assert UNCOUNTED in caplog.text


async def settled(delivery):
    """What goes on beside messages is at its end."""
    await delivery.beside.end()
    await delivery._sender.beside.end()


async def test_a_server_that_is_killed_and_comes_back(kind, strict, caplog):
    """Redis comes back empty, PostgreSQL as it crashed; nobody is restarted for it, and somebody is told."""
    provider, told = Provider(), Told()
    async with everything(kind.store(), provider, strict=strict, plugins=[Alerts(), told]) as delivery:
        await works(kind, delivery, provider, "before")
        await kind.kill()
        try:
            for number in range(3):
                await goes_on(delivery, provider, f"meanwhile {number}", caplog, strict=strict)
        finally:
            await kind.start()
        caplog.clear()
        await works(kind, delivery, provider, "after")
    assert UNCOUNTED not in caplog.text
    store = "RedisStore" if kind.name == "redis" else "PostgresStore"
    assert told.alerts == [("store", "on", store), ("store", "over", store)]


async def test_a_server_that_hangs(kind, strict, caplog):
    """It takes no more than its share of a message's time, and goes on as if nothing had been."""
    provider = Provider()
    async with everything(kind.store(), provider, strict=strict) as delivery:
        await works(kind, delivery, provider, "before")
        kind.server.pause()
        try:
            await asyncio.gather(
                *(goes_on(delivery, provider, f"meanwhile {n}", caplog, strict=True) for n in range(3) if strict),
                *(answer_in_time(delivery, f"meanwhile {n}") for n in range(3) if not strict),
            )
            await goes_on(delivery, provider, "one more", caplog, strict=strict)
        finally:
            kind.server.go_on()
        await works(kind, delivery, provider, "after")


async def test_what_a_hanging_server_does_later_is_taken_back(kind):
    """It reads what it was told before the message was refused. The message may be sent again, and counts once."""
    provider, store = Provider(), kind.store()
    async with everything(store, provider, strict=True, most=2) as delivery:
        await works(kind, delivery, provider, "before")
        kind.server.pause()
        try:
            assert type(await answer_in_time(delivery, "refused")) is NotSent
        finally:
            kind.server.go_on()
        await settled(delivery)
        await works(kind, delivery, provider, "refused")


async def test_what_went_out_meanwhile_is_known_later(kind):
    """The word that it was begun was lost, and it went out all the same: a repeat gets its answer, not another mail."""
    provider = Provider()
    async with Network(kind.server.port) as network, everything(kind.store(network.port), provider) as delivery:
        await works(kind, delivery, provider, "before")
        network.breaks("swallows")
        assert await answer_in_time(delivery, "meanwhile") == Receipt("meanwhile/1")
        network.breaks("whole")
        await settled(delivery)
        await works(kind, delivery, provider, "meanwhile")


async def test_a_server_that_is_not_there_yet(kind, strict, caplog):
    """An application may start before its store does."""
    provider = Provider()
    await kind.kill()
    try:
        delivery = await everything(kind.store(), provider, strict=strict).__aenter__()
        await goes_on(delivery, provider, "meanwhile", caplog, strict=strict)
    finally:
        await kind.start()
    await works(kind, delivery, provider, "after")
    await delivery.close()


async def test_a_port_where_nobody_listens(kind, strict, caplog):
    """That is found at once, not when a message's time is over."""
    provider = Provider()
    async with everything(kind.store(free_port()), provider, strict=strict) as delivery:
        caplog.clear()
        answer = await answer_in_time(delivery, "meanwhile", timeout=60.0)
        assert type(answer) is (NotSent if strict else Receipt)


@pytest.mark.parametrize("how", ["hangs", "cuts"])
async def test_a_network_that_breaks_in_the_middle_of_an_answer(kind, strict, how, caplog):
    """Half an answer is read by nobody else."""
    provider = Provider()
    async with Network(kind.server.port) as network, everything(kind.store(network.port), provider, strict=strict) as delivery:
        await works(kind, delivery, provider, "before")
        network.breaks(how)
        await goes_on(delivery, provider, "meanwhile", caplog, strict=strict)
        assert network.has_broken.is_set()
        network.breaks("whole")
        await works(kind, delivery, provider, "after")


async def test_one_cut_answer_is_asked_for_again(kind, caplog):
    """A connection that was closed while nobody used it costs no message its limits; one message counts once."""
    provider = Provider()
    async with Network(kind.server.port) as network:
        store = kind.store(network.port)
        async with everything(store, provider, strict=True) as delivery:
            await works(kind, delivery, provider, "before")
            network.breaks("cuts")
            sending = asyncio.create_task(answer_in_time(delivery, "cut", timeout=30.0))
            await network.has_broken.wait()
            network.breaks("whole")
            assert await sending == Receipt("cut/1")
            begun = await store.begin(Claim(counts=((store.digest("recipient", "", "600", "zoe@example.com"), Limit(3, 600)),)))
            assert begun.wait == 0.0  # the third


@pytest.fixture(scope="module")
def small_server(tmp_path_factory):
    """A PostgreSQL server with few connections."""
    with running(
        PostgresServer(tmp_path_factory.mktemp("small"), f"max_connections={ALL_CONNECTIONS}", "superuser_reserved_connections=0")
    ) as server:
        yield server


async def test_a_database_out_of_connections(small_server, own, strict, caplog):
    """Others took all there are; once they give some back, messages go on."""
    kind, provider, others = Kind("postgres", small_server, own), Provider(), []
    async with everything(kind.store(), provider, strict=strict) as delivery:
        await works(kind, delivery, provider, "before")
    try:
        async with asyncio.timeout(30):
            while len(others) < ALL_CONNECTIONS:  # the server has not yet found those of the delivery closed
                others += await connected(small_server.url)
        async with everything(kind.store(), provider, strict=strict) as delivery:
            await goes_on(delivery, provider, "meanwhile", caplog, strict=strict)
            await settled(delivery)
            for other in others[1:]:
                await other.close()
            async with asyncio.timeout(30):
                while await number_of_connections(others[0]) > 1:  # noqa: ASYNC110 (another process's)
                    await asyncio.sleep(0.02)
            await works(kind, delivery, provider, "after")
    finally:
        for other in others:
            await other.close()


async def connected(url):
    """Return a list of one connection, if there is one left."""
    try:
        return [await psycopg.AsyncConnection.connect(url, autocommit=True)]
    except psycopg.OperationalError:
        return []


async def number_of_connections(connection):
    """Return how many there are, those that the server has not yet found closed among them."""
    cursor = await connection.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return (await cursor.fetchone())[0]


@pytest.mark.parametrize("outage", ["redis is paused", "postgres is killed"])
async def test_no_key_goes_out_twice_through_an_outage(outage, breakable, own):
    """Two deliveries on one store get the same keys again and again, strictly; each has its one mail in the end."""
    name = outage.split()[0]
    kind, provider = Kind(name, breakable(name), own), Provider(takes=0.002)
    keys = [f"key {number}" for number in range(25)]
    answers, ends = {}, asyncio.Event()

    async def ask_for(delivery, chance):
        while not ends.is_set() or len(answers) < len(keys):
            key = chance.choice([key for key in keys if key not in answers] or keys)
            answer = await answer_in_time(delivery, key)
            if type(answer) in (Receipt, OutcomeUnknown):  # others say that there is no answer yet
                answers[key] = answer

    async def break_it():
        for _ in range(2):
            await asyncio.sleep(0.1)
            if name == "redis":
                kind.server.pause()
                await asyncio.sleep(0.7)
                kind.server.go_on()
            else:
                await kind.kill()
                await kind.start()
        ends.set()

    one, two = (everything(kind.store(), provider, strict=True) for _ in range(2))
    async with one, two, asyncio.timeout(60), asyncio.TaskGroup() as group:
        group.create_task(break_it())
        for number, delivery in enumerate([one, two] * 4):
            group.create_task(ask_for(delivery, random.Random(number)))
    assert set(provider.calls.values()) == {1}
    assert answers.keys() == set(keys)


DIES = """
import asyncio
import sys

sys.path.insert(0, sys.argv[1])
import server_stores

from authmail import Message
from authmail.delivery import Dedupe, Delivery


class Provider:
    async def send(self, message, *, timeout=None):
        print("it goes out", flush=True)
        await asyncio.sleep(60)


async def main():
    store = getattr(server_stores, sys.argv[2])(sys.argv[3])
    async with Delivery(Dedupe(Provider(), store=store)) as delivery:
        message = Message("zoe@example.com", "SignIn", {"code": "123456"}, ip="192.0.2.1", idempotency_key="key")
        await delivery.send(message, timeout=0.5)


asyncio.run(main())
"""


async def test_a_process_that_dies_in_the_middle_leaves_its_message_in_doubt(kind, tmp_path):
    """The other one says so, and sends nothing a second time."""
    script = tmp_path / "dies.py"
    script.write_text(DIES)
    store = f"{kind.server.url}|{kind._own}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(Path(server_stores.__file__).parent), kind.name, store, stdout=subprocess.PIPE
    )
    try:
        assert await process.stdout.readline() == b"it goes out\n"
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    provider = Provider()
    async with everything(kind.store(), provider) as delivery:
        answer = await answer_in_time(delivery, "key", timeout=20.0)
    assert type(answer) is OutcomeUnknown
    assert not provider.calls


async def test_a_crash_of_the_database_while_a_message_is_on_its_way(postgres, caplog):
    """It was durable that the message is begun, so nothing goes out twice, whatever became of its answer."""
    provider = Provider(takes=0.3)
    async with everything(postgres.store(), provider) as delivery:
        sending = asyncio.create_task(answer_in_time(delivery, "key", timeout=5.0))
        await provider.is_asked.wait()
        await postgres.kill()
        assert await sending == Receipt("key/1")
        await postgres.start()
    async with everything(postgres.store(), provider) as delivery:
        await answer_in_time(delivery, "key", timeout=TIME)
    assert provider.calls["key"] == 1


@pytest.mark.parametrize("most", [128, 200], ids=["exact", "in slices"])
async def test_whoever_is_cancelled_leaves_no_count(kind, most):
    """At whichever await: what did not reach the provider is counted nowhere."""
    provider, store, chance = Provider(), kind.store(connections=2), random.Random(1)
    async with Delivery(Limits(provider, store=store, recipient=Limit(most, 600), ip=None)) as delivery:
        for _ in range(100):
            sending = asyncio.create_task(delivery.send(message("key")))
            for _ in range(chance.randrange(40)):
                await asyncio.sleep(chance.choice([0, 0, 0.0003]))
            sending.cancel()
            await asyncio.wait({sending})
        await settled(delivery)
        called = provider.calls["key"]
        assert 0 < called < 100
        for _ in range(most - called):
            await delivery.send(message("key"))
        with pytest.raises(SendError, match="too many"):
            await delivery.send(message("key"))


async def test_nobody_reads_the_answer_of_another_who_was_cancelled(kind):
    """Over two connections, with many who leave at any moment: each that stays hears of its own message."""
    store, chance = kind.store(connections=2), random.Random(2)
    async with store:
        names = [f"key {number}" for number in range(40)]
        for name in names:
            claim = Claim(key=name, fingerprint=name, lease=60, keep=60)
            await store.end(claim, await store.begin(claim, timeout=5), answer=name, timeout=5)

        async def ask(name):
            entry = await store.answer_of(name, timeout=30)
            return name, entry.fingerprint, entry.answer

        for _ in range(10):
            tasks = [asyncio.create_task(ask(chance.choice(names))) for _ in range(40)]
            for task in chance.sample(tasks, 20):
                await asyncio.sleep(chance.choice([0, 0, 0.0003]))
                task.cancel()
            for done in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(done, asyncio.CancelledError) or len(set(done)) == 1


async def test_more_messages_at_once_than_connections(kind):
    """They wait, each within its own time; one that cannot wait is told so."""
    store = kind.store(connections=1)
    async with store:
        claims = [Claim(key=f"{number}", fingerprint="f", lease=60, keep=60) for number in range(100)]
        begun = await asyncio.gather(*(store.begin(claim, timeout=30) for claim in claims))
        assert all(one.entry is None for one in begun)
        kind.server.pause()
        try:
            waiting = (store.begin(claim, timeout=0.2) for claim in claims[:3])
            assert {type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)} == {StoreError}
        finally:
            kind.server.go_on()
        assert (await store.begin(claims[0], timeout=30)).entry is None  # its own token


async def test_several_loops_and_threads_at_once(kind):
    """Each loop has connections of its own; all count together."""
    store, most = kind.store(), 50
    claim = {"counts": (("key", Limit(most, 600)),)}

    async def count():
        return sum([not (await store.begin(Claim(**claim), timeout=30)).wait for _ in range(20)])

    async def in_a_loop():
        async with store:
            return sum(await asyncio.gather(*(count() for _ in range(2))))

    counted = await asyncio.gather(*(asyncio.to_thread(asyncio.run, in_a_loop()) for _ in range(3)), in_a_loop())
    assert sum(counted) == most
