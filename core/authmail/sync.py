"""The Mailer without ``await``, for hosts that have no event loop: Django, Flask, scripts.

One background loop per process runs everything. It is made when first needed, and anew in a forked child.
"""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from math import isfinite
from typing import Any, Protocol, Self, TypeVar

from authmail import mailer
from authmail.mail.email import Email, Mail
from authmail.mail.message import Message, UsageType
from authmail.outcomes import NoAnswerInTime, NotSentInTime, Receipt, SendError
from authmail.privacy import raise_afresh
from authmail.words.text import say

__all__ = ["Mailer"]

_Result = TypeVar("_Result")

# So long a message may take beyond its time, to end in order; in seconds.
_GRACE = 2.0

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_loop_process = 0


def _background_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop; a thread of its own runs it until the process ends."""
    global _loop, _loop_process
    with _lock:
        if _loop is None or _loop_process != os.getpid():
            _loop, _loop_process = asyncio.new_event_loop(), os.getpid()
            threading.Thread(target=_loop.run_forever, name="authmail", daemon=True).start()
        return _loop


def _new_lock() -> None:
    """In a forked child: another thread of the parent may have held the lock at the fork."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def begin(coroutine: Coroutine[Any, Any, _Result]) -> Future[_Result]:
    """Run a coroutine on the background loop, and wait for nothing."""
    return asyncio.run_coroutine_threadsafe(coroutine, _background_loop())


def run(coroutine: Coroutine[Any, Any, _Result], seconds: float | None = None) -> _Result:
    """Run a coroutine on the background loop and wait for its result.

    Args:
        coroutine: what to run.
        seconds: how long to wait; what keeps to its own time is never cut short by it. None waits as long as it takes.

    Raises:
        NoAnswerInTime: there was no result by then, since something holds up the loop.
    """
    future = begin(coroutine)
    limit = None if seconds is None or not isfinite(seconds) else max(seconds, 0.0) + _GRACE
    try:
        return future.result(limit)
    except (KeyboardInterrupt, SystemExit, CancelledError):
        future.cancel()
        raise
    except TimeoutError:
        if future.done():  # its own
            raise
        future.cancel()
    raise NoAnswerInTime(say("there is no answer in time, for something holds up the background loop"))


class Opens(Protocol):
    """What can be opened on a loop: a Mailer, or a delivery around some."""

    @property
    def timeout(self) -> float:
        """Seconds that a message may take where nobody says otherwise."""

    async def __aenter__(self) -> Any:
        """Open it."""

    async def close(self) -> None:
        """Close it; it can be opened again."""

    def abandon(self) -> None:
        """In a forked child: leave what the parent opened to the parent."""

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message."""

    async def preview(self, message: Message) -> Email:
        """Return the mail that would be sent."""

    async def test(self, to: str, *, type: str = UsageType.GENERIC, locale: str | None = None) -> Receipt:  # noqa: A002 (the contract's word)
        """Send a sample."""


class Blocking:
    """A sender without ``await``; any thread may use it.

    It opens by itself at the first send and may be used for as long as the process lives; ``with`` or :meth:`close`
    closes it. After a fork the child opens connections of its own.

    Args:
        sender: what sends on the background loop.
    """

    def __init__(self, sender: Opens) -> None:
        self._sender = sender
        self._opened: asyncio.Future[Any] | None = None
        self._process = 0

    def __enter__(self) -> Self:
        run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened. Closing twice is harmless; the next send opens it again."""
        if self._opened is not None and self._process == os.getpid():
            self._opened = None
            run(self._sender.close())

    @raise_afresh
    def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message, see :meth:`authmail.Mailer.send`. Opening, at the first one, is part of its time."""
        seconds = self._sender.timeout if timeout is None else timeout
        return run(self._sent(message, seconds), seconds)

    async def _sent(self, message: Mail, seconds: float) -> Receipt:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        try:
            async with asyncio.timeout(seconds):
                await self._open()
        except SendError:
            raise
        except TimeoutError:
            raise NotSentInTime(say("no time was left to send the message")) from None
        return await self._sender.send(message, timeout=deadline - loop.time())

    @raise_afresh
    def preview(self, message: Message) -> Email:
        """Return the mail that would be sent, see :meth:`authmail.Mailer.preview`."""
        return run(self._sender.preview(message))

    @raise_afresh
    def test(self, to: str, *, type: str = UsageType.GENERIC, locale: str | None = None) -> Receipt:  # noqa: A002 (the contract's word)
        """Send a sample, see :meth:`authmail.Mailer.test`."""
        run(self._open())
        return run(self._sender.test(to, type=type, locale=locale), self._sender.timeout)

    async def _open(self) -> None:
        """Open once, whichever thread comes first. Runs on the background loop, so nothing else runs meanwhile."""
        if self._opened is None or self._process != os.getpid():
            if self._opened is not None:
                self._sender.abandon()
            self._process = os.getpid()
            self._opened = asyncio.ensure_future(self._sender.__aenter__())
        opened = self._opened
        try:
            await asyncio.shield(opened)
        finally:
            if opened.done() and (opened.cancelled() or opened.exception()):
                self._opened = None

    def __repr__(self) -> str:
        return f"sync.{self._sender!r}"


class Mailer(Blocking):
    """:class:`authmail.Mailer` with the same names, arguments and errors, without ``await``; see :class:`Blocking`.

    Args:
        connector: as for :class:`authmail.Mailer`.
        config: as there.
        **options: as there, except ``session``, which belongs to a loop.

    Raises:
        ConfigError: as there.
        ConnectorNotFound: as there.
    """

    @raise_afresh
    def __init__(self, connector: Any, config: Any, **options: Any) -> None:
        if options.get("session") is not None:
            raise TypeError("a session belongs to an event loop; the Mailer without await opens its own")
        super().__init__(mailer.Mailer(connector, config, **options))
