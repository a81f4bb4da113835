"""Rules for a store, whoever else uses it."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from inspect import isawaitable
from unittest import mock

from authmail.delivery import Claim, Limit, StoreError
from authmail.testing.rules_of_kits import expect, expect_that
from authmail.testing.stores.subject import PATIENCE, StoreRule, StoreUnderTest, begin, count, end

# Long enough that no slow machine lets it pass by itself, in seconds.
_LONG = 600.0
# Short enough to wait for.
_SHORT = 0.5


async def _counts_exactly(subject: StoreUnderTest) -> None:
    store = subject.make()
    limit = ("k", Limit(3, _LONG))
    for number in range(3):
        expect(f"wait of message {number + 1} of 3", (await count(store, limit))[1].wait, 0)
    wait = (await count(store, limit))[1].wait
    expect_that(f"the fourth of three waits up to {_LONG:g} s, got {wait}", _LONG / 2 < wait <= _LONG)
    expect("wait of another key", (await count(store, ("l", Limit(3, _LONG))))[1].wait, 0)


async def _lets_go(subject: StoreUnderTest) -> None:
    store = subject.make()
    limit = ("k", Limit(1, _SHORT))
    await count(store, limit)
    while wait := (await count(store, limit))[1].wait:
        expect_that(f"the wait is within the window, got {wait}", 0 < wait <= _SHORT)
        await asyncio.sleep(wait)
    entry = await begin(store, "e", keep=_SHORT)
    expect("a new entry", entry[1].entry, None)
    await asyncio.sleep(_SHORT)
    expect("an entry whose time is over", (await begin(store, "e"))[1].entry, None)


async def _large_limits(subject: StoreUnderTest) -> None:
    store = subject.make()
    most = 1000
    limit = ("k", Limit(most, _LONG))
    waits = [(await count(store, limit))[1].wait for _ in range(most + 50)]
    through = waits.count(0)
    expect_that(f"at most {most} of {most} get through in any window, got {through}", through <= most)
    expect_that(f"nearly all of {most} get through, got {through}", through >= most * 0.95)
    expect_that(f"the wait is the window's, right to a sixtieth, got {waits[-1]}", _LONG * 0.9 < waits[-1] <= _LONG * 62 / 60)


async def _all_or_none(subject: StoreUnderTest) -> None:
    store = subject.make()
    full, other = ("full", Limit(1, _LONG)), ("other", Limit(2, _LONG))
    await count(store, full, other)
    expect_that("a message with one full key of two waits", (await count(store, full, other))[1].wait > 0)
    expect("the other key has still room", (await count(store, other))[1].wait, 0)
    expect("a message without limits", (await begin(store))[1].wait, 0)


async def _takes_back(subject: StoreUnderTest) -> None:
    store = subject.make()
    for name, limit in (("exact", Limit(2, _LONG)), ("large", Limit(200, _LONG))):
        first = await count(store, (name, limit))
        for _ in range(limit.most - 1):
            await count(store, (name, limit))
        expect_that(f"{name}: full", (await count(store, (name, limit)))[1].wait > 0)
        await end(store, first, None, name)
        expect(f"{name}: room for the one that was taken back", (await count(store, (name, limit)))[1].wait, 0)
        expect_that(f"{name}: and for no other", (await count(store, (name, limit)))[1].wait > 0)
    again = await count(store, ("again", Limit(2, _LONG)))
    await count(store, ("again", Limit(2, _LONG)))
    await end(store, again, None, "again")
    await end(store, again, None, "again")
    await count(store, ("again", Limit(2, _LONG)))
    expect_that("taken back once, however often it is said", (await count(store, ("again", Limit(2, _LONG))))[1].wait > 0)


async def _one_entry(subject: StoreUnderTest) -> None:
    store = subject.make()
    first = await begin(store, "k", fingerprint="mine")
    expect("the first to begin", first[1].entry, None)
    entry = (await begin(store, "k", fingerprint="other"))[1].entry
    expect_that("who comes second sees the first", entry is not None and entry.fingerprint == "mine" and entry.answer is None)
    expect_that("and the time that it still has", entry is not None and 0 < entry.lease <= 30)  # noqa: PLR2004 (as begun)
    await end(store, first, "answer")
    entry = (await begin(store, "k", fingerprint="mine"))[1].entry
    expect("the answer", entry and entry.answer, "answer")
    read = await store.answer_of("k", timeout=PATIENCE)
    expect("the answer, read", read and read.answer, "answer")
    await end(store, await begin(store, "gone"), None)
    expect("an entry that was ended without an answer", (await begin(store, "gone"))[1].entry, None)


async def _a_repeat_counts_nothing(subject: StoreUnderTest) -> None:
    store = subject.make()
    limit = ("c", Limit(2, _LONG))
    await begin(store, "k", counts=(limit,))
    for _ in range(5):
        await begin(store, "k", counts=(limit,))
    expect("room after five repeats", (await count(store, limit))[1].wait, 0)
    refused = await begin(store, "new", counts=(limit,))
    expect_that("no room for a third", refused[1].wait > 0)
    expect("what was refused has no entry", await store.answer_of("new", timeout=PATIENCE), None)


async def _owners(subject: StoreUnderTest) -> None:
    store = subject.make()
    late = await begin(store, "k", keep=_SHORT, lease=_SHORT)
    await asyncio.sleep(_SHORT * 1.2)
    mine = await begin(store, "k", fingerprint="mine")
    expect("the key is free when its time is over", mine[1].entry, None)
    await end(store, late, "late answer")
    await end(store, late, None)
    entry = await store.answer_of("k", timeout=PATIENCE)
    expect_that("whoever is late ends nothing of another's", entry is not None and entry.answer is None)
    await end(store, mine, "mine")
    await end(store, late, None)
    entry = await store.answer_of("k", timeout=PATIENCE)
    expect("nor its answer", entry and entry.answer, "mine")


async def _reads(subject: StoreUnderTest) -> None:
    store = subject.make()
    expect("of an unknown message", await store.answer_of("k", timeout=PATIENCE), None)
    expect("reading begins nothing", (await begin(store, "k"))[1].entry, None)
    entry = await store.answer_of("k", timeout=PATIENCE)
    expect_that("of one on its way", entry is not None and entry.answer is None and entry.lease > 0)


async def _notes(subject: StoreUnderTest) -> None:
    store, other = subject.make(), subject.make()
    await store.note("n", "text", keep=_LONG, timeout=PATIENCE)
    await store.note("n", "newer", keep=_LONG, timeout=PATIENCE)
    await store.note("short", "text", keep=_SHORT, timeout=PATIENCE)
    found = (await begin(store, notes=("n", "none")))[1].notes
    expect("the notes that there are", sorted(found), ["n"])
    expect("the newer text", found["n"].text, "newer")
    expect_that("the time that is left", 0 < found["n"].left <= _LONG)
    await asyncio.sleep(_SHORT)
    await store.note("n", None, keep=0.0, timeout=PATIENCE)
    expect("notes that are removed or over", dict((await begin(store, notes=("n", "short")))[1].notes), {})
    del other


async def _digests(subject: StoreUnderTest) -> None:
    store = subject.make()
    digest = store.digest("a", "b")
    expect_that("digest() is plain, and gives a text", not isawaitable(digest) and isinstance(digest, str))
    expect("the same parts", digest, store.digest("a", "b"))
    others = {store.digest(*parts) for parts in (("ab",), ("a", "b", ""), ("", "a", "b"), ("b", "a"))}
    expect_that("other parts give other digests", len(others | {digest}) == 5)  # noqa: PLR2004
    expect_that("lone surrogates are told apart", store.digest("\ud800") != store.digest("\ud801"))
    expect_that("no part can be read in it", "zoe@example.com" not in store.digest("zoe@example.com"))


async def _many_at_once(subject: StoreUnderTest) -> None:
    store = subject.make()
    limit = ("k", Limit(10, _LONG))
    begun = await asyncio.gather(*(begin(store, f"m{number % 20}", counts=(limit,)) for number in range(60)))
    through = [one for one in begun if one[1].entry is None and not one[1].wait]
    expect("of sixty at once with a limit of ten", len(through), 10)


async def _wall_clock(subject: StoreUnderTest) -> None:
    store = subject.make()
    limit = ("k", Limit(1, _LONG))
    await begin(store, "e", counts=(limit,))
    for step in (31.0, 86_400.0, 3.2e8, -31.0, -3.2e8):
        began = time.time() + step
        with mock.patch("time.time", lambda began=began: began):
            for one in (store, *((subject.make(),) if subject.hold else ())):
                entry = (await begin(one, "e"))[1].entry
                expect_that(f"a clock set by {step:g} s forgets no message", entry is not None and entry.lease > 0)
                wait = (await count(one, limit))[1].wait
                expect_that(f"a clock set by {step:g} s frees no room, and takes none", 0 < wait <= _LONG)


async def _old_rows(subject: StoreUnderTest) -> None:
    store = subject.make()
    for number in range(1500):
        claim = Claim(key=f"e{number}", lease=_SHORT, keep=_SHORT, counts=((f"c{number}", Limit(1, _SHORT)),))
        await store.begin(claim, timeout=PATIENCE)
    await asyncio.sleep(_SHORT * 1.2)
    limit = ("fresh", Limit(5, _LONG))
    begun = await asyncio.gather(*(begin(store, f"m{number % 20}", counts=(limit,)) for number in range(60)))
    through = [one for one in begun if one[1].entry is None and not one[1].wait]
    expect("after much that is over: of sixty at once with a limit of five", len(through), 5)


async def _entering_is_optional(subject: StoreUnderTest) -> None:
    store = subject.make()
    await begin(store, "k")
    if isinstance(store, AbstractAsyncContextManager):
        async with store, store:
            await begin(store, "l")
        expect_that("it can be used when it was left", (await begin(store, "l"))[1].entry is not None)


async def _busy(subject: StoreUnderTest) -> None:
    if subject.hold is None:
        return
    store = subject.make()
    await begin(store, "before")
    with subject.hold():
        waiting = asyncio.create_task(begin(store, "k"))
        for _ in range(20):  # the loop goes on
            await asyncio.sleep(0.01)
        expect_that("a busy store is waited for", not waiting.done())
        try:
            await store.begin(Claim(key="l", lease=1, keep=1), timeout=0.1)
        except StoreError:
            pass
        else:
            raise AssertionError("a store that is busy for longer than it may be raises StoreError")
    expect("who waited is served", (await waiting)[1].entry, None)
    expect("a store that was busy is as before", (await begin(store, "l2"))[1].entry, None)


#: Rules for any store, also of one process.
SINGLE = tuple(
    StoreRule(name, run)
    for name, run in {
        "counts up to a limit in a rolling time": _counts_exactly,
        "lets go of what is over": _lets_go,
        "counts large limits in slices, never too many": _large_limits,
        "counts under all keys or none": _all_or_none,
        "takes a message back, once": _takes_back,
        "makes one entry": _one_entry,
        "counts no repeat": _a_repeat_counts_nothing,
        "lets only the owner end": _owners,
        "reads without changing": _reads,
        "keeps notes": _notes,
        "gives keyed digests": _digests,
        "is atomic for many at once": _many_at_once,
        "is deaf to the wall clock": _wall_clock,
        "is right after a day's old rows": _old_rows,
        "needs no entering": _entering_is_optional,
        "waits where it is busy, within its time": _busy,
    }.items()
)
