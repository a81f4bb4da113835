"""A store that counts how often it is asked."""

from authmail.delivery import MemoryStore


class CountingStore:
    """Has the members of the protocol and no others, and counts how often it is asked."""

    def __init__(self, clock):
        self._store = MemoryStore(clock=clock)
        self.trips = []

    def digest(self, *parts):
        return self._store.digest(*parts)

    async def begin(self, claim, *, timeout):
        self.trips.append("begin")
        return await self._store.begin(claim, timeout=timeout)

    async def end(self, claim, begun, *, answer, uncount, timeout):
        self.trips.append("end")
        await self._store.end(claim, begun, answer=answer, uncount=uncount, timeout=timeout)

    async def answer_of(self, key, *, timeout):
        self.trips.append("answer_of")
        return await self._store.answer_of(key, timeout=timeout)

    async def note(self, key, text, *, keep, timeout):
        self.trips.append("note")
        await self._store.note(key, text, keep=keep, timeout=timeout)
