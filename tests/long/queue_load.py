"""A queue under load: ``python tests/long/queue_load.py`` prints how fast it is, and what it costs.

A provider within the worker's process fails one message in ten. Where PostgreSQL is there, rates are also told as a ratio to procrastinate's
own, for tasks that do nothing, in the same run.
"""

import asyncio
import json
import logging
import multiprocessing
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import attrs
import click
from queue_kills import ENGINES, KEY

from authmail import Message, NotSent, Receipt
from authmail.config.secret import Secret
from authmail.delivery import Dedupe, Delivery, Limits
from authmail.delivery.marking import Marked
from authmail.delivery.stores.at import store_at
from authmail.testing.queues.subject import eventually

_AT_ONCE = 200
_SECRET = Secret("a secret of sixteen bytes or more")
_STEADY_RATE, _STEADY_SECONDS = 50, 10
_NO_OPS = 3000


class Provider:
    """Fails one in ten at the first time, and writes down how old messages are when they come."""

    name = "provider"

    def __init__(self) -> None:
        self.asked = 0
        self.ages: list[float] = []
        self.first = self.last = 0.0
        self.memory: dict[int, int] = {}

    async def send(self, message: Any, *, timeout: float | None = None) -> Receipt:
        """Take a message."""
        self.asked += 1
        self.last = time.time()
        self.first = self.first or self.last
        if len(self.ages) < 10_000:
            self.ages.append(self.last - message.payload["at"])
        if self.asked % 1000 == 0:
            self.memory[self.asked] = _resident()
        if self.asked % 10 == 0:
            raise NotSent("down")
        return Receipt("1")


def _resident() -> int:
    """Return KiB in memory now."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024
    return 0


def _delivery(store_url: str, sender: Any) -> Delivery:
    from authmail.delivery.file.settings import QueueSettings
    from authmail.queue.file import queue_of

    store = store_at(Secret(store_url), Path(), _SECRET)
    queue = queue_of(QueueSettings(keys=(Secret(KEY),), expires=86_400.0), store)
    return Delivery(Dedupe(Limits(Marked(sender), store=store), store=store), queue=queue)


def worker(store_url: str, result: str) -> None:
    """Work until SIGTERM, as a process of its own; write what was measured."""
    logging.disable()
    Path(result).write_text(json.dumps(asyncio.run(_work(store_url))))


async def _work(store_url: str) -> dict[str, Any]:
    from authmail.queue import work

    stop, provider, loop = asyncio.Event(), Provider(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    blocked = _Blocked()
    async with _delivery(store_url, provider) as delivery:
        beating = asyncio.create_task(blocked.beat())
        began = time.process_time()
        await work(delivery, stop=stop)
        beating.cancel()
    memory = [provider.memory[key] for key in sorted(provider.memory)]
    return {
        "asked": provider.asked,
        "seconds": provider.last - provider.first,
        "cpu": time.process_time() - began,
        "ages": provider.ages,
        "blocked": blocked.longest,
        "computed": blocked.computed,
        "memory": [memory[0], memory[-1]] if memory else [],
    }


class _Blocked:
    """How long the loop let others wait: by the clock, and by what this thread computed, which a busy machine does not lengthen."""

    def __init__(self) -> None:
        self.longest = self.computed = 0.0

    async def beat(self) -> None:
        """Measure until cancelled."""
        while True:
            clock, computed = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0)
            self.longest = max(self.longest, time.perf_counter() - clock)
            self.computed = max(self.computed, time.thread_time() - computed)
            await asyncio.sleep(0.002)


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["queue_load"])


@asynccontextmanager
async def _workers(number: int, store_url: str, folder: Path) -> Any:
    results = [folder / f"worker-{time.time_ns()}-{index}.json" for index in range(number)]
    processes = [_processes.Process(target=worker, args=(store_url, str(result))) for result in results]
    for process in processes:
        process.start()
    told: list[dict[str, Any]] = []
    try:
        yield told
    finally:
        for process in processes:
            process.terminate()
            await asyncio.to_thread(process.join)
        told += [json.loads(result.read_text()) for result in results]


async def _is_empty(delivery: Any) -> bool:
    found = (await delivery.queue.engine.statistics()).states
    await asyncio.sleep(0.5)
    return not found.get("queued", 0) + found.get("sending", 0)


def _message(number: int) -> Message:
    return Message(f"user{number}@example.com", "SignIn", {"code": f"{number % 1_000_000:06}", "at": time.time()}, resend=True)


@attrs.frozen
class Load:
    """Queue and send, and measure.

    Args:
        store_url: a store.
        folder: for results.
        messages: how many.
    """

    store_url: str
    folder: Path
    messages: int

    async def alone(self) -> list[float]:
        """Return how long enqueue() takes, one after the other, in seconds."""
        took = []
        async with _delivery(self.store_url, Provider()) as delivery:
            for number in range(300):
                began = time.perf_counter()
                await delivery.enqueue(_message(number))
                took.append(time.perf_counter() - began)
        return took

    async def filled(self) -> float:
        """Queue all; return how many a second."""
        began = time.perf_counter()
        async with _delivery(self.store_url, Provider()) as delivery:
            for first in range(0, self.messages, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, self.messages))
                await asyncio.gather(*(delivery.enqueue(_message(number)) for number in numbers))
        return self.messages / (time.perf_counter() - began)

    async def drained(self, workers: int) -> list[dict[str, Any]]:
        """Send all; return what the workers measured."""
        async with _delivery(self.store_url, Provider()) as delivery, _workers(workers, self.store_url, self.folder) as told:
            await eventually("all is sent", lambda: _is_empty(delivery), 3600.0)
        return [one for one in told if one["asked"]]

    async def steady(self) -> list[float]:
        """Return how old messages are when they come to the provider, some each second and a worker that has time, in seconds."""
        async with _delivery(self.store_url, Provider()) as delivery, _workers(1, self.store_url, self.folder) as told:
            await asyncio.sleep(2)
            for number in range(_STEADY_RATE * _STEADY_SECONDS):
                await delivery.enqueue(_message(number))
                await asyncio.sleep(1 / _STEADY_RATE)
            await asyncio.sleep(3)
        ages = [age for one in told for age in one["ages"]]
        return sorted(ages)[: _STEADY_RATE * _STEADY_SECONDS]  # what failed once comes twice, and later


async def no_op_rate(url: str) -> float:
    """Return how many tasks a second procrastinate does that do nothing."""
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="nothing")
    async def nothing() -> None:
        pass

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await nothing.batch_defer_async(*({} for _ in range(_NO_OPS)))
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=50, install_signal_handlers=False, listen_notify=False)
        return _NO_OPS / (time.perf_counter() - began)


async def measured(engine: str, messages: int, workers: tuple[int, ...], tell: Callable[[str], None]) -> None:
    """Measure an engine, and tell each figure."""
    with tempfile.TemporaryDirectory() as name, ENGINES[engine](Path(name)) as store_url:
        folder = Path(name)
        alone = await Load(store_url, folder, messages).alone()
        tell(f"| enqueue, p50 and p99 | {1e3 * median(alone):.2f} ms, {1e3 * quantiles(alone, n=100)[98]:.2f} ms |")
        steady = await Load(store_url, folder, messages).steady()
        tell(
            f"| from enqueue to the provider, p50 and p99 | {1e3 * median(steady):.1f} ms, {1e3 * quantiles(steady, n=100)[98]:.1f} ms |"
        )
        for number in workers:
            own = store_url.replace(".db", f"-{number}.db")
            load = Load(own, folder, messages)
            tell(f"| {messages:,} queued | {await load.filled():,.0f} a second |")
            told = await load.drained(number)
            asked, seconds = sum(one["asked"] for one in told), max(one["seconds"] for one in told)
            cpu = sum(one["cpu"] for one in told)
            tell(f"| sent, {number} workers | {messages / seconds:,.0f} a second; {1e3 * cpu / asked:.2f} ms of CPU each |")
            longest, computed = (max(one[what] for one in told) for what in ("blocked", "computed"))
            tell(f"| the loop was blocked for at most | {1e3 * longest:.0f} ms, of which it computed {1e3 * computed:.0f} ms |")
            tell(f"| memory after 1,000 and after all | {told[0]['memory']} KiB |")


async def _no_ops(tell: Callable[[str], None]) -> None:
    sys.path.append(str(Path(__file__).parents[1] / "servers"))
    from store_servers import PostgresServer, running

    with tempfile.TemporaryDirectory() as folder, running(PostgresServer(Path(folder) / "postgres")) as server:
        tell(f"| procrastinate, tasks that do nothing | {await no_op_rate(server.url):,.0f} a second |")


@click.command()
@click.option("--messages", default=100_000, show_default=True)
@click.option("--workers", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)), default=("journal",), show_default=True)
@click.option("--no-ops", is_flag=True, help="Also procrastinate's own rate; needs PostgreSQL.")
def main(messages: int, workers: tuple[int, ...], engines: tuple[str, ...], no_ops: bool) -> None:
    """Load a queue, and print what that took."""
    logging.disable()
    if no_ops:
        asyncio.run(_no_ops(click.echo))
    for engine in engines:
        click.echo(f"| {engine} | |\n| --- | --- |")
        asyncio.run(measured(engine, messages, workers, click.echo))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from queue_load import main as importable  # so that the workers' processes find its functions

    importable()
