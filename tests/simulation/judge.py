"""The judge: reads a ledger and knows nothing of retry, failover, breakers, limits and dedupe but the promises.

The promises are those of the design: at most one mail unless an unknown outcome that may be resent lies between; nothing
after the deadline; one answer per call; no answer that says "not sent" for a mail that was; nobody asked while its
breaker is open; no more mails to one person than allowed.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator

import attrs
from ledger import Call, Ended, Ledger

_NEVER_SENT = {"rejected", "throttled", "account", "not sent"}
# Time is a float, and a provider's clock is read a little later than a caller's.
_SLACK = 0.01


@attrs.frozen
class Promises:
    """What was promised, in numbers.

    Args:
        rest: seconds for which a provider is left alone at least after it said that the account is at fault.
        most: mails to one recipient.
        window: in so many seconds.
        hears: seconds after which all processes know of a breaker's opening.
        rate: messages a second that a provider is asked to take.
        burst: so many of them at once.
        late: seconds by which one message may hear later than another that it is its turn.
    """

    rest: float
    most: int
    window: float
    hears: float = 0.0
    rate: float = math.inf
    burst: int = 1
    late: float = 0.0

    def allowance(self) -> "Allowance":
        """Return what one provider takes."""
        return Allowance(self.rate, self.burst + self.late * self.rate if self.rate < math.inf else math.inf)


class Allowance:
    """In any n seconds at most ``rate * n + burst``, told one after the other; what is over counts too.

    Args:
        rate: a second.
        burst: at once.
    """

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._number = 0
        self._least = math.inf

    def over(self, time: float) -> float:
        """Take one more in; return by how many they are too many."""
        if self._rate == math.inf:
            return 0.0
        # Of those from the i-th to this one are too many: (this - i + 1) - rate * (time - time of i) - burst.
        self._least = min(self._least, self._number - self._rate * time)
        self._number += 1
        return self._number - self._rate * time - self._least - self._burst


def violations(ledger: Ledger, promises: Promises) -> Iterator[str]:
    """Yield a sentence for every promise that was broken."""
    ended: dict[int, list[Ended]] = defaultdict(list)
    for one in ledger.ended:
        ended[one.asked.message].append(one)
    calls: dict[int, list[Call]] = defaultdict(list)
    for call in ledger.calls:
        calls[call.message].append(call)
    for number, same in calls.items():
        yield from _of_message(number, same, sorted(ended[number], key=lambda one: one.asked.time))
    yield from _while_open(ledger, promises)
    yield from _too_fast(ledger, promises)
    yield from _after_account_errors(ledger, promises)
    yield from _too_many(ledger, promises)


def _of_message(number: int, calls: list[Call], ended: list[Ended]) -> Iterator[str]:
    if more := _second_mails_without_excuse(ended, resends=calls[0].resends):
        yield f"message {number}: {more} second mail without an unknown outcome before it that may be resent"
    last = max(call.deadline for call in calls)
    if any(one.asked.time > last + _SLACK for one in ended):
        yield f"message {number}: asked after its deadline"
    accepted = [one.asked.time for one in ended if one.accepted]
    for call in calls:
        if len(call.answers) != (0 if call.cancelled else 1):
            yield f"message {number}: {len(call.answers)} answers"
        # What was accepted later was asked for again by somebody else.
        if _NEVER_SENT & set(call.answers) and any(time <= call.ended for time in accepted):
            yield f"message {number}: was accepted, but a caller was told {call.answers[0]}"
        if call.answers == ["accepted"] and not accepted:
            yield f"message {number}: a caller was told accepted, but nobody took it"


def _second_mails_without_excuse(ended: list[Ended], *, resends: bool) -> int:
    found, mails, excused = 0, 0, False
    for one in ended:
        if one.accepted:
            found += bool(mails) and not (excused and resends)
            mails += 1
            excused = False
        excused = excused or one.answer == "unknown"
    return found


def _too_fast(ledger: Ledger, promises: Promises) -> Iterator[str]:
    allowances: dict[str, Allowance] = defaultdict(promises.allowance)
    for asked in ledger.asked:
        if (over := allowances[asked.provider].over(asked.time)) > _SLACK:
            yield f"{asked.provider}: asked faster than its pace at {asked.time:.0f}, by {over:.1f} messages"


def _while_open(ledger: Ledger, promises: Promises) -> Iterator[str]:
    asked_at: dict[str, list[float]] = defaultdict(list)
    for asked in ledger.asked:
        asked_at[asked.provider].append(asked.time)
    closed_at: dict[str, list[float]] = defaultdict(list)
    for time, provider, state, _ in ledger.breakers:
        if state == "closed":
            closed_at[provider].append(time)
    for time, provider, state, seconds in ledger.breakers:
        if state == "open":
            # Another process may have been trying at that moment, and found it in order.
            closed = closed_at[provider][bisect_right(closed_at[provider], time) :]
            times = asked_at[provider]
            early = bisect_left(times, min([time + seconds, *closed[:1]]) - _SLACK) - bisect_right(times, time + promises.hears)
            if early > 0:
                yield f"{provider}: asked {early} times while its breaker was open at {time:.0f}"


def _after_account_errors(ledger: Ledger, promises: Promises) -> Iterator[str]:
    """Whatever the breakers said: a revoked key is not tried again and again."""
    asked_at: dict[str, list[float]] = defaultdict(list)
    for asked in ledger.asked:
        asked_at[asked.provider].append(asked.time)
    last: dict[str, float] = defaultdict(lambda: -math.inf)
    for one in sorted((one for one in ledger.ended if one.answer == "account"), key=lambda one: one.time):
        provider = one.asked.provider
        if one.asked.time <= last[provider]:
            continue  # it was on its way when an earlier one came back
        last[provider] = one.time
        times = asked_at[provider]
        early = bisect_left(times, one.time + promises.rest - _SLACK) - bisect_right(times, one.time + promises.hears + _SLACK)
        if early > 0:
            yield f"{provider}: asked {early} times within {promises.rest:g} s after its account error at {one.time:.0f}"


def _too_many(ledger: Ledger, promises: Promises) -> Iterator[str]:
    recipients = {call.message: call.recipient for call in ledger.calls}
    times: dict[str, list[float]] = defaultdict(list)
    counted: set[int] = set()
    for one in sorted(ledger.ended, key=lambda one: one.asked.time):
        # A message counts once, also where an unknown outcome made two mails of it.
        if one.accepted and one.asked.message not in counted:
            counted.add(one.asked.message)
            times[recipients[one.asked.message]].append(one.asked.time)
    for recipient, sent in times.items():
        for first, last in zip(sent, sent[promises.most :], strict=False):
            if last - first < promises.window - 60:  # counted when it was asked for, sent up to a minute later
                yield f"{recipient}: more than {promises.most} mails in {last - first:.0f} s"
