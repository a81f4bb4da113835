"""How long things may take, said once."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import isfinite

#: Seconds that a message may take, all in all, where nobody says otherwise.
DEFAULT_TIMEOUT = 10.0
#: Seconds below which no attempt is begun, since it could not end in time.
SHORTEST_ATTEMPT = 0.1
#: Seconds that a connection may take to come about; less, where the message has less.
CONNECT_LIMIT = 5.0

_share: ContextVar[float | None] = ContextVar("authmail_connect_share", default=None)


@contextmanager
def connecting_within(seconds: float) -> Iterator[None]:
    """Within this block a connection may take so many seconds to come about, since another way is open."""
    token = _share.set(seconds if isfinite(seconds) else None)
    try:
        yield
    finally:
        _share.reset(token)


def connect_share() -> float | None:
    """Return the seconds that a connection may take since another way is open; None where none is."""
    return _share.get()


def connect_limit(seconds: float) -> float:
    """Return how long a connection may take to come about, where a message has so many seconds."""
    share = _share.get()
    return min(CONNECT_LIMIT, seconds) if share is None else min(CONNECT_LIMIT, seconds, share)
