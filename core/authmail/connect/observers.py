"""Observers among a host's plugins hear what happens, and never change it."""

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from time import perf_counter
from typing import Any

import pluggy

from authmail.config.secret import Secret
from authmail.connect.beside import Beside
from authmail.privacy import log_of

_log = log_of("authmail")

#: Seconds that an observer may take with one event.
OBSERVER_LIMIT = 10.0
# A plain one that takes longer than this, in seconds, is told of once.
_TOO_LONG = 0.5


class Observers:
    """Plugins of a host, told of messages. A plain hook is called at once; what an async one awaits goes on beside.

    Args:
        host: manager of the plugins.
    """

    def __init__(self, host: pluggy.PluginManager) -> None:
        self.host = host
        self._beside = Beside()
        self._any = bool(host.get_plugins())
        self._blocking: set[str] = set()

    def __bool__(self) -> bool:
        return self._any

    def tell(self, hook: str, **what: Any) -> None:
        """Tell each plugin; one that fails is logged by its type, and keeps no other from hearing."""
        for observer in reversed(getattr(self.host.hook, hook).get_hookimpls()):  # as pluggy calls them
            begun = perf_counter()
            try:
                answer = observer.function(*(what[name] for name in observer.argnames))
            except Exception as error:  # noqa: BLE001 (an observer never changes the answer)
                _log.warning("the %s hook of a plugin failed: %s", hook, type(error).__name__)
            else:
                if isinstance(answer, Awaitable):
                    self._beside.begin(f"the {hook} hook of a plugin", _wait(answer), OBSERVER_LIMIT)
            if perf_counter() - begun > _TOO_LONG and hook not in self._blocking:
                self._blocking.add(hook)
                _log.warning("the %s hook of a plugin holds up the event loop, and with it all messages; make it async", hook)

    async def give_way(self) -> None:
        """Let those that need no time hear before the answer goes back."""
        if self._beside:
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Wait for those that are still at it."""
        await self._beside.end()

    def abandon(self) -> None:
        """In a forked child: what they are at is the parent's."""
        self._beside.abandon()


async def _wait(answer: Awaitable[object]) -> None:
    await answer


#: Those of the Delivery around a Mailer, for the time of one message.
LISTENING: ContextVar[Observers | None] = ContextVar("authmail_listening", default=None)


def tell_of_token(own: Observers, connector: str, setting: str, token: Secret, replaces: Secret) -> None:
    """Tell the plugins of a Mailer, and those of the Delivery around it, of a new token of a provider.

    Args:
        own: the Mailer's.
        connector: factory id.
        setting: path of the setting that it is for.
        token: the new one.
        replaces: the one before.
    """
    for observers in (own, LISTENING.get()):
        if observers:
            observers.tell("token_refreshed", connector=connector, setting=setting, token=token, replaces=replaces)
