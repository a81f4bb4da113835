"""What happens to a message on its way, told to observers, logs and metrics.

The policies do not know who listens: the :class:`~authmail.delivery.Delivery` around them says so for the time of one
message.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs

from authmail.connect.observers import LISTENING, Observers
from authmail.outcomes import Receipt, SendError
from authmail.privacy import hide_fields


@attrs.define(eq=False, field_transformer=hide_fields)
class Passage:
    """One message on its way through a delivery.

    Args:
        observers: who hears of it; None for nobody.
        scope: the delivery's name, which keeps its limits and repeats apart from others'.
        repeated: it got the answer of an earlier message.
        going_on: goes on to the answer although its caller was cancelled.
    """

    observers: Observers | None = None
    scope: str = ""
    repeated: bool = False
    going_on: asyncio.Task[Receipt | SendError] | None = None


_current: ContextVar[Passage] = ContextVar("authmail_passage")


@contextmanager
def passing(passage: Passage) -> Iterator[None]:
    """Within this block, and in tasks that are begun in it, this is the message's way."""
    token = _current.set(passage)
    listening = LISTENING.set(passage.observers)
    try:
        yield
    finally:
        LISTENING.reset(listening)
        _current.reset(token)


def passage() -> Passage:
    """Return the way that the message at hand takes; outside of a delivery one that nobody hears of."""
    return _current.get(None) or Passage()


def is_heard() -> bool:
    """Whether anybody listens."""
    return passage().observers is not None


def report(hook: str, **what: Any) -> None:
    """Tell whoever listens; a plugin that fails or takes its time changes nothing."""
    observers = passage().observers
    if observers is not None:
        observers.tell(hook, **what)
