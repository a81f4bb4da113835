"""Several processes with the same accounts, as on many machines: each with a delivery of its own, behind one door."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from fault_model import Provider
from judge import Promises
from ledger import Ledger
from standing_still import LONGEST_WAY, reached
from world import PROMISES, BreakerLog, Policy

from authmail import Mailer
from authmail.delivery import Breaker, Dedupe, Delivery, Failover, Limit, Limits, MemoryStore, Pace, Retry, Store

#: How many, at what pace each provider is asked, and after how many messages one of them is started anew.
PROCESSES, RATE, BURST, RESTART = 6, 4.0, 2, 100

# A breaker's note is read at most a second late; it goes there and back, as does the question.
_HEARS = 1.0 + 6 * LONGEST_WAY

#: What they promise together. A message goes a way of the store later than another one.
SHARED_PROMISES = Promises(
    rest=PROMISES.rest, most=PROMISES.most, window=PROMISES.window, hears=_HEARS, rate=RATE, burst=BURST, late=4 * LONGEST_WAY
)


class Account(Mailer):
    """A Mailer of a simulated provider: whose account it is, it says itself; what becomes of a mail is the provider's."""

    def __init__(self, provider: Provider) -> None:
        super().__init__("http-email", {"endpoint": f"https://{provider.name}.example/"})
        self._provider = provider

    async def send(self, message, *, timeout=None):
        return await self._provider.send(message, timeout=timeout)


class Door:
    """Hands each message to one of the processes, and starts one anew now and then.

    Args:
        starts: makes a process.
        random: who gets what.
    """

    def __init__(self, starts: Callable[[], Delivery], random: Random) -> None:
        self._starts = starts
        self._random = random
        self._processes = [starts() for _ in range(PROCESSES)]
        self._sent = 0

    async def send(self, message, *, timeout):
        self._sent += 1
        if self._sent % RESTART == 0:  # the one before ends what it has begun
            self._processes[self._sent // RESTART % PROCESSES] = self._starts()
        return await self._random.choice(self._processes).send(message, timeout=timeout)


def _process(providers: list[Provider], ledger: Ledger, random: Random, store: Store) -> Delivery:
    breakers = [
        Breaker(Pace(Account(provider), rate=RATE, burst=BURST, store=store), name=provider.name, store=store)
        for provider in providers
    ]
    retry = Retry(Failover(breakers), jitter=random.random)
    limits = Limits(retry, store=store, recipient=Limit(PROMISES.most, PROMISES.window))
    return Delivery(Dedupe(limits, store=store), plugins=[BreakerLog(ledger)])


@contextmanager
def sharing(kind: str, folder: Path) -> Iterator[Policy]:
    """Open a store, and return the policy of processes that share it.

    Args:
        kind: of the store, as in :data:`standing_still.STORES`; or ``apart``: each process remembers by itself.
        folder: for its data.
    """
    if kind == "apart":
        yield lambda *world: _behind_a_door(world, MemoryStore)
        return
    with reached(kind, folder) as reach:
        yield lambda providers, ledger, random: _behind_a_door((providers, ledger, random), _always(reach(random)))


def _behind_a_door(world: tuple[list[Provider], Ledger, Random], store: Callable[[], Store]) -> Any:
    _, _, random = world
    return Door(lambda: _process(*world, store()), random)


def _always(store: Any) -> Callable[[], Any]:
    return lambda: store
