"""What every host hands its messages to: one delivery for a process, which sends beside the request.

An auth library mails in the middle of its answer. If the answer waited for the provider, its time, or its error, would tell who
has an account; so it does not. What becomes of a message is told by the delivery: to log, plugins, metrics and alerts.
"""

import atexit
import concurrent.futures.thread  # noqa: F401 (see _close_all)
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from authmail.config.references import References
from authmail.delivery import Delivery as AsyncDelivery
from authmail.delivery.file.composition import compose, load
from authmail.delivery.sync import Delivery
from authmail.errors import ConfigError, Problem
from authmail.http.egress import Egress
from authmail.mail.email import Mail
from authmail.outcomes import SendError
from authmail.privacy import log_of, raise_afresh
from authmail.sync import begin
from authmail.templates.template import kind_of
from authmail.words.text import say

__all__ = ["Outbox"]

_log = log_of("authmail.hosts")

# So many messages wait at once. Strangers may ask for mails: what waits for a provider that hangs must not fill the memory.
_MOST_WAITING = 1000

# So long the last message may take beyond its time, to open and to end in order; in seconds.
_GRACE = 2.0

#: What ``AUTHMAIL`` may be: the path of an ``authmail.toml``, or the same as a dict.
Source = str | os.PathLike[str] | Mapping[str, Any]


class Outbox(Delivery):
    """A delivery without ``await`` that also takes messages and waits for nothing.

    It opens by itself at the first message, serves every thread and event loop of its process, and a forked worker opens its own.

    Args:
        source: the path of an ``authmail.toml``, or the same as a dict.
        folder: where a relative path starts; the working directory by default.

    Raises:
        ConfigError: every problem of the config at once.
    """

    @raise_afresh
    def __init__(self, source: Source, folder: str | os.PathLike[str] = ".") -> None:
        super().__init__(_delivery(source, Path(folder)))
        self._of_process: dict[int, set[Future[None]]] = {}
        _made.add(self)

    def open(self) -> None:
        """Open now, as with the application, rather than at the first message."""
        self.__enter__()

    def put(self, message: Mail) -> None:
        """Hand a message over: to the queue where there is one, else to a task. Never waits for it, and never raises for it."""
        waiting = self._waiting
        if len(waiting) >= _MOST_WAITING:
            _log.error("a message of type %s was dropped: %d others wait already", message.usage_type, len(waiting))
            return
        future = begin(self._deliver(message))
        waiting.add(future)
        future.add_done_callback(waiting.discard)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until everything that was handed over has ended; whether it has.

        Args:
            seconds: at most; by default what one message may take.
        """
        left = wait(tuple(self._waiting), self._delivery.timeout + _GRACE if seconds is None else seconds)
        return not left.not_done

    def close(self) -> None:
        """Wait for what was handed over, and close. The next message opens it again."""
        self.wait()
        super().close()

    async def _deliver(self, message: Mail) -> None:
        try:
            await self._open()
            if self._delivery.queue is None:
                with suppress(SendError):  # the delivery has told it
                    await self._sent(message, self._delivery.timeout)
            else:
                await self._delivery.enqueue(message)
        except SendError as error:
            _log.error("a message of type %s was not queued: %s", message.usage_type, error)
        except Exception as error:  # noqa: BLE001 (nobody waits for it, so this is the only place that can tell)
            _log.error("a message of type %s was not sent: %s", message.usage_type, type(error).__name__)

    @property
    def _waiting(self) -> set[Future[None]]:
        """What this process handed over: in a forked child, what the parent did goes on there."""
        return self._of_process.setdefault(os.getpid(), set())


_made: WeakSet[Outbox] = WeakSet()


def _close_all() -> None:
    """Where nobody closed them: a process that ends in order sends what it was given. One that is killed does not come here."""
    for outbox in list(_made):
        outbox.close()


# Stores and names of hosts are asked in threads, which Python ends before it calls what atexit has; this comes before both,
# if the module that ends them was there first.
getattr(threading, "_register_atexit", atexit.register)(_close_all)


def _delivery(source: Source, folder: Path) -> AsyncDelivery:
    """Return the delivery of a source. It is its owner's either way, as code is: references and private addresses are allowed."""
    if isinstance(source, Mapping):
        return compose(source, folder, egress=Egress.ANY, references=References())
    if isinstance(source, str | os.PathLike):
        return load(folder / source)
    problem = say("must be {words}, got {kind}", words=say("the path of an authmail.toml or a dict"), kind=kind_of(source))
    raise ConfigError([Problem("AUTHMAIL", problem)])
