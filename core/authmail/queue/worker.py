"""A worker: sends what is queued, until it is told to stop."""

import asyncio

from authmail.delivery import Delivery
from authmail.errors import Misused
from authmail.outcomes import NotSent, Phase, Reason
from authmail.privacy import log_of
from authmail.queue.engine import QueueError
from authmail.queue.handling import Handling
from authmail.queue.queue import Queue
from authmail.words.text import say

_log = log_of("authmail.queue")

# How often the age of the queue is looked at, and when somebody is told, in seconds.
_LOOK = 15.0
_OLD = 60.0


async def work(delivery: Delivery, *, stop: asyncio.Event | None = None, concurrency: int | None = None) -> None:
    """Send what is queued for a delivery. Open it first, with ``async with``.

    Args:
        delivery: one with a queue.
        stop: when it is set, what was begun is ended, and the rest handed back; without, until the task is cancelled.
        concurrency: so many at a time; the queue's own by default.

    Raises:
        QueueError: the queue cannot be worked at; end the process, and let its supervisor start another.
        Misused: the delivery has no queue.
    """
    queue = delivery.queue
    if not isinstance(queue, Queue):
        raise Misused("this delivery has no queue: a [queue] table in the file makes one")
    ending = stop or asyncio.Event()
    watching = asyncio.create_task(_watch(delivery, queue))
    try:
        await queue.engine.work(
            Handling(delivery, queue), concurrency=concurrency or queue.concurrency, stop=ending, scope=delivery.name
        )
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(delivery: Delivery, queue: Queue) -> None:
    """Tell somebody while messages that are due wait for too long, and when they do so no more."""
    is_told = True  # by the worker before, perhaps
    while True:
        await asyncio.sleep(_LOOK)
        try:
            oldest = (await queue.engine.statistics()).oldest
        except QueueError as error:
            _log.warning("the age of the queue is not known: %s", error)
            continue
        hint = say(
            "the oldest message that is due waits for {seconds} s; start more workers, or see why none sends",
            seconds=round(oldest),
        )
        trouble = NotSent(hint, reason=Reason.PROVIDER, phase=Phase.BEFORE) if oldest > _OLD else None
        if trouble is not None or is_told:
            delivery.tell_of_queue("old_queue", trouble)
        is_told = trouble is not None
