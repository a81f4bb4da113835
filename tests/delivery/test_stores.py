import asyncio
import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest

from authmail import Limited, Message, OutcomeUnknown, Receipt, Secret
from authmail.delivery import Claim, Dedupe, Entry, Limit, Limits, MemoryStore, SQLiteStore, StoreError

SECRET = b"a secret of sixteen bytes or more"


class Clock:
    """A clock that tests turn."""

    def __init__(self):
        self.now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path, clock):
    """Each kind of store: the rules are the same."""
    if request.param == "memory":
        yield MemoryStore(clock=clock)
    else:
        async with SQLiteStore(tmp_path / "store.db", secret=SECRET, clock=clock) as opened:
            yield opened


async def test_what_is_over_is_let_go(store, clock):
    """A store does not grow with everything that ever was."""
    for number in range(100):
        await room(store, str(number), Limit(1, 60))
        await entry(store, str(number), "f", lease=10, keep=60)
    clock.now += 100
    for _ in range(30):  # some with each message
        await room(store, "last", Limit(1, 60))
    size = len(store) if isinstance(store, MemoryStore) else rows(store)
    assert size == 1


async def room(store, key, limit):
    """Count a message; how long it has to wait, or 0."""
    return (await store.begin(Claim(counts=((key, limit),)))).wait


async def entry(store, key, fingerprint, *, lease, keep):
    """Begin a message; the entry that there is, or None."""
    return (await store.begin(Claim(key=key, fingerprint=fingerprint, lease=lease, keep=keep))).entry


def rows(store):
    """Count the rows of a store's file."""
    with closing(sqlite3.connect(store._path)) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("times", "slices", "entries"))


async def test_a_clock_that_goes_backwards_holds_nobody_up_for_longer(tmp_path, clock):
    """Wall clocks are set by people and by machines."""
    async with SQLiteStore(tmp_path / "store.db", secret=SECRET, clock=clock) as store:
        assert await room(store, "k", Limit(1, 60)) == 0
        assert await entry(store, "k", "f", lease=10, keep=60) is None
        clock.now -= 86_400
        assert await room(store, "k", Limit(1, 60)) == 60
        assert await entry(store, "k", "f", lease=10, keep=60) == Entry("f", None, 10)
        clock.now += 60
        assert await room(store, "k", Limit(1, 60)) == 0
        assert await entry(store, "k", "f", lease=10, keep=60) is None


async def test_a_file_is_shared(tmp_path, clock):
    """By several that have it open, and by those that come later."""
    path = tmp_path / "store.db"
    async with SQLiteStore(path, clock=clock) as one, SQLiteStore(path, clock=clock) as two:
        assert one.digest("a") == two.digest("a")
        assert await room(one, "k", Limit(1, 60)) == 0
        assert await room(two, "k", Limit(1, 60)) == 60
        claim = Claim(key="k", fingerprint="f", lease=10, keep=60)
        await one.end(claim, await one.begin(claim), answer="answer")
        digest = one.digest("a")
    async with SQLiteStore(path, clock=clock) as later:
        assert (await entry(later, "k", "f", lease=10, keep=60)).answer == "answer"
        assert later.digest("a") == digest


async def test_its_own_secret_is_for_its_owner_alone(tmp_path):
    """It stands beside the file, so that the file alone gives nothing away."""
    async with SQLiteStore(tmp_path / "store.db"):
        key = tmp_path / "store.db.key"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert len(key.read_bytes()) == 32
    assert sorted(path.name for path in tmp_path.iterdir() if "key" in path.name) == ["store.db.key"]
    key.write_bytes(b"")
    with pytest.raises(StoreError, match="store.db.key holds no secret"):
        async with SQLiteStore(tmp_path / "store.db"):
            pass


def test_a_short_secret_is_a_mistake(tmp_path):
    """It could be guessed, and with it the codes."""
    with pytest.raises(ValueError, match="16 bytes"):
        SQLiteStore(tmp_path / "store.db", secret=Secret("short"))


async def test_a_file_that_cannot_be_used_is_named(tmp_path):
    """By its name, not its place; nothing is left open."""
    (tmp_path / "no.db").write_text("this is no database, but a text that is long enough to look at")
    with pytest.raises(StoreError, match=r"no\.db cannot be used"):
        async with SQLiteStore(tmp_path / "no.db"):
            pass
    with pytest.raises(StoreError, match="cannot be used"):
        async with SQLiteStore(tmp_path / "nowhere" / "store.db"):
            pass


async def test_a_file_holds_no_address_code_or_link(tmp_path):
    """Whoever gets hold of it learns nothing of anybody."""
    from authmail import Message, Receipt
    from authmail.delivery import Dedupe, Limits

    class Accepting:
        async def send(self, message, *, timeout=None):
            return Receipt("id-1")

    async with Dedupe(Limits(Accepting(), store=(store := SQLiteStore(tmp_path / "store.db"))), store=store) as dedupe:
        await dedupe.send(Message("zoe@example.com", "SignIn", {"code": "482913", "link": "https://example.com/secret"}))
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"id-1" in content
    for confidential in (b"zoe", b"482913", b"secret"):
        assert confidential not in content


async def test_the_last_to_leave_closes_it(tmp_path):
    """Tenants with a Delivery each share one store, and come and go."""
    store = SQLiteStore(tmp_path / "store.db")
    async with store:
        async with store:
            await store.answer_of("k")
        await store.answer_of("k")
        async with store:
            await store.answer_of("k")
    assert not (tmp_path / "store.db-wal").exists()
    await store.answer_of("k")  # whoever uses it later opens it again
    async with store:
        assert (tmp_path / "store.db-wal").exists()
    assert not (tmp_path / "store.db-wal").exists()


async def test_a_full_disk_is_told_and_over_when_there_is_room(tmp_path):
    """SQLite has rolled back by then; a second time would be an error of its own."""
    async with SQLiteStore(tmp_path / "store.db") as store:
        store._file._connection.execute(
            f"PRAGMA max_page_count = {store._file._connection.execute('PRAGMA page_count').fetchone()[0]}"
        )
        with pytest.raises(StoreError, match="full"):
            await store.begin(Claim(counts=tuple((f"{number:064}", Limit(1, 60)) for number in range(500))))
        store._file._connection.execute("PRAGMA max_page_count = 10000")
        assert await entry(store, "k", "f", lease=1, keep=1) is None


async def test_who_waits_less_takes_nothing_from_an_entry(store, clock):
    """A first message with a minute to go keeps it, whatever time the second one has."""
    assert await entry(store, "k", "f", lease=62, keep=62) is None
    clock.now += 1
    assert await entry(store, "k", "f", lease=3, keep=30) == Entry("f", None, 61)
    clock.now += 60
    assert await entry(store, "k", "f", lease=3, keep=30) == Entry("f", None, 1)


async def test_a_secret_that_could_not_be_written_is_in_nobodys_way(tmp_path, monkeypatch):
    """Nothing of a full disk is left, nor does it matter that a container's process always has the same number."""

    def full():
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        store = SQLiteStore(tmp_path / "store.db")
        patched.setattr("authmail.delivery.stores.sqlite.new_secret", full)
        with pytest.raises(StoreError, match="No space"):
            async with store:
                pass
    assert [path.name for path in tmp_path.iterdir() if "key" in path.name] == []
    async with SQLiteStore(tmp_path / "store.db"):
        pass


async def test_many_that_open_a_new_file_at_once_have_one_secret(tmp_path):
    """Of one process or of several."""

    async def digest(name):
        async with SQLiteStore(tmp_path / name) as store:
            return store.digest("a")

    for number in range(20):  # they rarely meet at the moment that matters
        assert len(set(await asyncio.gather(*(digest(f"{number}.db") for _ in range(8))))) == 1


async def test_what_was_taken_back_is_not_kept_at_all(clock):
    """Whoever sends to a million made-up addresses, all refused, does not fill the memory."""
    store = MemoryStore(clock=clock)
    for number in range(100):
        claim = Claim(counts=((f"key {number}", Limit(10, 600)), ("account", Limit(1000, 600))))
        await store.end(claim, await store.begin(claim), answer=None, uncount=[key for key, _ in claim.counts])
    assert len(store) == 0


async def test_no_message_pays_for_all_that_is_over(clock, monkeypatch):
    """A part at a time; a million at once would hold up the loop for a second."""
    monkeypatch.setattr("authmail.delivery.stores.memory._LET_GO_AT_ONCE", 10)
    store = MemoryStore(clock=clock)
    for number in range(50):
        await room(store, f"count {number}", Limit(1, 60))
        await entry(store, f"answer {number}", "f", lease=10, keep=60)
    clock.now += 100
    sizes = []
    for _ in range(12):
        await entry(store, "k", "f", lease=10, keep=60)
        sizes.append(len(store))
    assert sizes == [91, 81, 71, 61, 51, 41, 31, 21, 11, 1, 1, 1]
    clock.now += 31
    assert await room(store, "last", Limit(1, 60)) == 0


async def test_a_new_file_that_another_process_is_making_is_waited_for(tmp_path):
    """As when the workers of a web server start together: the loop goes on meanwhile, and nobody's start fails."""
    for _ in range(2):
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
            other.execute("PRAGMA journal_mode = DELETE")
            other.execute("BEGIN EXCLUSIVE")
            store = SQLiteStore(tmp_path / "store.db")
            opening = asyncio.create_task(store.__aenter__())
            await asyncio.sleep(0.3)
            assert not opening.done()
            other.execute("COMMIT")
            await opening
            await store.__aexit__(None, None, None)


def first_release(path):
    """Write a file as the first release left it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((Path(__file__).parents[1] / "vectors/stores/first_release.sql").read_text("utf-8"))


async def test_a_file_of_the_first_release_is_taken_over(tmp_path, scripted):
    """Its answers and counts go on, for all of its messages; nobody runs a command."""
    first_release(tmp_path / "authmail.db")
    clock = Clock()
    clock.now = 1_790_000_300.0
    store = SQLiteStore(tmp_path / "authmail.db", secret=SECRET, clock=clock)
    sender = scripted(Receipt("new"))
    async with Dedupe(Limits(sender, store=store, recipient=Limit(3, 600), account=Limit(500, 86400)), store=store) as dedupe:
        for number in range(200):
            message = Message(f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}, idempotency_key=f"key {number}")
            assert (await dedupe.send(message)).message_id == f"id of key {number}"
        with pytest.raises(OutcomeUnknown, match="cut"):
            await dedupe.send(Message("cut@example.com", "SignIn", {"code": "123456"}, idempotency_key="cut"))
        assert sender.calls == []
        with pytest.raises(Limited):
            await dedupe.send(Message("zoe@example.com", "SignIn", {"code": "1"}))
        through = 0
        for number in range(500):
            with suppress(Limited):
                await dedupe.send(Message(f"other{number}@example.com", "SignIn", {"code": "1"}))
                through += 1
        assert through == 500 - 204  # of the account, of which 204 were counted


async def test_a_process_of_the_first_release_goes_on_meanwhile(tmp_path):
    """A rolling restart has both on one file."""
    first_release(tmp_path / "authmail.db")
    async with SQLiteStore(tmp_path / "authmail.db", secret=SECRET):
        with closing(sqlite3.connect(tmp_path / "authmail.db", isolation_level=None)) as old:
            old.execute("INSERT INTO counted VALUES ('t', 'k', 1.0, 2.0)")
            old.execute("INSERT INTO answers VALUES ('k', 'f', NULL, 1.0, 2.0, 3.0)")
            assert old.execute("SELECT count(*) FROM counted").fetchone() == (1,)


async def test_a_file_of_a_far_later_release_is_left_alone(tmp_path):
    """One release ahead is read, for it only adds."""
    async with SQLiteStore(tmp_path / "store.db"):
        pass
    for version, problem in ((3, None), (4, "a newer release")):
        with closing(sqlite3.connect(tmp_path / "store.db")) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        store = SQLiteStore(tmp_path / "store.db")
        if problem:
            with pytest.raises(StoreError, match=problem):
                await store.answer_of("k")
        else:
            assert await store.answer_of("k") is None
        await store._file.close()


async def test_two_of_one_path_are_the_same_store(tmp_path):
    """However the path is written."""
    (tmp_path / "link.db").symlink_to(tmp_path / "store.db")
    one, two, link = (
        SQLiteStore(tmp_path / "store.db"),
        SQLiteStore(tmp_path / "x" / ".." / "store.db"),
        SQLiteStore(tmp_path / "link.db"),
    )
    assert one == two == link
    assert len({one, two, link}) == 1
    assert one != SQLiteStore(tmp_path / "other.db")
    assert one != tmp_path / "store.db"


async def test_time_goes_on_from_where_it_was_when_the_machine_starts_again(tmp_path, monkeypatch):
    """Also where its wall clock is behind: nothing that was sent is sent again for that."""
    clock = "authmail.delivery.stores.clock"
    async with SQLiteStore(tmp_path / "store.db") as store:
        assert await entry(store, "k", "f", lease=10, keep=600) is None
    monkeypatch.setattr(f"{clock}._boot", lambda: "another start")
    monkeypatch.setattr(f"{clock}.since_boot", lambda: 5.0)
    monkeypatch.setattr("time.time", lambda: 0.0)
    async with SQLiteStore(tmp_path / "store.db") as store:
        assert (await entry(store, "k", "f", lease=10, keep=600)).fingerprint == "f"
        assert (await store.begin(Claim())).at > 1_700_000_000


async def test_a_key_file_that_cannot_be_read_is_told_by_what_needs_it(tmp_path):
    """A digest alone raises nothing, for a message must not be lost over it."""
    (tmp_path / "store.db.key").write_bytes(b"short")
    store = SQLiteStore(tmp_path / "store.db")
    assert store.digest("a") == store.digest("a")
    with pytest.raises(StoreError, match=r"store\.db\.key holds no secret"):
        await store.answer_of("k")
