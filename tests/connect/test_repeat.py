import time

import pytest

from authmail import AccountError, Email, Message, NotSent, OutcomeUnknown, Receipt, Repeat, Throttled
from authmail.connect.repeat import ask_until_known, key_of

CODE = Message("a@b.c", "SignIn", {"code": "123456"})
LINK = Message("a@b.c", "SignIn", {"link": "https://x.y"})


def ask(attempt, seconds=10, repeat=Repeat.HARMLESS, message=CODE, **options):
    return ask_until_known(attempt, message, time.monotonic() + seconds, repeat, **options)


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
    assert await ask(attempt) == Receipt("1")
    assert limits == [pytest.approx(5, abs=0.5)]


async def test_silence_is_repeated_once_with_all_the_time_that_is_left():
    """And its answer is the answer."""
    attempt, limits = attempts(OutcomeUnknown("no answer"), Receipt("2"))
    assert await ask(attempt) == Receipt("2")
    assert limits[1] is None


@pytest.mark.parametrize("first", [NotSent("no"), AccountError("no"), Throttled("no"), OutcomeUnknown("no", status=500)])
async def test_what_was_answered_or_never_sent_is_not_repeated(first):
    """The policies around the Mailer decide about those."""
    attempt, limits = attempts(first, Receipt("2"))
    with pytest.raises(type(first)):
        await ask(attempt)
    assert len(limits) == 1


@pytest.mark.parametrize(
    "second", [NotSent("refused", code="x"), AccountError("refused", code="x"), OutcomeUnknown("refused", code="x")]
)
async def test_without_a_receipt_it_stays_unknown(second):
    """Whatever the second attempt met, the first may have been accepted."""
    attempt, _ = attempts(OutcomeUnknown("no answer"), second)
    with pytest.raises(OutcomeUnknown, match="no answer; asked once more: refused") as caught:
        await ask(attempt)
    assert caught.value.code == "x"


async def test_no_second_attempt_begins_that_cannot_be_answered():
    """With next to no time left the first outcome stands."""
    attempt, limits = attempts(OutcomeUnknown("no answer"), Receipt("2"))
    with pytest.raises(OutcomeUnknown):
        await ask(attempt, 0.05)
    assert len(limits) == 1


@pytest.mark.parametrize("first", [OutcomeUnknown("no answer"), OutcomeUnknown("a fault", status=500)])
async def test_a_provider_that_joins_repeats_is_asked_for_a_better_answer(first):
    """It remembers by the key what became of the first one; a refusal is an answer and is not asked for again."""
    attempt, _ = attempts(first, Receipt("1"))
    assert await ask(attempt, repeat=Repeat.JOINED, message=LINK) == Receipt("1")
    attempt, limits = attempts(AccountError("no", status=401), Receipt("1"))
    with pytest.raises(AccountError):
        await ask(attempt, repeat=Repeat.JOINED, message=LINK)
    assert len(limits) == 1


@pytest.mark.parametrize(("repeat", "message"), [(Repeat.NEVER, CODE), (Repeat.HARMLESS, LINK)])
async def test_what_a_repeat_might_double_is_asked_once_with_all_the_time(repeat, message):
    """A provider that knows no repeats, and a link where nobody joins them."""
    attempt, limits = attempts(OutcomeUnknown("no answer"), Receipt("2"))
    with pytest.raises(OutcomeUnknown):
        await ask(attempt, repeat=repeat, message=message)
    assert limits == [None]


async def test_a_request_in_flight_is_asked_for_again_after_a_while():
    """As long as the provider says by its code that it still works on it, and there is time."""
    busy = OutcomeUnknown("busy", status=409, code="in_progress")
    attempt, limits = attempts(busy, Receipt("1"))
    assert await ask(attempt, repeat=Repeat.JOINED, in_flight="in_progress") == Receipt("1")
    assert len(limits) == 2
    attempt, limits = attempts(busy, busy)
    with pytest.raises(OutcomeUnknown):
        await ask(attempt, 0.15, repeat=Repeat.JOINED, in_flight="in_progress")
    assert len(limits) == 2


def test_a_message_has_its_key_or_gets_one():
    """The same key gives the same text, whatever its form; without one, every mail has another."""
    assert key_of(Message("a@b.c", "SignIn", idempotency_key="sign-in/42")) == "sign-in/42"
    assert key_of(Email("a@b.c", "s", text="t", idempotency_key="k" * 256)) == "k" * 256
    for awkward in ("k" * 257, "clé", "a b", "a\r\nX: y", "\ud800"):
        keys = {key_of(Message("a@b.c", "SignIn", idempotency_key=awkward)) for _ in range(2)}
        assert len(keys) == 1
        assert len(keys.pop()) == 64
    assert len({key_of(Message("a@b.c", "SignIn")) for _ in range(100)}) == 100
