"""The judge of a host that queues: reads what providers and host wrote down, and knows nothing of the queue but what it promises."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import attrs
from ledger import Ended, Ledger

_SLACK = 0.01
#: Nothing is tried again sooner after its account was at fault, in seconds.
PARKED = 7.5
# Waits double from half a second on, at least; the last ones are hardly shorter than this.
_TRIES, _LONGEST_WAIT = 14, 25.0
#: A code that has waited so long goes before whatever else there is.
_PRIORITY = 2.0


@attrs.define
class Queued:
    """A message that a host queued.

    Args:
        ticket: its ticket.
        at: when.
        expires: after this it must not be sent.
        is_code: whether a second mail is harmless, and it goes first.
        state: what the host is told in the end.
    """

    ticket: str
    at: float
    expires: float
    is_code: bool
    state: str = ""


@attrs.define
class Story:
    """Everything that happened.

    Args:
        ledger: what providers were asked.
        told: message → how often observers heard of an end.
        queued: message → what was queued.
        handled: message, when a worker began with it, when it ended, and the state after that.
    """

    ledger: Ledger
    told: Counter[int]
    queued: dict[int, Queued] = attrs.field(factory=dict)
    handled: list[tuple[int, float, float, str]] = attrs.field(factory=list)


def violations(story: Story) -> Iterator[str]:
    """Yield a sentence for every promise that was broken."""
    asked: dict[int, list[Ended]] = defaultdict(list)
    for one in story.ledger.ended:
        asked[one.asked.message].append(one)
    for number, queued in story.queued.items():
        yield from _of_message(number, queued, sorted(asked[number], key=lambda one: one.asked.time))
        if story.told[number] != 1:
            yield f"message {number}: observers heard of {story.told[number]} ends"
    yield from _waits(story, asked)
    yield from _priorities(story)


def _of_message(number: int, queued: Queued, asked: list[Ended]) -> Iterator[str]:
    accepted = [one for one in asked if one.accepted]
    if queued.state not in {"sent", "failed", "expired", "in doubt"}:
        yield f"message {number}: was lost, it is {queued.state}"
    if queued.state == "sent" and not accepted:
        yield f"message {number}: is told as sent, but nobody took it"
    if queued.state in {"failed", "expired"} and accepted:
        yield f"message {number}: is told as {queued.state}, but was accepted"
    if any(one.asked.time > queued.expires + _SLACK for one in asked):
        yield f"message {number}: asked after it had expired"
    mails, excused = 0, False
    for one in asked:
        if one.accepted:
            if mails and not (excused and queued.is_code):
                yield f"message {number}: a second mail without an unknown outcome before it that may be resent"
            mails, excused = mails + 1, False
        excused = excused or one.answer == "unknown"


def _waits(story: Story, asked: dict[int, list[Ended]]) -> Iterator[str]:
    """Look at what lies between two tries."""
    tries: Counter[int] = Counter()
    ended: dict[int, tuple[float, float]] = {}
    for number, begun, end, state in sorted(story.handled, key=lambda one: one[1]):
        tries[number] += 1
        if number in ended and begun < story.queued[number].expires - _SLACK:
            (since, until), wait = ended[number], begun - ended[number][1]
            answers = {one.answer for one in asked[number] if since - _SLACK <= one.time <= until + _SLACK}
            if wait < PARKED - _SLACK and answers == {"account"}:  # another try in the same moment may have had another answer
                yield f"message {number}: tried again {wait:.2f} s after an account error"
        if state == "queued":
            ended[number] = begun, end
    for number, often in tries.items():
        queued = story.queued[number]
        if often > _TRIES + (queued.expires - queued.at) / _LONGEST_WAIT:
            yield f"message {number}: tried too often, {often} times in {queued.expires - queued.at:.0f} s"


def _priorities(story: Story) -> Iterator[str]:
    """No message without a code is begun with while one with a code waits for its first try."""
    first: dict[int, float] = {}
    for number, begun, *_ in sorted(story.handled, key=lambda one: one[1]):
        first.setdefault(number, begun)
    codes = [(queued.at, first.get(number, queued.expires)) for number, queued in story.queued.items() if queued.is_code]
    for number, begun in first.items():
        if not story.queued[number].is_code and any(at < begun - _PRIORITY and tried > begun + _SLACK for at, tried in codes):
            yield f"message {number}: begun with while a code waited for its first try"
