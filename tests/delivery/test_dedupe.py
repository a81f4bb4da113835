import asyncio
import gc
import itertools

import attrs
import pytest

from authmail import AccountError, Email, Message, MessageRejected, NotSent, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.delivery import Dedupe, MemoryStore, StoreError

NUL = "\0"


def deduped(sender, **options):
    """A Dedupe whose time is the loop's."""
    return Dedupe(sender, store=MemoryStore(clock=lambda: asyncio.get_running_loop().time()), **options)


def counting(scripted, **options):
    """A sender whose Receipts are numbered."""
    return scripted(*(Receipt(str(number)) for number in range(1, 500)), **options)


def with_key(key, code="123456", to="zoe@example.com"):
    return Message(to, "SignIn", {"code": code}, idempotency_key=key)


def test_a_double_click_is_one_mail(scripted, in_fake_time, code, invitation):
    """The same code or link to the same person, for half a minute."""

    async def scenario():
        sender = counting(scripted)
        dedupe = deduped(sender)
        assert await dedupe.send(code) == await dedupe.send(code) == Receipt("1")
        assert await dedupe.send(invitation) == await dedupe.send(invitation) == Receipt("2")
        await asyncio.sleep(30)
        assert await dedupe.send(code) == Receipt("3")

    in_fake_time(scenario())


@pytest.mark.parametrize(
    "other",
    [
        Message("zoe@example.com", "SignIn", {"code": "654321"}),
        Message("zoe@example.com", "Register", {"code": "123456"}),
        Message("zoë@example.com", "SignIn", {"code": "123456"}),
        Message("zoe@example.com", "SignIn", {"code": "123456"}, resend=True),
        Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key="k"),
        Message("zoe@example.com", "SignIn", {"code": "123456", "link": "https://example.com"}),
    ],
)
def test_another_message_is_another_mail(scripted, in_fake_time, code, other):
    """Another code, type or person; or the person asked for it again."""

    async def scenario():
        dedupe = deduped(counting(scripted))
        assert await dedupe.send(code) == Receipt("1")
        assert await dedupe.send(other) == Receipt("2")

    in_fake_time(scenario())


def test_messages_without_code_and_link_are_the_same_by_all_that_they_say(scripted, in_fake_time):
    """Two notices of one event are a double click; two rendered Emails are two mails, unless the host gives a key."""

    async def scenario():
        dedupe = deduped(counting(scripted))
        notice = Message("zoe@example.com", "Notice", {"event": "password changed"})
        other = Message("zoe@example.com", "Notice", {"event": "address changed"})
        email = Email("zoe@example.com", "s", text="t")
        keyed = Email("zoe@example.com", "s", text="t", idempotency_key="k")
        answers = [await dedupe.send(message) for message in (notice, notice, other, email, email, keyed, keyed)]
        assert [answer.message_id for answer in answers] == ["1", "1", "2", "3", "4", "5", "5"]

    in_fake_time(scenario())


def test_the_hosts_key_holds_for_a_day(scripted, in_fake_time):
    """Whatever the derived one would say; resend does not pass it by, for the host said that it is the same."""

    async def scenario():
        dedupe = deduped(counting(scripted))
        assert await dedupe.send(with_key("k")) == Receipt("1")
        await asyncio.sleep(86_399)
        assert await dedupe.send(with_key("k")) == Receipt("1")
        assert await dedupe.send(with_key("k2")) == Receipt("2")
        await asyncio.sleep(1)
        assert await dedupe.send(with_key("k")) == Receipt("3")

    in_fake_time(scenario())


def test_one_key_for_two_messages_is_refused(scripted, in_fake_time):
    """The second person would otherwise never get a mail; also while the first is on its way."""

    async def scenario():
        sender = counting(scripted, takes=1.0)
        dedupe = deduped(sender)
        first = asyncio.create_task(dedupe.send(with_key("k")))
        await asyncio.sleep(0.5)
        with pytest.raises(MessageRejected, match="another message"):
            await dedupe.send(with_key("k", to="amy@example.com"))
        await first
        with pytest.raises(MessageRejected, match="another message"):
            await dedupe.send(with_key("k", code="654321"))
        assert len(sender.calls) == 1

    in_fake_time(scenario())


def test_a_hundred_tasks_with_one_key_are_one_mail(scripted, in_fake_time):
    """All get the first answer, also those that come while it is on its way."""

    async def scenario():
        sender = counting(scripted, takes=1.0)
        dedupe = deduped(sender)

        async def later(delay):
            await asyncio.sleep(delay)
            return await dedupe.send(with_key("k"))

        answers = await asyncio.gather(*(later(number / 50) for number in range(100)))
        assert (set(answers), len(sender.calls)) == ({Receipt("1")}, 1)

    in_fake_time(scenario())


@pytest.mark.parametrize("error", [NotSent("x"), Throttled("x"), AccountError("x"), MessageRejected("x")])
def test_what_was_not_sent_may_be_tried_again(scripted, in_fake_time, error):
    """The key is for not sending twice, not for not sending."""

    async def scenario():
        dedupe = deduped(scripted(error, Receipt("2")))
        with pytest.raises(type(error)):
            await dedupe.send(with_key("k"))
        assert await dedupe.send(with_key("k")) == Receipt("2")

    in_fake_time(scenario())


def test_what_may_have_been_sent_stays_unknown(scripted, in_fake_time, code):
    """With everything that was said the first time, and without asking again."""

    async def scenario():
        error = OutcomeUnknown("cut", reason="network", phase="during", code="E", status=500, tried=("a", "b"))
        sender = scripted(error, Receipt("2"))
        dedupe = deduped(sender)
        for _ in range(3):
            with pytest.raises(OutcomeUnknown) as caught:
                await dedupe.send(code)
            assert caught.value.to_dict() == error.to_dict()
        assert len(sender.calls) == 1
        assert await dedupe.send(Message(code.to, code.type, code.payload, resend=True)) == Receipt("2")

    in_fake_time(scenario())


def test_cancelling_the_asker_does_not_cancel_the_mail(scripted, in_fake_time, code):
    """At any moment: the mail goes on to its answer, which the next one to ask gets; closing waits for it."""

    async def scenario(moment):
        sender = counting(scripted, takes=1.0)
        async with deduped(sender) as dedupe:
            asker = asyncio.create_task(dedupe.send(code))
            await asyncio.sleep(moment)
            asker.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asker
            if moment:
                assert await dedupe.send(code) == Receipt("1")
        assert not asyncio.all_tasks() - {asyncio.current_task()}
        assert len(sender.calls) == 1

    for moment in (0, 0.1, 0.999):
        in_fake_time(scenario(moment))


def test_whoever_waits_has_a_limit_of_their_own(scripted, in_fake_time, code):
    """And learns that the outcome is not known yet."""

    async def scenario():
        dedupe = deduped(counting(scripted, takes=5.0))
        first = asyncio.create_task(dedupe.send(code))
        await asyncio.sleep(0)
        with pytest.raises(OutcomeUnknown) as caught:
            await dedupe.send(code, timeout=1)
        assert isinstance(caught.value, TimeoutError)
        assert await first == Receipt("1")

    in_fake_time(scenario())


def test_another_process_is_waited_for(scripted, in_fake_time, code):
    """Two Dedupes on one store, as two processes would be: one mail, one answer; and with an end."""

    async def scenario():
        store = MemoryStore(clock=lambda: asyncio.get_running_loop().time())
        slow, other = counting(scripted, takes=3.0), counting(scripted)
        one, two = Dedupe(slow, store=store), Dedupe(other, store=store)
        first = asyncio.create_task(one.send(code))
        await asyncio.sleep(0.1)
        with pytest.raises(OutcomeUnknown, match="another process"):
            await two.send(code, timeout=1)
        assert await two.send(code) == Receipt("1")
        assert await first == Receipt("1")
        assert other.calls == []

    in_fake_time(scenario())


def test_a_process_that_died_leaves_the_outcome_unknown(scripted, in_fake_time, code):
    """It may have sent the mail before it could say so."""

    async def scenario():
        store = MemoryStore(clock=lambda: asyncio.get_running_loop().time())

        dedupe = Dedupe(counting(scripted), store=store)
        await store.begin(attrs.evolve(dedupe.claim(code, 10), lease=12, keep=30))
        await asyncio.sleep(12)
        with pytest.raises(OutcomeUnknown, match="may have been sent"):
            await dedupe.send(code)
        await asyncio.sleep(18)
        assert await dedupe.send(code) == Receipt("1")

    in_fake_time(scenario())


def test_a_store_that_fails_stops_nobody_unless_told_to(scripted, in_fake_time, code, caplog):
    """A second mail is less bad than none."""

    class Broken(MemoryStore):
        async def begin(self, claim, *, timeout):
            raise StoreError("the store answers.db cannot be used: database is locked")

    async def scenario():
        assert await Dedupe(scripted(), store=Broken()).send(code) == Receipt("1")
        assert "sent without limits or a look for repeats" in caplog.text
        with pytest.raises(NotSent, match="locked") as caught:
            await Dedupe(scripted(), store=Broken(), strict=True).send(code)
        assert (caught.value.reason, caught.value.phase) == ("config", "before")

    in_fake_time(scenario())


def test_hold_can_be_turned_off(scripted, in_fake_time, code):
    """Then only the host's keys count."""

    async def scenario():
        dedupe = deduped(counting(scripted), hold=0)
        assert [await dedupe.send(code), await dedupe.send(code)] == [Receipt("1"), Receipt("2")]
        assert await dedupe.send(with_key("k")) == await dedupe.send(with_key("k")) == Receipt("3")

    in_fake_time(scenario())


def test_a_code_cannot_be_guessed_from_its_key(scripted):
    """A million tries are nothing, so the key is a hash under a secret that is not in it."""
    dedupe = Dedupe(scripted())
    key = dedupe._identity(with_key(None))[0]
    unkeyed = Dedupe(scripted())
    guesses = {unkeyed._identity(with_key(None, code=f"{number:06}"))[0] for number in itertools.chain(range(1000), [123456])}
    assert key not in guesses
    assert "123456" not in key


def test_tenants_in_one_store_are_apart(scripted, in_fake_time):
    """One tenant's key is not another's."""

    async def scenario():
        store = MemoryStore()
        one, two = (Dedupe(scripted(Receipt(scope)), store=store, scope=scope) for scope in ("one", "two"))
        assert (await one.send(with_key("k")), await two.send(with_key("k"))) == (Receipt("one"), Receipt("two"))

    in_fake_time(scenario())


def test_a_bug_in_a_sender_is_not_hidden(scripted, in_fake_time, code):
    """It reaches everybody who asked, and is not taken for an answer."""

    async def scenario():
        dedupe = deduped(scripted(RuntimeError("not open"), takes=0.1))
        answers = await asyncio.gather(*(dedupe.send(code) for _ in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [RuntimeError] * 3
        assert not any(isinstance(answer, SendError) for answer in answers)

    in_fake_time(scenario())


def test_time_spent_on_waiting_is_the_messages_own(scripted, in_fake_time, code):
    """Whoever waits for another process nine of ten seconds has one left to send."""

    async def scenario():
        store = MemoryStore(clock=lambda: asyncio.get_running_loop().time())
        first = asyncio.create_task(Dedupe(scripted(NotSent("down"), takes=9), store=store).send(code))
        await asyncio.sleep(0)
        sender = scripted()
        await Dedupe(sender, store=store).send(code, timeout=10)
        assert sender.calls[0][2] == pytest.approx(1, abs=0.2)
        with pytest.raises(NotSent):
            await first

    in_fake_time(scenario())


@pytest.mark.parametrize("call", ["begin", "end"])
@pytest.mark.parametrize("answer", [Receipt("1"), OutcomeUnknown("cut"), NotSent("down")])
def test_no_answer_is_lost_over_a_store_that_fails_in_its_own_way(scripted, in_fake_time, code, caplog, call, answer):
    """Its error is named by its type: the text may hold the password of a database."""

    async def failing(*_, **__):
        raise ConnectionError("redis://:CANARY@localhost")

    async def scenario():
        store = MemoryStore()
        setattr(store, call, failing)
        try:
            return await Dedupe(scripted(answer), store=store).send(code)
        except SendError as error:
            return error

    assert type(in_fake_time(scenario())) is type(answer)
    assert "CANARY" not in caplog.text


@pytest.mark.parametrize(
    "kept", ["{", "[]", "5", '{"receipt": {"a": 1}}', '{"receipt": 1}', '{"unknown": {"reason": "later"}}', "{}"]
)
def test_an_answer_that_cannot_be_read_is_unknown(scripted, in_fake_time, code, kept):
    """It is another version's or a broken file's; what has an answer was sent or may have been."""

    async def scenario():
        store = MemoryStore()
        sender = scripted()
        dedupe = Dedupe(sender, store=store)
        await dedupe.send(code)
        store._entries = {key: f"{entry.rsplit(NUL, 1)[0]}{NUL}{kept}" for key, entry in store._entries.items()}
        with pytest.raises(OutcomeUnknown, match="cannot be read"):
            await dedupe.send(code)
        assert len(sender.calls) == 1

    in_fake_time(scenario())


def test_an_id_that_is_no_text_does_not_lose_the_receipt(scripted, in_fake_time, code):
    """A connector's slip; the mail is accepted all the same."""
    assert in_fake_time(Dedupe(scripted(Receipt(b"id"))).send(code)) == Receipt(b"id")


def test_another_loop_is_another_process(scripted, code):
    """It cannot wait for a task of this one; the store knows that the message is on its way, or was."""
    dedupe = Dedupe(scripted(takes=0.3))
    abandoned = asyncio.new_event_loop()
    sending = abandoned.create_task(dedupe.send(code))
    abandoned.run_until_complete(asyncio.sleep(0.01))
    with pytest.raises(OutcomeUnknown, match="another process"):
        asyncio.run(dedupe.send(code, timeout=0.2))
    assert abandoned.run_until_complete(sending) == Receipt("1")
    assert asyncio.run(dedupe.send(code)) == Receipt("1")
    abandoned.close()


def test_another_process_is_looked_at_often_and_given_its_time(scripted, in_fake_time, code):
    """Its answer is here a moment after it has it; its lease is the message's time and two seconds to end in order."""

    class Noting(MemoryStore):
        async def begin(self, claim, *, timeout):
            leases.append((claim.lease, claim.keep))
            return await super().begin(claim, timeout=timeout)

    async def scenario():
        loop = asyncio.get_running_loop()
        store = Noting(clock=loop.time)
        first = asyncio.create_task(Dedupe(scripted(takes=3), store=store, hold=5).send(code, timeout=7))
        await asyncio.sleep(0)
        assert await Dedupe(scripted(), store=store).send(code) == await first
        assert 3 <= loop.time() <= 3.2
        assert leases[0] == (9, 9)

    leases = []
    in_fake_time(scenario())


def test_one_key_for_two_mails_is_refused_before_anything_is_sent(scripted, in_fake_time):
    """A rendered Email is the same if its recipient, subject and parts are."""

    async def scenario():
        sender = scripted()
        dedupe = deduped(sender)
        mail = {"to": "zoe@example.com", "subject": "s", "text": "t", "html": "h", "idempotency_key": "k"}
        await dedupe.send(Email(**mail))
        await dedupe.send(Email(**mail, headers={"X-Try": "2"}))
        for other in ({"to": "amy@example.com"}, {"subject": "x"}, {"text": "x"}, {"html": "x"}, {"html": None}):
            with pytest.raises(MessageRejected) as caught:
                await dedupe.send(Email(**mail | other))
            assert (caught.value.reason, caught.value.phase) == ("message", "before")
        assert len(sender.calls) == 1

    in_fake_time(scenario())


@pytest.mark.parametrize("answer", [RuntimeError("a bug"), Receipt("1")], ids=["a bug", "no end"])
def test_nobody_complains_of_what_nobody_waits_for(scripted, code, answer):
    """Neither of a sender's bug after its asker left, nor of a message that the end of the loop cut off."""

    async def scenario():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        asker = asyncio.create_task(Dedupe(scripted(answer, takes=0.01 if isinstance(answer, Exception) else 60)).send(code))
        await asyncio.sleep(0)
        asker.cancel()
        await asyncio.sleep(0.05)

    complaints = []
    asyncio.run(scenario())
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize(
    ("message", "hold", "decision", "why"),
    [
        (with_key("k"), 30, "get the first answer for 86400 s", "by its idempotency key, in this process"),
        (with_key(None), 30, "get the first answer for 30 s", "by type, recipient and code or link, in this process"),
        (with_key(None), 0, "go out", "no idempotency key"),
        (Message("a@b.co", "Notice", {}), 30, "get the first answer for 30 s", "by type, recipient and payload, in this process"),
        (Message("a@b.co", "SignIn", {"code": "1"}, resend=True), 30, "go out", "asked for again"),
        (Email("a@b.co", "s", text="t"), 30, "go out", "no idempotency key"),
    ],
)
def test_explains_what_a_repeat_is(scripted, message, hold, decision, why):
    """As it would decide."""
    (step,) = Dedupe(scripted(), hold=hold).steps(message)
    assert (step.what, step.decision, step.why) == ("repeats", decision, why)


def test_another_process_has_its_time_to_the_last(scripted, in_fake_time, code):
    """It is not given up a moment before."""

    async def scenario():
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        first = asyncio.create_task(Dedupe(scripted(takes=11.7), store=store).send(code, timeout=10))
        await asyncio.sleep(11.2)
        assert await Dedupe(scripted(Receipt("2")), store=store).send(code) == await first == Receipt("1")

    in_fake_time(scenario())
