"""Providers that go down, slow down, throttle, lie, cut connections and revoke keys, by a seed."""

import asyncio
from bisect import bisect_right
from random import Random

import attrs
from judge import Allowance
from ledger import Asked, Ended, Ledger

from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Receipt, SendError, Throttled

#: Weather → how often, and its mean length in seconds.
WEATHER = {
    "fair": (0.50, 1800.0),
    "down": (0.08, 300.0),
    "slow": (0.08, 300.0),
    "throttling": (0.08, 120.0),
    "cutting": (0.10, 200.0),
    "garbling": (0.08, 200.0),
    "revoked": (0.08, 600.0),
}


@attrs.frozen
class _Fate:
    """What one asking meets: seconds until the request is out and until the answer, and what happens in between."""

    connecting: float
    answering: float
    accepted: bool
    error: SendError | None


class Provider:
    """One provider with a Mailer's manners: it says what it knows of how far the request got, and keeps to its time.

    Args:
        name: what it is called.
        random: of its own, so that what others do does not change its fate.
        ledger: where it writes down the truth.
        hours: how long its weather is made ahead.
        allowance: how fast it may be asked; what comes faster is throttled.
    """

    def __init__(self, name: str, random: Random, ledger: Ledger, hours: float, allowance: Allowance) -> None:
        self.name = name
        self._allowance = allowance
        self._random = random
        self._ledger = ledger
        self._changes, self._weather = [0.0], ["fair"]
        while self._changes[-1] < hours * 3600:
            kind = random.choices(list(WEATHER), [share for share, _ in WEATHER.values()])[0]
            self._changes.append(self._changes[-1] + random.expovariate(1 / WEATHER[kind][1]))
            self._weather.append(kind)

    async def send(self, message, *, timeout=None):
        """Take a message or not."""
        loop = asyncio.get_running_loop()
        asked = Asked(loop.time(), self.name, message.payload["number"])
        self._ledger.asked.append(asked)
        ended = Ended(asked, accepted=False, answer="cancelled")
        try:
            receipt = await self._answer(message, timeout, ended)
        except SendError as error:
            ended.answer = error.outcome
            raise
        finally:
            ended.time = loop.time()
            self._ledger.ended.append(ended)
        ended.answer = "accepted"
        return receipt

    async def _answer(self, message, timeout, ended):
        is_over = self._allowance.over(ended.asked.time) > 0
        fate = self._fate(message)
        if is_over:
            fate = attrs.evolve(fate, accepted=False, error=Throttled("too fast", retry_after=1.0))
        if fate.connecting >= timeout:
            await asyncio.sleep(timeout)
            raise NotSent("no connection in time", reason="timeout", phase="before")
        await asyncio.sleep(fate.connecting)
        ended.accepted = fate.accepted
        left = timeout - fate.connecting
        if fate.answering >= left:
            await asyncio.sleep(left)
            raise OutcomeUnknown("no answer in time", reason="timeout", phase="during")
        await asyncio.sleep(fate.answering)
        if fate.error is not None:
            raise fate.error.afresh(connector=self.name)
        return Receipt(f"{self.name}-{len(self._ledger.ended)}", connector=self.name)

    def _fate(self, message):
        weather = self._weather[bisect_right(self._changes, asyncio.get_running_loop().time()) - 1]
        chance, connecting, answering = self._random.random(), 0.02, self._random.lognormvariate(-2.5, 0.6)
        if message.to.startswith("nobody"):
            return _Fate(connecting, answering, False, MessageRejected("no such mailbox", reason="recipient"))
        if chance < 0.01:  # in fair weather too
            return _Fate(connecting, answering, self._random.random() < 0.5, OutcomeUnknown("cut", reason="network"))
        return getattr(self, f"_{weather}")(connecting, answering, chance)

    def _fair(self, connecting, answering, _):
        return _Fate(connecting, answering, True, None)

    def _down(self, connecting, answering, chance):
        if chance < 0.3:
            return _Fate(60.0, 0.0, False, None)  # packets vanish
        return _Fate(connecting, answering, False, NotSent("refused", reason="network", phase="before"))

    def _slow(self, connecting, answering, _):
        return _Fate(connecting, answering + self._random.expovariate(1 / 6.0), True, None)

    def _throttling(self, connecting, answering, chance):
        if chance < 0.3:
            return _Fate(connecting, answering, True, None)
        return _Fate(
            connecting, answering, False, Throttled("slow down", retry_after=self._random.choice([None, 1.0, 5.0, 60.0]))
        )

    def _cutting(self, connecting, answering, chance):
        if chance < 0.4:
            return _Fate(connecting, answering, True, None)
        return _Fate(connecting, answering, self._random.random() < 0.5, OutcomeUnknown("cut", reason="network"))

    def _garbling(self, connecting, answering, chance):
        if chance < 0.4:
            return _Fate(connecting, answering, True, None)
        return _Fate(connecting, answering, self._random.random() < 0.7, OutcomeUnknown("an unreadable 200", status=200))

    def _revoked(self, connecting, answering, _):
        return _Fate(connecting, answering, False, AccountError("the key is revoked", reason="credentials"))
