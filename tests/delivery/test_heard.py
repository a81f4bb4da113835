"""Every message is heard of exactly once, whoever still waits; and nobody who listens moves a deadline."""

import asyncio
import time
from contextlib import suppress

import pytest

from authmail import Egress, Mailer, Message, NotSent, OutcomeUnknown, Receipt, SendError, get_connector, hookimpl
from authmail.delivery import Dedupe, Delivery, Failover, MemoryStore, Retry
from authmail.sandbox import Sandbox


class Listener:
    """Hears; and takes its time with each event."""

    def __init__(self, takes=0.0):
        self.takes = takes
        self.heard = []

    async def _take(self, *event):
        await asyncio.sleep(self.takes)
        self.heard.append(event)

    @hookimpl
    async def message_sent(self, message, receipt, repeated):
        await self._take("sent", message.payload["code"], repeated)

    @hookimpl
    async def message_failed(self, message, error, repeated):
        await self._take(error.outcome, message.payload["code"], repeated)

    @hookimpl
    async def attempt(self, sender, error):
        await self._take("attempt", sender)

    @hookimpl
    async def switched(self, sender, to):
        await self._take("switched", to)

    @hookimpl
    async def breaker(self, sender, state):
        await self._take("breaker", state)

    def messages(self):
        return [event for event in self.heard if event[0] not in ("attempt", "switched", "breaker")]


def code(text="123456", **fields):
    return Message("zoe@example.com", "SignIn", {"code": text}, **fields)


def test_a_hundred_repeats_are_heard_as_such(scripted, in_fake_time):
    """One mail went out; whoever counts mails counts one."""

    async def scenario():
        listener = Listener()
        async with Delivery(Dedupe(scripted(Receipt("1"), takes=1.0)), plugins=[listener]) as delivery:
            await asyncio.gather(*(delivery.send(code()) for _ in range(50)))
            for _ in range(50):
                await delivery.send(code())
        assert len(listener.messages()) == 100
        assert min(listener.messages()) == ("sent", "123456", False)
        assert listener.messages().count(("sent", "123456", True)) == 99

    in_fake_time(scenario())


@pytest.mark.parametrize("answer", [Receipt("1"), NotSent("down"), OutcomeUnknown("cut")], ids=str)
@pytest.mark.parametrize("wraps", [Dedupe, lambda sender: sender], ids=["repeats known", "bare"])
def test_a_cancelled_message_is_heard_of_once(scripted, in_fake_time, answer, wraps):
    """With its true answer where it goes on to it; else that nobody knows."""

    async def scenario():
        listener = Listener()
        async with Delivery(wraps(scripted(answer, takes=1.0)), plugins=[listener]) as delivery:
            asker = asyncio.create_task(delivery.send(code()))
            await asyncio.sleep(0.5)
            asker.cancel()
            with suppress(asyncio.CancelledError):
                await asker
        (event,) = listener.messages()
        outcome = "sent" if isinstance(answer, Receipt) else answer.outcome
        assert event == (outcome if wraps is Dedupe else "unknown", "123456", False)

    in_fake_time(scenario())


def test_a_cancelled_repeat_is_heard_of_once_too(scripted, in_fake_time):
    """Beside the first, which is another message."""

    async def scenario():
        listener = Listener()
        async with Delivery(Dedupe(scripted(Receipt("1"), takes=1.0)), plugins=[listener]) as delivery:
            first = asyncio.create_task(delivery.send(code()))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(delivery.send(code()))
            await asyncio.sleep(0.1)
            second.cancel()
            await first
            with suppress(asyncio.CancelledError):
                await second
        assert sorted(listener.messages()) == [("sent", "123456", False), ("sent", "123456", True)]

    in_fake_time(scenario())


async def test_a_mailer_alone_tells_of_a_cancelled_message_too():
    """Its plugins hear whether the mail may have gone out."""
    connector = "aliyun-dm"
    listener = Listener()
    async with Sandbox({"a": get_connector(connector).get_emulator()}) as sandbox:
        config = sandbox.config("a")
        templates = [{"usageType": "Generic", "subject": "{{code}}", "content": "<p>{{code}}</p>"}]
        async with Mailer(connector, config, templates=templates, egress=Egress.ANY, plugins=[listener]) as mailer:
            await mailer.send(code())
            asker = asyncio.create_task(mailer.send(Message("hang@example.com", "SignIn", {"code": "222222"})))
            await asyncio.sleep(0.3)
            asker.cancel()
            with suppress(asyncio.CancelledError):
                await asker
    assert [event[1] for event in listener.messages()] == ["123456", "222222"]
    assert listener.messages()[0][0] == "sent"


@pytest.mark.parametrize("takes", [0.1, 1.5, 5.0])
def test_a_plugin_that_takes_its_time_moves_no_deadline(scripted, in_fake_time, takes):
    """At no hook: the spare is asked in time or not at all, and the answer does not wait."""

    async def scenario():
        loop = asyncio.get_running_loop()
        listener = Listener(takes)
        one, two = scripted(NotSent("down"), name="one", takes=0.3), scripted(Receipt("2"), name="two", takes=0.3)
        nested = Dedupe(Retry(Failover([one, two]), jitter=lambda: 0.0), store=MemoryStore(clock=loop.time))
        async with Delivery(nested, plugins=[listener]) as delivery:
            for number in range(8):
                begun = loop.time()
                await delivery.send(code(f"{number:06}"), timeout=1.0)
                assert loop.time() - begun <= 0.6 + 1e-6
        assert len(listener.messages()) == 8
        assert [event for event in listener.heard if event[0] == "switched"] == [("switched", "two")] * 8
        for sender in (one, two):
            assert all(timeout <= 1.0 for _, _, timeout in sender.calls)

    in_fake_time(scenario())


def test_a_plain_one_that_blocks_is_told_of_once(scripted, in_fake_time, caplog):
    """It runs on the event loop, so nobody can go on meanwhile; nothing is sent after its deadline for it."""

    class Blocking:
        @hookimpl
        def switched(self, message):
            time.sleep(0.6)

    async def scenario():
        two = scripted(Receipt("2"), name="two")
        async with Delivery(Failover([scripted(NotSent("down"), name="one"), two]), plugins=[Blocking()]) as delivery:
            for number in range(3):
                await delivery.send(code(f"{number:06}"))

    in_fake_time(scenario())
    assert caplog.text.count("the switched hook of a plugin holds up the event loop") == 1


def test_one_that_never_ends_is_ended(scripted, in_fake_time, caplog):
    """Closing waits for it, and not for ever."""

    async def scenario():
        loop = asyncio.get_running_loop()
        async with Delivery(scripted(Receipt("1")), plugins=[Listener(takes=3600)]) as delivery:
            await delivery.send(code())
        assert loop.time() == pytest.approx(10)

    in_fake_time(scenario())
    assert "the message_sent hook of a plugin took longer than 10 seconds" in caplog.text


def test_one_that_fails_keeps_no_other_from_hearing(scripted, in_fake_time, caplog):
    """Nor does it change the answer; the log names its error's type."""

    class Failing:
        @hookimpl
        def message_sent(self, message):
            raise RuntimeError("CANARY")

        @hookimpl
        async def attempt(self, message):
            raise RuntimeError("CANARY")

    async def scenario():
        listener = Listener()
        plugins = [Failing(), listener, Failing()]
        async with Delivery(scripted(Receipt("1")), plugins=plugins) as delivery:
            assert await delivery.send(code()) == Receipt("1")
        assert listener.messages() == [("sent", "123456", False)]

    in_fake_time(scenario())
    assert caplog.text.count("RuntimeError") == 4
    assert "CANARY" not in caplog.text


def test_an_invitation_reaches_the_spare_while_the_first_is_black_holed(in_fake_time, scripted):
    """That no connection came about is known, so the next one has its time, also where nothing may go out twice."""
    from authmail.http.deadline import connect_limit

    class BlackHoled:
        name = "one"

        async def send(self, message, *, timeout=None):
            await asyncio.sleep(connect_limit(timeout))
            raise NotSent("no connection", reason="timeout", phase="before")

    async def scenario():
        loop = asyncio.get_running_loop()
        two = scripted(Receipt("2"), name="two", takes=0.2)
        invitation = Message("zoe@example.com", "OrganizationInvitation", {"link": "https://example.com/i/abc"})
        for timeout in (5.0, 2.0, 1.0):
            begun = loop.time()
            assert await Failover([BlackHoled(), two]).send(invitation, timeout=timeout) == Receipt("2")
            assert loop.time() - begun < timeout

    in_fake_time(scenario())


def test_a_provider_that_has_little_time_is_noticed_too(in_fake_time, scripted):
    """Ten attempts of half a second say as much as five of a whole one."""

    async def scenario():
        loop = asyncio.get_running_loop()

        class Hanging:
            name = "one"

            async def send(self, message, *, timeout=None):
                asked.append(loop.time())
                await asyncio.sleep(timeout)
                raise OutcomeUnknown("no answer", reason="timeout", phase="during")

        asked = []
        failover = Failover([Hanging(), scripted(Receipt("2"), name="two")])
        for number in range(20):
            await failover.send(code(f"{number:06}"), timeout=1.0)
        assert len(asked) == 10

    in_fake_time(scenario())


def test_a_rejection_is_the_last_word(scripted, in_fake_time):
    """Main may have sent it, the spare refuses the address: nobody is asked again, and the answer says both."""

    async def scenario():
        from authmail import MessageRejected

        main = scripted(OutcomeUnknown("cut", reason="network"), name="main")
        spare = scripted(MessageRejected("no such mailbox", reason="recipient"), name="spare")
        retry = Retry(Failover([main, spare]), jitter=lambda: 0.0)
        with pytest.raises(OutcomeUnknown) as caught:
            await retry.send(code())
        assert (len(main.calls), len(spare.calls)) == (1, 1)
        assert "no such mailbox" in caught.value.hint
        assert caught.value.tried == ("main: unknown (network)", "spare: rejected (recipient)")
        steps = {step.what: step.decision for step in retry.steps(code())}
        assert steps["attempts"] == "at most 4 rounds of 2 senders, 8"

    in_fake_time(scenario())


def test_send_again_means_send_again(scripted, in_fake_time):
    """With a key too: the person pressed the button."""

    async def scenario():
        dedupe = Dedupe(scripted(Receipt("1"), Receipt("2"), Receipt("3")))
        assert await dedupe.send(code(idempotency_key="k")) == Receipt("1")
        assert await dedupe.send(code(idempotency_key="k", resend=True)) == Receipt("2")
        assert await dedupe.send(code(idempotency_key="k")) == Receipt("1")

    in_fake_time(scenario())


async def test_a_slip_before_anything_was_sent_is_no_unknown_outcome(tmp_path):
    """A Mailer that is not open: the next try goes out."""
    mailer = Mailer("resend-mail", {"apiKey": "re_123456789_abcdefgh", "from": "a@example.com"}, templates=[])
    dedupe = Dedupe(mailer)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="not open"):
            await dedupe.send(code(idempotency_key="k"))
    assert len(dedupe.store) == 0


async def test_what_a_repeat_is_is_the_same_in_every_process(scripted):
    """An error that was kept is told again as it was."""
    store = MemoryStore()
    first = Dedupe(scripted(OutcomeUnknown("cut", reason="network", code="E", status=500)), store=store)
    second = Dedupe(scripted(Receipt("2")), store=store)
    with pytest.raises(OutcomeUnknown) as told:
        await first.send(code())
    with pytest.raises(SendError) as again:
        await second.send(code())
    assert again.value.to_dict() == told.value.to_dict()
