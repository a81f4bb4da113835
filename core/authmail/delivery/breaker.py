"""Breaker: a sender that fails is left alone for a while, then tried with one message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authmail.delivery.events import report
from authmail.delivery.sender import MessageSender, Wrapper, attempt, name_of, now
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Mail
from authmail.outcomes import (
    AccountError,
    Limited,
    MessageRejected,
    NotSent,
    Phase,
    Reason,
    Receipt,
    SendError,
    Throttled,
)
from authmail.words.text import NOTHING, say

# An attempt that was given less time says nothing about the provider.
_FAIR_TIME = 1.0
# What one message alone may meet. A refused sender may be one template's, and a provider's doubt about content one
# message's: whoever can have such a message sent must not stop everybody's mail.
_OF_ONE_MESSAGE = frozenset((Reason.SENDER, Reason.CONTENT, Reason.TEMPLATE, Reason.RECIPIENT, Reason.SUPPRESSED))
# What failed here, before the provider was asked: our own limit or store, a connector that stumbles over a message.
_OF_OURS = frozenset((Reason.CONNECTOR, Reason.CONFIG))


class Breaker(Wrapper):
    """Asks a sender only while it is in order.

    It opens at once on an error of the whole account, since every mail would meet the same; on several failures in a
    row; and for as long as a throttling provider asks for. While it is open nobody is asked: the answer is NotSent, or the account
    error or throttling again. Then one message tries; if that fails too, the rest is twice as long.

    Args:
        sender: who sends.
        name: what people call it; by default its connector.
        failures: so many in a row open it.
        rest: seconds that it stays open at first.
        longest_rest: where the doubling ends, in seconds.
    """

    def __init__(
        self,
        sender: MessageSender,
        *,
        name: str | None = None,
        failures: int = 5,
        rest: float = 10.0,
        longest_rest: float = 60.0,
    ) -> None:
        self._sender = sender
        self.name = name or name_of(sender)
        self._failures = failures
        self._first_rest = rest
        self._longest_rest = longest_rest
        self._failed = 0
        self._rest = rest
        self._open_until: float | None = None
        self._cause: SendError | None = None
        self._probing = False

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender."""
        return (self._sender,)

    @property
    def state(self) -> str:
        """``closed``: in order; ``open``: nobody is asked; ``probing``: one message tries, or may. Needs the running loop."""
        if self._open_until is None:
            return "closed"
        return "probing" if now() >= self._open_until else "open"

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send, or refuse without asking.

        Raises:
            SendError: the sender's; or, with phase before, that it is not asked now.
        """
        if self._open_until is not None and (self._probing or now() < self._open_until):
            raise self._refusal()
        with self._admitted() as is_probe:
            if is_probe:
                await report("breaker", sender=self.name, state="probing", error=None, seconds=0.0)
            timeout = DEFAULT_TIMEOUT if timeout is None else timeout
            try:
                receipt = await attempt(self._sender, message, timeout, name=self.name)
            except SendError as error:
                await self._learn(error, is_probe=is_probe, is_fair=timeout >= _FAIR_TIME)
                raise
            await self._recover(is_probe=is_probe)
            return receipt

    @contextmanager
    def _admitted(self) -> Iterator[bool]:
        """Let one message through; whether it is the one that tries an open breaker. Also left by cancellation."""
        is_probe = self._open_until is not None
        self._probing = is_probe
        try:
            yield is_probe
        finally:
            if is_probe:
                self._probing = False

    async def _learn(self, error: SendError, *, is_probe: bool, is_fair: bool) -> None:
        if isinstance(error, MessageRejected):
            if error.phase is not Phase.BEFORE:  # the provider answered: it works
                await self._recover(is_probe=is_probe)
            return
        if self._open_until is not None and not is_probe:
            return  # it began before the breaker opened, and tells nothing new
        if not _tells_nothing(error):
            await self._weigh(error, is_probe=is_probe, is_fair=is_fair)

    async def _weigh(self, error: SendError, *, is_probe: bool, is_fair: bool) -> None:
        """Open because of a failure, or count it."""
        if isinstance(error, Throttled):
            if error.retry_after:
                await self._open(error, min(error.retry_after, self._longest_rest))
        elif isinstance(error, AccountError) or (is_probe and is_fair):
            await self._open_longer(error)
        elif is_fair:
            self._failed += 1
            if self._failed >= self._failures:
                await self._open_longer(error)

    async def _open_longer(self, error: SendError) -> None:
        rest, self._rest = self._rest, min(self._rest * 2, self._longest_rest)
        await self._open(error, rest)

    async def _open(self, error: SendError, seconds: float) -> None:
        self._open_until, self._cause = now() + seconds, error.afresh()
        await report("breaker", sender=self.name, state="open", error=error, seconds=seconds)

    async def _recover(self, *, is_probe: bool) -> None:
        if self._open_until is None:
            self._failed = 0
        elif is_probe:
            self._open_until, self._cause, self._failed, self._rest = None, None, 0, self._first_rest
            await report("breaker", sender=self.name, state="closed", error=None, seconds=0.0)

    def _refusal(self) -> SendError:
        wait = max(0.0, (self._open_until or 0.0) - now())
        cause = self._cause
        hint = (
            say(
                "{sender} is not asked now, since it failed before ({outcome}: {hint})",
                sender=self.name,
                outcome=cause.outcome,
                hint=cause.hint,
            )
            if cause
            else NOTHING
        )
        if isinstance(cause, AccountError | Throttled):
            return cause.afresh(hint=hint, phase=Phase.BEFORE, retry_after=wait)
        connector = cause.connector if cause else ""
        return NotSent(hint, reason=Reason.PROVIDER, phase=Phase.BEFORE, retry_after=wait, connector=connector)


def _tells_nothing(error: SendError) -> bool:
    """Whether another message might well be accepted now."""
    return (
        error.reason in _OF_ONE_MESSAGE
        or isinstance(error, Limited)
        or (isinstance(error, NotSent) and error.reason in _OF_OURS and error.phase is Phase.BEFORE)
    )
