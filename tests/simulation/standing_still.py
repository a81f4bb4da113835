"""Real stores in fake time: while a store works, time stands still.

Whatever it does, it does on an event loop of its own, in a thread of its own, and the simulated world waits for it. The ways there and back
take some of the world's time, so that messages overtake each other between their trips; the same seed is the same life on every store.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

from server_stores import SECRET
from store_servers import PostgresServer, RedisServer, running

from authmail.delivery import MemoryStore, PostgresStore, RedisStore, SQLiteStore, Store

#: The longest way to a store or back, in seconds.
LONGEST_WAY = 0.05

# A call has all the real time that a busy machine needs.
_PATIENCE = 60.0

Clock = Callable[[], float]


class StandingStill:
    """A store that others reach over a network.

    Args:
        store: the real one.
        work: runs a coroutine of the store's to its end.
        random: how long the ways take.
    """

    def __init__(self, store: Store, work: Callable[[Coroutine[Any, Any, Any]], Any], random: Random) -> None:
        self._store = store
        self._work = work
        self._random = random
        self.digest = store.digest

    async def begin(self, claim, *, timeout):
        return await self._trip(self._store.begin, claim)

    async def end(self, claim, begun, *, answer, uncount, timeout):
        await self._trip(self._store.end, claim, begun, answer=answer, uncount=uncount)

    async def answer_of(self, key, *, timeout):
        return await self._trip(self._store.answer_of, key)

    async def note(self, key, text, *, keep, timeout):
        await self._trip(self._store.note, key, text, keep=keep)

    async def _trip(self, method, *args, **given):
        way, back = (self._random.uniform(0.0002, LONGEST_WAY) ** 2 / LONGEST_WAY for _ in range(2))
        await asyncio.sleep(way)
        answer = self._work(method(*args, **given, timeout=_PATIENCE))
        await asyncio.sleep(back)
        return answer


def _memory(_: Path, __: ExitStack, clock: Clock) -> Store:
    return MemoryStore(clock=clock)


def _sqlite(folder: Path, _: ExitStack, clock: Clock) -> Store:
    return SQLiteStore(folder / "store.db", secret=SECRET, clock=clock)


def _redis(folder: Path, stack: ExitStack, clock: Clock) -> Store:
    return RedisStore(stack.enter_context(running(RedisServer(folder / "redis"))).url, secret=SECRET, clock=clock)


def _postgres(folder: Path, stack: ExitStack, clock: Clock) -> Store:
    return PostgresStore(stack.enter_context(running(PostgresServer(folder / "postgres"))).url, secret=SECRET, clock=clock)


#: Name → makes the store, and its server, in a folder.
STORES = {"memory": _memory, "sqlite": _sqlite, "redis": _redis, "postgres": _postgres}


@contextmanager
def reached(kind: str, folder: Path) -> Iterator[Callable[[Random], StandingStill]]:
    """Open a store, and make what stands for it in a simulated world.

    Args:
        kind: one of :data:`STORES`.
        folder: for its data.
    """
    clock: list[Clock] = [lambda: 0.0]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    def work(coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()

    def made(random: Random) -> StandingStill:
        clock[0] = asyncio.get_running_loop().time
        return StandingStill(store, work, random)

    with ExitStack() as stack:
        stack.callback(loop.close)
        stack.callback(thread.join)
        stack.callback(loop.call_soon_threadsafe, loop.stop)
        store = STORES[kind](folder, stack, lambda: 1e6 + clock[0]())
        work(_entered(store))
        stack.callback(lambda: work(_left(store)))
        yield made


async def _entered(store):
    if hasattr(store, "__aenter__"):
        await store.__aenter__()


async def _left(store):
    if hasattr(store, "__aexit__"):
        await store.__aexit__(None, None, None)
