"""Rules for the turns that a store gives: one message after another, at a pace."""

from itertools import pairwise

from authmail.delivery import Limit, Store, Turn
from authmail.testing.rules_of_kits import expect, expect_that
from authmail.testing.stores.subject import StoreRule, StoreUnderTest, begin

_RATE = 20.0
_LONG = 600.0
# Of what a computer makes of 1 / 20, in seconds.
_CLOSE = 1e-4


async def _take(store: Store, turn: Turn) -> float:
    """Take a turn; the time when it is, by the store's clock."""
    _, begun = await begin(store, turn=turn)
    return begun.at + begun.turn


async def _one_after_another(subject: StoreUnderTest) -> None:
    store = subject.make()
    turns = [await _take(store, Turn("p", _RATE, longest=_LONG)) for _ in range(20)]
    gaps = [later - earlier for earlier, later in pairwise(turns)]
    expect_that(f"turns are 1/{_RATE:g} s apart, got {min(gaps):.4f}", min(gaps) >= 1 / _RATE - _CLOSE)
    expect_that(f"and no later than they must be, got {turns[-1] - turns[0]:.3f} s for 20", turns[-1] - turns[0] < 20 / _RATE)
    other = (await begin(store, turn=Turn("q", _RATE, longest=_LONG)))[1].turn
    expect_that("another pace waits for nobody", other <= _CLOSE)


async def _bursts(subject: StoreUnderTest) -> None:
    store = subject.make()
    waits = [(await begin(store, turn=Turn("p", 0.1, burst=3, longest=_LONG)))[1].turn for _ in range(4)]
    expect("turns of three at once that do not wait", [wait > _CLOSE for wait in waits], [False, False, False, True])


async def _too_late(subject: StoreUnderTest) -> None:
    store = subject.make()
    slow = Turn("p", 0.1, longest=1.0)
    first = (await begin(store, turn=slow))[1].turn
    expect_that("the first does not wait", first <= _CLOSE)
    _, late = await begin(store, "k", turn=slow)
    expect_that(f"what cannot wait so long hears how long it is, got {late.turn}", slow.longest < late.turn <= 1 / slow.rate)
    expect_that("and has begun all the same, for another sender may take it", late.entry is None and late.wait == 0)
    after = (await begin(store, turn=Turn("p", 0.1, longest=_LONG)))[1].turn
    expect_that(f"its place is free for the next, got {after}", after <= 1 / slow.rate)


async def _kept_for_codes(subject: StoreUnderTest) -> None:
    store = subject.make()
    others = [(await begin(store, turn=Turn("p", _RATE, coded=False, longest=_LONG)))[1].turn for _ in range(60)]
    code = (await begin(store, turn=Turn("p", _RATE, longest=_LONG)))[1].turn
    expect_that(f"others wait long, got {others[-1]:.2f} s", others[-1] > 40 / _RATE)
    expect_that(f"a code waits for five places at most, got {code:.2f} s", code <= 5 / _RATE + _CLOSE)


async def _repeats_take_none(subject: StoreUnderTest) -> None:
    store = subject.make()
    turn = Turn("p", 0.1, burst=3, longest=_LONG)
    limit = ("c", Limit(1, _LONG))
    await begin(store, "k", counts=(limit,), turn=turn)
    for _ in range(5):
        await begin(store, "k", counts=(limit,), turn=turn)
        await begin(store, counts=(limit,), turn=turn)
    waits = [(await begin(store, turn=turn))[1].turn > _CLOSE for _ in range(3)]
    expect("turns of two that are left, after repeats and limited messages", waits, [False, False, True])


#: Rules for turns.
PACED = tuple(
    StoreRule(name, run)
    for name, run in {
        "gives turns one after another": _one_after_another,
        "gives turns at once after a quiet time": _bursts,
        "takes no turn that comes too late": _too_late,
        "keeps a fifth of the turns for codes": _kept_for_codes,
        "gives no turn to repeats": _repeats_take_none,
    }.items()
)
