"""Failover: the next sender, where the one before cannot have accepted the message."""

from collections.abc import Iterable, Mapping
from typing import Any

from authmail.delivery.breaker import Breaker
from authmail.delivery.events import report
from authmail.delivery.sender import MessageSender, Step, Wrapper, attempt, deadline_of, now
from authmail.delivery.trail import Trail
from authmail.delivery.unknown import OnUnknown, may_resend
from authmail.http.deadline import DEFAULT_TIMEOUT, SHORTEST_ATTEMPT, connecting_within
from authmail.mail.email import Mail
from authmail.outcomes import MessageRejected, OutcomeUnknown, Receipt, SendError


class Failover(Wrapper):
    """Asks senders in order until one accepts the message.

    Goes on after :class:`~authmail.NotSent`, :class:`~authmail.Throttled` and :class:`~authmail.AccountError`; never
    after a rejection, which no provider would answer otherwise; after an unknown outcome only where a second mail is
    harmless. Each sender has a :class:`~authmail.delivery.Breaker`, so a provider that is down costs nothing.

    Args:
        senders: the preferred one first; a mapping gives them names.
        timeout: seconds for all senders together, unless ``send`` is told.
        on_unknown: usage type → ``resend`` or ``stop``; see :data:`~authmail.delivery.OnUnknown`.
    """

    def __init__(
        self,
        senders: Iterable[MessageSender] | Mapping[str, MessageSender],
        *,
        timeout: float = DEFAULT_TIMEOUT,
        on_unknown: OnUnknown | None = None,
    ) -> None:
        named: Iterable[tuple[str | None, MessageSender]] = (
            senders.items() if isinstance(senders, Mapping) else ((None, sender) for sender in senders)
        )
        self._senders = [sender if isinstance(sender, Breaker) else Breaker(sender, name=name) for name, sender in named]
        if not self._senders:
            raise ValueError("Failover needs a sender")
        self._timeout = timeout
        self._on_unknown = on_unknown or {}

    @property
    def inside(self) -> tuple[Any, ...]:
        """The senders, each in its breaker."""
        return tuple(self._senders)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message through the first sender that takes it.

        Raises:
            SendError: the one answer for all senders; see :class:`~authmail.delivery.trail.Trail`.
        """
        deadline = deadline_of(timeout, self._timeout)
        resends = may_resend(message, self._on_unknown)
        trail = Trail()
        for position, sender in enumerate(self._senders):
            if position:
                if deadline - now() < SHORTEST_ATTEMPT:
                    break
                before = self._senders[position - 1].name
                report("switched", message=message, sender=before, to=sender.name, error=trail.errors[-1])
            share = (deadline - now()) / (len(self._senders) - position)
            try:
                # That no connection came about is known for sure, so also what must not go out twice has time for the next.
                with connecting_within(share):
                    return await attempt(sender, message, now() + share if resends else deadline)
            except SendError as error:
                trail.add(error, sender.name)
                if isinstance(error, MessageRejected) or (isinstance(error, OutcomeUnknown) and not resends):
                    break
        raise trail.verdict()

    def steps(self, message: Mail) -> Iterable[Step]:
        """Name the senders in order, and those that are not asked now."""
        resting = [sender.name for sender in self._senders if sender.state == "open"]
        why = (
            f"not asked now, since they failed: {', '.join(resting)}"
            if resting
            else "each only where the one before did not take it"
            if len(self._senders) > 1
            else "the only one"
        )
        yield Step("senders", ", then ".join(sender.name for sender in self._senders), why)

    def toward(self, message: Mail) -> MessageSender:
        """Return the first sender that would be asked."""
        return next((sender for sender in self._senders if sender.state != "open"), self._senders[0])
