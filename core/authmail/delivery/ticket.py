"""What a host holds of a message that is queued, and what becomes of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

import attrs

from authmail.mail.email import Mail
from authmail.outcomes import Receipt, SendError


class TicketState(StrEnum):
    """What has become of a queued message."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    EXPIRED = "expired"
    IN_DOUBT = "in doubt"


#: After these nothing happens by itself any more.
ENDED = frozenset((TicketState.SENT, TicketState.FAILED, TicketState.EXPIRED, TicketState.IN_DOUBT))


@attrs.frozen
class Ticket:
    """A message that is queued.

    Args:
        id: by which its state is asked for; tells nothing of the message.
        expires: after this time it is not sent any more.
        repeated: the very same message was queued before; this is its ticket.
    """

    id: str
    expires: datetime
    repeated: bool = False


@attrs.frozen
class State:
    """What is known of a queued message.

    Args:
        name: a :class:`TicketState`.
        attempts: how often a worker tried.
        receipt: the provider's answer, once it is sent.
        error: why it failed, is in doubt, or waits.
        due: when it is tried next, while it is queued.
    """

    name: TicketState
    attempts: int = 0
    receipt: Receipt | None = None
    error: SendError | None = None
    due: datetime | None = None


class MessageQueue(Protocol):
    """What a delivery needs of its queue; :class:`authmail.queue.Queue`."""

    async def enqueue(
        self,
        delivery: Any,
        message: Mail,
        *,
        expires: float | None,
        transaction: object | None,
        try_first: float | None,
        request_id: str,
    ) -> Ticket:
        """Queue a message; see :meth:`authmail.delivery.Delivery.enqueue`."""

    async def state(self, ticket: str) -> State | None:
        """Return what is known of a ticket; None if nothing is."""

    async def forget(self, address: str) -> int:
        """Remove what has ended of an address; return how many messages that were."""
