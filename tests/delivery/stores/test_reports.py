"""What each store says of itself, and what it forgets: on real servers, with what would lose data in silence."""

import os
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from server_stores import SECRET
from store_servers import PgBouncer, PostgresServer, RedisServer, free_port, running

from authmail.delivery import Claim, Limit, MemoryStore, PostgresStore, RedisStore, SQLiteStore, StoreError, Turn
from authmail.delivery.stores import postgres_reports, redis_reports, sqlite_reports
from authmail.delivery.stores.reports import Clocks
from authmail.delivery.stores.sqlite_reports import file_system_of

EXACT, SLICED = Limit(10, 600), Limit(1000, 600)


@asynccontextmanager
async def closing(store):
    """Close what a store opened by itself; it is not entered, which would make what is missing."""
    try:
        yield store
    finally:
        await store.__aexit__()


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
async def store(request, tmp_path, own):
    """Each kind of store."""
    if request.param == "memory":
        yield MemoryStore()
        return
    if request.param == "sqlite":
        made = SQLiteStore(tmp_path / "store.db", secret=SECRET)
    elif request.param == "redis":
        made = RedisStore(request.getfixturevalue("redis_server").url, secret=SECRET, prefix=own)
    else:
        made = PostgresStore(request.getfixturevalue("postgres_server").url, secret=SECRET, schema=own)
    async with made:
        yield made


async def counted(store, key, limit, times):
    for _ in range(times):
        await store.begin(Claim(counts=((key, limit),)), timeout=5)


def paths(findings):
    return {one.path for one in findings}


async def test_forgetting_leaves_room(store):
    """What limits count under a key is gone, by either way of counting; what is under others stays."""
    for limit in (EXACT, SLICED):
        await counted(store, "zoe", limit, 3)
        await counted(store, "other", limit, 2)
    assert await store.forget(["zoe"]) == 6
    assert await store.forget(["zoe", "nobody"]) == 0
    assert await store.forget([]) == 0
    assert await store.forget(["other"]) == 4
    await counted(store, "full", Limit(1, 600), 1)
    assert (await store.begin(Claim(counts=(("full", Limit(1, 600)),)), timeout=5)).wait > 0
    await store.forget(["full"])
    assert (await store.begin(Claim(counts=(("full", Limit(1, 600)),)), timeout=5)).wait == 0


async def test_stats_count_each_kind(store):
    """The same numbers in every store, and when something is over."""
    assert (await store.stats()).entries == 0
    await store.begin(Claim(key="k", keep=3000, lease=1, counts=(("a", EXACT), ("b", SLICED)), turn=Turn("t", 14)), timeout=5)
    await counted(store, "a", EXACT, 2)
    await store.note("n", "text", keep=50)
    found = await store.stats()
    assert (found.entries, found.counts, found.notes, found.paces) == (1, 4, 1, 1)
    assert found.first_end < 60
    assert 2900 < found.last_end <= 3000
    assert found.size > 0
    assert found.exact
    assert found.of_server == isinstance(store, RedisStore)


async def test_a_store_that_is_in_order(store):
    """It says what it is and how long a trip takes; a check leaves nothing behind."""
    before = await store.stats()
    found = await store.check()
    assert found.problems == ()
    assert (await store.stats()).notes == before.notes
    if not isinstance(store, MemoryStore):
        assert found.place == store.place
        assert found.version
        assert 0 < found.round_trip < 5


async def test_nothing_is_made_by_a_look(tmp_path, redis_server, postgres_server, own):
    """Neither a file, nor keys, nor tables."""
    async with closing(SQLiteStore(tmp_path / "store.db")) as store:
        assert (await store.check()).schema is None
        assert (await store.stats()).size is None
        assert list(tmp_path.iterdir()) == []
    async with closing(RedisStore(redis_server.url, secret=SECRET, prefix=own)) as store:
        assert (await store.check()).schema is None
        assert await store._commands([("KEYS", f"{own}:*")]) == [[]]
    async with closing(PostgresStore(postgres_server.url, secret=SECRET, schema=own)) as store:
        found = await store.check()
        assert found.schema is None
        assert "tables are made at the first message" in found.notes[0]
        assert (await store.stats()).size is None
        await store.migrate()
        assert (await store.check()).schema == 1


@pytest.mark.parametrize(
    ("options", "problems", "warnings"),
    [
        (["--appendonly", "yes"], set(), set()),
        ([], set(), {"appendonly"}),
        (["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru"], set(), {"maxmemory-policy"}),
        (["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction"], set(), set()),
        (["--appendonly", "yes", "--cluster-enabled", "yes"], {"mode"}, set()),
        (["--appendonly", "yes", "--replicaof", "127.0.0.1", "1"], {"role"}, set()),
        (["--appendonly", "yes", "--user", "default", "on", "nopass", "~*", "+@all", "-info"], set(), set()),
    ],
)
async def test_what_a_redis_server_would_lose(tmp_path, options, problems, warnings):
    """Eviction, no log and no replica; and servers that cannot be a store at all."""
    # Of its own accord a cluster's server takes its port + 10000, which there may not be.
    bus = ["--cluster-port", str(free_port())] if "--cluster-enabled" in options else []
    with running(RedisServer(tmp_path / "redis", *options, *bus)) as server:
        async with closing(RedisStore(server.url, secret=SECRET)) as store:
            found = await store.check()
    assert (paths(found.problems), paths(found.warnings)) == (problems, warnings)
    assert (found.round_trip is None) == bool(problems)
    assert any("INFO" in note for note in found.notes) == ("-info" in options[-1] if options else False)


async def test_a_redis_user_who_may_not_write(redis_server, own):
    """Is a problem, in the server's words."""
    async with closing(RedisStore(redis_server.url, secret=SECRET)) as root:
        rules = ["on", "nopass", "~*", "+@all", "-eval", "-evalsha"]
        await root._commands([("ACL", "SETUSER", own, *rules)])
        async with closing(RedisStore(redis_server.url.replace("//", f"//{own}:any@"), secret=SECRET)) as store:
            found = await store.check()
        await root._commands([("ACL", "DELUSER", own)])
    assert paths(found.problems) == {"writing"}
    assert own not in found.place


async def test_of_a_large_server_is_estimated(redis_server, own, monkeypatch):
    """After so many portions; whoever waits hears how far it is."""
    monkeypatch.setattr(redis_reports, "_PORTION", 100)
    monkeypatch.setattr(redis_reports, "_PORTIONS", 8)
    async with closing(RedisStore(redis_server.url, secret=SECRET, prefix=f"{own}[*]")) as store:
        await store._commands([("SET", f"{own}[*]:n:{number}", "x", "EX", 100) for number in range(4000)])
        heard = []
        found = await store.stats(lambda done, of: heard.append((done, of)))
        assert not found.exact
        assert 1000 < found.notes < 16_000
        assert len(heard) == 8
        assert heard[-1][0] == 800
        await store._commands([("DEL", *(f"{own}[*]:n:{number}" for number in range(4000)))])


@pytest.fixture
def as_owner(postgres_server):
    """Run statements as the user who may do everything."""

    def run(text):
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute(text)

    return run


async def test_a_user_without_rights_gets_them_from_the_statements(postgres_server, own, as_owner):
    """What `store migrate --sql` prints is all that a role needs that may nothing else."""
    as_owner(f'CREATE ROLE "{own}-x" LOGIN')
    url = postgres_server.url_of("postgres", f"{own}-x")
    async with closing(PostgresStore(url, secret=SECRET, schema=own)) as store:
        assert paths((await store.check()).problems) == {"tables"}
        with pytest.raises(StoreError, match="may not do this"):
            await store.migrate()
        as_owner(store._statements)
        assert paths((await store.check()).problems) == {"rights"}
        as_owner(store.statements_for(f"{own}-x"))
        found = await store.check()
        assert (found.problems, found.schema) == ((), 1)
        await store.begin(Claim(key="k", keep=9, lease=1, counts=(("a", EXACT), ("b", SLICED)), turn=Turn("t", 14)), timeout=5)
        assert await store.forget(["a", "b"]) == 2
        assert (await store.stats()).entries == 1
    as_owner(f'DROP SCHEMA {own} CASCADE; DROP ROLE "{own}-x"')


async def test_what_a_postgresql_server_would_lose(postgres_server, own, as_owner):
    """Settings of the user or the server; a server that only reads is no store."""
    as_owner(f"CREATE ROLE {own} LOGIN SUPERUSER; ALTER ROLE {own} SET synchronous_commit = off")
    url = postgres_server.url_of("postgres", own)
    async with closing(PostgresStore(url, secret=SECRET, schema=own)) as store:
        assert paths((await store.check()).warnings) == {"synchronous_commit", "fsync"}
    as_owner(f"ALTER ROLE {own} SET default_transaction_read_only = on")
    async with closing(PostgresStore(url, secret=SECRET, schema=own)) as store:
        assert paths((await store.check()).problems) == {"default_transaction_read_only"}
    as_owner(f"DROP ROLE {own}")


async def test_a_newer_release_is_named(postgres_server, redis_server, own):
    """Before anything is sent."""
    async with PostgresStore(postgres_server.url, secret=SECRET, schema=own) as store:
        await store.ask(lambda connection: connection.ask(f"UPDATE {own}.version SET version = 3"), 5)
        assert paths((await store.check()).problems) == {"schema"}
    async with RedisStore(redis_server.url, secret=SECRET, prefix=own) as store:
        await store._commands([("SET", f"{own}:version", "3")])
        assert paths((await store.check()).problems) == {"schema"}


async def test_a_replica_of_postgresql_is_no_store(tmp_path):
    """It only reads."""
    server = PostgresServer(tmp_path / "postgres")
    signal = server.folder / "data" / "standby.signal"
    signal.touch()
    owner = signal.parent.stat()
    os.chown(signal, owner.st_uid, owner.st_gid)
    with running(server):
        async with closing(PostgresStore(server.url, secret=SECRET)) as store:
            assert paths((await store.check()).problems) == {"role"}


async def test_a_pooler_is_seen(tmp_path, postgres_server, own):
    """PgBouncer makes up the number of the server's process."""
    with running(PgBouncer(tmp_path, postgres_server, connections=2)) as bouncer:
        async with closing(PostgresStore(bouncer.url, secret=SECRET, schema=own)) as store:
            await store.migrate()
            found = await store.check()
    assert found.problems == ()
    assert any("PgBouncer" in note for note in found.notes)


async def test_a_large_table_is_estimated(postgres_server, own, monkeypatch):
    """By what the server itself knows of it."""
    monkeypatch.setattr(postgres_reports, "_COUNTED", 10)
    async with PostgresStore(postgres_server.url, secret=SECRET, schema=own) as store:
        rows = f"INSERT INTO {own}.notes SELECT i::text, '', 9e9 FROM generate_series(1, 500) AS i"
        await store.ask(lambda connection: connection.ask(rows), 5)
        assert (await store.stats()).notes == 11  # nobody looked at the table yet
        await store.ask(lambda connection: connection.ask(f"ANALYZE {own}.notes"), 5)
        found = await store.stats()
    assert (found.notes, found.exact) == (500, False)


async def test_a_file_that_others_may_read(tmp_path):
    """Its owner's umask, or a copy, gave it away."""
    async with SQLiteStore(tmp_path / "store.db") as store:
        assert (await store.check()).warnings == ()
        (tmp_path / "store.db").chmod(0o644)
        (tmp_path / "store.db.key").chmod(0o640)
        assert paths((await store.check()).warnings) == {"store.db", "store.db.key"}
        (tmp_path / "store.db").chmod(0o600)
        (tmp_path / "store.db.key").chmod(0o600)


async def test_where_a_file_would_not_last(tmp_path, monkeypatch):
    """On a network file system, and on a full disk; neither can be had in a test, so only their tellers are others."""
    monkeypatch.setattr(sqlite_reports, "file_system_of", lambda path: "nfs4")
    monkeypatch.setattr(sqlite_reports.shutil, "disk_usage", lambda path: SimpleNamespace(free=3 * 1024 * 1024))
    async with closing(SQLiteStore(tmp_path / "store.db")) as store:
        found = await store.check()
    assert paths(found.warnings) == {"store", "disk"}
    assert "nfs4" in found.warnings[0].message
    assert "3 MiB" in found.warnings[1].message


async def test_a_folder_that_is_not_there(tmp_path):
    """Is said before the first message."""
    async with closing(SQLiteStore(tmp_path / "nowhere" / "store.db")) as store:
        assert paths((await store.check()).problems) == {"folder"}


def test_the_file_system_of_a_path(tmp_path):
    """The deepest mount that it is below, the last of several at one place; blanks are escaped in the list."""
    mounts = tmp_path / "mounts"
    mounts.write_text(
        "/dev/a / ext4 rw 0 0\nserver:/x /srv/mail\\040box nfs4 rw 0 0\n/dev/b /srv xfs rw 0 0\n//server/y /srv cifs rw 0 0\n"
    )
    assert file_system_of(Path("/var/authmail.db"), mounts) == "ext4"
    assert file_system_of(Path("/srv/mail box/authmail.db"), mounts) == "nfs4"
    assert file_system_of(Path("/srv/authmail.db"), mounts) == "cifs"
    assert file_system_of(Path("/srv/authmail.db"), tmp_path / "nowhere") == ""


@pytest.mark.parametrize(
    ("clocks", "warns"), [((10, 12.0, 10.2), True), ((10, 8.0, 10.2), True), ((10, 10.9, 10), False), ((10, 13, 15), False)]
)
def test_clocks_that_are_apart(clocks, warns):
    """By more than a second, for certain: the answer may have been on its way for as long as it took."""
    assert bool(Clocks(*clocks).warnings()) == warns
