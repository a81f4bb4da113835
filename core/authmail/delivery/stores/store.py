"""What limits, dedupe and breakers ask of a store. Every call is atomic, also between processes."""

import asyncio
import hmac
import math
import secrets
from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol, TypeVar

import attrs

from authmail.config.secret import Secret
from authmail.errors import AuthmailError

_Answer = TypeVar("_Answer")

# A store that keeps to its time says so itself; one that does not is left here, a moment later.
_MOMENT = 0.05


class StoreError(AuthmailError):
    """The store cannot be read or written now. The text names the store, never what is in it."""


@attrs.frozen
class Limit:
    """So many messages in a rolling time.

    Up to 128 messages are counted exactly. A larger limit counts in sixtieths of the time: rather a few messages less
    than the limit in any such time, never more.

    Args:
        most: how many.
        seconds: in how long.
    """

    most: int = attrs.field(validator=attrs.validators.ge(1))
    seconds: float = attrs.field()

    @seconds.validator
    def _is_some_time(self, _: object, seconds: float) -> None:
        if not 0 < seconds < math.inf:
            raise ValueError("the seconds of a limit must be more than 0, and finite")


@attrs.frozen
class Entry:
    """What a store knows of a message.

    Args:
        fingerprint: tells whether it is the same message.
        answer: its answer as JSON text; None while it is on its way.
        lease: seconds for which whoever sends it still has time; 0 or less if it should have ended, and did not say how.
    """

    fingerprint: str
    answer: str | None
    lease: float


@attrs.frozen
class Note:
    """A short text that processes leave each other, such as that a provider is not to be asked.

    Args:
        text: what it says.
        left: seconds for which it is still kept.
    """

    text: str
    left: float


@attrs.frozen
class Turn:
    """A message's turn, where messages go out at a pace.

    Args:
        key: of those who go one after another.
        rate: so many messages a second.
        burst: so many may go at once after a quiet time.
        coded: whether the message may take the places that are kept for codes, every fifth.
        longest: seconds that it can wait. If its turn comes later, none is taken.
    """

    key: str
    rate: float = attrs.field()
    burst: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    coded: bool = True
    longest: float = 0.0

    @rate.validator
    def _is_a_rate(self, _: object, rate: float) -> None:
        if not 0 < rate < math.inf:
            raise ValueError("the rate of a pace must be more than 0 messages a second, and finite")


@attrs.frozen(kw_only=True)
class Claim:
    """All that one message asks of a store before it goes out.

    Args:
        token: of whoever asks, for this message alone; what is begun with it, only it ends.
        key: of the message; None where no other message is a repeat of it.
        fingerprint: tells whether it is the same message.
        lease: seconds that sending it may take.
        keep: seconds for which its entry is kept.
        counts: keys that it counts under, each with its limit.
        notes: keys of notes to read on the way.
        turn: its turn in a pace, if it needs one.
    """

    token: str = attrs.field(factory=lambda: secrets.token_hex(8))
    key: str | None = None
    fingerprint: str = ""
    lease: float = 0.0
    keep: float = 0.0
    counts: tuple[tuple[str, Limit], ...] = ()
    notes: tuple[str, ...] = ()
    turn: Turn | None = None


@attrs.frozen(kw_only=True)
class Begun:
    """What a store says to a :class:`Claim`.

    Args:
        entry: the one that there is for its key already. Then nothing was begun or counted.
        wait: seconds after which all limits leave room, 0 where they do. Otherwise nothing was begun or counted.
        at: the store's own time, to be shown to it again at the end; 0 where its answer was lost, and it may or may not have begun.
        notes: those of the asked notes that there are.
        turn: seconds until the message's turn; none was taken where that is longer than it can wait.
    """

    entry: Entry | None = None
    wait: float = 0.0
    at: float = 0.0
    notes: Mapping[str, Note] = attrs.field(factory=dict)
    turn: float = 0.0


class Store(Protocol):
    """A store of counts, answers and notes. Keys are digests: a store never holds an address, a code or a link.

    Each call costs the same, however large a limit is and however much is remembered. Time is the store's own, the same for
    all who share it, and a wall clock that is set moves nothing. :mod:`authmail.testing.stores` tests one for all of this.
    It may be an async context manager; nobody has to enter it.
    """

    def digest(self, *parts: str) -> str:
        """Return a keyed hash of texts. Without the store's secret nobody can try out which address or code it is."""

    async def begin(self, claim: Claim, *, timeout: float) -> Begun:
        """Note that a message is on its way and count it; or neither, where there is an entry already or no room.

        Args:
            claim: what the message asks.
            timeout: seconds to wait for a store that is busy.

        Raises:
            StoreError: it cannot be used, or was busy for so long.
        """

    async def end(self, claim: Claim, begun: Begun, *, answer: str | None, uncount: Sequence[str], timeout: float) -> None:
        """Say what became of a message, by whoever began it; harmless where that is over, or another's by now.

        Args:
            claim: as it was begun.
            begun: what the store said then.
            answer: kept for as long as the entry was to be; None removes the entry: the message may be sent again.
            uncount: keys under which it is taken back.
            timeout: seconds to wait for a store that is busy.

        Raises:
            StoreError: it cannot be used, or was busy for so long.
        """

    async def answer_of(self, key: str, *, timeout: float) -> Entry | None:
        """Return what is known of a message; None if nothing is.

        Raises:
            StoreError: it cannot be used, or was busy for so long.
        """

    async def note(self, key: str, text: str | None, *, keep: float, timeout: float) -> None:
        """Leave a note for so many seconds, in place of the one before; None removes it.

        Raises:
            StoreError: it cannot be used, or was busy for so long.
        """


async def asked(answer: Awaitable[_Answer], timeout: float) -> _Answer:
    """Wait for a store's answer. Whatever a store fails with, no message is lost over it.

    Args:
        answer: what a method of the store returned.
        timeout: the seconds that it was given.

    Raises:
        StoreError: it failed, or took longer; an error that is not its own is named by its type, since the text may hold a password.
    """
    try:
        async with asyncio.timeout(timeout + _MOMENT):
            return await answer
    except StoreError:
        raise
    except TimeoutError:
        problem = "the store did not answer in time"
    except Exception as error:  # noqa: BLE001 (a store is anybody's)
        problem = f"the store failed: {type(error).__name__}"
    raise StoreError(problem)


def keyed_digest(secret: bytes, parts: Sequence[str]) -> str:
    """Return 128 bits of the HMAC of texts, each with its length in front, so that no two lists look the same."""
    text = "".join([f"{len(part)}:{part}" for part in map(str, parts)])
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()


def secret_of(secret: Secret | bytes) -> bytes:
    """Return the bytes of a secret for :func:`keyed_digest`.

    Raises:
        ValueError: it has fewer than 16 bytes.
    """
    read = secret.reveal().encode() if isinstance(secret, Secret) else secret
    if len(read) < 16:  # noqa: PLR2004 (128 bits)
        raise ValueError("the secret of a store needs 16 bytes or more")
    return read


def new_secret() -> bytes:
    """Return a secret for :func:`keyed_digest`."""
    return secrets.token_bytes(32)
