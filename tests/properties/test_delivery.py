"""Limits, dedupe and breakers against models of a few lines, in any order of events that hypothesis thinks of."""

import asyncio
import math

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from authmail import AccountError, Limited, Message, MessageRejected, NotSent, OutcomeUnknown, Receipt, SendError, Throttled
from authmail.delivery import Breaker, Dedupe, Limit, Limits, MemoryStore
from authmail.testing.fake_time import FakeTimeLoop

ANSWERS = st.sampled_from(
    [
        Receipt("1"),
        NotSent("x"),
        AccountError("x", reason="credentials"),
        MessageRejected("x"),
        Throttled("x", retry_after=5.0),
        OutcomeUnknown("x"),
    ]
)
PEOPLE = st.sampled_from(["a@example.com", "B@example.com", "b@example.com"])
PAUSES = st.sampled_from([0.5, 1.0, 4.0, 9.0, 10.0, 29.0, 30.0, 61.0])


class _Sender:
    name = "scripted"

    def __init__(self):
        self.answer = Receipt("1")
        self.asked = 0

    async def send(self, message, *, timeout=None):
        self.asked += 1
        if isinstance(self.answer, SendError):
            raise self.answer
        return self.answer


class _InFakeTime(RuleBasedStateMachine):
    """Base of machines whose time passes by itself."""

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=FakeTimeLoop)
        self.sender = _Sender()
        self.tested = self.runner.run(self.make())

    async def make(self):
        raise NotImplementedError

    @property
    def now(self):
        return self.runner.get_loop().time()

    @rule(seconds=PAUSES)
    def time_passes(self, seconds):
        self.runner.run(asyncio.sleep(seconds))

    def send(self, message, answer):
        """Return what comes back, and whether the sender was asked for it."""
        self.sender.answer, before = answer, self.sender.asked
        try:
            result = self.runner.run(self.tested.send(message))
        except SendError as error:
            result = error
        return result, self.sender.asked > before

    def teardown(self):
        self.runner.close()


class LimitsMachine(_InFakeTime):
    """Three mails in ten seconds to a person, four to everybody together."""

    async def make(self):
        self.counted = []
        loop = asyncio.get_running_loop()
        return Limits(self.sender, store=MemoryStore(clock=loop.time), recipient=Limit(3, 10), account=Limit(4, 10))

    @rule(person=PEOPLE, answer=ANSWERS)
    def a_message(self, person, answer):
        """Refused exactly if the model has no room, and counted exactly if it was or may have been sent."""
        recent = [(time, who) for time, who in self.counted if time > self.now - 10]
        full = len(recent) >= 4 or sum(who == person.lower() for _, who in recent) >= 3
        result, asked = self.send(Message(person, "Notice", {}), answer)
        assert asked is not full
        assert isinstance(result, Limited) is full
        if full:
            assert 0 < result.retry_after <= 10
        elif isinstance(answer, Receipt | OutcomeUnknown):
            self.counted.append((self.now, person.lower()))
        elif isinstance(answer, MessageRejected):  # by the provider: for everybody together, and not for the person
            self.counted.append((self.now, None))


class DedupeMachine(_InFakeTime):
    """Keys are kept for a minute, codes for half of that."""

    async def make(self):
        self.known = {}
        loop = asyncio.get_running_loop()
        return Dedupe(self.sender, store=MemoryStore(clock=loop.time), keep=60, hold=30)

    @rule(person=PEOPLE, code=st.sampled_from(["111111", "222222"]), key=st.sampled_from([None, None, "k", "l"]), answer=ANSWERS)
    def a_message(self, person, code, key, answer):
        """Sent exactly if the model does not know it; else the first answer comes back."""
        same = (person.lower(), code)
        name, keep = (key, 60) if key else (same, 30)
        until, first, first_same = self.known.get(name, (-math.inf, None, same))
        known = until > self.now
        result, asked = self.send(Message(person, "SignIn", {"code": code}, idempotency_key=key), answer)
        if known and first_same != same:
            assert isinstance(result, MessageRejected)
            assert not asked
            return
        assert asked is not known
        expected = first if known else answer
        assert type(result) is type(expected)
        if not known and isinstance(answer, Receipt | OutcomeUnknown):
            self.known[name] = (self.now + keep, answer, same)


class BreakerMachine(_InFakeTime):
    """Opens after two failures in a row, rests ten seconds and at most forty."""

    async def make(self):
        self.failed, self.rest, self.open_until = 0, 10.0, None
        return Breaker(self.sender, failures=2, rest=10, longest_rest=40)

    @rule(answer=ANSWERS)
    def a_message(self, answer):
        """Asked exactly if it is closed or its rest is over."""
        is_open = self.open_until is not None and self.now < self.open_until
        is_probe = self.open_until is not None and not is_open
        result, asked = self.send(Message("a@example.com", "Notice", {}), answer)
        assert asked is not is_open
        if is_open:
            assert isinstance(result, NotSent | AccountError | Throttled)
            return
        assert result == answer or type(result) is type(answer)
        if isinstance(answer, MessageRejected) and not is_probe:
            return  # neither a failure nor a success
        if isinstance(answer, Receipt | MessageRejected):
            self.failed, self.open_until = 0, None
            self.rest = 10.0 if is_probe else self.rest
        elif isinstance(answer, Throttled):
            self.open_until = self.now + 5
        else:
            self.failed += 1
            if isinstance(answer, AccountError) or is_probe or self.failed >= 2:
                self.open_until, self.rest = self.now + self.rest, min(self.rest * 2, 40)

    @precondition(lambda self: self.open_until is not None)
    @invariant()
    def the_state_says_so(self):
        """What an operator sees is what is so."""

        async def state():
            return self.tested.state

        assert self.runner.run(state()) == ("open" if self.now < self.open_until else "probing")


TestLimits = LimitsMachine.TestCase
TestDedupe = DedupeMachine.TestCase
TestBreaker = BreakerMachine.TestCase
