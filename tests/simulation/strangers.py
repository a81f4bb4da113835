"""Hours in which strangers type addresses that nobody has, among people who have one, before one breaker."""

import asyncio
from collections.abc import Callable, Iterator
from random import Random

import attrs

from authmail import Message, Receipt, SendError
from authmail.delivery import Breaker
from authmail.testing.fake_time import run_in_fake_time


@attrs.define
class Day:
    """What became of the messages.

    Args:
        good: outcomes of people's messages, or ``refused`` where the breaker was open.
        asked: how often the provider was asked.
    """

    good: list[str] = attrs.field(factory=list)
    asked: int = 0


class Provider:
    """Accepts people's mail, and answers strangers' as a real one does.

    Args:
        answer: gives the error for an address, or None.
        day: counts.
    """

    name = "provider"

    def __init__(self, answer: Callable[[str], SendError | None], day: Day) -> None:
        self._answer = answer
        self._day = day

    async def send(self, message, *, timeout=None):
        """Take a message or not."""
        self._day.asked += 1
        error = self._answer(message.to)
        await asyncio.sleep(0.2 if error is None or error.reason != "timeout" else timeout)
        if error is not None:
            raise error.afresh()
        return Receipt("accepted")


def lived(
    answer: Callable[[str], SendError | None],
    *,
    strangers: float,
    addresses: Callable[[int, Random], str],
    good_domains: int = 3,
    hours: float = 2.0,
    seed: int = 1,
) -> Day:
    """Return what became of hours with ten good messages a minute.

    Args:
        answer: of the provider.
        strangers: messages to wrong addresses a minute.
        addresses: gives a stranger's address by number.
        good_domains: how many domains people's addresses have.
        hours: how long.
        seed: the same is the same life.
    """
    return run_in_fake_time(_life(answer, strangers, addresses, good_domains, hours * 3600, Random(seed)))


async def _life(answer, strangers, addresses, good_domains, seconds, random) -> Day:
    day = Day()
    breaker = Breaker(Provider(answer, day))
    running = set()

    async def wish(to: str, is_good: bool) -> None:
        asked = day.asked
        try:
            await breaker.send(Message(to, "SignIn", {"code": "123456"}), timeout=10.0)
            outcome = "accepted"
        except SendError as error:
            outcome = "refused" if "is not asked now" in error.hint and asked <= day.asked else error.outcome
        if is_good:
            day.good.append(outcome)

    await wish("zoe@good0.example", is_good=True)
    for pause, is_good, number in _arrivals(strangers, seconds, random):
        await asyncio.sleep(pause)
        to = f"user{number}@good{number % good_domains}.example" if is_good else addresses(number, random)
        task = asyncio.create_task(wish(to, is_good))
        running.add(task)
        task.add_done_callback(running.discard)
    while running:
        await asyncio.wait(running)
    return day


def _arrivals(strangers: float, seconds: float, random: Random) -> Iterator[tuple[float, bool, int]]:
    rate, passed, number = (10 + strangers) / 60, 0.0, 0
    while passed < seconds:
        pause = random.expovariate(rate)
        passed, number = passed + pause, number + 1
        yield pause, random.random() < 10 / (10 + strangers), number
