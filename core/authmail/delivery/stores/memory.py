"""A store in memory: for one process, gone with it."""

import struct
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from authmail.delivery.stores.store import Entry, Limit, keyed_digest, new_secret

# So many of what is over are let go of with each message, so that none pays for all of them after a quiet hour.
_LET_GO_AT_ONCE = 1000
_PAIR = struct.Struct("2d")


class MemoryStore:
    """Counts and answers of this process.

    Args:
        clock: gives seconds that never go backwards.
    """

    # Everything is text or bytes, since Python's garbage collector does not walk through dictionaries of those. With tuples or
    # objects in them, a hundred thousand messages made it hold up the event loop for up to a quarter of a second.

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = new_secret()
        self._clock = clock
        # Key → pairs of floats: the seconds to look back and a zero; then, the earliest first, when a message was counted and
        # a number made of its token.
        self._counts: dict[str, bytearray] = {}
        # Key → end of the lease, until when it is kept, fingerprint, and the answer if there is one; NUL between.
        self._entries: dict[str, str] = {}
        # Second → the keys that may be over then, a line each; and those seconds, the earliest first.
        self._over: dict[int, bytearray] = {}
        self._seconds: list[int] = []

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    async def reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        """See :meth:`authmail.delivery.Store.reserve`."""
        now = self._now()
        wait = max((self._wait(key, limit, now) for key, limit in claims), default=0.0)
        if wait == 0.0:
            for key, limit in claims:
                counted = self._counts.get(key)
                if counted is None:
                    counted = self._counts[key] = bytearray(_PAIR.pack(limit.seconds, 0.0))
                counted += _PAIR.pack(now, _number(token))
                self._let_go_at(now + limit.seconds, key)
        return wait

    async def release(self, token: str, keys: Sequence[str]) -> None:
        """See :meth:`authmail.delivery.Store.release`."""
        for key in keys:
            counted = self._counts.get(key)
            if counted is None:
                continue
            for start in range(len(counted) - _PAIR.size, 0, -_PAIR.size):  # most likely one of the last
                if _PAIR.unpack_from(counted, start)[1] == _number(token):
                    del counted[start : start + _PAIR.size]
                    break
            if len(counted) == _PAIR.size:
                del self._counts[key]

    async def begin(self, key: str, fingerprint: str, *, lease: float, keep: float) -> Entry | None:
        """See :meth:`authmail.delivery.Store.begin`."""
        now = self._now()
        kept = self._entries.get(key)
        if kept is not None:
            end, until, known, *answer = kept.split("\0", 3)
            if float(until) > now:
                return Entry(known, answer[0] if answer else None, float(end) - now)
        self._entries[key] = f"{now + lease!r}\0{now + keep!r}\0{fingerprint}"
        self._let_go_at(now + keep, key)
        return None

    async def finish(self, key: str, answer: str) -> None:
        """See :meth:`authmail.delivery.Store.finish`."""
        kept = self._entries.get(key)
        if kept is not None:
            self._entries[key] = "\0".join((*kept.split("\0", 3)[:3], answer))

    async def forget(self, key: str) -> None:
        """See :meth:`authmail.delivery.Store.forget`."""
        self._entries.pop(key, None)

    def _wait(self, key: str, limit: Limit, now: float) -> float:
        counted = self._counts.get(key)
        if counted is None:
            return 0.0
        with memoryview(counted).cast("d") as floats:
            size = len(floats) // 2
            first = bisect_right(range(1, size), now - limit.seconds, key=lambda index: floats[2 * index]) + 1
            full = size - first >= limit.most
            wait = floats[2 * (size - limit.most)] + limit.seconds - now if full else 0.0
        if first == size:
            del self._counts[key]
        elif first * 2 > size:  # half at a time, so that many are not moved for each message
            del counted[_PAIR.size : first * _PAIR.size]
        return wait

    def _let_go_at(self, end: float, key: str) -> None:
        second = int(end) + 1
        keys = self._over.get(second)
        if keys is None:
            keys = self._over[second] = bytearray()
            heappush(self._seconds, second)
        keys += f"{key}\n".encode()

    def _now(self) -> float:
        """Return the time, and let go of some of what is over."""
        now = self._clock()
        for _ in range(_LET_GO_AT_ONCE):
            if not self._seconds or self._seconds[0] > now:
                break
            keys = self._over[self._seconds[0]]
            start = keys.rfind(b"\n", 0, len(keys) - 1) + 1
            key = keys[start:-1].decode()
            del keys[start:]
            if not keys:
                del self._over[heappop(self._seconds)]
            kept = self._entries.get(key)
            if kept is not None and float(kept.split("\0", 2)[1]) <= now:
                del self._entries[key]
            counted = self._counts.get(key)
            if (
                counted is not None
                and _PAIR.unpack_from(counted, len(counted) - _PAIR.size)[0] + _PAIR.unpack_from(counted)[0] <= now
            ):
                del self._counts[key]
        return now

    def __len__(self) -> int:
        return len(self._counts) + len(self._entries)


def _number(token: str) -> float:
    """Return a whole number that a float holds without loss."""
    return float(hash(token) & 0xFFFFFFFFFFFFF)
