"""What is looked at when a message is queued, and what its host hears."""

import asyncio
from datetime import UTC, datetime

import pytest

from authmail import (
    AccountError,
    Email,
    Limited,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Receipt,
    SendError,
    Template,
    TemplateError,
    Throttled,
)
from authmail.delivery import Dedupe, Delivery, Limit, Limits, MemoryStore
from authmail.delivery.sync import Delivery as SyncDelivery
from authmail.errors import Misused
from authmail.queue import Journal, Queue, QueueError, QueueKeys, new_key


async def test_a_message_that_would_never_be_sent_is_refused_at_once(tmp_path, raw):
    """No template, no address, no recipient: the host hears it, not a worker's log."""
    store = MemoryStore()
    queue = Queue(Journal(tmp_path / "q.db"), QueueKeys([new_key()]), digest=store.digest)
    del raw["templates"]
    mailer = Mailer("aliyun-dm", raw, templates=[Template("SignIn", "{{code}}", "<p>{{code}}</p>")])
    async with Delivery(mailer, queue=queue) as delivery:
        with pytest.raises(TemplateError):
            await delivery.enqueue(Message("zoe@example.com", "OrganizationInvitation", {"link": "https://e.example"}))
        for address in ("zoe", "a@example.com, b@example.com", "zoe@example.com\nBcc: b@example.com"):
            with pytest.raises(MessageRejected):
                await delivery.enqueue(Message(address, "SignIn", {"code": "1"}))
        assert (await queue.engine.statistics()).states == {}
        await delivery.enqueue(Message("zoe@example.com", "SignIn", {"code": "1"}))


async def test_a_bad_address_is_refused_whoever_sends(scene):
    """Also where the sender is no Mailer."""
    here = scene()
    async with here.delivery:
        with pytest.raises(MessageRejected):
            await here.delivery.enqueue(Message("zoe", "SignIn", {"code": "1"}))


@pytest.mark.parametrize("expires", [0, -1, float("nan"), float("inf"), 1e9])
async def test_a_message_must_expire(scene, code, expires):
    """At a time that can be told."""
    here = scene()
    async with here.delivery:
        with pytest.raises(MessageRejected, match="must expire"):
            await here.delivery.enqueue(code, expires=expires)


async def test_the_ticket_says_when_it_expires(scene, code):
    """In UTC; the queue's own time unless it is told."""
    here = scene()
    async with here.delivery:
        ticket = await here.delivery.enqueue(code)
        assert ticket.expires == datetime.fromtimestamp(here.clock.now + 600, UTC)
        state = await here.delivery.state(ticket.id)
        assert (state.name, state.attempts, state.receipt, state.error, state.due) == (
            "queued",
            0,
            None,
            None,
            datetime.fromtimestamp(here.clock.now, UTC),
        )
        assert await here.delivery.state("unknown") is None


async def test_a_repeat_gets_the_same_ticket(scene, code):
    """With and without a key; it is counted once."""
    here = scene(limits={"recipient": Limit(2, 600)})
    keyed = Message(code.to, "SignIn", {"code": "2"}, idempotency_key="k")
    async with here.delivery:
        for message in (code, keyed):
            first = await here.delivery.enqueue(message)
            again = [await here.delivery.enqueue(message) for _ in range(3)]
            assert not first.repeated
            assert {(ticket.id, ticket.expires, ticket.repeated) for ticket in again} == {(first.id, first.expires, True)}
        assert (await here.queue.engine.statistics()).states == {"queued": 2}


async def test_a_repeat_at_the_same_moment_gets_it_too(scene, code):
    """Ten clicks are one mail."""
    here = scene()
    async with here.delivery:
        tickets = await asyncio.gather(*(here.delivery.enqueue(code) for _ in range(10)))
    assert len({ticket.id for ticket in tickets}) == 1


async def test_another_message_with_the_key_is_refused(scene, code):
    """Now, not in the worker."""
    here = scene()
    async with here.delivery:
        await here.delivery.enqueue(Message(code.to, "SignIn", {"code": "1"}, idempotency_key="k"))
        with pytest.raises(MessageRejected, match="belongs to another message"):
            await here.delivery.enqueue(Message(code.to, "SignIn", {"code": "2"}, idempotency_key="k"))


async def test_what_was_asked_for_again_is_queued_again(scene, code):
    """``resend`` is no repeat."""
    here = scene()
    async with here.delivery:
        again = Message(code.to, code.type, code.payload, resend=True)
        tickets = [await here.delivery.enqueue(message) for message in (code, again, again)]
    assert len({ticket.id for ticket in tickets}) == 3


async def test_limits_are_looked_at_once(scene):
    """What is beyond them is refused now; the worker counts nothing more."""
    here = scene(limits={"recipient": Limit(2, 600)})
    messages = [Message("zoe@example.com", "SignIn", {"code": f"{number}"}) for number in range(3)]
    async with here.delivery:
        tickets = [await here.delivery.enqueue(message) for message in messages[:2]]
        with pytest.raises(Limited) as caught:
            await here.delivery.enqueue(messages[2])
        assert caught.value.retry_after > 0
        assert (await here.delivery.enqueue(messages[0])).id == tickets[0].id  # a repeat is none too many
        async with here.working():
            for ticket in tickets:
                await here.until(ticket, "sent")
    assert len(here.asked) == 2


async def test_limits_of_a_sender_within_are_its_own(scene, scripted, tmp_path):
    """Those that only some messages pass are asked by the worker, once."""

    class Both(Dedupe):
        @property
        def inside(self):
            return (*super().inside, aside)

    store = MemoryStore()
    aside = Limits(scripted(), store=MemoryStore(), recipient=Limit(1, 600))
    queue = Queue(Journal(tmp_path / "q.db"), QueueKeys([new_key()]), digest=store.digest)
    async with Delivery(Both(Limits(scripted(), store=store), store=store), queue=queue) as delivery:
        for number in range(3):
            await delivery.enqueue(Message("zoe@example.com", "SignIn", {"code": f"{number}"}))


async def test_a_store_that_forgets_all_keeps_repeats(scene, code):
    """The key is unique in the queue's own table."""
    one, other = scene(), scene()
    other.delivery._sender.store = one.delivery._sender.store
    other.queue.digest = one.queue.digest
    async with one.delivery:
        first = await one.delivery.enqueue(code)
    async with other.delivery:
        assert (await other.delivery.enqueue(code)).id == first.id


async def test_what_has_failed_may_be_queued_again(scene, code):
    """It surely was not sent; what was sent or is in doubt stays a repeat."""
    here = scene(MessageRejected("no", reason=Reason.RECIPIENT), Receipt("1"))
    message = Message(code.to, code.type, code.payload, idempotency_key="k")
    async with here.delivery:
        tickets = []
        for _ in range(3):
            tickets.append(await here.delivery.enqueue(message))
            if not tickets[-1].repeated:
                await here.handled(tickets[-1])
        assert [ticket.repeated for ticket in tickets] == [False, False, True]


@pytest.mark.parametrize(
    ("answer", "state", "told"),
    [
        (Receipt("7"), "sent", ["sent"]),
        (NotSent("down"), "queued", []),
        (Throttled("slow", retry_after=9), "queued", []),
        (AccountError("revoked"), "queued", []),
        (OutcomeUnknown("cut"), "queued", []),
    ],
)
async def test_a_message_is_tried_first(scene, code, answer, state, told):
    """Queued is what did not go out, or what may go out twice; whoever sent at once needs no worker."""
    here = scene(answer, Receipt("8"))
    async with here.delivery:
        ticket = await here.delivery.enqueue(code, try_first=1.5)
        assert await here.state(ticket) == state
        assert [outcome for _, outcome in here.heard.ends] == told
        row = await here.row(ticket)
        assert row.marked == isinstance(answer, OutcomeUnknown)
        assert bool(row.box) == (state == "queued")
        if state == "queued":
            assert (await here.handled(ticket)).state == "sent"
            assert len(here.asked) == 2
        assert [outcome for _, outcome in here.heard.ends] == ["sent"]
        assert (await here.delivery.enqueue(code, try_first=1.5)).id == ticket.id
        assert len(here.asked) == (1 if state == "sent" else 2)


@pytest.mark.parametrize("answer", [MessageRejected("no", reason=Reason.RECIPIENT), OutcomeUnknown("cut")])
async def test_what_must_not_go_out_again_is_not_queued_after_a_first_try(scene, invitation, answer):
    """The host hears at once."""
    here = scene(answer)
    async with here.delivery:
        with pytest.raises(type(answer)):
            await here.delivery.enqueue(invitation, try_first=1.5)
        assert (await here.queue.engine.statistics()).states == {}
        assert here.heard.ends == [(invitation.to, answer.outcome)]


async def test_a_first_try_takes_its_time_and_no_more(scene, code):
    """A provider that hangs: the message is queued, as one that may have been sent."""

    class Hanging:
        name = "hanging"
        calls = ()

        async def send(self, message, *, timeout=None):
            await asyncio.sleep(timeout)
            raise OutcomeUnknown("no answer")

    here = scene(sender=Hanging())
    async with here.delivery:
        ticket = await here.delivery.enqueue(code, try_first=0.05)
        assert (await here.row(ticket)).marked


async def test_what_was_sent_first_is_not_told_as_unsent(scene, code, monkeypatch):
    """The queue cannot note it: a host that heard "not sent" would send it again."""
    here = scene()

    async def full(self, row, **options):
        raise QueueError("the disk is full")

    monkeypatch.setattr(Journal, "add", full)
    async with here.delivery:
        assert (await here.delivery.enqueue(code, try_first=1.5)).id
        with pytest.raises(NotSent, match="disk is full"):
            await here.delivery.enqueue(Message(code.to, "SignIn", {"code": "2"}))
    assert here.heard.ends == [(code.to, "sent")]


async def test_a_first_try_goes_with_no_transaction(scene, code):
    """It would send what may be rolled back."""
    here = scene()
    async with here.delivery:
        with pytest.raises(Misused):
            await here.delivery.enqueue(code, try_first=1.5, transaction=object())
        with pytest.raises(NotSent, match="joins no transaction"):
            await here.delivery.enqueue(code, transaction=object())
    assert here.asked == []


async def test_without_a_queue_nothing_is_queued(scripted, code):
    """It says what makes one."""
    async with Delivery(scripted()) as delivery:
        with pytest.raises(Misused, match=r"\[queue\]"):
            await delivery.enqueue(code)
        with pytest.raises(Misused, match=r"\[queue\]"):
            await delivery.state("ticket")


async def test_a_queue_that_cannot_be_used_is_no_answer_of_a_provider(scene, code, tmp_path):
    """Enqueue and state say that nothing was sent, without a row in the error."""
    here = scene(path=tmp_path / "no folder" / "queue.db")
    for call in (here.delivery.enqueue(code), here.delivery.state("ticket")):
        with pytest.raises(NotSent, match="cannot be used") as caught:
            await call
        assert caught.value.reason == "config"


async def test_two_deliveries_send_their_own(scene, code):
    """In one file, each by its name; neither's worker sends for the other."""
    one, other = scene(name="one"), scene(name="other")
    async with one.delivery, other.delivery:
        first, second = await one.delivery.enqueue(code), await other.delivery.enqueue(code)
        assert first.id != second.id
        async with one.working():
            await one.until(first, "sent")
            assert await other.state(second) == "queued"
            async with other.working():
                await other.until(second, "sent")
    assert (len(one.asked), len(other.asked)) == (1, 1)


async def test_the_request_id_travels_along(scene, code):
    """On one line, no longer than it may be, as any database can keep it."""
    here = scene()
    async with here.delivery:
        ticket = await here.delivery.enqueue(code, request_id="request\n\ud800" + "x" * 900)
        row = await here.row(ticket)
    assert row.request.startswith("request ?xxx")
    assert len(row.request) == 200


async def test_a_trace_goes_on_in_the_worker(scene, code):
    """With OpenTelemetry's SDK, by W3C's traceparent."""
    trace = pytest.importorskip("opentelemetry.sdk.trace")
    from opentelemetry import trace as api

    spans = []

    class Tracing:
        name = "tracing"
        calls = ()

        async def send(self, message, *, timeout=None):
            spans.append(api.get_current_span().get_span_context())
            return Receipt("1")

    here = scene(sender=Tracing())
    tracer = trace.TracerProvider().get_tracer("test")
    async with here.delivery:
        with tracer.start_as_current_span("request") as span:
            ticket = await here.delivery.enqueue(code)
        await here.handled(ticket)
        assert spans[0].trace_id == span.get_span_context().trace_id
        assert api.get_current_span().get_span_context().trace_id == 0
        plain = await here.delivery.enqueue(Message(code.to, "SignIn", {"code": "2"}))
        assert (await here.row(plain)).trace == ""


async def test_a_mail_that_the_host_rendered_is_queued_too(scene):
    """A code first, the rest after it."""
    here = scene()
    async with here.delivery:
        mail = await here.delivery.enqueue(Email("zoe@example.com", "Hello", text="read this"))
        coded = await here.delivery.enqueue(Email("zoe@example.com", "Hello", text="code 123456", repeatable=True))
        assert [(await here.row(ticket)).priority for ticket in (mail, coded)] == [1, 0]
        async with here.working():
            for ticket in (mail, coded):
                await here.until(ticket, "sent")


def test_without_an_event_loop_all_is_the_same(scene, code):
    """Django, Flask, scripts."""
    here = scene()
    with SyncDelivery(here.delivery) as delivery:
        ticket = delivery.enqueue(code, expires=60)
        assert delivery.state(ticket.id).name == "queued"
        assert delivery.enqueue(code).repeated
        with pytest.raises(SendError):
            delivery.enqueue(code, expires=0)
