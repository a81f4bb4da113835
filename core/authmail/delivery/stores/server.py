"""What the stores on a server have in common: connections of each event loop and process, and one time limit."""

import asyncio
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Generic, Self, TypeVar
from urllib.parse import urlsplit

from authmail.config.secret import Secret
from authmail.delivery.stores.store import Begun, Claim, Entry, StoreError, keyed_digest, secret_of
from authmail.privacy import one_line

_Client = TypeVar("_Client")
_Result = TypeVar("_Result")

# For what nobody waits for with a message, in seconds.
OPENING_SECONDS = 5.0
_CLOSING_SECONDS = 2.0
_LONGEST_WORDS = 120


class ServerStore(ABC, Generic[_Client]):
    """Base of stores on a server that machines share.

    It connects when it is first used, on each event loop and in each process by itself; the last ``async with`` that is left closes
    what this loop has open.

    Args:
        url: where the server is, and how to log in.
        secret: key of the hashes, 16 bytes or more: the same on all machines, and never kept on that server.
        clock: gives seconds; by default the server's own clock.
    """

    def __init__(self, url: Secret | str, *, secret: Secret | bytes, clock: Callable[[], float] | None = None) -> None:
        self._url = url.reveal() if isinstance(url, Secret) else url
        self._secret = secret_of(secret)
        self._clock = clock
        self._clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Client] = weakref.WeakKeyDictionary()
        self._openings = 0
        self._process = os.getpid()

    @property
    def place(self) -> str:
        """Where the server is, without user and password."""
        parts = urlsplit(self._url)
        host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, ServerStore) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place!r})"

    async def __aenter__(self) -> Self:
        await self.ask(self._open, OPENING_SECONDS)
        self._openings += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._openings -= 1
        if self._openings <= 0:
            self._openings = 0
            client = self._clients.pop(asyncio.get_running_loop(), None)
            if client is not None:
                with suppress(TimeoutError, OSError):
                    async with asyncio.timeout(_CLOSING_SECONDS):
                        await self._close(client)

    def abandon(self) -> None:
        """In a forked child: nobody has entered it here, and the connections are the parent's."""
        self._openings = 0
        self._clients.clear()
        self._process = os.getpid()

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    @abstractmethod
    async def begin(self, claim: Claim, *, timeout: float = OPENING_SECONDS) -> Begun:
        """See :meth:`authmail.delivery.Store.begin`."""

    @abstractmethod
    async def end(
        self, claim: Claim, begun: Begun, *, answer: str | None, uncount: Sequence[str] = (), timeout: float = OPENING_SECONDS
    ) -> None:
        """See :meth:`authmail.delivery.Store.end`."""

    @abstractmethod
    async def answer_of(self, key: str, *, timeout: float = OPENING_SECONDS) -> Entry | None:
        """See :meth:`authmail.delivery.Store.answer_of`."""

    @abstractmethod
    async def note(self, key: str, text: str | None, *, keep: float = 0.0, timeout: float = OPENING_SECONDS) -> None:
        """See :meth:`authmail.delivery.Store.note`."""

    @property
    @abstractmethod
    def _identity(self) -> tuple[object, ...]:
        """What two stores over the same data have in common."""

    @abstractmethod
    def _connect(self) -> _Client:
        """Return a client for the running loop; it connects when it is asked for the first time."""

    @abstractmethod
    async def _open(self, client: _Client) -> None:
        """Ask the server whether it can be used."""

    @abstractmethod
    async def _close(self, client: _Client) -> None:
        """Close a client's connections."""

    @abstractmethod
    def _problem(self, error: Exception) -> str | None:
        """Return what is wrong with the server, where this error tells; None if it is no error of a server."""

    async def ask(self, work: Callable[[_Client], Awaitable[_Result]], timeout: float) -> _Result:
        """Let a client do something within so many seconds; waiting for one that is free, and connecting, are part of it.

        Raises:
            StoreError: the server cannot be used, or did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout):
                return await work(self._client())
        except TimeoutError:
            problem: str | None = "it did not answer in time"
        except Exception as error:
            problem = self._problem(error)
            if problem is None:
                raise
        raise StoreError(f"the store {self.place} cannot be used: {problem}")

    def _client(self) -> _Client:
        if self._process != os.getpid():
            self.abandon()
        loop = asyncio.get_running_loop()
        client = self._clients.get(loop)
        if client is None:
            client = self._clients[loop] = self._connect()
        return client

    def now(self) -> float | None:
        """Return the time, where this is no store with the server's own clock."""
        return None if self._clock is None else self._clock()


def words_of(error: Exception) -> str:
    """Return the words of a server's error in one line, cut; they quote no value of ours."""
    return one_line(str(error))[:_LONGEST_WORDS] or type(error).__name__
