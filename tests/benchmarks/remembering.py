"""Stores that remember much, and what is measured of them. Each scenario takes a folder and how much, and gives rows for the report."""

import asyncio
import math
import multiprocessing
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from measure import Watch, resident_kib

from authmail import Message, Receipt
from authmail.delivery import (
    Alerts,
    Breaker,
    Dedupe,
    Delivery,
    Failover,
    Limit,
    Limits,
    MemoryStore,
    Retry,
    SQLiteStore,
    Store,
)
from authmail.delivery.sender import MessageSender
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
        await asyncio.sleep(0)
        return Receipt("600000000000000001", request_id="12D086F6-8F31-4658-84C1-006DED011A85", connector="aliyun-direct-mail")


class Remembering:
    """A store that so many messages went through, and the senders around it.

    Args:
        kind: ``memory`` or ``file``.
        path: of the file.
        first: number of the first message, for one process of several; then the clock is the file's own.
        made: makes a store of another kind, with a clock.
    """

    store: Store

    def __init__(
        self,
        kind: str,
        path: Path,
        *,
        first: int | None = None,
        made: Callable[[Callable[[], float]], Store] | None = None,
    ) -> None:
        self.number = first or 0
        self._later = 0.0
        self.path = path
        if made is not None:
            self.store = made(self._now)
        elif kind == "file":
            self.store = SQLiteStore(path, clock=self._now if first is None else None)
        else:
            self.store = MemoryStore(clock=self._now)
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
        client = str(ip_address(0x0A000000 + number // _MESSAGES_OF_A_CLIENT))
        return Message(
            f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}, ip=client, idempotency_key=f"event-{number}"
        )

    async def send(self, count: int) -> None:
        """Let so many messages go out, one after the other."""
        for _ in range(count):
            await self.sender.send(self._message(), timeout=10.0)

    async def send_at_once(self, count: int, in_flight: int, *, through: MessageSender | None = None) -> None:
        """Let so many messages go out, so many at a time."""
        sender, left = through or self.sender, iter(range(count))

        async def work() -> None:
            for _ in left:
                await sender.send(self._message(), timeout=60.0)

        await asyncio.gather(*(work() for _ in range(in_flight)))

    async def rows(self) -> int:
        """Return how many rows the store has; the slices of the account aside."""
        if isinstance(self.store, MemoryStore):
            return len(self.store)
        query = "SELECT (SELECT count(*) FROM times) + (SELECT count(*) FROM entries)"
        rows: int = await self.store._file.run(lambda connection, _: connection.execute(query).fetchone()[0], 60.0, writes=False)
        return rows

    async def remember(self, count: int) -> None:
        """Let a store remember so many messages: begun, and not ended; of a file many at once, as nothing else differs."""
        for _ in range(_SLICES if count else 0):  # a day before it, so that the account's limit has all of its slices
            await self.send(1)
            self._later += _SLICE
        for first in range(0, count, _PORTION):
            claims = [self._claim() for _ in range(min(_PORTION, count - first))]
            if isinstance(self.store, SQLiteStore):
                await self.store._file.run(
                    lambda connection, now, claims=claims: _all(claims, connection, now), 60.0, writes=True
                )
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


async def quiet(folder: Path, scale: Scale) -> list[Row]:
    """After quiet days all is over: what the first hundred messages cost, and after how many it is gone. A message has three rows."""
    rows = []
    for kind in ("memory", "file"):
        least, longest = math.inf, 0.0
        for number in range(scale.rounds):
            empty = Remembering(kind, folder / f"{kind}{number}.db")
            await empty.send(scale.count)
            least = min(least, (await _cost(lambda empty=empty: empty.send(100), 100))[0])
        store = Remembering(kind, folder / f"{kind}.db")
        await store.remember(scale.sizes[-1] // 3)
        store.quiet_days()
        over, sent, cpu = await store.rows(), 0, time.process_time()
        for _ in range(100):
            begun = time.perf_counter()
            await store.send(1)
            longest = max(longest, time.perf_counter() - begun)
        cpu = (time.process_time() - cpu) / 100 * 1e6
        gone = over + 300 - await store.rows()
        while await store.rows() > 3 * (100 + sent):
            await store.send(scale.count)
            sent += scale.count
        rows.append(
            {
                "store": kind,
                "rows that are over": over,
                "x CPU": round(cpu / least, 2),
                "CPU us": round(cpu),
                "longest of 100, ms": round(longest * 1000, 1),
                "rows gone with each": round(gone / 100),
                "all gone after": 100 + sent,
            }
        )
    return rows


async def stall(folder: Path, scale: Scale) -> list[Row]:
    """How long the event loop stalled at most, while messages go out, a hundred at a time; without a store for comparison."""
    rows = []
    for kind, remembered in (("none", 0), ("memory", 0), ("memory", scale.sizes[-2]), ("file", 0), ("file", scale.sizes[-2])):
        seen = []
        store = Remembering("memory" if kind == "none" else kind, folder / f"{kind}{remembered}.db")
        await store.remember(remembered)
        for _ in range(scale.rounds):
            async with Watch() as watch:
                await store.send_at_once(scale.count, 100, through=_Sender() if kind == "none" else store.sender)
            seen.append((watch.stall * 1000, watch.busy * 1000))
        stalls, busy = zip(*seen, strict=True)
        row = {"stall ms, best round": min(stalls), "worst": max(stalls), "CPU ms, best round": min(busy), "worst CPU": max(busy)}
        rows.append({"store": kind, "remembered": remembered} | {name: round(value, 1) for name, value in row.items()})
    return rows


async def processes(folder: Path, scale: Scale) -> list[Row]:
    """Messages a second of 1, 2 and 4 processes that share a file, 16 in flight in each."""
    rates = dict.fromkeys((1, 2, 4), 0.0)
    context = multiprocessing.get_context("spawn")
    for turn in range(scale.rounds):
        for number, best in rates.items():
            barrier, times = context.Barrier(number), context.Queue()
            path = folder / f"{number}-{turn}.db"
            children = [context.Process(target=_child, args=(path, each, scale.count, barrier, times)) for each in range(number)]
            for child in children:
                child.start()
            spans = [await asyncio.to_thread(times.get) for _ in children]
            for child in children:
                child.join()
            seconds = max(end for _, end in spans) - min(begin for begin, _ in spans)
            rates[number] = max(best, number * scale.count / seconds)
    return [
        {"processes": number, "x one": round(rate / rates[1], 2), "messages/s": round(rate)} for number, rate in rates.items()
    ]


def _child(path: Path, number: int, count: int, barrier: Any, times: Any) -> None:
    async def send() -> None:
        store = Remembering("file", path, first=number * 10_000_000)
        await store.send(10)
        await asyncio.to_thread(barrier.wait)
        begun = time.time()
        await store.send_at_once(count, 16)
        times.put((begun, time.time()))

    asyncio.run(send())


async def trips(_: Path, scale: Scale) -> list[Row]:
    """How often a message asks the store, through everything that a delivery has."""
    asked: Counter[str] = Counter()

    class Counting(MemoryStore):
        async def begin(self, *args: Any, **given: Any) -> Any:
            asked["begin"] += 1
            return await super().begin(*args, **given)

        async def end(self, *args: Any, **given: Any) -> Any:
            asked["end"] += 1
            return await super().end(*args, **given)

    store = Counting()
    breakers = [Breaker(_Sender(), name=name, store=store) for name in ("one", "two")]
    sender = Delivery(Dedupe(Limits(Retry(Failover(breakers)), store=store), store=store), plugins=[Alerts(store=store)])
    for number in range(scale.count):
        await sender.send(Message(f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}))
    return [{"call": name, "each message": count / scale.count} for name, count in asked.items()]


SCENARIOS = {scenario.__name__: scenario for scenario in (size, quiet, stall, processes, trips)}
