"""What the tests of each store on a server do with it."""

import asyncio
import multiprocessing

import pytest

from authmail import Message, NotSent, Receipt
from authmail.delivery import Claim, Delivery, Limit, Limits, StoreError, sync

PASSWORD = "hunter2-of-the-store"
WRONG_PASSWORD = "wrong-one"


def claim(key="key", token="0" * 16, most=3):
    """A message that asks for nearly everything."""
    counts = (("exact", Limit(most, 600)), ("slices", Limit(200, 600)))
    return Claim(key=key, token=token, fingerprint="f", lease=5, keep=60, counts=counts, notes=("note",))


async def everything_works(store):
    """Whatever is asked of a store."""
    async with store:
        await store.note("note", "text", keep=5)
        begun = await store.begin(claim())
        assert begun.notes["note"].text == "text"
        await store.end(claim(), begun, answer="answer", uncount=["exact", "slices"])
        assert (await store.answer_of("key")).answer == "answer"
        other = claim("other", "1" * 16)
        await store.end(other, await store.begin(other), answer=None, uncount=["exact", "slices"])
        await store.note("note", None)


async def refusal(store, **options):
    """Return the words of an error; nobody finds a password in it."""
    async with store:
        with pytest.raises(StoreError) as caught:
            await store.begin(claim(), **options)
    told = f"{caught.value!r} {caught.value} {store!r} {store.place}"
    assert PASSWORD not in told
    assert WRONG_PASSWORD not in told
    return str(caught.value)


class Provider:
    """Accepts everything."""

    async def send(self, message, *, timeout=None):
        return Receipt("1")


def threads_count_together(store, *, strict):
    """Ten threads send over one delivery of ``authmail.delivery.sync`` at once, three more than once too often."""
    limits = Limits(Provider(), store=store, recipient=Limit(3, 600), strict=strict)
    delivery = sync.Delivery(Delivery(limits, timeout=30))
    message = Message("zoe@example.com", "SignIn", {"code": "123456"})

    async def send_all():
        return await asyncio.gather(*(asyncio.to_thread(delivery.send, message) for _ in range(10)), return_exceptions=True)

    answers = asyncio.run(send_all())
    delivery.close()
    assert sum(isinstance(answer, Receipt) for answer in answers) == 3
    assert sum(isinstance(answer, Exception) and "too many" in str(answer) for answer in answers) == 7
    assert not any(type(answer) is NotSent for answer in answers)


async def forks_count_together(store):
    """Three children use their parent's store, and end as Python ends; its connections stay as they were."""
    counts = (("key", Limit(100, 600)),)

    async def count():
        async with store:
            for _ in range(10):
                assert not (await store.begin(Claim(counts=counts), timeout=30)).wait

    async with store:
        await store.begin(Claim(counts=counts))
        forking = multiprocessing.get_context("fork")
        children = [forking.Process(target=lambda: asyncio.run(count())) for _ in range(3)]
        for child in children:
            child.start()
        for _ in range(9):
            await store.begin(Claim(counts=counts), timeout=30)
        for child in children:
            await asyncio.to_thread(child.join, 30)
        assert [child.exitcode for child in children] == [0, 0, 0]
        rooms = [not (await store.begin(Claim(counts=counts))).wait for _ in range(61)]
        assert rooms == [True] * 60 + [False]
