"""Hours of an auth server's life: people who want codes and invitations, at random, some of them twice."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

import attrs
from fault_model import Provider
from judge import Promises
from ledger import Call, Ledger
from naive import FailoverAll, RetryAll

from authmail import Message, SendError, hookimpl
from authmail.delivery import Dedupe, Delivery, Failover, Limit, Limits, MemoryStore, Retry
from authmail.testing.fake_time import run_in_fake_time

#: What the policies below are built with.
PROMISES = Promises(rest=10.0, most=10, window=600.0)

_MOST_AT_ONCE = 500


@attrs.frozen
class Scale:
    """How much happens.

    Args:
        messages: how many.
        per_second: on average.
        seed: the same seed is the same life.
        progress: is told how many messages began.
    """

    messages: int
    per_second: float = 0.5
    seed: int = 1
    progress: Callable[[int], None] = lambda _: None

    @property
    def hours(self) -> float:
        """How long that takes."""
        return self.messages / self.per_second / 3600 + 1


class BreakerLog:
    """Writes down when breakers open and close.

    Args:
        ledger: where.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @hookimpl
    def breaker(self, sender: str, state: str, seconds: float) -> None:
        self._ledger.breakers.append((asyncio.get_running_loop().time(), sender, state, seconds))


def _policies(providers: list[Provider], ledger: Ledger, random: Random) -> Any:
    loop = asyncio.get_running_loop()
    store = MemoryStore(clock=loop.time)
    failover = Failover({provider.name: provider for provider in providers})
    limits = Limits(Retry(failover, jitter=random.random), store=store, recipient=Limit(PROMISES.most, PROMISES.window))
    return Delivery(Dedupe(limits, store=store), plugins=[BreakerLog(ledger)])


#: Makes a sender of providers, ledger and random numbers.
Policy = Callable[[list[Provider], Ledger, Random], Any]

#: Name → the senders that are compared.
POLICIES: dict[str, Policy] = {
    "authmail": _policies,
    "retry all": lambda providers, *_: RetryAll(providers[0]),
    "fail over on all": lambda providers, *_: FailoverAll(providers),
    "retry and fail over on all": lambda providers, *_: RetryAll(FailoverAll(providers)),
    "send once": lambda providers, *_: providers[0],
}


def lived(scale: Scale, policy: str | Policy = "authmail", promises: Promises = PROMISES) -> Ledger:
    """Return the ledger of a whole life, in fake time.

    Args:
        scale: how much happens.
        policy: who sends, or a name in :data:`POLICIES`.
        promises: to providers, which refuse what comes faster.
    """
    return run_in_fake_time(_life(scale, POLICIES[policy] if isinstance(policy, str) else policy, promises))


async def _life(scale: Scale, policy: Policy, promises: Promises) -> Ledger:
    ledger = Ledger()
    providers = [
        Provider(name, Random(f"{scale.seed}{name}"), ledger, scale.hours, promises.allowance())
        for name in ("one", "two", "three")
    ]
    sender = policy(providers, ledger, Random(f"{scale.seed}jitter"))
    running: set[asyncio.Task[None]] = set()
    for number, (pause, person, message, clicks) in enumerate(_wishes(scale)):
        await asyncio.sleep(pause)
        while len(running) >= _MOST_AT_ONCE:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for delay in clicks:
            task = asyncio.create_task(_click(sender, message, delay, person, ledger))
            running.add(task)
            task.add_done_callback(running.discard)
        scale.progress(number)
    while running:
        await asyncio.wait(running)
    await asyncio.sleep(120)  # what goes on without its caller
    return ledger


def _wishes(scale: Scale) -> Iterator[tuple[float, Random, Message, list[float]]]:
    """Yield pause, the person's own randomness, the message, and when it is clicked for."""
    random = Random(scale.seed)
    for number in range(scale.messages):
        person = Random(f"{scale.seed}/{number}")
        to = _recipient(random)
        kind = random.random()
        if kind < 0.15:
            message = Message(to, "OrganizationInvitation", {"link": f"https://example.com/{number}", "number": number})
        elif kind < 0.25:
            message = Message(to, "Notice", {"event": "signed in", "number": number})
        else:
            message = Message(to, "SignIn", {"code": f"{number:06}", "number": number})
        if random.random() < 0.3:
            message = attrs.evolve(message, idempotency_key=f"event-{number}")
        if message.type == "Notice" and message.idempotency_key is None:
            yield random.expovariate(scale.per_second), person, message, [0.0]
            continue  # two notices are two mails
        clicks = [0.0, *(random.uniform(0, 20) for _ in range(random.choices([0, 1, 3], [80, 15, 5])[0]))]
        # A burst now and then, as after a newsletter.
        yield random.expovariate(scale.per_second * (20 if random.random() < 0.3 else 0.74)), person, message, clicks


def _recipient(random: Random) -> str:
    kind = random.random()
    if kind < 0.02:
        return "nobody@example.com"
    if kind < 0.08:  # somebody has this mailbox flooded
        return "flooded@example.com"
    return f"user{random.randrange(5000)}@example.com"


async def _click(sender: Any, message: Message, delay: float, person: Random, ledger: Ledger) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(delay)
    timeout = person.choice([2.0, 5.0, 10.0, 10.0, 30.0])
    call = Call(message.payload["number"], message.to, loop.time(), loop.time() + timeout, resends=message.repeatable)
    ledger.calls.append(call)
    sending = asyncio.create_task(_answer(sender, message, timeout, call))
    if person.random() < 0.03:  # a person who closes the window
        await asyncio.sleep(person.uniform(0, person.choice([0.1, 3])))
        call.cancelled = not sending.done()
        sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


async def _answer(sender: Any, message: Message, timeout: float, call: Call) -> None:
    try:
        await sender.send(message, timeout=timeout)
    except SendError as error:
        call.answers.append(error.outcome)
    else:
        call.answers.append("accepted")
    finally:
        call.ended = asyncio.get_running_loop().time()
