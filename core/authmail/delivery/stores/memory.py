"""A store in memory: for one process, gone with it."""

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from operator import itemgetter
from typing import TypeAlias

from authmail.delivery.stores.store import Entry, Limit, keyed_digest, new_secret

# So many of what is over are let go of with each message, so that none pays for all of them after a quiet hour.
_LET_GO_AT_ONCE = 1000


# Tuples of texts and numbers, since Python's garbage collector does not walk through those: with objects, arrays or lists a
# hundred thousand messages made it hold up the event loop for a quarter of a second now and then.

#: Time and token of each message that was counted, the earliest first; a list where there are many, not to copy them.
_Counted: TypeAlias = tuple[tuple[float, str], ...] | list[tuple[float, str]]
#: Fingerprint, answer, end of the lease, and until when it is kept.
_Kept: TypeAlias = tuple[str, str | None, float, float]

_FEW = 64
_time = itemgetter(0)


class MemoryStore:
    """Counts and answers of this process.

    Args:
        clock: gives seconds that never go backwards.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = new_secret()
        self._clock = clock
        self._counts: dict[str, _Counted] = {}
        self._entries: dict[str, _Kept] = {}
        # When something is over, its key and when it began, the earliest end first; once for each message.
        self._ends: list[tuple[float, str, float]] = []

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    async def reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        """See :meth:`authmail.delivery.Store.reserve`."""
        now = self._now()
        wait = max((self._wait(key, limit, now) for key, limit in claims), default=0.0)
        if wait == 0.0:
            for key, limit in claims:
                self._counts[key] = _with(self._counts.get(key, ()), (now, token))
                heappush(self._ends, (now + limit.seconds, key, now))
        return wait

    async def release(self, token: str, keys: Sequence[str]) -> None:
        """See :meth:`authmail.delivery.Store.release`."""
        for key in keys:
            counted = self._counts.get(key, ())
            index = next((index for index in range(len(counted) - 1, -1, -1) if counted[index][1] == token), None)
            if index is not None:
                self._counts[key] = counted = _without(counted, index)
            if not counted:
                self._counts.pop(key, None)

    async def begin(self, key: str, fingerprint: str, *, lease: float, keep: float) -> Entry | None:
        """See :meth:`authmail.delivery.Store.begin`."""
        now = self._now()
        kept = self._entries.get(key)
        if kept is not None and kept[-1] > now:
            return Entry(kept[0], kept[1], kept[2] - now)
        self._entries[key] = (fingerprint, None, now + lease, now + keep)
        heappush(self._ends, (now + keep, key, now))
        return None

    async def finish(self, key: str, answer: str) -> None:
        """See :meth:`authmail.delivery.Store.finish`."""
        kept = self._entries.get(key)
        if kept is not None:
            self._entries[key] = (kept[0], answer, *kept[2:])

    async def forget(self, key: str) -> None:
        """See :meth:`authmail.delivery.Store.forget`."""
        self._entries.pop(key, None)

    def _wait(self, key: str, limit: Limit, now: float) -> float:
        counted = self._counts.get(key)
        if counted is None:
            return 0.0
        over = bisect_right(counted, now - limit.seconds, key=_time)
        if over == len(counted):
            del self._counts[key]
            return 0.0
        if over * 2 >= len(counted):  # half at a time, so that many are not copied for each message
            self._counts[key] = counted = counted[over:]
            over = 0
        if len(counted) - over < limit.most:
            return 0.0
        return counted[-limit.most][0] + limit.seconds - now

    def _now(self) -> float:
        """Return the time, and let go of some of what is over."""
        now = self._clock()
        for _ in range(_LET_GO_AT_ONCE):
            if not self._ends or self._ends[0][0] > now:
                break
            _, key, began = heappop(self._ends)
            kept = self._entries.get(key)
            if kept is not None and kept[-1] <= now:
                del self._entries[key]
            counted = self._counts.get(key)
            if counted is not None and counted[-1][0] <= began:
                del self._counts[key]  # nothing was counted after the message that is over now
        return now

    def __len__(self) -> int:
        return len(self._counts) + len(self._entries)


def _with(counted: _Counted, one: tuple[float, str]) -> _Counted:
    if isinstance(counted, list):
        counted.append(one)
        return counted
    return (*counted, one) if len(counted) < _FEW else [*counted, one]


def _without(counted: _Counted, index: int) -> _Counted:
    if isinstance(counted, list):
        del counted[index]
        return counted
    return counted[:index] + counted[index + 1 :]
