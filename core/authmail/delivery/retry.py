"""Retry: the same sender again, where that is safe and can still help."""

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Any

from authmail.delivery.failover import Failover
from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, deadline_of, name_of, now
from authmail.delivery.trail import Trail
from authmail.delivery.unknown import OnUnknown, may_resend
from authmail.http.deadline import DEFAULT_TIMEOUT, SHORTEST_ATTEMPT
from authmail.mail.email import Mail
from authmail.outcomes import NotSent, OutcomeUnknown, Receipt, SendError, Throttled, UnknownThenRejected


class Retry(Wrapper):
    """Sends again what was not sent, after a growing random delay or the provider's own hint.

    Repeats :class:`~authmail.NotSent` and :class:`~authmail.Throttled`; never a rejected message and never an account
    error; an unknown outcome only where a second mail is harmless. No attempt begins that cannot end in time. The error
    at the end names what was tried.

    Args:
        sender: who sends.
        attempts: at most so many, the first one included.
        first_delay: upper bound in seconds of the random delay before the second attempt; it doubles each time.
        longest_delay: where the doubling ends, in seconds.
        timeout: seconds for all attempts and delays together, unless ``send`` is told.
        on_unknown: usage type → ``resend`` or ``stop``; see :data:`~authmail.delivery.OnUnknown`.
        jitter: gives a random number from 0 to 1.
    """

    def __init__(
        self,
        sender: MessageSender,
        *,
        attempts: int = 4,
        first_delay: float = 0.5,
        longest_delay: float = 8.0,
        timeout: float = DEFAULT_TIMEOUT,
        on_unknown: OnUnknown | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        if attempts < 1:
            raise ValueError("attempts must be 1 or more")
        self._sender = sender
        self._attempts = attempts
        self._first_delay = first_delay
        self._longest_delay = longest_delay
        self._timeout = timeout
        self._on_unknown = on_unknown or {}
        self._jitter = jitter

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender."""
        return (self._sender,)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message, more than once where that is safe.

        Raises:
            SendError: the one answer for all attempts; see :class:`~authmail.delivery.trail.Trail`.
        """
        deadline = deadline_of(timeout, self._timeout)
        trail = Trail()
        for number in range(1, self._attempts + 1):
            try:
                return await attempt(self._sender, message, deadline)
            except SendError as error:
                trail.add(error, name_of(self._sender))
                if number == self._attempts or not self._repeats(error, message):
                    break
                delay = self._delay(number, error)
            if now() + delay + SHORTEST_ATTEMPT > deadline:
                break
            await asyncio.sleep(delay)
        raise trail.verdict()

    def steps(self, message: Mail) -> Iterable[Step]:
        """Say how often, and what an unknown outcome would do."""
        senders = len(inner.inside) if isinstance(inner := self._sender, Failover) else 1
        rounds = f"{self._attempts} rounds of {senders} senders, {self._attempts * senders}" if senders > 1 else self._attempts
        yield Step("attempts", f"at most {rounds}", "after NotSent and Throttled, as long as there is time")
        resends = may_resend(message, self._on_unknown)
        decision = "send again" if resends else "stop"
        yield Step("unknown outcome", decision, "a second mail is harmless" if resends else "a second mail might do harm")

    def _repeats(self, error: SendError, message: Mail) -> bool:
        if isinstance(error, UnknownThenRejected):  # no provider would answer otherwise
            return False
        if isinstance(error, OutcomeUnknown):
            return may_resend(message, self._on_unknown)
        return isinstance(error, NotSent | Throttled)

    def _delay(self, number: int, error: SendError) -> float:
        # Full jitter: many messages that failed together do not come back together.
        longest = min(self._longest_delay, self._first_delay * 2.0 ** (number - 1))
        return (error.retry_after or 0.0) + self._jitter() * longest
