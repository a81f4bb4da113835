"""What a sender is, and what senders around other senders have in common."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Protocol, Self

import attrs

from authmail.connect.beside import Beside
from authmail.delivery.events import is_heard, report
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.mail.email import Mail
from authmail.outcomes import NotSentInTime, Receipt, SendError
from authmail.words.text import say


class MessageSender(Protocol):
    """Anything that sends messages: a :class:`~authmail.Mailer`, or a policy around one."""

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message within so many seconds; return its Receipt or raise one SendError."""


@attrs.frozen
class Step:
    """One thing that is decided about a message on its way.

    Args:
        what: the question, in a word: ``route``, ``senders``, ``limits``.
        decision: the answer.
        why: where it comes from.
    """

    what: str
    decision: str
    why: str = ""


class Wrapper(ABC):
    """Base of senders around other senders.

    ``async with`` opens everything inside, each Mailer and store once, however deep and often it stands there, and
    closes it in reverse order. Whoever opened the Mailers already just sends.
    """

    #: Whether each message is handed on at most once.
    passes_once: ClassVar[bool] = False
    _stack: AsyncExitStack | None = None
    _beside: Beside | None = None

    @property
    def beside(self) -> Beside:
        """What goes on beside messages; closing waits for it."""
        if self._beside is None:
            self._beside = Beside()
        return self._beside

    @property
    def inside(self) -> tuple[Any, ...]:
        """The senders and stores within."""
        return ()

    @abstractmethod
    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Send one message within so many seconds; return its Receipt or raise one SendError."""

    def steps(self, message: Mail) -> Iterable[Step]:
        """Yield what this sender would decide about a message. Sends nothing; needs the running loop."""
        return ()

    def toward(self, message: Mail) -> MessageSender:
        """Return the sender within that a message would go to first."""
        first: MessageSender = self.inside[0]
        return first

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for resource in {id(resource): resource for resource in _resources(self)}.values():
                await stack.enter_async_context(resource)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what was opened. Closing twice is harmless; it can be opened again, also on another loop."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    def abandon(self) -> None:
        """In a forked child: leave what the parent opened to the parent, so that this can be opened again."""
        for part in (*self.inside, self.beside):
            if hasattr(part, "abandon"):
                part.abandon()
        self._stack = None


def wrappers_within(wrapper: Wrapper) -> Iterator[Wrapper]:
    """Yield a wrapper and all wrappers within it, the outer ones first."""
    yield wrapper
    for part in wrapper.inside:
        if isinstance(part, Wrapper):
            yield from wrappers_within(part)


def single_sender(sender: object) -> object:
    """Return the innermost sender, where each wrapper around it has but this one; else the first wrapper with several."""
    while isinstance(sender, Wrapper):
        within = [part for part in sender.inside if hasattr(part, "send")]
        if len(within) != 1:
            break
        sender = within[0]
    return sender


def _resources(wrapper: Wrapper) -> Iterator[Any]:
    """Yield what is opened, in this order; what goes on beside messages is waited for before its store closes."""
    for part in wrapper.inside:
        if isinstance(part, Wrapper):
            yield from _resources(part)
        elif hasattr(part, "__aenter__"):
            yield part
    yield wrapper.beside


_may_go: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("authmail_may_go", default=None)


@contextmanager
def rechecked_by(check: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Within this block whoever holds a message up asks this before it goes on."""
    token = _may_go.set(check)
    try:
        yield
    finally:
        _may_go.reset(token)


async def recheck() -> None:
    """Ask whether a message that was held up may still go on.

    Raises:
        SendError: it may not; nobody was asked.
    """
    if (check := _may_go.get()) is not None:
        await check()


def now() -> float:
    """Return the time of the running loop, in seconds; it never goes backwards."""
    return asyncio.get_running_loop().time()


def name_of(sender: object) -> str:
    """Return what a sender is called where people read it: its own name, a Mailer's connector, else its class."""
    connector = getattr(sender, "connector", None)
    return str(getattr(sender, "name", None) or getattr(connector, "id", None) or type(sender).__name__)


async def attempt(sender: MessageSender, message: Mail, deadline: float, *, name: str | None = None) -> Receipt:
    """Let a sender within send, if there is time; one that is no wrapper is an attempt, which observers hear of.

    Args:
        sender: who is asked.
        message: what to send.
        deadline: a time of :func:`now`; what is left until then is read at the last moment.
        name: what people call the sender.
    """
    begun = now()
    if not deadline - begun > 0:  # also where it is no number
        raise NotSentInTime(say("no time was left to send the message"))
    if isinstance(sender, Wrapper) or not is_heard():
        return await sender.send(message, timeout=deadline - begun)
    error: SendError | None = None
    receipt: Receipt | None = None
    try:
        receipt = await sender.send(message, timeout=deadline - begun)
    except SendError as raised:
        error = raised
    report("attempt", message=message, sender=name or name_of(sender), receipt=receipt, error=error, seconds=now() - begun)
    if receipt is None:
        assert error is not None  # noqa: S101 (one of both)
        raise error
    return receipt


def deadline_of(timeout: float | None, default: float = DEFAULT_TIMEOUT) -> float:
    """Return the time of :func:`now` at which a message must have its answer."""
    return now() + (default if timeout is None else timeout)
