"""The last moment before a provider is asked: whoever must note it durably does so here."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from authmail.delivery.sender import MessageSender, Wrapper, attempt, deadline_of, name_of
from authmail.mail.email import Mail
from authmail.outcomes import Receipt

_mark: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("authmail_mark", default=None)


@contextmanager
def marking(mark: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Within this block, and in tasks that are begun in it, this is awaited before each provider is asked."""
    token = _mark.set(mark)
    try:
        yield
    finally:
        _mark.reset(token)


class Marked(Wrapper):
    """A sender before which is noted that it may take the message; as close to it as can be, so that what only waits is not in doubt.

    Args:
        sender: who sends.
        name: what people call it; by default its connector.
    """

    passes_once = True

    def __init__(self, sender: MessageSender, *, name: str | None = None) -> None:
        self._sender = sender
        self.name = name or name_of(sender)

    @property
    def inside(self) -> tuple[Any, ...]:
        """The sender."""
        return (self._sender,)

    async def send(self, message: Mail, *, timeout: float | None = None) -> Receipt:
        """Note it where somebody wants that, and send.

        Raises:
            SendError: the sender's.
        """
        deadline = deadline_of(timeout)
        if (mark := _mark.get()) is not None:
            await mark()
        return await attempt(self._sender, message, deadline, name=self.name)
