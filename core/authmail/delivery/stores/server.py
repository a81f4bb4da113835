"""What the stores on a server have in common: connections of each event loop and process, and one time limit."""

import asyncio
import os
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Self, TypeVar

from authmail.config.secret import Secret
from authmail.delivery.stores.pool import Line, Pool
from authmail.delivery.stores.store import Begun, Claim, Entry, StoreError, keyed_digest, secret_of
from authmail.privacy import log_of, one_line

_log = log_of("authmail.delivery")

_Connection = TypeVar("_Connection")
_Result = TypeVar("_Result")

# For what nobody waits for with a message, in seconds.
OPENING_SECONDS = 5.0
_LONGEST_WORDS = 120


class ServerStore(ABC, Generic[_Connection]):
    """Base of stores on a server that machines share.

    It connects when it is first used, on each event loop and in each process by itself. ``async with`` asks whether it can be used, with
    a warning in the log where it cannot; the last one that a loop leaves closes what it has open.

    Args:
        url: where the server is, and how to log in.
        secret: key of the hashes, 16 bytes or more: the same on all machines, and never kept on that server.
        connections: the most of one event loop at a time; whoever finds none free waits within the message's time.
        clock: gives seconds; by default the server's own clock.
    """

    def __init__(
        self, url: Secret | str, *, secret: Secret | bytes, connections: int, clock: Callable[[], float] | None = None
    ) -> None:
        self._url = url.reveal() if isinstance(url, Secret) else url
        self._secret = secret_of(secret)
        self._connections = connections
        self._clock = clock
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pool[_Connection]] = weakref.WeakKeyDictionary()
        self._process = os.getpid()

    @property
    @abstractmethod
    def place(self) -> str:
        """Where the server is, without user and password."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, ServerStore) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.place!r})"

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except StoreError as error:  # as with one that fails later: what goes out meanwhile, each message decides
            _log.warning("%s", error)
        self._pool().openings += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        pool = self._pool()
        pool.openings -= 1
        if pool.openings <= 0:
            del self._pools[asyncio.get_running_loop()]
            pool.close()
            await asyncio.sleep(0)  # the loop closes what was hung up

    def abandon(self) -> None:
        """In a forked child: nobody has entered it here, and the connections are the parent's."""
        self._pools.clear()
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
    def _line(self) -> Line[_Connection]:
        """Return how to connect."""

    @abstractmethod
    async def _open(self) -> None:
        """Ask the server whether it can be used."""

    @abstractmethod
    def _problem(self, error: Exception) -> str | None:
        """Return what is wrong with the server, where this error tells; None if it is no error of a server."""

    async def ask(self, work: Callable[[_Connection], Awaitable[_Result]], timeout: float, *, again: bool = True) -> _Result:
        """Let a connection do something within so many seconds; waiting for one that is free, and connecting, are part of it.

        Args:
            work: what to do.
            timeout: seconds.
            again: whether it may be done a second time where the connection is cut.

        Raises:
            StoreError: the server cannot be used, or did not answer in time.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._pool().run(work, again=again)
        except TimeoutError:
            problem: str | None = "it did not answer in time"
        except Exception as error:
            problem = self._problem(error)
            if problem is None:
                raise
        raise StoreError(f"the store {self.place} cannot be used: {problem}")

    def _pool(self) -> Pool[_Connection]:
        if self._process != os.getpid():
            self.abandon()
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            for over in [one for one in self._pools if one.is_closed()]:  # a connection keeps its loop, and so itself
                self._pools.pop(over, None)
            pool = self._pools[loop] = Pool(self._line(), self._connections)
        return pool

    def now(self) -> float | None:
        """Return the time, where this is no store with the server's own clock."""
        return None if self._clock is None else self._clock()


def words_of(error: Exception) -> str:
    """Return the words of a server's error in one line, cut; they quote no value of ours."""
    return one_line(str(error))[:_LONGEST_WORDS] or type(error).__name__
