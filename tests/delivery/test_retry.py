import asyncio

import pytest

from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.delivery import Retry


def retry(sender, **options):
    """A Retry whose random delays are as long as they can be."""
    return Retry(sender, jitter=lambda: 1.0, **options)


@pytest.mark.parametrize("error", [NotSent("down"), Throttled("slow down"), OutcomeUnknown("cut")])
def test_repeats_what_is_safe_to_repeat(scripted, in_fake_time, code, error):
    """Not sent, throttled, and a code whose outcome is unknown."""
    sender = scripted(error, error, Receipt("1"))
    assert in_fake_time(retry(sender).send(code)) == Receipt("1")
    assert sender.times == [0, 0.5, 1.5]


@pytest.mark.parametrize("error", [MessageRejected("no"), AccountError("no")])
def test_never_repeats_what_cannot_help(scripted, in_fake_time, code, error):
    """A rejection stays one, and an account error needs a person."""
    sender = scripted(error)
    with pytest.raises(type(error)):
        in_fake_time(retry(sender).send(code))
    assert len(sender.calls) == 1


def test_an_invitation_is_not_risked_twice(scripted, in_fake_time, invitation, code):
    """An unknown outcome stops it, unless its type is said to be resent; a code can be told to stop."""
    sender = scripted(OutcomeUnknown("cut"), Receipt("1"))
    with pytest.raises(OutcomeUnknown):
        in_fake_time(retry(sender).send(invitation))
    resent = scripted(OutcomeUnknown("cut"), Receipt("1"))
    assert in_fake_time(retry(resent, on_unknown={"OrganizationInvitation": "resend"}).send(invitation)) == Receipt("1")
    stopped = scripted(OutcomeUnknown("cut"), Receipt("1"))
    with pytest.raises(OutcomeUnknown):
        in_fake_time(retry(stopped, on_unknown={"SignIn": "stop"}).send(code))
    assert len(stopped.calls) == 1


def test_the_providers_hint_is_kept(scripted, in_fake_time, code):
    """It is asked again after its time, and a little later, so that not all come at once."""
    sender = scripted(Throttled("slow down", retry_after=3.0), Receipt("1"))
    assert in_fake_time(retry(sender).send(code)) == Receipt("1")
    assert sender.times == [0, 3.5]


def test_no_attempt_begins_that_cannot_end_in_time(scripted, in_fake_time, code):
    """A hint beyond the deadline ends it at once; the caller learns when to come back."""

    async def scenario():
        sender = scripted(Throttled("slow down", retry_after=30.0))
        with pytest.raises(Throttled) as caught:
            await retry(sender).send(code, timeout=10)
        assert (caught.value.retry_after, len(sender.calls)) == (30.0, 1)
        assert asyncio.get_running_loop().time() == 0

    in_fake_time(scenario())


def test_attempts_share_one_budget(scripted, in_fake_time, code):
    """Each is given what is left of it, and none begins after its end."""
    sender = scripted(NotSent("down"), takes=3.0)
    with pytest.raises(NotSent) as caught:
        in_fake_time(retry(sender, attempts=10).send(code, timeout=10))
    assert [round(timeout, 3) for _, _, timeout in sender.calls] == [10, 6.5, 2.5]
    assert caught.value.tried == ("scripted: not sent (provider)",) * 3


def test_delays_grow_to_their_end_and_are_random(scripted, in_fake_time, code):
    """Full jitter: anything from nothing to the upper bound."""
    sender = scripted(NotSent("down"))
    with pytest.raises(NotSent):
        in_fake_time(retry(sender, attempts=6, first_delay=1, longest_delay=4).send(code, timeout=100))
    assert sender.times == [0, 1, 3, 7, 11, 15]
    at_once = scripted(NotSent("down"))
    with pytest.raises(NotSent):
        in_fake_time(Retry(at_once, attempts=3, jitter=lambda: 0.0).send(code))
    assert at_once.times == [0, 0, 0]


@pytest.mark.parametrize("later", [NotSent("down"), MessageRejected("no"), AccountError("no"), Throttled("slow", retry_after=99)])
def test_once_unknown_always_unknown(scripted, in_fake_time, code, later):
    """The first attempt may have been accepted, whatever the second one met."""
    sender = scripted(OutcomeUnknown("cut", reason="network"), later)
    with pytest.raises(OutcomeUnknown) as caught:
        in_fake_time(retry(sender, attempts=2).send(code))
    assert caught.value.tried[0] == "scripted: unknown (network)"
    assert len(caught.value.tried) == 2


def test_one_attempt_is_no_retry(scripted, in_fake_time, code):
    """And none is a mistake of the host."""
    sender = scripted(NotSent("down"))
    with pytest.raises(NotSent):
        in_fake_time(retry(sender, attempts=1).send(code))
    assert len(sender.calls) == 1
    with pytest.raises(ValueError, match="attempts"):
        Retry(sender, attempts=0)


def test_cancelling_ends_it(scripted, in_fake_time, code):
    """In the middle of a delay or of an attempt: nothing is sent afterwards."""

    async def scenario():
        for moment in (0.2, 1.0):
            sender = scripted(NotSent("down"), takes=0.7)
            task = asyncio.create_task(retry(sender).send(code))
            await asyncio.sleep(moment)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            before = len(sender.calls)
            await asyncio.sleep(100)
            assert len(sender.calls) == before

    in_fake_time(scenario())


def test_errors_are_fresh_and_say_no_more_than_the_first_did(scripted, in_fake_time, code):
    """No chain of causes: an error tracker would show what is in their frames."""
    sender = scripted(NotSent("down"))
    with pytest.raises(SendError) as caught:
        in_fake_time(retry(sender, attempts=2).send(code))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_no_delay_ends_a_moment_before_the_deadline(scripted, in_fake_time, code):
    """What would be left is not enough to be answered."""
    sender = scripted(NotSent("down"))
    with pytest.raises(NotSent):
        in_fake_time(Retry(sender, first_delay=1.0, jitter=lambda: 1.0).send(code, timeout=1.05))
    assert sender.times == [0]


@pytest.mark.parametrize(("policy", "words"), [("resend", "is harmless"), ("stop", "might do harm")])
def test_explains_what_an_unknown_outcome_does(scripted, code, policy, words):
    """And how often it tries."""
    attempts, unknown = Retry(scripted(), attempts=3, on_unknown={"SignIn": policy}).steps(code)
    assert attempts.decision == "at most 3"
    assert (unknown.decision == "send again", words in unknown.why) == (policy == "resend", True)


def test_after_the_last_attempt_nobody_waits(scripted, in_fake_time, code):
    """The answer is known."""

    async def scenario():
        with pytest.raises(NotSent):
            await Retry(scripted(NotSent("down")), attempts=2, jitter=lambda: 1.0).send(code)
        return asyncio.get_running_loop().time()

    assert in_fake_time(scenario()) == 0.5
