"""A store in memory: for one process, gone with it."""

import struct
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from heapq import heappop, heappush

import attrs

from authmail.delivery.stores.reports import StoreCheck, StoreStats, stats_of
from authmail.delivery.stores.store import Begun, Claim, Entry, Limit, Note, Turn, keyed_digest, new_secret
from authmail.delivery.stores.turns import Row, take
from authmail.delivery.stores.window import both_ways, end_of_slice, first_slice, is_exact, kept_under, slice_at, wait_for_room
from authmail.words.text import say

# So many of what is over are let go of with each message, so that none pays for all of them after a quiet hour.
_LET_GO_AT_ONCE = 16
_PAIR = struct.Struct("2d")


class MemoryStore:
    """Counts, answers and notes of this process.

    Args:
        clock: gives seconds that never go backwards.
    """

    # Everything is text or bytes, since Python's garbage collector does not walk through dictionaries of those. With tuples or
    # objects in them, a hundred thousand messages made it hold up the event loop for up to a quarter of a second.

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret = new_secret()
        self._clock = clock
        # Key → pairs of numbers, the earliest first. In front: when all of them are over. Then, of an exact limit, when a message was
        # counted and a number made of its token; of a larger one, a slice and how many messages are in it.
        self._counts: dict[str, bytearray] = {}
        # Key → end of the lease, until when it is kept, token, fingerprint, and the answer if there is one; NUL between.
        self._entries: dict[str, str] = {}
        # Key → until when it is kept, and the text; NUL between.
        self._notes: dict[str, str] = {}
        # Key → start, open, kept and end of a row of places; NUL between. One an account, so none is let go of.
        self._rows: dict[str, str] = {}
        # Second → the keys that may be over then, a line each; and those seconds, the earliest first.
        self._over: dict[int, bytearray] = {}
        self._seconds: list[int] = []

    def digest(self, *parts: str) -> str:
        """See :meth:`authmail.delivery.Store.digest`."""
        return keyed_digest(self._secret, parts)

    async def begin(self, claim: Claim, *, timeout: float = 0.0) -> Begun:
        """See :meth:`authmail.delivery.Store.begin`."""
        now = self._now()
        notes = dict(self._read_notes(claim.notes, now))
        entry = None if claim.key is None else self._entry(claim.key, now)
        if entry is not None:
            return Begun(entry=entry, at=now, notes=notes)
        wait = max((self._wait(kept_under(key, limit), limit, now) for key, limit in claim.counts), default=0.0)
        turn = 0.0
        if wait == 0.0:
            turn = self._take(claim.turn, now)
            for key, limit in claim.counts:
                self._count(kept_under(key, limit), limit, claim.token, now)
            if claim.key is not None:
                end, until = now + claim.lease, now + claim.keep
                self._entries[claim.key] = f"{end!r}\0{until!r}\0{claim.token}\0{claim.fingerprint}"
                self._let_go_at(until, claim.key)
        return Begun(wait=wait, at=now, notes=notes, turn=turn)

    async def end(
        self,
        claim: Claim,
        begun: Begun,
        *,
        answer: str | None,
        uncount: Sequence[str] = (),
        timeout: float = 0.0,
    ) -> None:
        """See :meth:`authmail.delivery.Store.end`."""
        limits = dict(claim.counts)
        for key in uncount:
            self._uncount(kept_under(key, limits[key]), limits[key], claim.token, begun.at)
        kept = None if claim.key is None else self._entries.get(claim.key)
        if kept is None or claim.key is None:
            return
        head = kept.split("\0", 4)[:4]
        if head[2] == claim.token:
            if answer is None:
                del self._entries[claim.key]
            else:
                self._entries[claim.key] = "\0".join((*head, answer))

    async def answer_of(self, key: str, *, timeout: float = 0.0) -> Entry | None:
        """See :meth:`authmail.delivery.Store.answer_of`."""
        return self._entry(key, self._now())

    async def note(self, key: str, text: str | None, *, keep: float = 0.0, timeout: float = 0.0) -> None:
        """See :meth:`authmail.delivery.Store.note`."""
        until = self._now() + keep
        if text is None:
            self._notes.pop(key, None)
        else:
            self._notes[key] = f"{until!r}\0{text}"
            self._let_go_at(until, key)

    async def forget(self, keys: Iterable[str], *, timeout: float = 0.0) -> int:
        """Forget all that limits count under these keys; return how many messages that were."""
        number = 0.0
        for key, sliced in map(both_ways, keys):
            number += len(self._counts.pop(key, b"")[_PAIR.size :]) // _PAIR.size
            slices = self._counts.pop(sliced, b"")[_PAIR.size :]
            number += sum(count for _, count in _PAIR.iter_unpack(slices))
        return int(number)

    async def check(self) -> StoreCheck:
        """Say that only this process knows it."""
        return StoreCheck(kind="memory", notes=(say("kept in the memory of each process, for itself alone, and gone with it"),))

    async def stats(self, told: Callable[[int, int], None] | None = None) -> StoreStats:
        """Return how much this process remembers."""
        ends = [float(kept.split("\0", 2)[1]) for kept in self._entries.values()]
        ends += [float(kept.partition("\0")[0]) for kept in self._notes.values()]
        ends += [_PAIR.unpack_from(counted)[0] for counted in self._counts.values()]
        now = self._clock()
        kept: tuple[Mapping[str, Sized], ...] = (self._entries, self._notes, self._counts, self._rows)
        counts = sum(len(counted) // _PAIR.size - 1 for counted in self._counts.values())
        numbers = {"entries": len(self._entries), "counts": counts, "notes": len(self._notes), "paces": len(self._rows)}
        size = sum(len(key) + len(value) for texts in kept for key, value in texts.items())
        return attrs.evolve(stats_of(numbers, [end - now for end in ends]), size=size)

    def _read_notes(self, keys: Sequence[str], now: float) -> Iterator[tuple[str, Note]]:
        for key in keys:
            until, _, text = self._notes.get(key, "0\0").partition("\0")
            if float(until) > now:
                yield key, Note(text, float(until) - now)

    def _entry(self, key: str, now: float) -> Entry | None:
        kept = self._entries.get(key)
        if kept is None:
            return None
        end, until, _, known, *answer = kept.split("\0", 4)
        return Entry(known, answer[0] if answer else None, float(end) - now) if float(until) > now else None

    def _take(self, turn: Turn | None, now: float) -> float:
        if turn is None:
            return 0.0
        kept = self._rows.get(turn.key)
        row = None
        if kept is not None:
            start, *numbers = kept.split("\0")
            row = Row(float(start), *map(int, numbers))
        wait, row = take(turn, row, now)
        if row is not None:
            self._rows[turn.key] = f"{row.start!r}\0{row.open}\0{row.kept}\0{row.end}"
        return wait

    def _wait(self, key: str, limit: Limit, now: float) -> float:
        counted = self._counts.get(key)
        if counted is None:
            return 0.0
        exact = is_exact(limit)
        oldest = now - limit.seconds if exact else first_slice(limit, now) - 0.5
        with memoryview(counted).cast("d") as numbers:
            size = len(numbers) // 2
            first = bisect_right(range(1, size), oldest, key=lambda index: numbers[2 * index]) + 1
            if not exact:
                wait = wait_for_room(limit, now, ((int(numbers[2 * i]), int(numbers[2 * i + 1])) for i in range(first, size)))
            else:
                wait = numbers[2 * (size - limit.most)] + limit.seconds - now if size - first >= limit.most else 0.0
        if first == size:
            del self._counts[key]
        else:
            del counted[_PAIR.size : first * _PAIR.size]
        return wait

    def _count(self, key: str, limit: Limit, token: str, now: float) -> None:
        counted = self._counts.get(key)
        if counted is None:
            counted = self._counts[key] = bytearray(_PAIR.size)
        if is_exact(limit):
            until = now + limit.seconds
            counted += _PAIR.pack(now, _number(token))
        else:
            place = slice_at(limit, now)
            until = end_of_slice(limit, place)
            last, number = _PAIR.unpack_from(counted, len(counted) - _PAIR.size) if len(counted) > _PAIR.size else (None, 0.0)
            if last == place:
                _PAIR.pack_into(counted, len(counted) - _PAIR.size, place, number + 1)
            else:
                counted += _PAIR.pack(place, 1)
        if _PAIR.unpack_from(counted)[0] != until:
            _PAIR.pack_into(counted, 0, until, 0.0)
            self._let_go_at(until, key)

    def _uncount(self, key: str, limit: Limit, token: str, at: float) -> None:
        counted = self._counts.get(key)
        if counted is None:
            return
        for start in range(len(counted) - _PAIR.size, 0, -_PAIR.size):  # most likely one of the last
            place, number = _PAIR.unpack_from(counted, start)
            if is_exact(limit):
                if (place, number) != (at, _number(token)):
                    continue
                del counted[start : start + _PAIR.size]
            elif place != slice_at(limit, at):
                continue
            elif number > 1:
                _PAIR.pack_into(counted, start, place, number - 1)
            else:
                del counted[start : start + _PAIR.size]
            break
        if len(counted) == _PAIR.size:
            del self._counts[key]

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
            self._let_go(key, now)
        return now

    def _let_go(self, key: str, now: float) -> None:
        kept = self._entries.get(key)
        if kept is not None and float(kept.split("\0", 2)[1]) <= now:
            del self._entries[key]
        note = self._notes.get(key)
        if note is not None and float(note.partition("\0")[0]) <= now:
            del self._notes[key]
        counted = self._counts.get(key)
        if counted is not None and _PAIR.unpack_from(counted)[0] <= now:
            del self._counts[key]

    def __len__(self) -> int:
        return len(self._counts) + len(self._entries) + len(self._notes)


def _number(token: str) -> float:
    """Return a whole number that a float holds without loss."""
    return float(hash(token) & 0xFFFFFFFFFFFFF)
