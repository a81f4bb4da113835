"""Observers: plugins of the host that hear what happened. They never change the answer."""

import logging
from collections.abc import Awaitable
from typing import Any

import pluggy

_log = logging.getLogger("authmail")


async def notify(host: pluggy.PluginManager, hook: str, **what: Any) -> None:
    """Call a hook of the host's plugins, plain or async; a failure is logged by its type alone."""
    try:
        for answer in getattr(host.hook, hook)(**what):
            if isinstance(answer, Awaitable):
                await answer
    except Exception as error:  # noqa: BLE001 (an observer never changes the answer)
        _log.warning("the %s hook of a plugin failed: %s", hook, type(error).__name__)
