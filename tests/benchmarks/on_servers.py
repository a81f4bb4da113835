"""What stores on servers cost, against one in memory. Each scenario takes a folder and how much, and gives rows for the report."""

import asyncio
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import provider
from clients import Send, the_mail, through_all
from remembering import Remembering, Row, Scale

from authmail.delivery import MemoryStore, PostgresStore, RedisStore, SQLiteStore, Store

sys.path.append(str(Path(__file__).parents[1] / "servers"))

from store_servers import PostgresServer, RedisServer, running  # which are there by now

_SECRET = b"a secret of sixteen bytes or more"
_IN_FLIGHT = 16
# Messages that are made in one request.
_PORTION = 5000
# Of the kernel's figures of CPU, in a second.
_TICKS = os.sysconf("SC_CLK_TCK")

Clock = Callable[[], float]


# What a message leaves on a server: its entry, a time for its recipient, and one for its client, whom others share. Made there, since
# a million messages take long; half a millisecond apart, and all are still valid.
_FILL_REDIS = """
local now, first, last, size = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local function name(kind, number) return KEYS[1] .. ':' .. kind .. string.sub(redis.sha1hex(kind .. number), 1, 32) end
for number = first, last do
  local at, token = string.format('%.17g', now - (size - number) * 0.0005), string.sub(redis.sha1hex(number), 1, 16)
  local entry = name('e:', number)
  redis.call('HSET', entry, 'fingerprint', string.sub(redis.sha1hex(entry), 1, 32), 'token', token, 'turn', '0', 'lease', at + 10, 'until', at + 86400)
  redis.call('PEXPIRE', entry, 86460000)
  for _, counted in ipairs({name('c:', number), name('c:', 'client ' .. math.floor(number / 40))}) do
    redis.call('ZADD', counted, at, token)
    redis.call('PEXPIRE', counted, 680000)
  end
end
return 1
"""
_FILL_POSTGRES = """
WITH messages AS (SELECT number, %(now)s - (%(size)s - number) * 0.0005::double precision AS at, left(md5(number::text), 16) AS token
    FROM generate_series(1, %(size)s) AS number),
  entries AS (INSERT INTO {schema}.entries
    SELECT md5('entry ' || number), md5('print ' || number), token, NULL, 0, at + 10, at + 86400 FROM messages),
  recipients AS (INSERT INTO {schema}.times SELECT md5('recipient ' || number), at, token, at + 600 FROM messages)
INSERT INTO {schema}.times SELECT md5('client ' || number / 40), at, token, at + 600 FROM messages
"""


async def _fill(remembering: Remembering, size: int) -> None:
    """Let a store remember so many messages."""
    store, now = remembering.store, remembering.store.now()
    if isinstance(store, RedisStore):
        for first in range(1, size + 1, _PORTION):
            last = min(first + _PORTION - 1, size)
            await store._commands([("EVAL", _FILL_REDIS, 1, store._prefix, repr(now), first, last, size)], 60.0)
    elif size:
        query, values = _FILL_POSTGRES.format(schema=store.schema), {"now": now, "size": size}
        await store.ask(lambda connection: connection.ask(query, values), 600.0)


class Servers(NamedTuple):
    """Servers that run.

    Attributes:
        redis: Redis.
        postgres: PostgreSQL.
    """

    redis: RedisServer
    postgres: PostgresServer

    def store(self, kind: str, name: str, clock: Clock | None = None) -> Store:
        """Return a store with data of its own."""
        if kind == "redis":
            return RedisStore(self.redis.url, secret=_SECRET, prefix=name, clock=clock)
        return PostgresStore(self.postgres.url, secret=_SECRET, schema=name, clock=clock)

    def cpu(self, kind: str) -> float:
        """Return the seconds of CPU that a server used so far, with its processes."""
        if kind == "redis":
            return _cpu_of(self.redis._process.pid)
        first = int((self.postgres.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return sum(_cpu_of(process) for process in (first, *map(int, children)))


def _cpu_of(process: int) -> float:
    """Return the seconds of CPU of a process and of its children that are gone (proc_pid_stat(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


@contextmanager
def servers_in(folder: Path) -> Iterator[Servers]:
    """Run both servers; the journal of PostgreSQL does not wait for the disk, since only CPU is measured."""
    with running(RedisServer(folder / "redis")) as redis, running(PostgresServer(folder / "postgres")) as postgres:
        yield Servers(redis, postgres)


async def whole(folder: Path, scale: Scale) -> list[Row]:
    """Messages per CPU second of this process, through all that a delivery has and over HTTP, 16 in flight, by store."""
    with servers_in(folder) as servers, provider.running(folder) as (urls, _):
        async with AsyncExitStack() as stack:
            stores: dict[str, Store] = {"memory": MemoryStore(), "memory again": MemoryStore()}
            stores |= {"file": SQLiteStore(folder / "whole.db", secret=_SECRET)}
            stores |= {kind: servers.store(kind, "whole") for kind in ("redis", "postgres")}
            sends = {
                kind: await stack.enter_async_context(through_all(urls["http"], the_mail(), stores[kind])) for kind in stores
            }
            costs: dict[str, list[float]] = {kind: [] for kind in stores}
            served = dict.fromkeys(stores, 0.0)
            for _ in range(scale.rounds):
                for kind, send in sends.items():
                    await _send_all(send, scale.count // 10)
                    before = _served(servers, kind)
                    costs[kind].append(await _cpu(_send_all, send, scale.count))
                    served[kind] += _served(servers, kind) - before
    least = {kind: min(own) for kind, own in costs.items()}
    return [
        {
            "store": kind,
            "x messages a CPU second": round(least["memory"] / cpu, 2),
            "CPU us": round(cpu),
            "more than memory, us": round(cpu - least["memory"]),
            "CPU us of the server": round(served[kind] / scale.rounds / scale.count * 1e6) or None,
        }
        for kind, cpu in least.items()
    ]


async def remembered(folder: Path, scale: Scale) -> list[Row]:
    """What a message costs this process and the server, with so many counted and remembered, 16 in flight. All are still valid."""
    rows: list[Row] = []
    with servers_in(folder) as servers:
        for kind in ("redis", "postgres"):
            async with _filled(kind, servers, scale) as (stores, held):
                costs: dict[int, list[float]] = {size: [] for size in stores}
                served: dict[int, list[float]] = {size: [] for size in stores}
                for _ in range(scale.rounds):
                    for size, store in stores.items():
                        await store.send_at_once(scale.count // 10, _IN_FLIGHT)
                        before = servers.cpu(kind)
                        costs[size].append(await _cpu(store.send_at_once, scale.count, _IN_FLIGHT))
                        served[size].append((servers.cpu(kind) - before) / scale.count * 1e6)
            first = scale.sizes[0]
            rows += [
                {
                    "store": kind,
                    "remembered": size,
                    "x CPU": round(min(costs[size]) / min(costs[first]), 2),
                    "CPU us": round(min(costs[size])),
                    "x CPU of the server": round(min(served[size]) / (min(served[first]) or math.inf), 2),
                    "CPU us of the server": round(min(served[size])),
                    "bytes each": round(held[size] / size) if size else None,
                }
                for size in stores
            ]
    return rows


@asynccontextmanager
async def _filled(kind: str, servers: Servers, scale: Scale) -> AsyncIterator[tuple[dict[int, Remembering], dict[int, int]]]:
    """Yield stores of a server by how many messages they remember, and the bytes that those take."""
    stores: dict[int, Remembering] = {}
    held: dict[int, int] = {}
    for size in scale.sizes:
        name = f"with_{size}"
        store = stores[size] = Remembering(kind, Path(), made=lambda clock, name=name: servers.store(kind, name, clock))
        await store.send(1)
        before = await _bytes(store.store)
        await _fill(store, size)
        held[size] = await _bytes(store.store) - before
    async with AsyncExitStack() as stack:
        for store in stores.values():
            await stack.enter_async_context(store.store)
        yield stores, held


async def _bytes(store: Any) -> int:
    if isinstance(store, RedisStore):
        (memory,) = await store._commands([("INFO", "memory")])
        return next(int(line.partition(b":")[2]) for line in memory.splitlines() if line.startswith(b"used_memory:"))
    query = "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c WHERE relkind = 'r' AND relnamespace = %s::regnamespace"
    return int(await PostgresStore._ask(store, query, (store.schema,), 60.0))


async def _send_all(send: Send, count: int) -> None:
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await send(number)

    await asyncio.gather(*(work() for _ in range(_IN_FLIGHT)))


async def _cpu(work: Callable[..., Awaitable[object]], *arguments: Any) -> float:
    """Return the CPU of all threads for each message, in microseconds; how many, is the last or last but one argument."""
    count = next(each for each in arguments if isinstance(each, int))
    cpu = time.process_time()
    await work(*arguments)
    return (time.process_time() - cpu) / count * 1e6


def _served(servers: Servers, kind: str) -> float:
    return servers.cpu(kind) if kind in ("redis", "postgres") else 0.0


SCENARIOS = {scenario.__name__: scenario for scenario in (whole, remembered)}
