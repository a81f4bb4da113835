"""Pace: messages go one after another, and codes before the rest."""

import asyncio
from itertools import pairwise

import pytest
from counting_store import CountingStore

from authmail import AccountError, Limited, Mailer, Message, NotSent, Receipt, Template
from authmail.delivery import Breaker, Dedupe, Delivery, Failover, Limit, Limits, MemoryStore, Pace, Retry, StoreError
from authmail.delivery.trip import joined

CODE, LINK = {"code": "123456"}, {"link": "https://example.com/join/1"}


def message(number=0, payload=None):
    return Message(f"zoe{number}@example.com", "SignIn", CODE if payload is None else payload)


def now():
    return asyncio.get_running_loop().time()


def store_of_loop():
    return MemoryStore(clock=now)


def test_messages_go_one_after_another(scripted, in_fake_time):
    """Also those that come at once: each waits for its turn, within its own time."""
    sender = scripted()

    async def send():
        pace = Pace(sender, rate=10, store=store_of_loop())
        await asyncio.gather(*(pace.send(message(number), timeout=10) for number in range(20)))

    in_fake_time(send())
    assert all(later - earlier >= 0.0999 for earlier, later in pairwise(sender.times))
    assert sender.times[-1] - sender.times[0] == pytest.approx(1.9)


def test_a_few_may_go_at_once(scripted, in_fake_time):
    """After a quiet time, and again after the next."""
    sender = scripted()

    async def send():
        pace = Pace(sender, rate=1, burst=3, store=store_of_loop())
        for _ in range(2):
            await asyncio.gather(*(pace.send(message(number), timeout=10) for number in range(4)))
            await asyncio.sleep(60)

    in_fake_time(send())
    assert [round(time - sender.times[0], 3) for time in sender.times] == [0, 0, 0, 1, 61, 61, 61, 62]


def test_a_turn_that_comes_too_late_is_told_at_once(scripted, in_fake_time):
    """With the seconds to wait; the provider is not asked, and the place is somebody else's."""
    sender = scripted()

    async def send():
        pace = Pace(sender, rate=0.1, store=store_of_loop())
        await pace.send(message(), timeout=3)
        begun = now()
        with pytest.raises(Limited) as caught:
            await pace.send(message(), timeout=3)
        assert now() == begun
        return caught.value

    error = in_fake_time(send())
    assert (error.phase, error.retry_after, len(sender.calls)) == ("before", pytest.approx(10), 1)
    assert "pace of scripted" in error.hint


def test_another_sender_takes_what_is_too_fast_for_the_first(scripted, in_fake_time):
    """The breaker stays closed: it is our own limit, and no word of the provider's."""
    first, second = scripted(name="first"), scripted(name="second")

    async def send():
        store = store_of_loop()
        breakers = [Breaker(Pace(first, rate=0.1, store=store), store=store), Breaker(second, store=store)]
        delivery = Delivery(Retry(Failover(breakers)))
        for number in range(5):
            await delivery.send(message(number), timeout=3)
        return breakers[0].state

    assert in_fake_time(send()) == "closed"
    assert (len(first.calls), len(second.calls)) == (1, 4)


def test_codes_go_before_the_rest(scripted, in_fake_time):
    """However many invitations wait, a code finds one of the places that are kept."""
    sender = scripted()

    async def send():
        pace = Pace(sender, rate=5, store=store_of_loop())
        invitations = [asyncio.create_task(pace.send(message(number, LINK), timeout=100)) for number in range(100)]
        await asyncio.sleep(1)
        begun = now()
        await pace.send(message(), timeout=10)
        waited = now() - begun
        await asyncio.gather(*invitations)
        return waited

    assert in_fake_time(send()) <= 1


def test_it_costs_no_trip_of_its_own(scripted, in_fake_time):
    """The outermost wrapper takes the turn of the sender that is asked first, through retry and failover."""
    sender = scripted()

    async def send():
        store = CountingStore(now)
        breaker = Breaker(Pace(sender, rate=2, store=store), store=store)
        limits = Limits(Retry(Failover([breaker])), store=store, recipient=Limit(10, 600))
        delivery = Delivery(Dedupe(limits, store=store))
        await asyncio.gather(*(delivery.send(message(number), timeout=10) for number in range(4)))
        return store.trips

    assert sorted(in_fake_time(send())) == ["begin"] * 4 + ["end"] * 4
    assert [round(time - sender.times[0], 3) for time in sender.times] == [0, 0.5, 1, 1.5]


def test_a_second_attempt_waits_for_a_turn_of_its_own(scripted, in_fake_time):
    """It is another request to the provider."""
    sender = scripted(NotSent("down"), Receipt("1"))

    async def send():
        store = store_of_loop()
        retry = Retry(Failover([Pace(sender, rate=0.5, store=store)]), jitter=lambda: 0.0, attempts=2)
        await Dedupe(retry, store=store).send(message(), timeout=10)

    in_fake_time(send())
    assert sender.times[1] - sender.times[0] == pytest.approx(2)


class BrokenStore(MemoryStore):
    """Cannot be used."""

    async def begin(self, claim, *, timeout=0.0):
        raise StoreError("down")


def test_without_its_store_a_process_keeps_the_pace_by_itself(scripted, in_fake_time, caplog):
    """Nobody is locked out, and the provider is not flooded."""
    sender = scripted()

    async def send():
        pace = Pace(sender, rate=1, store=BrokenStore())
        pace._alone = store_of_loop()
        for number in range(3):
            await pace.send(message(number), timeout=10)

    in_fake_time(send())
    assert [round(time - sender.times[0], 3) for time in sender.times] == [0, 1, 2]
    assert "sent without" in caplog.text


TEMPLATES = [Template("SignIn", "{{code}}", "<p>{{code}}</p>")]
RESEND = {"apiKey": "re_1", "from": "a@mail.example.com"}
HTTP = {"endpoint": "https://mail.example.com/send"}


async def test_the_rate_is_the_providers_unless_said_otherwise():
    """As its metadata has it; without one it must be said."""
    pace = Pace(Mailer("resend", RESEND, templates=TEMPLATES))
    assert [step.decision for step in pace.steps(message())] == ["2 messages a second"]
    pace = Pace(Mailer("resend", RESEND, templates=TEMPLATES), rate=10, burst=4)
    assert [step.decision for step in pace.steps(message())] == ["10 messages a second, 4 at once"]
    with pytest.raises(ValueError, match="http-email publishes none"):
        Pace(Mailer("http-email", HTTP))


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_is_a_number_of_messages(scripted, rate):
    """More than none, and finite."""
    with pytest.raises(ValueError, match="rate"):
        Pace(scripted(), rate=rate)


async def test_who_has_the_account_has_the_pace():
    """Whatever else their configs say; another key, provider or rate is another row."""
    store = MemoryStore()

    def key(config, **options):
        return Pace(Mailer("resend", RESEND | config, templates=TEMPLATES), store=store, **options).claim(message(), 1).turn.key

    assert key({}) == key({"from": "b@mail.example.com"})
    assert len({key({}), key({"apiKey": "re_2"}), key({}, rate=5), key({}, burst=2)}) == 4


async def test_a_message_that_is_cancelled_while_it_waits_is_not_sent(scripted):
    """And nothing is left behind."""
    sender = scripted()
    pace = Pace(sender, rate=0.1)
    await pace.send(message(), timeout=30)
    waiting = asyncio.create_task(pace.send(message(), timeout=30))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (len(sender.calls), joined(pace)) == (1, None)


def test_a_turn_that_is_over_is_not_used(scripted, in_fake_time):
    """Whoever was held up by another sender meanwhile takes another turn: else several of them would come at once."""
    slow, sender = scripted(NotSent("down"), takes=5.0, name="slow"), scripted(name="paced")

    async def send():
        store = store_of_loop()
        failover = Failover([Breaker(slow, failures=100), Pace(sender, rate=1, store=store)])
        delivery = Delivery(Dedupe(failover, store=store))
        await asyncio.gather(*(delivery.send(message(number), timeout=60) for number in range(4)))

    in_fake_time(send())
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(sender.times))


def test_a_breaker_that_opens_stops_who_waits_for_a_turn(scripted, in_fake_time):
    """They were let through before; nobody is asked any more."""
    sender = scripted(AccountError("revoked", reason="credentials"))

    async def send():
        delivery = Delivery(Failover([Breaker(Pace(sender, rate=1, store=store_of_loop()))]))
        return await asyncio.gather(*(delivery.send(message(number), timeout=30) for number in range(5)), return_exceptions=True)

    errors = in_fake_time(send())
    assert [type(error) for error in errors] == [AccountError] * 5
    assert len(sender.calls) == 1
