import time

import pytest

from authmail import AccountError, NotSent, OutcomeUnknown, Receipt, Throttled, repeat_unanswered


def attempts(*outcomes):
    """Return an attempt that meets these outcomes one after the other, and the limits it was given."""
    limits, left = [], list(outcomes)

    async def attempt(limit):
        limits.append(limit)
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return attempt, limits


async def test_an_answer_needs_no_repeat():
    """The first attempt has half of the time."""
    attempt, limits = attempts(Receipt("1"))
    assert await repeat_unanswered(attempt, time.monotonic() + 10) == Receipt("1")
    assert limits == [pytest.approx(5, abs=0.5)]


async def test_silence_is_repeated_once_with_all_the_time_that_is_left():
    """And its answer is the answer."""
    attempt, limits = attempts(OutcomeUnknown("no answer"), Receipt("2"))
    assert await repeat_unanswered(attempt, time.monotonic() + 10) == Receipt("2")
    assert limits[1] is None


@pytest.mark.parametrize("first", [NotSent("no"), AccountError("no"), Throttled("no"), OutcomeUnknown("no", status=500)])
async def test_what_was_answered_or_never_sent_is_not_repeated(first):
    """The policies around the Mailer decide about those."""
    attempt, limits = attempts(first, Receipt("2"))
    with pytest.raises(type(first)):
        await repeat_unanswered(attempt, time.monotonic() + 10)
    assert len(limits) == 1


@pytest.mark.parametrize(
    "second", [NotSent("refused", code="x"), AccountError("refused", code="x"), OutcomeUnknown("refused", code="x")]
)
async def test_without_a_receipt_it_stays_unknown(second):
    """Whatever the second attempt met, the first may have been accepted."""
    attempt, _ = attempts(OutcomeUnknown("no answer"), second)
    with pytest.raises(OutcomeUnknown, match="no answer; asked once more: refused") as caught:
        await repeat_unanswered(attempt, time.monotonic() + 10)
    assert caught.value.code == "x"


async def test_no_second_attempt_begins_that_cannot_be_answered():
    """With next to no time left the first outcome stands."""
    attempt, limits = attempts(OutcomeUnknown("no answer"), Receipt("2"))
    with pytest.raises(OutcomeUnknown):
        await repeat_unanswered(attempt, time.monotonic() + 0.1)
    assert len(limits) == 1
