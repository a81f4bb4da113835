"""A person who asks to be forgotten, or was mailed too often by a mistake, is no longer counted."""

import pytest

from authmail import Limited, Message
from authmail.delivery import (
    Dedupe,
    Delivery,
    Limit,
    Limits,
    MemoryStore,
    PostgresStore,
    RedisStore,
    SQLiteStore,
    StoreError,
)
from authmail.delivery import sync as without_await

SECRET = b"a secret of sixteen bytes or more"


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
def store(request, tmp_path, own):
    """Each kind of store."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "store.db", secret=SECRET)
    if request.param == "redis":
        return RedisStore(request.getfixturevalue("redis_server").url, secret=SECRET, prefix=own)
    return PostgresStore(request.getfixturevalue("postgres_server").url, secret=SECRET, schema=own)


def code(number, to="zoe@example.com"):
    return Message(to, "SignIn", {"code": f"{number:06}"})


def limited(sender, store, name="", **limits):
    limits = limits or {"recipient": Limit(2, 600)}
    return Delivery(Dedupe(Limits(sender, store=store, **limits), store=store), name=name)


async def test_whoever_is_forgotten_may_be_mailed_again(scripted, store):
    """In whatever spelling; others stay counted, and so does the person at another delivery of the store."""
    sender = scripted()
    async with limited(sender, store, "one") as one, limited(sender, store, "two") as two:
        for delivery in (one, two):
            for to in ("zoe@example.com", "max@example.com"):
                for number in range(2):
                    await delivery.send(code(number, to))
        assert await one.forget("Zoe <ZOE+news@Example.com>") == 2
        assert await one.forget("zoe@example.com") == 0
        await one.send(code(3))
        for delivery, to in ((one, "max@example.com"), (two, "zoe@example.com")):
            with pytest.raises(Limited):
                await delivery.send(code(3, to))


async def test_limits_around_each_other_forget_all(scripted):
    """Also those of another store or scope."""
    inner, outer = MemoryStore(), MemoryStore()
    limits = Limits(scripted(), store=inner, recipient=Limit(1000, 60), scope="mine")
    async with Delivery(
        Limits(Limits(limits, store=outer, recipient=Limit(5, 60)), store=outer, recipient=Limit(9, 3600))
    ) as delivery:
        await delivery.send(code(1))
        assert await delivery.forget("zoe@example.com") == 3


async def test_what_is_not_the_persons_own_stays(scripted):
    """Counts of the client and of all together, and what is kept for repeats."""
    store = MemoryStore()
    async with limited(scripted(), store, recipient=None, account=Limit(1, 600)) as delivery:
        await delivery.send(code(1))
        assert await delivery.forget("zoe@example.com") == 0
        with pytest.raises(Limited):
            await delivery.send(code(2))
        assert (await store.stats()).entries == 1


async def test_a_store_of_somebodys_own_may_not_know_how(scripted):
    """It has the five methods of Store, and this is none of them."""

    class Own(MemoryStore):
        forget = None

    with pytest.raises(StoreError, match="Own has no method forget"):
        await limited(scripted(), Own()).forget("zoe@example.com")


def test_without_await(scripted):
    """The same name."""
    delivery = without_await.Delivery(limited(scripted(), MemoryStore()))
    delivery.send(code(1))
    assert delivery.forget("zoe@example.com") == 1
    delivery.close()
