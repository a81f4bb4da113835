"""What comes of one queued message, for each answer of its sender."""

import asyncio

import pytest

from authmail import (
    AccountError,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Reason,
    Receipt,
    Throttled,
)
from authmail.delivery.kept_answers import read_answer
from authmail.queue import Journal, QueueError

BOTH = [
    Message("zoe@example.com", "SignIn", {"code": "123456"}),
    Message("zoe@example.com", "Invite", {"link": "https://e.example/i"}),
]


@pytest.fixture(params=BOTH, ids=["code", "invitation"])
def either(request):
    """A message of each kind."""
    return request.param


async def _handled(scene, message, *answers, later=0.0, **changes):
    here = scene(*answers)
    async with here.delivery:
        ticket = await here.delivery.enqueue(message)
        here.clock.now += later
        return here, await here.handled(ticket, **changes), await here.row(ticket)


async def test_what_is_accepted_is_sent(scene, either):
    """The receipt is kept without the provider's own words, and the box is wiped."""
    here, verdict, row = await _handled(scene, either, Receipt("7", request_id="r", detail="to zoe@example.com"))
    assert (verdict.state, row.state, row.box, row.attempts, row.marked) == ("sent", "sent", b"", 1, False)
    assert read_answer(row.answer) == Receipt("7", request_id="r")
    assert here.heard.ends == [(either.to, "sent")]


async def test_what_is_rejected_has_failed(scene, either):
    """For good."""
    here, verdict, row = await _handled(scene, either, MessageRejected("no", reason=Reason.RECIPIENT, detail="zoe@example.com"))
    assert (verdict.state, row.box) == ("failed", b"")
    assert "zoe@" not in row.answer
    assert here.heard.ends == [(either.to, "rejected")]


@pytest.mark.parametrize(
    ("answer", "attempts", "wait"),
    [
        (NotSent("down"), 0, 1.0),
        (NotSent("down"), 1, 2.0),
        (NotSent("down"), 5, 32.0),
        (NotSent("down"), 6, 60.0),
        (NotSent("down"), 1_000_000, 60.0),
        (NotSent("busy", retry_after=7.0), 0, 7.0),
        (Throttled("slow", retry_after=30.0), 0, 33.0),
        (Throttled("slow"), 0, 1.0),
        (AccountError("revoked"), 0, 15.0),
        (AccountError("quota", retry_after=300.0), 0, 300.0),
    ],
)
async def test_what_was_not_sent_waits(scene, either, answer, attempts, wait):
    """It backs off, keeps to the provider's hint, and is parked where somebody must act. Nobody is told of an end."""
    here, verdict, row = await _handled(scene, either, answer, attempts=attempts)
    assert (verdict.state, verdict.marked, round(verdict.wait, 6)) == ("queued", False, wait)
    assert row.due == min(here.clock.now + verdict.wait, row.expires)
    assert here.heard.ends == []
    assert (await here.delivery.state(row.ticket)).error.outcome == answer.outcome


async def test_an_unknown_outcome_is_in_doubt_unless_a_second_mail_is_harmless(scene, code, invitation):
    """A code goes out again, and stays marked; an invitation does not."""
    _, verdict, row = await _handled(scene, code, OutcomeUnknown("cut"))
    assert (verdict.state, verdict.marked, row.marked) == ("queued", True, True)
    here, verdict, row = await _handled(scene, invitation, OutcomeUnknown("cut"), later=0.0)
    assert (verdict.state, row.marked, len(row.box) > 0) == ("in doubt", True, True)
    assert here.heard.ends == [(invitation.to, "unknown")]


async def test_what_a_killed_worker_had_marked_is_asked_for_again_only_where_that_is_harmless(scene, code, invitation):
    """Nobody knows whether it went out."""
    here, verdict, _ = await _handled(scene, code, marked=True)
    assert (verdict.state, here.asked) == ("sent", [code.to])
    here, verdict, row = await _handled(scene, invitation, marked=True)
    assert (verdict.state, here.asked) == ("in doubt", [])
    assert "a worker ended" in (await here.delivery.state(row.ticket)).error.hint


async def test_what_may_go_out_again_is_what_the_operator_says(scene, code, invitation):
    """``on_unknown`` of the delivery holds for the worker and for a first try too."""
    policy = {code.type: "stop", invitation.type: "resend"}
    for message, state in ((code, "in doubt"), (invitation, "sent")):
        here = scene(on_unknown=policy)
        async with here.delivery:
            ticket = await here.delivery.enqueue(message)
            assert (await here.handled(ticket, marked=True)).state == state
    here = scene(OutcomeUnknown("cut"), on_unknown=policy)
    async with here.delivery:
        with pytest.raises(OutcomeUnknown):
            await here.delivery.enqueue(Message("a@example.com", code.type, {"code": "77"}), try_first=1.0)
        ticket = await here.delivery.enqueue(Message("a@example.com", invitation.type, invitation.payload), try_first=1.0)
        assert (await here.handled(ticket)).state == "queued"


async def test_once_in_doubt_a_message_stays_marked(scene, code):
    """Whatever the next attempt says, the first may have gone out."""
    _, verdict, row = await _handled(scene, code, NotSent("down"), marked=True)
    assert (verdict.state, row.marked) == ("queued", True)
    here, verdict, row = await _handled(scene, code, MessageRejected("no", reason=Reason.RECIPIENT), marked=True)
    assert verdict.state == "in doubt"
    assert (await here.delivery.state(row.ticket)).error.hint == "it may have been sent, and was then refused: no"
    _, verdict, _ = await _handled(scene, code, marked=True, later=601)
    assert verdict.state == "in doubt"


async def test_an_expired_code_is_never_sent(scene, either):
    """Its end is told once, and it is no attempt."""
    here, verdict, row = await _handled(scene, either, later=600.0)
    assert (verdict.state, here.asked, row.attempts, row.box) == ("expired", [], 0, b"")
    assert here.heard.ends == [(either.to, "not sent")]


async def test_no_attempt_goes_on_beyond_the_expiry(scene, code):
    """It has the time that is left."""
    here, _, _ = await _handled(scene, code, later=597.0)
    (_, _, timeout) = here.sender.calls[0]
    assert 0 < timeout <= 3.0


@pytest.mark.parametrize("answer", [AccountError("revoked"), Throttled("slow", retry_after=3600.0), NotSent("down")])
async def test_what_waits_expires_in_its_time(scene, code, answer):
    """Parked, told to wait for longer than it lives, or backing off: it is due at its expiry, and is not sent then."""
    here = scene(answer)
    async with here.delivery:
        ticket = await here.delivery.enqueue(code, expires=5.0)
        await here.handled(ticket, attempts=9)
        assert (await here.row(ticket)).due == (await here.row(ticket)).expires
        here.clock.now += 5.0
        assert await here.state(ticket) == "expired"
        assert (await here.handled(ticket)).state == "expired"
    assert len(here.asked) == 1


async def test_the_mark_is_there_when_the_provider_is_asked(scene, invitation):
    """And not before: what only waits is not in doubt."""
    marks = []

    class Looking:
        name = "looking"
        calls = ()

        async def send(self, message, *, timeout=None):
            (row,) = await here.queue.engine.find(["sending"], most=1)
            marks.append(row.marked)
            return Receipt("1")

    for marked in (True, False):  # a Marked within, or none
        here = scene(sender=Looking(), marked=marked)
        async with here.delivery:
            await here.handled(await here.delivery.enqueue(invitation))
            here.clock.now += 60  # for the next one to be no repeat
            await here.queue.engine.forget(here.queue.digest("address", invitation.to))
    assert marks == [True, True]


class _Bad:
    name = "bad"
    calls = ()

    def __init__(self, does):
        self._does = does

    async def send(self, message, *, timeout=None):
        return await self._does()


async def _raises():
    raise RuntimeError("123456")


async def _cancels():
    raise asyncio.CancelledError


async def test_a_sender_that_fails_is_in_doubt(scene, invitation, caplog):
    """It may have sent; the log names the error's kind alone."""
    here = scene(sender=_Bad(_raises))
    async with here.delivery:
        ticket = await here.delivery.enqueue(invitation)
        assert (await here.handled(ticket)).state == "in doubt"
    assert "RuntimeError" in caplog.text
    assert "123456" not in caplog.text


async def test_a_sender_that_takes_no_notice_of_time_is_cut_off(scene, invitation, monkeypatch):
    """A worker that stops is not kept for ever."""
    monkeypatch.setattr("authmail.queue.handling._GRACE", 0.0)
    here = scene(sender=_Bad(asyncio.Event().wait), timeout=0.05)
    async with here.delivery:
        ticket = await here.delivery.enqueue(invitation)
        assert (await here.handled(ticket)).state == "in doubt"
        assert (await here.delivery.state(ticket.id)).error.hint == "not done after 0.05 seconds"


async def test_a_message_whose_mark_cannot_be_written_is_not_sent(scene, invitation, monkeypatch):
    """It waits, and is not in doubt."""
    here = scene()

    async def full(self, ticket):
        raise QueueError("the disk is full")

    monkeypatch.setattr(Journal, "mark", full)
    async with here.delivery:
        ticket = await here.delivery.enqueue(invitation)
        verdict = await here.handled(ticket)
    assert (verdict.state, verdict.marked, here.asked) == ("queued", False, [])


async def test_what_a_sender_leaves_behind_marks_nothing(scene, invitation):
    """An alert that is mailed afterwards, from a task of the attempt, leaves the message as it is."""
    behind = []

    class Leaving:
        name = "leaving"
        calls = ()

        async def send(self, message, *, timeout=None):
            from authmail.delivery.marking import _mark

            mark = _mark.get()

            async def later():
                await ended.wait()
                await mark()

            behind.append(asyncio.create_task(later()))
            raise NotSent("down", phase=Phase.BEFORE)

    ended = asyncio.Event()
    here = scene(sender=Leaving())
    async with here.delivery:
        ticket = await here.delivery.enqueue(invitation)
        assert (await here.handled(ticket)).state == "queued"
        ended.set()
        await asyncio.gather(*behind)
        assert not (await here.row(ticket)).marked


async def test_a_box_that_cannot_be_read_holds_up_nothing(scene, code, invitation):
    """A later release's message, say; one that was marked stays in doubt."""
    here = scene()
    async with here.delivery:
        for marked, state in ((False, "failed"), (True, "in doubt")):
            ticket = await here.delivery.enqueue(invitation)
            verdict = await here.handled(ticket, box=b"other", marked=marked)
            assert verdict.state == state
            await here.queue.engine.forget(here.queue.digest("address", invitation.to))
        assert (await here.handled(await here.delivery.enqueue(code))).state == "sent"
