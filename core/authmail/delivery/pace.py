"""Pace: one message after another, as fast as a provider takes them, for all who share the account."""

import asyncio
import secrets
from collections.abc import Iterable
from typing import Any

import attrs

from authmail.delivery.sender import MessageSender, Step, attempt, deadline_of, name_of, now, recheck, single_sender
from authmail.delivery.sharing import where_shared
from authmail.delivery.stores import Claim, MemoryStore, Store, Turn
from authmail.delivery.trip import Claiming, Trip, joined, set_out
from authmail.mail.email import Mail
from authmail.mailer import Mailer
from authmail.outcomes import Limited, Receipt
from authmail.privacy import raise_afresh
from authmail.words.text import say

# Of a message's time it may wait so much for its turn, so that there is time to send.
_SHARE = 2 / 3
# A turn that was taken ahead is over so many seconds after its time: whoever was held up meanwhile takes another.
_LATE = 0.1


class Pace(Claiming):
    """Lets messages go one after another: in any n seconds at most ``rate * n + burst``, of all who share the account and the store.

    A message waits for its turn within its own time. If its turn comes later it is not sent, so that another sender can be asked:
    :class:`~authmail.Limited`, with the seconds to wait. A fifth of the rate is kept for messages with a code, so that a thousand invitations
    hold up nobody who signs in. While the store cannot be used, this process keeps to the pace by itself.

    Args:
        sender: who sends.
        name: what people call it; by default its connector.
        rate: messages a second; by default what the provider of a Mailer publishes for every account.
        burst: so many may go at once after a quiet time.
        store: where all who send for the account take turns; in memory by default, of this process alone.

    Raises:
        ValueError: no rate is given, and none is published.
    """

    strict = False
    takes_turn = True
    scope = ""

    @raise_afresh
    def __init__(
        self,
        sender: MessageSender,
        *,
        name: str | None = None,
        rate: float | None = None,
        burst: int = 1,
        store: Store | None = None,
    ) -> None:
        inner = single_sender(sender)
        published = inner.connector.metadata.rate if isinstance(inner, Mailer) else None
        if rate is None and published is None:
            raise ValueError(f"Pace needs a rate: {name_of(sender)} publishes none")
        self._sender = sender
        self.name = name or name_of(sender)
        self.store = MemoryStore() if store is None else store
        self._alone = MemoryStore()
        self._own = secrets.token_hex(8)
        self._turn = Turn("", rate or published or 0.0, burst)

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender and the store."""
        return (self._sender, self.store)

    def steps(self, message: Mail) -> Iterable[Step]:
        """Say how fast."""
        decision = f"{self._turn.rate:g} messages a second" + (f", {self._turn.burst} at once" if self._turn.burst > 1 else "")
        yield Step("pace", decision, f"of this account, {where_shared(self.store)}")

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send a message when its turn comes.

        Raises:
            Limited: it comes too late; nothing was sent.
            SendError: the sender's.
        """
        deadline = deadline_of(timeout)
        trip = joined(self)
        if trip is None or (trip.begun is not None and now() > trip.at + trip.begun.turn + _LATE):
            trip = await set_out(self, message, deadline)
        await self._wait(trip, message, deadline)
        return await attempt(self._sender, message, deadline, name=self.name)

    def claim(self, message: Mail, timeout: float) -> Claim:
        """Return the turn that a message asks for."""
        return Claim(turn=attrs.evolve(self._turn, key=self._key(), coded=message.repeatable, longest=timeout * _SHARE))

    def abandon(self) -> None:
        """In a forked child: begin with a row of its own."""
        super().abandon()
        self._alone = MemoryStore()

    async def _wait(self, trip: Trip, message: Mail, deadline: float) -> None:
        begun, asked, at = trip.begun, trip.claim.turn, trip.at
        if begun is None or asked is None:
            claim, at = self.claim(message, deadline - now()), now()
            begun, asked = await self._alone.begin(claim), claim.turn
            assert asked is not None  # noqa: S101 (it is all that is claimed)
        left = at + begun.turn - now()
        if begun.turn > asked.longest or left > deadline - now():
            hint = say("too many messages for the pace of {sender}; this is the host's own limit", sender=self.name)
            raise Limited(hint, retry_after=max(left, 0.0))
        if left > 0:
            await asyncio.sleep(left)
            await recheck()

    def _key(self) -> str:
        inner = single_sender(self._sender)
        rate = (f"{self._turn.rate!r}", f"{self._turn.burst}")
        if isinstance(inner, Mailer):
            return inner.account(lambda *parts: self.store.digest("pace", *rate, *parts))
        return self.store.digest("pace", *rate, self._own)
