"""What a queue asks of an engine: durable rows, handed out one at a time. An engine knows nothing of mail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import attrs

from authmail.delivery.ticket import TicketState
from authmail.errors import AuthmailError
from authmail.privacy import hide_fields


class QueueError(AuthmailError):
    """The queue cannot be read or written now. The text names it, never what is in it."""


@attrs.frozen(kw_only=True, field_transformer=hide_fields)
class Row:
    """A queued message, as it is stored. All that is confidential is in the box.

    Args:
        ticket: its id.
        scope: name of the delivery that queued it.
        priority: 0 goes first.
        created: when it was queued; this and all times in seconds of UTC, by the engine's clock.
        expires: after this it is not sent.
        due: not before this.
        state: a :class:`~authmail.delivery.TicketState`.
        attempts: how often it was tried.
        marked: a provider may have been asked, and no answer is known.
        key: id of the key that sealed the box.
        box: the sealed message; empty once it has ended.
        repeat: digest by which the same message is known; None if no other is a repeat of it.
        fingerprint: digest that a repeat must have too.
        repeat_until: until when repeats get this ticket.
        address: keyed digest of the recipient, for ``authmail forget``.
        answer: JSON of the last answer: a receipt, or an error.
        trace: ``traceparent`` of W3C's Trace Context, where there is one.
        request: the caller's id of the request, where it gave one.
    """

    ticket: str
    scope: str = ""
    priority: int = 1
    created: float = 0.0
    expires: float
    due: float = 0.0
    state: TicketState = TicketState.QUEUED
    attempts: int = 0
    marked: bool = False
    key: str
    box: bytes
    repeat: str | None = None
    fingerprint: str = ""
    repeat_until: float = 0.0
    address: str = ""
    answer: str | None = None
    trace: str = ""
    request: str = ""


@attrs.frozen(kw_only=True, field_transformer=hide_fields)
class Verdict:
    """What comes of an attempt.

    Args:
        state: the row's new state.
        answer: JSON of the answer.
        wait: seconds until it is due again, while it is queued.
        marked: whether it stays unknown if a provider took it.
        tried: whether this was an attempt; what waits for a key was none.
    """

    state: TicketState
    answer: str | None = None
    wait: float = 0.0
    marked: bool = False
    tried: bool = True


@attrs.frozen(kw_only=True)
class Statistics:
    """How a queue does.

    Args:
        states: state → how many.
        oldest: seconds for which the oldest message that is due waits.
        held: how many wait for ``authmail queue release``.
    """

    states: dict[str, int]
    oldest: float = 0.0
    held: int = 0


#: What a worker does with a row.
Handler = Callable[[Row], Awaitable[Verdict]]


class Engine(Protocol):
    """A durable queue. :mod:`authmail.testing.queues` tests one.

    It may be an async context manager; nobody has to enter it.
    """

    @property
    def place(self) -> str:
        """Where it is, as people name it; never with a password."""

    async def now(self) -> float:
        """Return the engine's time, in seconds of UTC."""

    async def add(self, row: Row, *, keep: float, transaction: object | None = None) -> Row:
        """Store a row, durably; or return the earlier one of the same message.

        Args:
            row: what is stored; ``created``, ``due``, ``expires`` and ``repeat_until`` are seconds from now, by the engine's clock.
            keep: seconds for which the row is kept after its end.
            transaction: a connection of the host's, whose transaction decides.
        """

    async def row(self, ticket: str) -> Row | None:
        """Return a row; None if there is none."""

    async def known(self, repeat: str) -> Row | None:
        """Return the row that repeats of a message get; None if there is none. What failed or expired surely was not sent, and is none."""

    async def mark(self, ticket: str) -> None:
        """Note, durably, that a provider is about to be asked.

        Raises:
            QueueError: it cannot be noted, or the row is not in the worker's hands any more; nobody may be asked.
        """

    async def work(self, handle: Handler, *, concurrency: int, stop: asyncio.Event, scope: str = "") -> None:
        """Hand out rows that are due, so many at once, until told to stop; then end what was begun, and hand back what was not.

        A row is begun with once it is marked. Only rows of the scope are handed out, so that no delivery sends another's.

        Raises:
            QueueError: another worker has the queue, or rows cannot be fetched although the store answers.
        """

    async def find(self, states: Sequence[TicketState], *, most: int) -> Sequence[Row]:
        """Return rows, the newest first."""

    async def retry(self, ticket: str) -> bool:
        """Make a row due now, also one in doubt; whether that could be done."""

    async def drop(self, ticket: str) -> bool:
        """End a row without sending; its box is wiped. What is marked stays in doubt. Whether that could be done."""

    async def reseal(self, row: Row, key: str, box: bytes) -> bool:
        """Put another box in place of a row's, unless it changed meanwhile; whether that was done."""

    async def release(self) -> int:
        """Let go on what a restored back-up holds; return how many."""

    async def forget(self, address: str) -> int:
        """Remove the rows of a recipient that have ended, by the digest of the address; return how many."""

    async def statistics(self) -> Statistics:
        """Return how it does."""
