"""Makers of stores for the kit: good ones, and bad ones that each break one rule."""

import asyncio
import sqlite3
import time

import attrs

from authmail.delivery import Begun, Limit, MemoryStore, SQLiteStore
from authmail.delivery.stores import sqlite

SECRET = b"a secret of sixteen bytes or more"


def file(argument):
    return SQLiteStore(argument, secret=SECRET)


def memory(argument):
    return MemoryStore()


class Generous(MemoryStore):
    """Lets one more through than the limit says."""

    async def begin(self, claim, *, timeout=0.0):
        counts = tuple((key, Limit(limit.most + 1, limit.seconds)) for key, limit in claim.counts)
        return await super().begin(attrs.evolve(claim, counts=counts), timeout=timeout)


class Forgetful(MemoryStore):
    """Counts what is a repeat."""

    async def begin(self, claim, *, timeout=0.0):
        begun = await super().begin(claim, timeout=timeout)
        if begun.entry:
            await super().begin(attrs.evolve(claim, key=None), timeout=timeout)
        return begun


class Ownerless(MemoryStore):
    """Lets anybody end anything."""

    async def end(self, claim, begun, *, answer, uncount=(), timeout=0.0):
        kept = self._entries.get(claim.key or "")
        token = kept.split("\0")[2] if kept else claim.token
        await super().end(attrs.evolve(claim, token=token), begun, answer=answer, uncount=uncount, timeout=timeout)


class Interruptible(MemoryStore):
    """Looks, waits, and then begins."""

    async def begin(self, claim, *, timeout=0.0):
        for key, limit in claim.counts:
            if self._wait(key, limit, self._now()):
                return Begun(wait=1.0)
        await asyncio.sleep(0)
        unlimited = attrs.evolve(claim, counts=tuple((key, Limit(128, limit.seconds)) for key, limit in claim.counts))
        return await super().begin(unlimited, timeout=timeout)


class Absent(MemoryStore):
    """Keeps no notes."""

    async def note(self, key, text, *, keep, timeout=0.0):
        pass


class Reading(MemoryStore):
    """Begins what it is asked for."""

    async def answer_of(self, key, *, timeout=0.0):
        entry = self._entry(key, self._now())
        self._entries.setdefault(key, f"{self._now() + 9!r}\0{self._now() + 9!r}\0t\0f")
        return entry


class Partial(MemoryStore):
    """Counts under the keys that have room."""

    async def begin(self, claim, *, timeout=0.0):
        begun = await super().begin(claim, timeout=timeout)
        if begun.wait:
            for count in claim.counts:
                await super().begin(attrs.evolve(claim, key=None, counts=(count,)), timeout=timeout)
        return begun


class Twice(MemoryStore):
    """Takes a message back as often as it is said."""

    async def end(self, claim, begun, *, answer, uncount=(), timeout=0.0):
        for key in uncount:
            if key == "again":
                self._counts[key] = self._counts[key][:-16]


class Unkeyed(MemoryStore):
    """Has the parts of a digest in it."""

    def digest(self, *parts):
        return "/".join(parts).encode("utf-8", "surrogatepass").hex() if len(parts) > 1 else parts[0]


class Hurried(MemoryStore):
    """Gives every message a turn at once."""

    async def begin(self, claim, *, timeout=0.0):
        return attrs.evolve(await super().begin(claim, timeout=timeout), turn=0.0)


class Stiff(MemoryStore):
    """Knows no bursts."""

    async def begin(self, claim, *, timeout=0.0):
        return await super().begin(
            claim if claim.turn is None else attrs.evolve(claim, turn=attrs.evolve(claim.turn, burst=1)), timeout=timeout
        )


class Wasteful(MemoryStore):
    """Takes a place also where it comes too late."""

    async def begin(self, claim, *, timeout=0.0):
        return await super().begin(
            claim if claim.turn is None else attrs.evolve(claim, turn=attrs.evolve(claim.turn, longest=600.0)), timeout=timeout
        )


class Equal(MemoryStore):
    """Keeps no places for codes."""

    async def begin(self, claim, *, timeout=0.0):
        return await super().begin(
            claim if claim.turn is None else attrs.evolve(claim, turn=attrs.evolve(claim.turn, coded=False)), timeout=timeout
        )


class Eager(MemoryStore):
    """Gives turns to repeats too."""

    async def begin(self, claim, *, timeout=0.0):
        if claim.turn is not None:
            await super().begin(attrs.evolve(claim, key=None, counts=()), timeout=timeout)
        return await super().begin(claim if claim.turn is None else attrs.evolve(claim, turn=None), timeout=timeout)


BAD = {
    "gives turns one after another": Hurried,
    "gives turns at once after a quiet time": Stiff,
    "takes no turn that comes too late": Wasteful,
    "keeps a fifth of the turns for codes": Equal,
    "gives no turn to repeats": Eager,
    "counts up to a limit in a rolling time": Generous,
    "counts no repeat": Forgetful,
    "lets only the owner end": Ownerless,
    "is atomic for many at once": Interruptible,
    "keeps notes": Absent,
    "reads without changing": Reading,
    "counts under all keys or none": Partial,
    "takes a message back, once": Twice,
    "gives keyed digests": Unkeyed,
    "is deaf to the wall clock": lambda: MemoryStore(clock=lambda: time.time() + 0.0),
}


def bad(argument):
    return BAD[argument]()


def entered(argument):
    """Wants to be entered first."""
    store = SQLiteStore(argument, secret=SECRET)
    run = store._run

    async def refuse(*arguments, **options):
        if not store._openings:
            raise RuntimeError("not open")
        return await run(*arguments, **options)

    store._run = refuse
    return store


def apart(argument):
    """Each process has data of its own."""
    import os

    return SQLiteStore(f"{argument}.{os.getpid()}", secret=SECRET)


def impatient(argument):
    """Fails at once where another process holds the file."""
    store = SQLiteStore(argument, secret=SECRET)
    run = store._file.run
    store._file.run = lambda work, seconds, **options: run(work, 0.0, **options)
    return store


def endless(argument):
    """Waits as long as it takes."""
    store = SQLiteStore(argument, secret=SECRET)
    run = store._file.run
    store._file.run = lambda work, seconds, **options: run(work, 1.0, **options)
    return store


def rough(argument):
    """Keeps its connection over a fork, as an earlier release did."""
    store = SQLiteStore(argument, secret=SECRET)
    sqlite.StoreFile.__hash__  # noqa: B018
    file = store._file
    file.before_fork = file.after_fork_in_parent = file.after_fork_in_child = lambda: None
    return store


def held(path):
    """Keep a file locked within a block."""
    from contextlib import contextmanager

    @contextmanager
    def hold():
        connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("COMMIT")
            connection.close()

    return hold
