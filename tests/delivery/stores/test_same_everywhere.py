"""All stores say the same, to the message: one long story of messages, told to each with the same clock."""

import random

import pytest
from server_stores import SECRET

from authmail.delivery import Claim, Limit, MemoryStore, PostgresStore, RedisStore, SQLiteStore, Turn

LIMITS = [Limit(1, 60), Limit(3, 20), Limit(10, 600), Limit(128, 300), Limit(129, 60), Limit(200, 600)]
PACES = [("slow", 0.5, 1), ("fast", 14, 1), ("bursts", 5, 4)]


class Clock:
    """A clock that the story turns."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
async def stores(tmp_path, redis_server, postgres_server, own):
    """Each kind of store, with one clock."""
    clock = Clock()
    made = [
        MemoryStore(clock=clock),
        SQLiteStore(tmp_path / "store.db", secret=SECRET, clock=clock),
        RedisStore(redis_server.url, secret=SECRET, prefix=own, clock=clock),
        PostgresStore(postgres_server.url, secret=SECRET, schema=own, clock=clock),
    ]
    for store in made[1:]:
        await store.__aenter__()
    yield clock, made
    for store in made[1:]:
        await store.__aexit__()


def claim_of(chance, number):
    """A message as it comes: with a key or none, limits, notes, a turn."""
    counts = {f"{limit.most}-{chance.randrange(2)}": limit for limit in chance.sample(LIMITS, chance.randrange(3))}
    pace = chance.choice([*PACES, None])
    return Claim(
        token=f"{number:016x}",
        key=f"k{chance.randrange(40)}" if chance.random() < 0.6 else None,
        fingerprint=f"f{chance.randrange(3)}",
        lease=chance.choice([1.0, 30.0]),
        keep=chance.choice([5.0, 60.0, 600.0]),
        counts=tuple(counts.items()),
        notes=tuple(chance.sample(["n1", "n2"], chance.randrange(3))),
        turn=pace and Turn(*pace, coded=chance.random() < 0.4, longest=chance.choice([0.0, 1.0, 10.0])),
    )


def told(begun):
    """What a store said, as far as it must be the same."""
    entry = begun.entry and (begun.entry.fingerprint, begun.entry.answer, round(begun.entry.lease, 3))
    notes = {key: (note.text, round(note.left, 3)) for key, note in begun.notes.items()}
    return entry, round(begun.wait, 3), round(begun.turn, 3), notes


@pytest.mark.parametrize("seed", range(4))
async def test_every_store_tells_the_same_story(stores, seed):
    """Waits, repeats, turns and notes; with times that pass at random, and messages that end or do not."""
    clock, made = stores
    chance = random.Random(seed)
    under_way = []
    for number in range(250):
        clock.now += chance.choice([0.0, 0.001, 0.03, 0.4, 2.0, 11.0]) * chance.random()
        claim = claim_of(chance, number)
        begun = [await store.begin(claim) for store in made]
        assert [told(one) for one in begun[1:]] == [told(begun[0])] * 3, (number, claim)
        if begun[0].wait == 0 and begun[0].entry is None:
            under_way.append((claim, begun))
        if under_way and chance.random() < 0.7:
            ended, begins = under_way.pop(chance.randrange(len(under_way)))
            taken_back = [key for key, _ in ended.counts if chance.random() < 0.5]
            answer = chance.choice([None, f"answer {number}"])
            for store, begin in zip(made, begins, strict=True):
                await store.end(ended, begin, answer=answer, uncount=taken_back)
        if chance.random() < 0.2:
            text, keep = chance.choice(["a note\nof two lines", "é", None]), chance.choice([1.0, 50.0])
            for store in made:
                await store.note("n1", text, keep=keep)
        known = [await store.answer_of(f"k{number % 40}") for store in made]
        assert [one and (one.fingerprint, one.answer, round(one.lease, 3)) for one in known] == [
            known[0] and (known[0].fingerprint, known[0].answer, round(known[0].lease, 3))
        ] * 4
