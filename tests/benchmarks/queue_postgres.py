"""How fast the queue in PostgreSQL is, beside procrastinate's own task that does nothing: ``python tests/benchmarks/queue_postgres.py [MESSAGES] [ROUNDS]``.

On a server of its own, with 1 and 2 worker processes; in each round all ways one after the other, so that what else the machine does
befalls all of them. Printed are medians, and the ratio to procrastinate's own rate in the same round.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

import psycopg
from procrastinate import App, PsycopgConnector
from store_servers import PostgresServer, running

from authmail.delivery import PostgresStore
from authmail.delivery.ticket import TicketState
from authmail.queue import Procrastinate, Row, Verdict

SECRET = b"a secret of sixteen bytes or more"
CONCURRENCY = 20
SENT = Verdict(state=TicketState.SENT)
OWN = "procrastinate, nothing done"
#: Way → what is left to do.
LEFT = {
    OWN: "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
    "queue, nothing done": "SELECT count(*) FROM measured.queued WHERE state IN ('queued', 'sending')",
    "queue, each marked": "SELECT count(*) FROM measured.queued WHERE state IN ('queued', 'sending')",
}


def engine_at(url):
    return Procrastinate(PostgresStore(url, secret=SECRET, schema="measured"))


def app_at(url):
    return App(connector=PsycopgConnector(conninfo=url, kwargs={"prepare_threshold": None}))


async def do_nothing(ticket):
    """As procrastinate's task."""


def work(url, way):
    asyncio.run(work_with_procrastinate(url) if way == OWN else work_with_queue(url, marks=way.endswith("marked")))


async def work_with_procrastinate(url):
    app = app_at(url)
    app.task(name="nothing", queue="nothing")(do_nothing)
    async with app.open_async():
        options = {"queues": ["nothing"], "delete_jobs": "always", "install_signal_handlers": False}
        await app.run_worker_async(concurrency=CONCURRENCY, **options)


async def work_with_queue(url, *, marks):
    async with engine_at(url) as engine:

        async def handle(row):
            if marks:
                await engine.mark(row.ticket)
            return SENT

        await engine.work(handle, concurrency=CONCURRENCY, stop=asyncio.Event())


async def queue(url, way, number):
    """Queue messages, one after the other; return how long each took."""
    took = []
    app = app_at(url)
    async with engine_at(url) as engine, app.open_async():
        for index in range(number):
            begun = time.perf_counter()
            if way == OWN:
                await app.configure_task("nothing", queue="nothing").defer_async(ticket=str(index))
            else:
                row = Row(ticket=f"{index} {time.time()}", key="k", box=b"x" * 600, expires=600.0)
                await engine.add(row, keep=60)
            took.append(time.perf_counter() - begun)
    return took


def rate(url, way, number, workers):
    """Return how many a second are done, from the first on."""
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=work, args=(url, way)) for _ in range(workers)]
    with psycopg.connect(url, autocommit=True) as connection:
        for process in processes:
            process.start()
        left = first = number
        begun = time.perf_counter()
        while left:
            (left,) = connection.execute(LEFT[way]).fetchone()
            if left == number:
                begun = time.perf_counter()
            elif first == number:
                first, begun = left, time.perf_counter()
            time.sleep(0.01)
    seconds = time.perf_counter() - begun
    for process in processes:
        process.kill()
        process.join()
    return first / seconds


def measure(url, number, rounds):
    rates, took = defaultdict(list), defaultdict(list)
    for _ in range(rounds):
        for workers in (1, 2):
            for way in LEFT:
                took[way] += asyncio.run(queue(url, way, number))
                rates[way, workers].append(rate(url, way, number, workers))
    for (way, workers), found in rates.items():
        ratio = statistics.median(one / own for one, own in zip(found, rates[OWN, workers], strict=True))
        print(f"{way:28} {workers} worker(s) {statistics.median(found):6.0f}/s, ratio {ratio:.2f}")
    for way, seconds in took.items():
        ordered = sorted(seconds)
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        print(f"{way:28} to queue one: p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def main(number=1000, rounds=3):
    with running(PostgresServer(Path(tempfile.mkdtemp(prefix="authmail-measured-")))) as server:
        asyncio.run(engine_at(server.url).migrate())
        measure(server.url, int(number), int(rounds))


if __name__ == "__main__":
    main(*sys.argv[1:])
