import asyncio
import os
import sqlite3
import stat
import warnings
from contextlib import closing

import pytest

from authmail import Secret
from authmail.delivery import Entry, Limit, MemoryStore, SQLiteStore, StoreError

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


async def test_counts_up_to_a_limit_within_a_rolling_time(store, clock):
    """And says when there is room again."""
    for token in "abc":
        assert await store.reserve(token, [("k", Limit(3, 60))]) == 0
        clock.now += 10
    assert await store.reserve("d", [("k", Limit(3, 60))]) == 30
    clock.now += 30
    assert await store.reserve("d", [("k", Limit(3, 60))]) == 0
    assert await store.reserve("e", [("k", Limit(3, 60))]) == 10


async def test_counts_under_all_keys_or_none(store):
    """The longest wait counts."""
    assert await store.reserve("a", [("full", Limit(1, 60)), ("other", Limit(2, 600))]) == 0
    assert await store.reserve("b", [("full", Limit(1, 60)), ("other", Limit(2, 600))]) == 60
    assert await store.reserve("c", [("other", Limit(2, 600))]) == 0
    assert await store.reserve("d", [("full", Limit(1, 60)), ("other", Limit(2, 600))]) == 600


async def test_takes_a_message_back(store):
    """That one alone, and once."""
    claims = [("k", Limit(2, 60)), ("l", Limit(2, 60))]
    assert [await store.reserve(token, claims) for token in "ab"] == [0, 0]
    await store.release("a", ["k", "l"])
    await store.release("a", ["k", "l"])
    await store.release("nobody", ["k", "unknown"])
    assert await store.reserve("c", claims) == 0
    assert await store.reserve("d", claims) == 60


async def test_nothing_to_count_is_no_limit(store):
    """As where all limits are off."""
    assert await store.reserve("a", []) == 0


async def test_an_entry_is_made_once(store, clock):
    """Whoever comes later sees it, its answer, and how long its maker still has."""
    assert await store.begin("k", "f", lease=10, keep=60) is None
    clock.now += 4
    assert await store.begin("k", "g", lease=10, keep=60) == Entry("f", None, 6)
    await store.finish("k", "answer")
    assert (await store.begin("k", "f", lease=10, keep=60)).answer == "answer"
    clock.now += 56
    assert await store.begin("k", "g", lease=10, keep=60) is None


async def test_a_forgotten_entry_can_be_made_again(store):
    """And finishing one that is gone is harmless."""
    assert await store.begin("k", "f", lease=10, keep=60) is None
    await store.forget("k")
    await store.forget("k")
    await store.finish("k", "late")
    assert await store.begin("k", "f", lease=10, keep=60) is None


async def test_digests_are_keyed_and_keep_their_parts_apart(store):
    """Nobody can try out addresses or codes without the secret."""
    assert store.digest("a", "b") == store.digest("a", "b")
    assert len({store.digest("a", "b"), store.digest("ab"), store.digest("a", "b", ""), MemoryStore().digest("a", "b")}) == 4
    assert store.digest("\ud800") != store.digest("\ud801")


async def test_what_is_over_is_let_go(store, clock):
    """A store does not grow with everything that ever was."""
    for number in range(100):
        await store.reserve(str(number), [(str(number), Limit(1, 60))])
        await store.begin(str(number), "f", lease=10, keep=60)
    clock.now += 100
    await store.reserve("last", [("last", Limit(1, 60))])
    size = len(store) if isinstance(store, MemoryStore) else rows(store)
    assert size == 1


def rows(store):
    """Count the rows of a store's file."""
    with sqlite3.connect(store._path) as connection:
        counted, answers = (connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("counted", "answers"))
    connection.close()
    return counted + answers


async def test_a_clock_that_goes_backwards_holds_nobody_up_for_longer(tmp_path, clock):
    """Wall clocks are set by people and by machines."""
    async with SQLiteStore(tmp_path / "store.db", secret=SECRET, clock=clock) as store:
        assert await store.reserve("a", [("k", Limit(1, 60))]) == 0
        assert await store.begin("k", "f", lease=10, keep=60) is None
        clock.now -= 86_400
        assert await store.reserve("b", [("k", Limit(1, 60))]) == 60
        assert await store.begin("k", "f", lease=10, keep=60) == Entry("f", None, 10)
        clock.now += 60
        assert await store.reserve("b", [("k", Limit(1, 60))]) == 0
        assert await store.begin("k", "f", lease=10, keep=60) is None


async def test_a_file_is_shared(tmp_path, clock):
    """By several that have it open, and by those that come later."""
    path = tmp_path / "store.db"
    async with SQLiteStore(path, clock=clock) as one, SQLiteStore(path, clock=clock) as two:
        assert one.digest("a") == two.digest("a")
        assert await one.reserve("a", [("k", Limit(1, 60))]) == 0
        assert await two.reserve("b", [("k", Limit(1, 60))]) == 60
        await one.begin("k", "f", lease=10, keep=60)
        await one.finish("k", "answer")
        digest = one.digest("a")
    async with SQLiteStore(path, clock=clock) as later:
        assert (await later.begin("k", "f", lease=10, keep=60)).answer == "answer"
        assert later.digest("a") == digest


async def test_many_at_once_are_counted_right(tmp_path):
    """Also from several connections."""
    path = tmp_path / "store.db"
    async with SQLiteStore(path) as one, SQLiteStore(path) as two:
        waits = await asyncio.gather(
            *(store.reserve(f"{number}{store is one}", [("k", Limit(10, 60))]) for number in range(40) for store in (one, two))
        )
    assert sum(wait == 0 for wait in waits) == 10


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
    closed = SQLiteStore(tmp_path / "store.db")
    with pytest.raises(StoreError, match="not open"):
        await closed.forget("k")


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


async def test_the_loop_is_not_blocked_while_another_process_holds_the_file(tmp_path):
    """A locked file costs this message time, and no other."""
    path = tmp_path / "store.db"
    async with SQLiteStore(path) as store:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.forget("k"))
        ticks = 0
        while ticks < 20:
            await asyncio.sleep(0.005)
            ticks += 1
        assert not waiting.done()
        holder.execute("COMMIT")
        holder.close()
        await waiting


async def test_the_last_to_leave_closes_it(tmp_path):
    """Tenants with a Delivery each share one store, and come and go."""
    store = SQLiteStore(tmp_path / "store.db")
    async with store:
        async with store:
            await store.forget("k")
        await store.forget("k")
        async with store:
            await store.forget("k")
    with pytest.raises(StoreError, match="not open"):
        await store.forget("k")
    async with store:
        await store.forget("k")


async def test_a_full_disk_is_told_and_over_when_there_is_room(tmp_path):
    """SQLite has rolled back by then; a second time would be an error of its own."""
    async with SQLiteStore(tmp_path / "store.db") as store:
        store._connection.execute(f"PRAGMA max_page_count = {store._connection.execute('PRAGMA page_count').fetchone()[0]}")
        with pytest.raises(StoreError, match="full"):
            await store.reserve("a", [(f"{number:064}", Limit(1, 60)) for number in range(500)])
        store._connection.execute("PRAGMA max_page_count = 10000")
        assert await store.begin("k", "f", lease=1, keep=1) is None


async def test_who_waits_less_takes_nothing_from_an_entry(store, clock):
    """A first message with a minute to go keeps it, whatever time the second one has."""
    assert await store.begin("k", "f", lease=62, keep=62) is None
    clock.now += 1
    assert await store.begin("k", "f", lease=3, keep=30) == Entry("f", None, 61)
    clock.now += 60
    assert await store.begin("k", "f", lease=3, keep=30) == Entry("f", None, 1)


async def test_not_every_message_waits_for_a_locked_file(tmp_path, monkeypatch):
    """One has waited in vain, so the others try once each; when it is free again, they wait as before."""
    monkeypatch.setattr("authmail.delivery.stores.sqlite._BUSY_SECONDS", 0.2)
    async with SQLiteStore(tmp_path / "store.db") as store:
        with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(*(store.forget("k") for _ in range(500)), return_exceptions=True)
            assert {type(answer) for answer in answers} == {StoreError}
            assert store._connection.execute("PRAGMA busy_timeout").fetchone() == (0,)
            holder.execute("COMMIT")
        await store.forget("k")
        assert store._connection.execute("PRAGMA busy_timeout").fetchone() == (200,)


async def test_a_secret_that_could_not_be_written_is_in_nobodys_way(tmp_path, monkeypatch):
    """Nothing of a full disk is left, nor does it matter that a container's process always has the same number."""

    def full():
        raise OSError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("authmail.delivery.stores.sqlite.new_secret", full)
        with pytest.raises(StoreError, match="No space"):
            async with SQLiteStore(tmp_path / "store.db"):
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


def _in_the_child(store):
    """Without the parent's loop; what is wrong is an exit code."""
    try:
        store.forget("k").send(None)
    except StoreError as error:
        told = "fork" in str(error)
    inherited = store._connection
    store.abandon()
    store.abandon()
    asyncio.events._set_running_loop(None)
    asyncio.run(_opened_and_closed(store))
    os._exit(7 if told and store._inherited is inherited and store._connection is None else 1)


async def _opened_and_closed(store):
    async with store:
        await store.forget("k")


async def test_a_forked_child_is_told_and_may_open_it_anew(tmp_path):
    """The thread that would answer is the parent's: it would wait for ever. The parent's connection stays open."""
    async with SQLiteStore(tmp_path / "store.db") as store:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python 3.12 warns of the very thing
            child = os.fork()
        if not child:
            try:
                _in_the_child(store)
            finally:
                os._exit(1)
        _, status = await asyncio.to_thread(os.waitpid, child, 0)
        assert os.waitstatus_to_exitcode(status) == 7
        await store.forget("k")


async def test_what_was_taken_back_is_not_kept_at_all(clock):
    """Whoever sends to a million made-up addresses, all refused, does not fill the memory."""
    store = MemoryStore(clock=clock)
    for number in range(100):
        await store.reserve(f"token {number}", [(f"key {number}", Limit(10, 600)), ("account", Limit(1000, 600))])
        await store.release(f"token {number}", [f"key {number}", "account", "never counted"])
    assert len(store) == 0


async def test_no_message_pays_for_all_that_is_over(clock, monkeypatch):
    """A part at a time; a million at once would hold up the loop for a second."""
    monkeypatch.setattr("authmail.delivery.stores.memory._LET_GO_AT_ONCE", 10)
    store = MemoryStore(clock=clock)
    for number in range(50):
        await store.reserve(str(number), [(f"count {number}", Limit(1, 60))])
        await store.begin(f"answer {number}", "f", lease=10, keep=60)
    clock.now += 100
    sizes = []
    for _ in range(12):
        await store.forget("k")
        await store.begin("k", "f", lease=10, keep=60)
        sizes.append(len(store))
    assert sizes == [91, 81, 71, 61, 51, 41, 31, 21, 11, 1, 1, 1]
    clock.now += 31
    assert await store.reserve("last", [("last", Limit(1, 60))]) == 0


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
