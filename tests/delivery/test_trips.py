"""A message asks its store twice at most: all that it needs before it goes out, and all that it says after."""

import asyncio
from contextlib import suppress

import pytest
from counting_store import CountingStore

from authmail import AccountError, Limited, Message, MessageRejected, NotSent, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.delivery import Breaker, Dedupe, Delivery, Failover, Limit, Limits, Retry, Route, Routes, StoreError


def everything(store, *senders, **options):
    """The nesting of a file, with everything that a store is for."""
    failover = Failover([Breaker(sender, store=store) for sender in senders])
    routes = Routes([Route(name="cn", domains=["*.cn"], sender=failover)], Retry(failover, jitter=lambda: 0.0))
    limits = Limits(routes, store=store, recipient=Limit(10, 600), ip=Limit(200, 600), account=Limit(1000, 86400), **options)
    return Delivery(Dedupe(limits, store=store, **options))


def message(number=0, **fields):
    return Message(f"zoe{number}@example.com", "SignIn", {"code": f"{number:06}"}, ip="192.0.2.1", **fields)


@pytest.mark.parametrize(
    ("answers", "trips"),
    [
        ([Receipt("1")], ["begin", "end"]),
        ([OutcomeUnknown("cut", reason="network")], ["begin", "end"]),
        ([MessageRejected("no such mailbox")], ["begin", "end"]),
        ([NotSent("down"), Receipt("1")], ["begin", "end"]),
        ([Throttled("slow down")], ["begin", "end"]),
    ],
    ids=str,
)
def test_two_trips_a_message_whatever_becomes_of_it(scripted, in_fake_time, answers, trips):
    """With limits, repeats and breakers in one store."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        async with everything(store, scripted(*answers), scripted(*answers)) as delivery:
            with suppress(SendError):
                await delivery.send(message())
            assert store.trips == trips

    in_fake_time(scenario())


def test_a_repeat_and_a_limited_message_cost_one_trip(scripted, in_fake_time):
    """Nothing was begun, so there is nothing to say afterwards."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        async with everything(store, scripted(Receipt("1"))) as delivery:
            for number in range(10):
                await delivery.send(message(1, idempotency_key=f"key {number}"))
            store.trips.clear()
            await delivery.send(message(1, idempotency_key="key 0"))
            assert store.trips == ["begin"]
            with pytest.raises(Limited):
                await delivery.send(message(1, idempotency_key="one more"))
            assert store.trips == ["begin"] * 2

    in_fake_time(scenario())


def test_an_opening_breaker_costs_one_more(scripted, in_fake_time):
    """Others hear of it at once; while it is open, messages cost no more than two."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        async with everything(store, scripted(AccountError("revoked", reason="credentials"))) as delivery:
            for number in range(5):
                with pytest.raises(AccountError):
                    await delivery.send(message(number))
        assert sorted(store.trips) == ["begin"] * 5 + ["end"] * 5  # a sender that is no Mailer is nobody else's

    in_fake_time(scenario())


@pytest.mark.parametrize("policy", [Dedupe, Limits])
def test_a_wrapper_alone_makes_its_own(scripted, in_fake_time, policy):
    """Also without a Delivery around it."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        await policy(scripted(Receipt("1")), store=store).send(message())
        assert store.trips == ["begin", "end"][: 2 if policy is Dedupe else 1]

    in_fake_time(scenario())


def test_limits_within_retry_count_each_attempt(scripted, in_fake_time):
    """They cannot share the trip of a message, for they may be passed more than once."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        sender = scripted(NotSent("down"), Receipt("1"))
        await Dedupe(Retry(Limits(sender, store=store), jitter=lambda: 0.0), store=store).send(message())
        assert store.trips == ["begin", "begin", "end", "begin", "end"]

    in_fake_time(scenario())


def test_two_limits_in_one_store_share_a_trip(scripted, in_fake_time):
    """A minute's and an hour's; the one that waits longest speaks."""

    async def scenario():
        store = CountingStore(asyncio.get_running_loop().time)
        limits = Limits(
            Limits(scripted(Receipt("1")), store=store, recipient=Limit(2, 3600)), store=store, recipient=Limit(1, 60)
        )
        await limits.send(message())
        with pytest.raises(Limited):
            await limits.send(message())
        await asyncio.sleep(60)
        await limits.send(message())
        await asyncio.sleep(60)
        with pytest.raises(Limited) as caught:
            await limits.send(message())
        assert caught.value.retry_after == pytest.approx(3480)
        assert store.trips == ["begin"] * 4

    in_fake_time(scenario())


def test_a_store_of_another_wrapper_is_asked_apart(scripted, in_fake_time):
    """As where answers are kept on disk, and counts in memory."""

    async def scenario():
        clock = asyncio.get_running_loop().time
        one, two = CountingStore(clock), CountingStore(clock)
        with pytest.raises(NotSent):
            await Dedupe(Limits(scripted(NotSent("down")), store=two), store=one).send(message())
        assert (one.trips, two.trips) == (["begin", "end"], ["begin", "end"])

    in_fake_time(scenario())


@pytest.mark.parametrize("strict", [True, False])
def test_a_store_that_hangs_takes_no_more_than_its_share(scripted, in_fake_time, strict):
    """The message goes out in its time; or is refused in it, where limits are stricter than people's patience."""

    class Hanging(CountingStore):
        async def begin(self, claim, *, timeout):
            await asyncio.Event().wait()

    async def scenario():
        loop = asyncio.get_running_loop()
        async with everything(Hanging(loop.time), scripted(Receipt("1")), strict=strict) as delivery:
            try:
                answer = await delivery.send(message(), timeout=0.5)
            except NotSent as error:
                answer = error
            assert loop.time() <= 0.5
            assert isinstance(answer, NotSent) is strict

    in_fake_time(scenario())


def test_what_is_said_afterwards_holds_no_answer_up(scripted, in_fake_time):
    """It goes on beside, and closing waits for it."""

    class Slow(CountingStore):
        async def end(self, *arguments, **options):
            await asyncio.sleep(3)
            await super().end(*arguments, **options)

    async def scenario():
        loop = asyncio.get_running_loop()
        store = Slow(loop.time)
        async with everything(store, scripted(Receipt("1"))) as delivery:
            await delivery.send(message(), timeout=1.0)
            assert loop.time() <= 1.0
            assert store.trips == ["begin"]
        assert store.trips == ["begin", "end"]

    in_fake_time(scenario())


def test_a_store_that_fails_costs_nobody_the_answer(scripted, in_fake_time, caplog):
    """Afterwards too."""

    class Failing(CountingStore):
        async def end(self, *arguments, **options):
            raise StoreError("the disk is full")

    async def scenario():
        async with everything(Failing(asyncio.get_running_loop().time), scripted(Receipt("1"))) as delivery:
            assert await delivery.send(message()) == Receipt("1")

    in_fake_time(scenario())
    assert "could not be kept: the disk is full" in caplog.text
