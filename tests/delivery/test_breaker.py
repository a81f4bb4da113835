import asyncio

import pytest

from authmail import (
    AccountError,
    Limited,
    MessageRejected,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Receipt,
    SendError,
    Throttled,
)
from authmail.delivery import Breaker, Delivery, Failover


async def outcome(sender, message, **options):
    """Return what a sender answers, error or Receipt."""
    try:
        return await sender.send(message, **options)
    except SendError as error:
        return error


def test_an_error_of_the_whole_account_opens_it_at_once(scripted, in_fake_time, code):
    """Every mail would meet the same, so nobody is asked; the refusal says why and for how long."""

    async def scenario():
        sender = scripted(AccountError("wrong key", reason="credentials"))
        breaker = Breaker(sender, name="main")
        await outcome(breaker, code)
        refused = await outcome(breaker, code)
        assert isinstance(refused, AccountError)
        assert (refused.reason, refused.phase, refused.retry_after) == ("credentials", Phase.BEFORE, 10)
        assert "main is not asked now" in refused.hint
        assert (len(sender.calls), breaker.state) == (1, "open")

    in_fake_time(scenario())


ONE_MESSAGE = [
    AccountError("spam?", reason="content"),
    AccountError("not verified", reason="sender"),
    NotSent("mailbox busy", reason="recipient"),
    Limited("the recipient's own limit", retry_after=600),
    NotSent("the connector failed: KeyError", reason="connector", phase="before"),
    NotSent("the store cannot be used", reason="config", phase="before"),
]


@pytest.mark.parametrize("error", ONE_MESSAGE, ids=str)
def test_one_message_cannot_stop_everybodys_mail(scripted, in_fake_time, code, error):
    """Nor can many: what is about one content, template, recipient or client says nothing of the account."""

    async def scenario():
        sender = scripted(*[error] * 20, Receipt("1"))
        breaker = Breaker(sender, failures=5)
        for _ in range(20):
            assert type(await outcome(breaker, code)) is type(error)
            assert breaker.state == "closed"
        assert await outcome(breaker, code) == Receipt("1")

    in_fake_time(scenario())


@pytest.mark.parametrize("error", ONE_MESSAGE, ids=str)
def test_one_message_cannot_keep_it_open(scripted, in_fake_time, code, error):
    """If it happens to be the one that tries, the next one tries."""

    async def scenario():
        breaker = Breaker(scripted(AccountError("no"), error, Receipt("1")))
        await outcome(breaker, code)
        await asyncio.sleep(30)
        assert type(await outcome(breaker, code)) is type(error)
        assert await outcome(breaker, code) == Receipt("1")
        assert breaker.state == "closed"

    in_fake_time(scenario())


def test_a_connector_that_fails_after_it_asked_is_left_alone(scripted, in_fake_time, code):
    """Whatever it did may have sent a mail each time."""

    async def scenario():
        breaker = Breaker(scripted(OutcomeUnknown("the connector failed", reason="connector")), failures=2)
        for _ in range(2):
            await outcome(breaker, code)
        assert breaker.state == "open"

    in_fake_time(scenario())


@pytest.mark.parametrize("error", [NotSent("down"), OutcomeUnknown("cut")])
def test_failures_in_a_row_open_it(scripted, in_fake_time, code, error):
    """Five by default; a success in between starts the count anew."""

    async def scenario():
        sender = scripted(*[error] * 4, Receipt("1"), *[error] * 5)
        breaker = Breaker(sender)
        for _ in range(9):
            await outcome(breaker, code)
            assert breaker.state == "closed"
        await outcome(breaker, code)
        assert breaker.state == "open"
        assert isinstance(await outcome(breaker, code), NotSent)
        assert len(sender.calls) == 10

    in_fake_time(scenario())


def test_one_message_tries_an_open_one(scripted, in_fake_time, code):
    """After its rest one message goes through, and until that has its answer nobody else is asked."""

    async def scenario():
        sender = scripted(AccountError("no"), Receipt("1"), takes=2.0)
        breaker = Breaker(sender)
        await outcome(breaker, code)
        await asyncio.sleep(10)
        assert breaker.state == "probing"
        answers = await asyncio.gather(*(outcome(breaker, code) for _ in range(20)))
        assert sum(isinstance(answer, Receipt) for answer in answers) == 1
        assert (len(sender.calls), breaker.state) == (2, "closed")

    in_fake_time(scenario())


def test_each_failed_try_doubles_the_rest(scripted, in_fake_time, code):
    """Up to its longest; a success makes it short again."""

    async def scenario():
        sender = scripted(*[AccountError("no")] * 6, Receipt("1"), AccountError("no"))
        breaker = Breaker(sender, rest=10, longest_rest=60)
        for _ in range(300):
            await outcome(breaker, code)
            await asyncio.sleep(1)
        gaps = [round(later - earlier) for earlier, later in zip(sender.times, sender.times[1:], strict=False)]
        assert gaps[:5] == [10, 20, 40, 60, 60]
        assert gaps[5:7] == [60, 1]

    in_fake_time(scenario())


def test_a_rejected_message_shows_that_the_provider_works(scripted, in_fake_time, code):
    """Yet not one that was refused before anybody was asked."""

    async def scenario():
        rejected, refused_here = MessageRejected("no such mailbox"), MessageRejected("bad address", phase="before")
        sender = scripted(AccountError("no"), refused_here, rejected)
        breaker = Breaker(sender)
        await outcome(breaker, code)
        await asyncio.sleep(10)
        await outcome(breaker, code)
        assert breaker.state == "probing"
        await outcome(breaker, code)
        assert breaker.state == "closed"

    in_fake_time(scenario())


def test_a_throttling_provider_is_left_alone_for_as_long_as_it_asks(scripted, in_fake_time, code):
    """Without a hint it is not."""

    async def scenario():
        sender = scripted(Throttled("slow", retry_after=7), Receipt("1"))
        breaker = Breaker(sender)
        await outcome(breaker, code)
        await asyncio.sleep(6.9)
        refused = await outcome(breaker, code)
        assert isinstance(refused, Throttled)
        assert refused.retry_after == pytest.approx(0.1)
        await asyncio.sleep(0.1)
        assert await outcome(breaker, code) == Receipt("1")
        without_hint = Breaker(scripted(Throttled("slow"), Receipt("1")))
        await outcome(without_hint, code)
        assert await outcome(without_hint, code) == Receipt("1")

    in_fake_time(scenario())


def test_a_caller_in_a_hurry_proves_nothing(scripted, in_fake_time, code):
    """Whoever gives a provider no time must not close it for the others."""

    async def scenario():
        sender = scripted(NotSent("no time"))
        breaker = Breaker(sender, failures=2)
        for _ in range(10):
            await outcome(breaker, code, timeout=0.05)
        assert breaker.state == "closed"

    in_fake_time(scenario())


def test_what_began_before_it_opened_tells_nothing(scripted, in_fake_time, code):
    """Neither a late success nor a late failure changes an open breaker."""

    async def scenario():
        late = asyncio.Event()

        class Mixed:
            name = "mixed"

            async def send(self, message, *, timeout=None):
                if message is code:
                    await late.wait()
                    return Receipt("late")
                raise AccountError("no")

        breaker = Breaker(Mixed())
        slow = asyncio.create_task(outcome(breaker, code))
        await asyncio.sleep(0)
        await outcome(breaker, "another message")
        late.set()
        assert await slow == Receipt("late")
        assert breaker.state == "open"

    in_fake_time(scenario())


def test_a_cancelled_try_leaves_room_for_the_next(scripted, in_fake_time, code):
    """Otherwise nobody would ever be asked again."""

    async def scenario():
        sender = scripted(AccountError("no"), Receipt("1"), takes=5.0)
        breaker = Breaker(sender)
        await outcome(breaker, code)
        await asyncio.sleep(10)
        probe = asyncio.create_task(breaker.send(code))
        await asyncio.sleep(1)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert await outcome(breaker, code) == Receipt("1")
        assert breaker.state == "closed"

    in_fake_time(scenario())


def test_a_refusal_says_as_much_as_is_known(scripted, in_fake_time, code):
    """Nothing was sent, by whom, and when it makes sense to come back."""

    async def scenario():
        breaker = Breaker(scripted(NotSent("down", reason="network", connector="acme")), failures=1, rest=30)
        await outcome(breaker, code)
        await asyncio.sleep(10)
        refused = await outcome(breaker, code)
        assert type(refused) is NotSent
        assert (refused.reason, refused.phase, refused.retry_after, refused.connector) == ("provider", "before", 20, "acme")
        assert refused.hint.endswith("(not sent: down)")

    in_fake_time(scenario())


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (NotConnected("no route"), True),
        (NotSent("bad answer", reason="connector", phase="after"), True),
        (AccountError("no such region", reason="config", phase="before"), True),
        (NotSent("slow", reason="timeout"), True),
        (NotSent("stumbled", reason="connector", phase="before"), False),
    ],
    ids=str,
)
def test_what_is_the_providers_counts(scripted, in_fake_time, code, error, opens):
    """Also where no connection came about, and to whoever had a second."""

    async def scenario():
        breaker = Breaker(scripted(error), failures=2)
        for _ in range(2):
            await outcome(breaker, code, timeout=1.0)
        assert (breaker.state == "open") is opens

    in_fake_time(scenario())


def test_one_that_tries_and_fails_opens_it_again(scripted, in_fake_time, code):
    """Whatever the failure; yet not one that had no time."""

    async def scenario():
        breaker = Breaker(scripted(AccountError("no"), NotSent("no time"), NotSent("down")), failures=5, rest=30)
        await outcome(breaker, code)
        await asyncio.sleep(30)
        await outcome(breaker, code, timeout=0.5)
        assert breaker.state == "probing"
        await outcome(breaker, code)
        assert breaker.state == "open"
        assert (await outcome(breaker, code)).retry_after == 60

    in_fake_time(scenario())


def test_a_late_failure_makes_no_rest_longer(scripted, in_fake_time, code):
    """Ten that were on their way when it opened are not ten more reasons."""

    async def scenario():
        breaker = Breaker(scripted(AccountError("no"), takes=1.0), rest=30)
        await asyncio.gather(*(outcome(breaker, code) for _ in range(10)))
        assert (await outcome(breaker, code)).retry_after == 30

    in_fake_time(scenario())


def test_a_late_end_lets_no_second_one_try(scripted, in_fake_time, code):
    """One that began before it opened is not the one that tries."""

    async def scenario():
        class Slow:
            name, calls = "slow", 0

            async def send(self, message, *, timeout=None):
                self.calls += 1
                await asyncio.sleep({1: 35.0, 2: 0.0, 3: 60.0}.get(self.calls, 0.0))
                if self.calls == 2:
                    raise AccountError("no")
                return Receipt("1")

        sender = Slow()
        breaker = Breaker(sender, rest=30)
        late = asyncio.create_task(outcome(breaker, code))
        await asyncio.sleep(0)
        await outcome(breaker, code)
        await asyncio.sleep(31)
        probe = asyncio.create_task(outcome(breaker, code))
        await late
        assert isinstance(await outcome(breaker, code), AccountError)
        assert sender.calls == 3
        await probe

    in_fake_time(scenario())


def test_a_child_that_is_forked_while_a_message_tries_is_not_stopped_for_ever(scripted, in_fake_time, code):
    """That message is the parent's; in the child another one may try."""

    async def scenario():
        sender = scripted(AccountError("wrong key", reason="credentials"), Receipt("1"), takes=5)
        delivery = Delivery(Failover({"main": Breaker(sender, rest=10)}))
        await outcome(delivery, code)
        await asyncio.sleep(10)
        probe = asyncio.create_task(outcome(delivery, code))
        await asyncio.sleep(1)
        refused = await outcome(delivery, code)
        delivery.abandon()  # as authmail.sync does in the child
        assert (refused.phase, await outcome(delivery, code)) == (Phase.BEFORE, Receipt("1"))
        await probe

    in_fake_time(scenario())
