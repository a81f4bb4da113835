"""One message's two trips to a store: all that the wrappers around it ask before it goes out, and all that they say after.

The outermost wrapper with a store makes them, for those within that share it; a wrapper used alone makes its own.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ClassVar

import attrs

from authmail.connect.beside import Beside
from authmail.delivery.events import report
from authmail.delivery.sender import Wrapper, now, wrappers_within
from authmail.delivery.stores import Begun, Claim, MemoryStore, Store, StoreError, asked
from authmail.delivery.stores.store import Note
from authmail.mail.email import Mail
from authmail.outcomes import Limited, NotSent, Phase, Reason
from authmail.privacy import log_of
from authmail.words.once import once
from authmail.words.text import say

_log = log_of("authmail.delivery")

# Of a message's time a busy store may take so much before it goes out, so that there is time to send.
_SHARE = 2 / 3
# What is said afterwards may take this long, in seconds; beside the message, where it has less than the second figure left.
_AFTERWARDS = 5.0
_ENOUGH = 6.0
# The answer waits so long for it, also where the message's time is over.
_MOMENT = 0.05
# Whoever cancels waits so long for the message to be taken back, in seconds.
_PATIENCE = 1.0


class Claiming(Wrapper):
    """A wrapper that asks something of a store for each message."""

    store: Store
    #: Keeps what it asks apart from others'; the name of the Delivery around it where it is empty.
    scope: str
    #: Whether no message goes out while the store cannot be used.
    strict: bool
    #: Whether it could not be used by the last message that this was outermost for.
    store_fails: bool = False
    #: Whether it asks for a turn, and for nothing else.
    takes_turn: ClassVar[bool] = False

    @once
    def _noting_within(self) -> "tuple[Noting, ...]":
        """Those within that read notes."""
        return tuple(wrapper for wrapper in wrappers_within(self) if isinstance(wrapper, Noting))

    @abstractmethod
    def claim(self, message: Mail, timeout: float) -> Claim:
        """Return what it asks for a message that may take so many seconds."""

    def keys_of(self, address: str, scope: str) -> Iterable[str]:
        """Return the keys that it counts under for an address alone, where the Delivery around it has this name."""
        return ()


class Noting(Wrapper):
    """A wrapper that reads a note of a store now and then."""

    store: Store | None

    @abstractmethod
    def wants_note(self) -> str | None:
        """Return the note's key, if what is known of it is old."""

    @abstractmethod
    def hear_note(self, note: Note | None) -> None:
        """Take in what the note says."""


@attrs.define(eq=False)
class Trip:
    """What a store said to a message's wrappers, and what they say to it in the end.

    Args:
        store: the store.
        claim: what all of them ask together.
        begun: what it said; None where it was not asked, or failed and the message goes out all the same.
        within: the other wrappers that are served.
        beside: goes on with what nobody waits for.
        at: when the store said it, a time of :func:`~authmail.delivery.sender.now`.
        is_unheard: whether it failed; it may have begun the message all the same, and only its word was lost.
    """

    store: Store
    claim: Claim
    begun: Begun | None
    within: list[Claiming]
    beside: Beside
    at: float = attrs.field(factory=now)
    is_unheard: bool = False
    _uncount: list[str] = attrs.field(factory=list)
    _answer: str | None = None
    _answered: bool = False

    def uncount(self, keys: Iterable[str]) -> None:
        """Take the message back from these keys, in the end."""
        self._uncount += keys

    def answer(self, text: str | None) -> None:
        """Keep an answer, in the end; None: the message may be sent again."""
        self._answered, self._answer = True, text

    async def end(self, deadline: float) -> None:
        """Say what became of the message, if there is anything to say."""
        begun = Begun() if self.is_unheard else self.begun
        if begun is None or begun.wait or begun.entry or not (self._answered or self._uncount):
            return
        claim = self.claim if self._answered else attrs.evolve(self.claim, key=None)
        telling = _tell(self.store, claim, begun, self._answer, self._uncount)
        if self.is_unheard:
            self.beside.begin("the record of an answer", telling, 2 * _AFTERWARDS)
        elif deadline - now() > _ENOUGH:
            await telling
        else:  # the answer goes back in time, and this on
            task = self.beside.begin("the record of an answer", telling, 2 * _AFTERWARDS)
            await asyncio.wait({task}, timeout=max(deadline - now(), _MOMENT))


async def _tell(store: Store, claim: Claim, begun: Begun, answer: str | None, uncount: Iterable[str]) -> None:
    try:
        await asked(store.end(claim, begun, answer=answer, uncount=tuple(uncount), timeout=_AFTERWARDS), _AFTERWARDS)
    except StoreError as error:
        _log.warning("an answer could not be kept: %s", error)


_trips: ContextVar[tuple[Trip, ...]] = ContextVar("authmail_trips", default=())


def joined(wrapper: Claiming) -> Trip | None:
    """Return the trip that a wrapper around this one made for both; once, for a second attempt counts by itself."""
    for trip in _trips.get():
        if wrapper in trip.within:
            trip.within.remove(wrapper)
            return trip
    return None


@contextmanager
def shared(trip: Trip) -> Iterator[None]:
    """Within this block, and in tasks that are begun in it, wrappers within join this trip."""
    token = _trips.set((*_trips.get(), trip))
    try:
        yield
    finally:
        _trips.reset(token)


async def set_out(wrapper: Claiming, message: Mail, deadline: float, claim: Claim | None = None) -> Trip:
    """Ask the store for all that one message needs of it.

    Args:
        wrapper: the outermost one; those within that share its store are served too.
        message: the message.
        deadline: when it must have its answer.
        claim: what the outermost one asks, if it knows already.

    Raises:
        Limited: the limits leave no room; nothing was begun.
        NotSent: the store cannot be used, and one of them is strict.
    """
    members = list(_claiming_within(wrapper, message))
    store, left = wrapper.store, deadline - now()
    noting = {key: sender for sender in wrapper._noting_within if sender.store is store and (key := sender.wants_note())}  # noqa: SLF001 (of this module)
    own = wrapper.claim(message, left) if claim is None else claim
    claim = _together([own, *(member.claim(message, left) for member in members[1:])], tuple(noting))
    trip = Trip(store, claim, None, members[1:], wrapper.beside)
    if not (claim.key or claim.counts or claim.turn):
        return trip
    try:
        trip.begun = await _begin(store, claim, left * _SHARE, wrapper.beside)
    except StoreError as error:
        refusal = NotSent(str(error), reason=Reason.CONFIG, phase=Phase.BEFORE)
        _hear_of_store(wrapper, refusal)
        trip.is_unheard = True
        if any(member.strict for member in members):
            trip.answer(None)
            trip.uncount(key for key, _ in claim.counts)
            await trip.end(deadline)
            raise refusal from None
        _log.warning("sent without limits or a look for repeats: %s", error)
        return trip
    _hear_of_store(wrapper, None)
    trip.at = now()
    for key, sender in noting.items():
        sender.hear_note(trip.begun.notes.get(key))
    if trip.begun.wait > 0:
        hint = say("too many messages for this recipient, client or account; this is the host's own limit")
        raise Limited(hint, retry_after=trip.begun.wait)
    return trip


def _hear_of_store(wrapper: Claiming, error: NotSent | None) -> None:
    """Tell whoever listens that a store fails, or does so no more."""
    if error is not None or wrapper.store_fails:
        wrapper.store_fails = error is not None
        report("store", store=type(wrapper.store).__name__, error=error)


def _claiming_within(wrapper: Claiming, message: Mail) -> Iterator[Claiming]:
    """Yield a wrapper, and those within that share its store, as far as each is passed once by a message; and the first that takes a turn."""
    yield wrapper
    inner, once_each, takes_turn = wrapper.toward(message), True, wrapper.takes_turn
    while isinstance(inner, Wrapper) and not (takes_turn and not once_each):
        once_each = once_each and inner.passes_once
        if isinstance(inner, Claiming) and inner.store is wrapper.store:
            # A turn that is taken ahead is right for the first attempt, and lost where there is none; what is counted would stay.
            if inner.takes_turn and not takes_turn:
                takes_turn = True
                yield inner
            elif once_each:
                yield inner
        inner = inner.toward(message)


async def _begin(store: Store, claim: Claim, timeout: float, beside: Beside) -> Begun:
    beginning = asked(store.begin(claim, timeout=timeout), timeout)
    # With a key it is in a task of its own, which nobody cancels; and in memory there is no moment for it.
    if claim.key or type(store) is MemoryStore:
        return await beginning
    task = asyncio.ensure_future(beginning)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:  # it may be counted by then, and nothing went out
        taking = beside.begin("taking a message back", _take_back(store, claim, task), 2 * _AFTERWARDS)
        await asyncio.wait({taking}, timeout=_PATIENCE)
        raise


async def _take_back(store: Store, claim: Claim, beginning: asyncio.Task[Begun]) -> None:
    try:
        begun = await beginning
    except StoreError:  # whose word alone may be lost
        begun = Begun()
    if not begun.wait:
        await _tell(store, claim, begun, None, [key for key, _ in claim.counts])


def _together(claims: list[Claim], notes: tuple[str, ...]) -> Claim:
    """Return one claim for several, of which at most one has a key."""
    if len(claims) == 1 and not notes:
        return claims[0]
    keyed = next((claim for claim in claims if claim.key), claims[0])
    counts = dict.fromkeys(count for claim in claims for count in claim.counts)
    turn = next((claim.turn for claim in claims if claim.turn), None)
    return attrs.evolve(keyed, counts=tuple(counts), notes=notes, turn=turn)
