"""Makers of engines for the kit: a good one, and bad ones that each break one rule."""

import asyncio
import os

import attrs

from authmail.queue import Journal, QueueError


def journal(argument):
    return Journal(argument)


class Forgetful(Journal):
    """Tells tickets of what it did not write."""

    async def add(self, row, *, keep, transaction=None):
        now = await self.now()
        return attrs.evolve(row, created=now, due=now, expires=now + row.expires, repeat_until=now + row.repeat_until)


class Local(Journal):
    """Has a clock of its own, of another time zone."""

    def __init__(self, path):
        import time

        super().__init__(path, clock=lambda: time.time() + 3600)


class Repetitive(Journal):
    """Takes every message for a new one."""

    async def add(self, row, *, keep, transaction=None):
        return await super().add(attrs.evolve(row, repeat=None), keep=keep)


class Elephant(Journal):
    """Gives the ticket of what failed, too."""

    async def work(self, handle, **options):
        async def kept(row):
            verdict = await handle(row)
            kept_state = verdict.state if verdict.state not in {"failed", "expired"} else "sent"
            return attrs.evolve(verdict, state=type(verdict.state)(kept_state))

        await super().work(kept, **options)


class Even(Journal):
    """Knows no priorities."""

    async def add(self, row, *, keep, transaction=None):
        return await super().add(attrs.evolve(row, priority=1), keep=keep)


class Hasty(Journal):
    """Hands out before it is due."""

    async def add(self, row, *, keep, transaction=None):
        return await super().add(attrs.evolve(row, due=0.0), keep=keep)


class Twice(Journal):
    """Hands each row to two."""

    async def work(self, handle, **options):
        async def twice(row):
            await handle(row)
            return await handle(row)

        await super().work(twice, **options)


class Wide(Journal):
    """Hands out as many as there are."""

    async def work(self, handle, *, concurrency, **options):
        await super().work(handle, concurrency=1000, **options)


class Markless(Journal):
    """Marks nothing."""

    async def mark(self, ticket):
        pass


class Mixed(Journal):
    """Hands out rows of all scopes."""

    async def add(self, row, *, keep, transaction=None):
        return await super().add(attrs.evolve(row, scope=""), keep=keep)

    async def work(self, handle, *, scope="", **options):
        await super().work(handle, **options)


class Abrupt(Journal):
    """Does not wait for what was begun."""

    async def work(self, handle, *, stop, **options):
        async def impatient(row):
            handling, stopping = asyncio.ensure_future(handle(row)), asyncio.ensure_future(stop.wait())
            await asyncio.wait({handling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not handling.done():
                handling.cancel()
            return await handling

        await super().work(impatient, stop=stop, **options)


class Orphan(Journal):
    """Is of use to the process alone that made it."""

    def __init__(self, path):
        super().__init__(path)
        self._process = os.getpid()

    async def add(self, row, *, keep, transaction=None):
        if os.getpid() != self._process:
            raise QueueError("not in this process")
        return await super().add(row, keep=keep)


class Careful(Journal):
    """Drops what is in doubt as if it had not been sent."""

    async def drop(self, ticket):
        return False


class Hoarder(Journal):
    """Keeps the boxes of what has ended."""

    async def row(self, ticket):
        row = await super().row(ticket)
        return row and attrs.evolve(row, box=b"kept")


class Fragile(Journal):
    """Hangs on to the first handler."""

    async def work(self, handle, *, concurrency, **options):
        await super().work(handle, concurrency=1, **options)


class Blind(Journal):
    """Counts nothing."""

    async def statistics(self):
        return attrs.evolve(await super().statistics(), states={})


class Closed(Journal):
    """Wants to be entered first."""

    async def add(self, row, *, keep, transaction=None):
        if not self._openings:
            raise QueueError("not open")
        return await super().add(row, keep=keep)


class Oldest(Journal):
    """Finds the oldest first."""

    async def find(self, states, *, most):
        return list(reversed(await super().find(states, most=most)))


class Careless(Journal):
    """Puts any box in place of any other."""

    async def reseal(self, row, key, box):
        return await super().reseal(await self.row(row.ticket), key, box)


class Apart(Journal):
    """Each process has data of its own."""

    def __init__(self, path):
        super().__init__(f"{path}.{os.getpid()}")


class Sleepy(Journal):
    """Looks only when it is told to."""

    async def add(self, row, *, keep, transaction=None):
        return await super().add(attrs.evolve(row, due=7.0), keep=keep)


#: Rule → an engine that breaks it.
BAD = {
    "keeps what it was given": Forgetful,
    "tells seconds of UTC": Local,
    "gives the same message the same row": Repetitive,
    "lets a repeat be a message again": Elephant,
    "finds rows by their state": Oldest,
    "does what an operator decides": Careful,
    "replaces a box": Careless,
    "counts": Blind,
    "needs no entering": Closed,
    "refuses one row and stores the others": Forgetful,
    "hands out by priority, then by age": Even,
    "hands out what is due, and not before": Hasty,
    "hands out soon": Sleepy,
    "hands out each row once": Twice,
    "hands out so many at once": Wide,
    "ends what has ended": Hoarder,
    "keeps marks": Markless,
    "lets none hold up another": Fragile,
    "keeps the mark of what failed after it": Markless,
    "stops in order": Abrupt,
    "keeps scopes apart": Mixed,
    "is durable when add returns": Forgetful,
    "hands out again what a killed worker had": Markless,
    "hands out each row once to two processes": Twice,
    "goes on with the next worker": Apart,
    "survives forks before, during and after use": Orphan,
}


def bad(argument):
    rule, _, path = argument.partition("|")
    return BAD[rule](path)
