"""A change of keys: what waits is sealed anew with the first."""

from authmail.delivery.ticket import TicketState
from authmail.queue.queue import Queue, bound
from authmail.queue.sealing import UnknownKey

_WAITING = (TicketState.QUEUED, TicketState.SENDING, TicketState.IN_DOUBT)
_AT_ONCE = 1_000_000


async def rotate(queue: Queue) -> tuple[int, int]:
    """Seal every message that waits with the first key.

    Args:
        queue: whose keys they are.

    Returns:
        How many were sealed anew, and how many were sealed with a key that is not given.

    Raises:
        QueueError: the queue cannot be used.
    """
    sealed = unknown = 0
    for row in await queue.engine.find(_WAITING, most=_AT_ONCE):
        if row.key == queue.keys.first or not row.box:
            continue
        try:
            plain = queue.keys.open(row.box, bound(row.ticket, row.scope), row.key)
        except UnknownKey:
            unknown += 1
        else:
            sealed += await queue.engine.reseal(row, queue.keys.first, queue.keys.seal(plain, bound(row.ticket, row.scope)))
    return sealed, unknown
