"""A PostgreSQL server as operators have them: passwords, TLS, few rights, schemas, locks, PgBouncer, restarts, several loops, threads, forks."""

import asyncio
import os

import psycopg
import pytest
import trustme
from server_stores import SECRET
from store_exercises import (
    PASSWORD,
    WRONG_PASSWORD,
    claim,
    everything_works,
    forks_count_together,
    refusal,
    threads_count_together,
)
from store_servers import PgBouncer, PostgresServer, running

from authmail.delivery import Claim, Limit, PostgresStore, StoreError

ROOM = Limit(3, 600)
HBA = """
host    all authmail 127.0.0.1/32 trust
hostssl all all      127.0.0.1/32 scram-sha-256
hostnossl all plain  127.0.0.1/32 scram-sha-256
"""


@pytest.fixture(scope="module")
def authority():
    """Who vouches for the server."""
    return trustme.CA()


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    """A server with TLS and passwords, but for its owner."""
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), "ssl=on", "ssl_cert_file=../cert.pem", "ssl_key_file=../key.pem")
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    server.keep("cert.pem", certificate.cert_chain_pems[0].bytes())
    server.keep("key.pem", certificate.private_key_pem.bytes())
    server.keep("data/pg_hba.conf", HBA.encode())
    with running(server), psycopg.connect(server.url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'")
        owner.execute("GRANT CREATE ON DATABASE postgres TO plain")
        yield server


@pytest.fixture
def owner(server):
    """Whoever runs the database."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def role(owner, own):
    """A user with a password and no rights."""
    owner.execute(f"CREATE ROLE {own} LOGIN PASSWORD '{PASSWORD}'")
    return own


def url_of(server, user, password=PASSWORD, rest=""):
    login = f"{user}:{password}@" if password else f"{user}@"
    return f"postgresql://{login}127.0.0.1:{server.port}/postgres{rest}"


@pytest.mark.parametrize("mode", ["disable", "require", "verify-full"])
async def test_a_password_and_tls(mode, server, own, tmp_path, authority):
    """Its parameters are libpq's, and its tables are made by themselves."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    rest = f"?sslmode={mode}" + (f"&sslrootcert={tmp_path}/ca.pem" if mode == "verify-full" else "")
    store = PostgresStore(url_of(server, "plain", rest=rest), secret=SECRET, schema=own)
    await everything_works(store)
    assert PASSWORD not in f"{store!r} {store.place}"


async def test_a_certificate_that_nobody_vouches_for(server, own, tmp_path):
    """It is refused where it must be verified."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    rest = f"?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    assert "certificate verify failed" in await refusal(
        PostgresStore(url_of(server, "plain", rest=rest), secret=SECRET, schema=own)
    )


@pytest.mark.parametrize("password", [WRONG_PASSWORD, ""])
async def test_a_wrong_password_or_none(password, server, own):
    """It is said at once, in the server's words."""
    store = PostgresStore(url_of(server, "plain", password), secret=SECRET, schema=own)
    assert ("password authentication failed" if password else "no password supplied") in await refusal(store, timeout=60)


@pytest.mark.parametrize(
    "url", ["postgresql://u:pa/ss@h/d", "postgresql://u:12#ss@h:x/d", "postgresql://u:p@h/d?pass=wd", "mysql://u:p@h/d"]
)
def test_a_url_that_cannot_be_read(url):
    """It is shown by no error."""
    try:
        told = repr(PostgresStore(url, secret=SECRET))
    except ValueError as error:
        told = str(error)
    assert "ss@" not in told
    assert "12" not in told


@pytest.mark.parametrize("schema", ["", "Auth", "1st", 'a"b', "a.b", "a b", "x" * 60, "a;drop"])
def test_a_schema_that_has_a_bad_name(schema, server):
    """It is refused before anything is asked."""
    with pytest.raises(ValueError, match="lower-case letters, digits and underscores"):
        PostgresStore(server.url, secret=SECRET, schema=schema)


async def test_a_user_who_may_not_make_tables(server, owner, role):
    """Its owner makes them and grants what is needed; then it works, and may do nothing else."""
    store = PostgresStore(url_of(server, role), secret=SECRET, schema=role)
    words = await refusal(store)
    assert "permission denied for database postgres" in words
    assert "authmail store migrate makes the tables, as their owner" in words
    async with PostgresStore(server.url, secret=SECRET, schema=role) as made:
        await made.migrate()
        await made.migrate()
    assert "permission denied" in await refusal(store)
    for statement in (
        f"GRANT USAGE ON SCHEMA {role} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {role} TO {role}",
    ):
        owner.execute(statement)
    await everything_works(store)
    for number in range(40):  # sweeps too
        await store.begin(Claim(counts=((f"{number}", ROOM),)))
    async with store:
        pass


async def test_the_statements_for_a_role_are_enough(server, owner, role):
    """As ``authmail store migrate --sql`` prints them."""
    store = PostgresStore(url_of(server, role), secret=SECRET, schema=f"{role}_s")
    owner.execute(store.statements_for(role))
    await everything_works(store)


async def test_a_user_whose_transactions_see_the_past(server, owner, role):
    """Whoever waits for another's message would not see it, and send it too: that is refused."""
    async with PostgresStore(server.url, secret=SECRET, schema=role) as made:
        await made.migrate()
    owner.execute(f"GRANT ALL ON SCHEMA {role} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {role} TO {role}")
    owner.execute(f"ALTER ROLE {role} SET default_transaction_isolation = 'repeatable read'")
    assert "must be read committed" in await refusal(PostgresStore(url_of(server, role), secret=SECRET, schema=role))


async def test_the_tables_are_made_again_while_messages_go_out(server, own):
    """Nothing waits for it but others who make tables, and no message fails."""
    store, ends = PostgresStore(server.url, secret=SECRET, schema=own), asyncio.Event()

    async def go_out(number):
        while not ends.is_set():
            one = claim(f"{number}", f"{number:016}", most=100)
            await store.end(one, await store.begin(one, timeout=30), answer=None, uncount=["exact", "slices"], timeout=30)

    async with store, asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(go_out(number))
        for _ in range(10):
            await store.migrate()
        ends.set()


async def test_another_schema_shares_nothing(server, own):
    """And two stores of the same place are the same."""
    one, same, schema = (PostgresStore(server.url, secret=SECRET, schema=name) for name in (own, own, f"{own}x"))
    assert one == same
    assert hash(one) == hash(same)
    assert one != schema
    async with one, same, schema:
        assert (await one.begin(claim())).entry is None
        again = claim(token="1" * 16)
        assert (await same.begin(again)).entry is not None
        assert (await schema.begin(again)).entry is None


async def test_a_lock_that_others_hold(server, owner, own):
    """It waits within its time; the one who waits for it holds nobody else up."""
    store = PostgresStore(server.url, secret=SECRET, schema=own)
    async with store:
        await store.begin(claim("first"))
        with owner.transaction():
            owner.execute("SELECT pg_advisory_xact_lock(hashtextextended('key', 0))")
            with pytest.raises(StoreError, match="in use by others for too long|did not answer in time"):
                await store.begin(Claim(key="key", fingerprint="f", lease=5, keep=60), timeout=0.4)
            assert (await store.begin(Claim(key="another", fingerprint="f", lease=5, keep=60))).entry is None
        assert (await store.begin(claim())).entry is None


async def test_processes_that_make_the_tables_at_once(server, own):
    """One makes them, the others wait; none fails."""
    stores = [PostgresStore(server.url, secret=SECRET, schema=own) for _ in range(6)]
    begun = await asyncio.gather(*(store.begin(claim(token=f"{number:016}"), timeout=30) for number, store in enumerate(stores)))
    assert sum(one.entry is None for one in begun) == 1
    for store in stores:
        async with store:
            pass


async def test_behind_pgbouncer_in_transaction_mode(server, own, tmp_path):
    """One connection to the server for many messages at once, from many connections to PgBouncer."""
    with running(PgBouncer(tmp_path, server, connections=1)) as bouncer:
        store = PostgresStore(bouncer.url, secret=SECRET, schema=own)
        await everything_works(store)
        async with store:
            counted = Claim(counts=(("key", Limit(60, 600)),))
            begun = await asyncio.gather(*(store.begin(Claim(counts=counted.counts), timeout=30) for _ in range(80)))
            assert sum(not one.wait for one in begun) == 60


@pytest.mark.parametrize("how", ["restarted", "terminated"])
async def test_connections_that_end_while_nobody_uses_them(how, server, own):
    """The next message has another, and notices nothing: the server said good-bye, which answers nothing that is asked later."""
    store = PostgresStore(server.url, secret=SECRET, schema=own)
    async with store:
        claims = [claim(f"{number}", f"{number:016}", most=20) for number in range(5)]
        await asyncio.gather(*(store.begin(one, timeout=30) for one in claims))
        if how == "restarted":
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
        else:
            with psycopg.connect(server.url) as other:
                other.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )
        for one in claims:
            await store.end(one, await store.begin(one, timeout=30), answer=one.key, uncount=["slices"])
        assert [(await store.answer_of(one.key)).answer for one in claims] == [one.key for one in claims]


async def test_what_is_over_goes_in_portions(server, owner, own):
    """Sixteen messages let go of sixty-four old rows of a table, however many there are."""
    store = PostgresStore(server.url, secret=SECRET, schema=own)
    async with store:
        await store.migrate()
        owner.execute(f"INSERT INTO {own}.times SELECT 'old', number, 't', number FROM generate_series(1, 1000) AS number")
        left = []
        for number in range(32):
            await store.begin(Claim(key=f"{number}", fingerprint="f", lease=5, keep=60))
            left.append(owner.execute(f"SELECT count(*) FROM {own}.times").fetchone()[0])
        assert sorted(set(left)) == [872, 936, 1000]


async def test_errors_quote_no_value(server, own):
    """Neither psycopg's nor the server's, whose details do."""
    store = PostgresStore(server.url, secret=SECRET, schema=own)
    async with store:
        await store.begin(claim())
        for text in ("a-value\x00", "a-value\ud800"):
            with pytest.raises((StoreError, UnicodeError)) as caught:
                await store.note("key", text, keep=5)
            assert not isinstance(caught.value, StoreError) or "a-value" not in str(caught.value)
        with pytest.raises(StoreError) as caught:
            await store.end(claim(), await store.begin(claim()), answer="a-value\ud800")
        assert "a-value" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


async def test_a_newer_release_writes_it(server, owner, own):
    """One version more is read and written; two are refused, also by who is at work already."""
    store = PostgresStore(server.url, secret=SECRET, schema=own)
    async with store:
        await store.begin(claim("first"))
        owner.execute(f"INSERT INTO {own}.version VALUES (2)")
        await store.begin(claim("second"))
        owner.execute(f"INSERT INTO {own}.version VALUES (3)")
        assert "a newer release writes it (version 3); this one reads up to 2" in await refusal(store)


@pytest.mark.parametrize("strict", [True, False])
def test_threads_share_one_delivery_without_a_loop(server, own, strict):
    """All count together, and whoever finds no connection free waits."""
    threads_count_together(PostgresStore(server.url, secret=SECRET, schema=own, connections=2), strict=strict)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need a system that has them")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
async def test_children_have_connections_of_their_own(server, own):
    """They use the parent's store, and leave its connections as they were."""
    await forks_count_together(PostgresStore(server.url, secret=SECRET, schema=own, connections=2))
