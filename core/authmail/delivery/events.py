"""What happens to messages on their way, told to observers, logs and metrics.

The policies do not know who listens: the :class:`~authmail.delivery.Delivery` around them says so for the time of one
message.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pluggy

from authmail.connect.plugins import notify

_listening: ContextVar[pluggy.PluginManager | None] = ContextVar("authmail_listening", default=None)


@contextmanager
def heard_by(plugins: pluggy.PluginManager | None) -> Iterator[None]:
    """Within this block, and in tasks that are begun in it, these plugins hear what happens; None for nobody."""
    token = _listening.set(plugins)
    try:
        yield
    finally:
        _listening.reset(token)


def is_heard() -> bool:
    """Whether anybody listens."""
    return _listening.get() is not None


async def report(hook: str, **what: Any) -> None:
    """Tell whoever listens; a plugin that fails is logged and changes nothing."""
    plugins = _listening.get()
    if plugins is not None:
        await notify(plugins, hook, **what)
