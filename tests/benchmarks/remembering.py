"""Stores that remember much, and what is measured of them. Each scenario takes a folder and how much, and gives rows for the report."""

import asyncio
import multiprocessing
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from measure import Watch, resident_kib

from authmail import Message, Receipt
from authmail.delivery import Dedupe, Delivery, Failover, Limit, Limits, MemoryStore, Retry, SQLiteStore, Store
from authmail.delivery.stores import Claim
from authmail.delivery.stores.sqlite import _begin

Row = dict[str, Any]

_RECIPIENT, _CLIENT, _ACCOUNT = Limit(10, 600), Limit(60, 600), Limit(2_000_000, 86_400)
# A message each half millisecond: a million of them are counted for the whole of ten minutes.
_PAUSE = 0.0005
_MESSAGES_OF_A_CLIENT = 40
_SLICES, _SLICE = 60, 1440.0
_QUIET_DAYS = 3 * 86_400.0
_PORTION = 10_000


class Scale(NamedTuple):
    """How much is measured.

    Attributes:
        sizes: messages that are remembered; the first is what the others are compared with.
        count: messages per run.
        rounds: how often each size has its turn.
    """

    sizes: list[int]
    count: int
    rounds: int


class _Sender:
    async def send(self, message: Any, *, timeout: float | None = None) -> Receipt:
        return Receipt("600000000000000001", request_id="12D086F6-8F31-4658-84C1-006DED011A85", connector="aliyun-direct-mail")


class Remembering:
    """A store that so many messages went through, and the senders around it.

    Args:
        kind: ``memory`` or ``file``.
        path: of the file.
    """

    def __init__(self, kind: str, path: Path) -> None:
        self.number = 0
        self._later = 0.0
        self.path = path
        self.store: Store = SQLiteStore(path, clock=self._now) if kind == "file" else MemoryStore(clock=self._now)
        self._limits = Limits(_Sender(), store=self.store, recipient=_RECIPIENT, ip=_CLIENT, account=_ACCOUNT)
        self.sender = Dedupe(self._limits, store=self.store)

    def _now(self) -> float:
        return 1_000_000.0 + self.number * _PAUSE + self._later

    def quiet_days(self) -> None:
        """Let all that is remembered be over."""
        self._later += _QUIET_DAYS

    def _message(self) -> Message:
        self.number += 1
        number = self.number
        client = f"10.{number // _MESSAGES_OF_A_CLIENT // 65_536}.{number // _MESSAGES_OF_A_CLIENT // 256 % 256}.{number // _MESSAGES_OF_A_CLIENT % 256}"
        return Message(
            f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}, ip=client, idempotency_key=f"event-{number}"
        )

    async def send(self, count: int) -> None:
        """Let so many messages go out, one after the other."""
        for _ in range(count):
            await self.sender.send(self._message(), timeout=10.0)

    async def remember(self, count: int) -> None:
        """Let a store remember so many messages: begun, and not ended; of a file many at once, as nothing else differs."""
        for _ in range(_SLICES if count else 0):  # a day before it, so that the account's limit has all of its slices
            await self.send(1)
            self._later += _SLICE
        for first in range(0, count, _PORTION):
            claims = [self._claim() for _ in range(min(_PORTION, count - first))]
            if isinstance(self.store, SQLiteStore):
                await self.store._file.run(lambda connection, now, claims=claims: _all(claims, connection, now), 60.0, writes=True)  # noqa: SLF001
            else:
                for claim in claims:
                    await self.store.begin(claim, timeout=1.0)

    def _claim(self) -> Claim:
        message = self._message()
        counts = self._limits.claim(message, 10.0).counts
        kept = self.sender.claim(message, 10.0)
        return Claim(key=kept.key, fingerprint=kept.fingerprint, lease=kept.lease, keep=kept.keep, counts=counts)


def _all(claims: list[Claim], connection: sqlite3.Connection, now: float) -> None:
    for number, claim in enumerate(claims):
        assert not _begin(claim, connection, now - (len(claims) - number) * _PAUSE).wait


async def _cost(work: Callable[[], Awaitable[object]], count: int) -> tuple[float, float]:
    """Return CPU and wall time of each of so many messages, in microseconds; the CPU is that of all threads."""
    begun, cpu = time.perf_counter(), time.process_time()
    await work()
    return (time.process_time() - cpu) / count * 1e6, (time.perf_counter() - begun) / count * 1e6


async def size(folder: Path, scale: Scale) -> list[Row]:
    """What a message costs, with so many counted and remembered. All of them are still valid."""
    rows = []
    for kind in ("memory", "file"):
        stores = {size: Remembering(kind, folder / f"{kind}{size}.db") for size in scale.sizes}
        before = resident_kib()
        held = {}
        for remembered, store in stores.items():
            await store.remember(remembered)
            held[remembered], before = (resident_kib() - before) * 1024, resident_kib()
        costs: dict[int, list[tuple[float, float]]] = {size: [] for size in stores}
        for number in range(scale.rounds):
            for remembered, store in stores.items():
                # What is compared with has no more than its own round.
                turn = store if remembered else Remembering(kind, folder / f"empty{number}.db")
                await turn.send(scale.count // 10)
                costs[remembered].append(await _cost(lambda turn=turn: turn.send(scale.count), scale.count))
        least = {remembered: [min(each) for each in zip(*own, strict=True)] for remembered, own in costs.items()}
        first = least[scale.sizes[0]]
        for remembered, (cpu, wall) in least.items():
            place = held[remembered] if kind == "memory" else _bytes_of(stores[remembered].path)
            rows.append(
                {
                    "store": kind,
                    "remembered": remembered,
                    "x CPU": round(cpu / first[0], 2),
                    "x time": round(wall / first[1], 2),
                    "CPU us": round(cpu),
                    "us": round(wall),
                    "bytes each": round(place / remembered) if remembered else None,
                }
            )
    return rows


def _bytes_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


SCENARIOS = {scenario.__name__: scenario for scenario in (size,)}
