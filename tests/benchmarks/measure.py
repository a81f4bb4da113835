"""One run of one client, and the numbers that it gives."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Self

from clients import Client, Send


class Run(NamedTuple):
    """Messages per second, CPU microseconds per message, and each message's seconds."""

    rate: float
    cpu: float
    seconds: Sequence[float]

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which so many messages were sent."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, len(self.seconds) * percent // 100)] * 1000


async def run(client: Client, send: Send, count: int, in_flight: int) -> Run:
    """Send so many messages, so many at a time."""
    numbers = iter(range(count))
    seconds: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()
    if client.blocking:
        await asyncio.to_thread(_in_threads, send, numbers, in_flight, seconds)
    else:
        await asyncio.gather(*(_work(send, numbers, seconds) for _ in range(in_flight)))
    return Run(count / (time.perf_counter() - begun), (time.process_time() - cpu) / count * 1e6, seconds)


async def _work(send: Send, numbers: Iterator[int], seconds: list[float]) -> None:
    for number in numbers:
        begun = time.perf_counter()
        await send(number)
        seconds.append(time.perf_counter() - begun)


def _in_threads(send: Send, numbers: Iterator[int], in_flight: int, seconds: list[float]) -> None:
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(islice(numbers, 1), None)
            if number is None:
                return
            begun = time.perf_counter()
            send(number)
            seconds.append(time.perf_counter() - begun)

    threads = [threading.Thread(target=work) for _ in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def resident_kib() -> int:
    """Return the memory of this process that is in RAM, KiB (Linux)."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 (called while the loop is timed)
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


class Watch:
    """Looks after the event loop while something runs: how long it stalled, and how much memory was used at most.

    Attributes:
        stall: the longest, in seconds.
        busy: the most CPU that the loop's thread used between two looks, in seconds; whatever else the machine does.
        before: memory at first, in KiB.
        most: memory at most, in KiB.
    """

    def __init__(self) -> None:
        self.stall = self.busy = 0.0
        self.before = self.most = resident_kib()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self.most = max(self.most, resident_kib())

    async def _look(self) -> None:
        pause = 0.002
        while True:
            begun, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(pause)
            self.busy = max(self.busy, time.thread_time() - cpu)
            self.stall = max(self.stall, time.perf_counter() - begun - pause)
            self.most = max(self.most, resident_kib())
