"""How fast the queue in PostgreSQL is, beside procrastinate's own task that does nothing: ``python tests/benchmarks/queue_postgres.py [MESSAGES]``.

Both in the same run, on a server of its own, with 1 and 2 worker processes.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "servers"))

import psycopg
from procrastinate import App, PsycopgConnector
from store_servers import PostgresServer, running

from authmail.delivery import PostgresStore
from authmail.delivery.ticket import TicketState
from authmail.queue import Row, Verdict
from authmail.queue.procrastinate import Procrastinate

SECRET = b"a secret of sixteen bytes or more"
CONCURRENCY = 20


def engine_at(url):
    return Procrastinate(PostgresStore(url, secret=SECRET, schema="measured"))


def app_at(url):
    app = App(connector=PsycopgConnector(conninfo=url, kwargs={"prepare_threshold": None}))

    @app.task(name="nothing", queue="nothing")
    async def nothing(ticket):
        pass

    return app


async def nothing(row):
    return Verdict(state=TicketState.SENT)


async def marks(row, engine):
    await engine.mark(row.ticket)
    return Verdict(state=TicketState.SENT)


def work(url, which):
    async def run():
        if which == "own":
            await app_at(url).open_async()
        async with engine_at(url) as engine:
            handle = nothing if which == "nothing" else lambda row: marks(row, engine)
            await engine.work(handle, concurrency=CONCURRENCY, stop=asyncio.Event())

    async def own():
        app = app_at(url)
        async with app.open_async():
            await app.run_worker_async(concurrency=CONCURRENCY, queues=["nothing"], delete_jobs="always", install_signal_handlers=False)

    asyncio.run(own() if which == "own" else run())


async def queue(url, which, number):
    """Queue messages, one after the other; return how long each took."""
    took = []
    app = app_at(url)
    async with engine_at(url) as engine, app.open_async():
        for index in range(number):
            begun = time.perf_counter()
            if which == "own":
                await app.configure_task("nothing", queue="nothing").defer_async(ticket=str(index))
            else:
                await engine.add(Row(ticket=f"{which}{index}{time.time()}", key="k", box=b"x" * 600, expires=600.0), keep=60)
            took.append(time.perf_counter() - begun)
    return sorted(took)


def drained(url, left):
    begun = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(left).fetchone()[0]:
            time.sleep(0.02)
    return time.perf_counter() - begun


def main(number):
    folder = Path(tempfile.mkdtemp(prefix="authmail-measured-"))
    with running(PostgresServer(folder)) as server:
        url = server.url
        asyncio.run(engine_at(url).migrate())
        for which in ("own", "nothing", "mark"):
            for workers in (1, 2):
                took = asyncio.run(queue(url, which, number))
                own, ours = "procrastinate_jobs WHERE status IN ('todo', 'doing')", "measured.queued WHERE state IN ('queued', 'sending')"
                processes = [multiprocessing.get_context("spawn").Process(target=work, args=(url, which)) for _ in range(workers)]
                left = f"SELECT count(*) FROM {own if which == 'own' else ours}"
                for process in processes:
                    process.start()
                with psycopg.connect(url, autocommit=True) as connection:
                    while connection.execute(left).fetchone()[0] == number:
                        time.sleep(0.005)
                seconds = drained(url, left)
                for process in processes:
                    process.kill()
                    process.join()
                p50, p99 = (took[int(len(took) * share)] * 1000 for share in (0.5, 0.99))
                name = {"own": "procrastinate, no-op", "nothing": "queue, no-op", "mark": "queue, marks"}[which]
                print(f"{name:22} {workers} worker(s): {number / seconds:6.0f}/s   queue one: p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
