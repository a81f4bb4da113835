"""What limits and dedupe ask of a store. Every call is atomic, also between processes."""

import hmac
import secrets
from collections.abc import Awaitable, Sequence
from typing import Protocol, TypeVar

import attrs

from authmail.errors import AuthmailError

_Answer = TypeVar("_Answer")


class StoreError(AuthmailError):
    """The store cannot be read or written now. The text names the store, never what is in it."""


@attrs.frozen
class Limit:
    """So many messages in a rolling time.

    Args:
        most: how many.
        seconds: in how long.
    """

    most: int = attrs.field(validator=attrs.validators.ge(1))
    seconds: float = attrs.field(validator=attrs.validators.gt(0))


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


class Store(Protocol):
    """A store of counts and answers. Keys are digests: a store never holds an address, a code or a link."""

    def digest(self, *parts: str) -> str:
        """Return a keyed hash of texts. Without the store's secret nobody can try out which address or code it is."""

    async def reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        """Count a message under several keys, or under none if one of them is full.

        Args:
            token: of this message alone, to take it back by.
            claims: keys with their limits.

        Returns:
            0 if it was counted, else the seconds after which there is room.
        """

    async def release(self, token: str, keys: Sequence[str]) -> None:
        """Take back a message that was counted."""

    async def begin(self, key: str, fingerprint: str, *, lease: float, keep: float) -> Entry | None:
        """Note that a message is on its way, unless there is an entry already.

        Args:
            key: of the message.
            fingerprint: tells whether it is the same message.
            lease: seconds that sending it may take.
            keep: seconds for which the entry is kept.

        Returns:
            None if this call made the entry; else the one that there is.
        """

    async def finish(self, key: str, answer: str) -> None:
        """Keep the answer of a message, for as long as its entry was to be kept."""

    async def forget(self, key: str) -> None:
        """Remove an entry: the message was not sent, so it may be sent again."""


async def asked(answer: Awaitable[_Answer]) -> _Answer:
    """Wait for a store's answer. Whatever a store fails with, no message is lost over it.

    Raises:
        StoreError: it failed; an error that is not its own is named by its type, since the text may hold a password.
    """
    try:
        return await answer
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 (a store is anybody's)
        kind = type(error).__name__
    raise StoreError(f"the store failed: {kind}")


def keyed_digest(secret: bytes, parts: Sequence[str]) -> str:
    """Return 128 bits of the HMAC of texts, each with its length in front, so that no two lists look the same."""
    text = "".join(f"{len(part)}:{part}" for part in map(str, parts))
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()


def new_secret() -> bytes:
    """Return a secret for :func:`keyed_digest`."""
    return secrets.token_bytes(32)
