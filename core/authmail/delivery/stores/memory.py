"""A store in memory: for one process, gone with it."""

import time
from collections import deque
from collections.abc import Callable, Sequence

import attrs

from authmail.delivery.stores.store import Entry, Limit, keyed_digest, new_secret

# Old entries are looked for once in so many seconds, and so many at a time, so that no message pays for all of them.
_SWEEP = 30.0
_SWEPT_AT_ONCE = 1000


@attrs.define
class _Kept:
    fingerprint: str
    answer: str | None
    lease: float
    until: float


class MemoryStore:
    """Counts and answers of this process.

    Args:
        clock: gives seconds that never go backwards.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = new_secret()
        self._clock = clock
        self._counts: dict[str, deque[tuple[float, str]]] = {}
        self._ends: dict[str, float] = {}
        self._entries: dict[str, _Kept] = {}
        self._swept = clock()
        self._unswept: list[str] = []

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    async def reserve(self, token: str, claims: Sequence[tuple[str, Limit]]) -> float:
        """See :meth:`authmail.delivery.Store.reserve`."""
        now = self._now()
        wait = max((self._wait(key, limit, now) for key, limit in claims), default=0.0)
        if wait == 0.0:
            for key, limit in claims:
                self._counts.setdefault(key, deque()).append((now, token))
                self._ends[key] = max(self._ends.get(key, 0.0), now + limit.seconds)
        return wait

    async def release(self, token: str, keys: Sequence[str]) -> None:
        """See :meth:`authmail.delivery.Store.release`."""
        for key in keys:
            counted = self._counts.get(key, deque())
            for back, (_, other) in enumerate(reversed(counted), 1):  # most likely one of the last
                if other == token:
                    del counted[-back]
                    break
            if not counted:
                self._counts.pop(key, None)
                self._ends.pop(key, None)

    async def begin(self, key: str, fingerprint: str, *, lease: float, keep: float) -> Entry | None:
        """See :meth:`authmail.delivery.Store.begin`."""
        now = self._now()
        kept = self._entries.get(key)
        if kept is not None and kept.until > now:
            return Entry(kept.fingerprint, kept.answer, kept.lease - now)
        self._entries[key] = _Kept(fingerprint, None, now + lease, now + keep)
        return None

    async def finish(self, key: str, answer: str) -> None:
        """See :meth:`authmail.delivery.Store.finish`."""
        kept = self._entries.get(key)
        if kept is not None:
            kept.answer = answer

    async def forget(self, key: str) -> None:
        """See :meth:`authmail.delivery.Store.forget`."""
        self._entries.pop(key, None)

    def _wait(self, key: str, limit: Limit, now: float) -> float:
        counted = self._counts.get(key)
        if counted is None:
            return 0.0
        while counted and counted[0][0] <= now - limit.seconds:
            counted.popleft()
        if len(counted) < limit.most:
            return 0.0
        return counted[len(counted) - limit.most][0] + limit.seconds - now

    def _now(self) -> float:
        """Return the time; now and then let go of some of what is over."""
        now = self._clock()
        if not self._unswept and now - self._swept > _SWEEP:
            self._swept = now
            self._unswept = [*self._ends, *self._entries]
        for key in self._unswept[-_SWEPT_AT_ONCE:]:
            if self._ends.get(key, now + 1) <= now:
                del self._ends[key], self._counts[key]
            kept = self._entries.get(key)
            if kept is not None and kept.until <= now:
                del self._entries[key]
        del self._unswept[-_SWEPT_AT_ONCE:]
        return now

    def __len__(self) -> int:
        return len(self._counts) + len(self._entries)
