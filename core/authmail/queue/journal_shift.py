"""One worker's time at a journal: it hands out what is due, and records what comes of it."""

import asyncio
from functools import partial

from authmail.privacy import log_of
from authmail.queue import journal_rows as rows
from authmail.queue.engine import Handler, QueueError, Row, Verdict
from authmail.queue.journal_groups import Groups
from authmail.queue.journal_lock import WorkerLock
from authmail.queue.working import Hands

_log = log_of("authmail.queue")

# A worker looks so often for what other processes queued, in seconds.
_LOOK = 0.05
# So often it looks whether something that is held has expired, and removes so many portions of what ended long enough ago.
_EXPIRE = 1.0
_PORTIONS = 20
# A file that cannot be read is read again after so many seconds; a worker that read none for so long gives up.
_PAUSE = 1.0
_GIVE_UP = 60.0
_AT_ONCE = 256


class Shift:
    """Works while it has the lock.

    Args:
        groups: by which the file is asked.
        lock: the worker's.
        scope: whose messages are handed out.
        handle: what is done with each.
    """

    def __init__(self, groups: Groups, lock: WorkerLock, scope: str, handle: Handler) -> None:
        self._groups = groups
        self._lock = lock
        self._scope = scope
        self._hands = Hands(handle, self._finish, self._hand_back)
        self._added = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def has(self, ticket: str) -> bool:
        """Whether a row is in its hands."""
        return self._hands.has(ticket)

    def hear_of_more(self) -> None:
        """Look at once: this process queued something."""
        self._added.set()

    async def run(self, concurrency: int, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        held, made = await self._groups.write(partial(rows.recover, self._scope, self._lock.steps))
        self._lock.note(made)
        if held:
            _log.error("the queue is an older one, out of a back-up: %s messages are held until authmail queue release", held)
        try:
            await self._hand_out(concurrency, stop)
        finally:
            await self._hands.end()

    async def mark(self, ticket: str) -> None:
        """Note that a provider is about to be asked."""
        self._hands.begin(ticket)
        steps = await self._groups.write(partial(rows.mark, ticket, self._scope))
        if steps is None:
            raise QueueError("the message is in nobody's hands")
        self._lock.note(steps)

    async def _hand_out(self, concurrency: int, stop: asyncio.Event) -> None:
        looked = expired = read = self.loop.time()
        while not stop.is_set():
            self._added.clear()
            room = min(concurrency - self._hands.busy, _AT_ONCE)
            try:
                found = await self._fetch(room) if room > 0 else []
                if looked - expired >= _EXPIRE:
                    expired = looked
                    await self._tidy()
            except QueueError as error:
                if self.loop.time() - read > _GIVE_UP:
                    raise
                _log.warning("nothing can be fetched: %s", error)
                await self._hands.wait(stop, seconds=_PAUSE)
                continue
            looked = read = self.loop.time()
            self._hands.take(found)
            if not found or self._hands.busy >= concurrency:
                await self._hands.wait(stop, self._added, seconds=_LOOK)

    async def _tidy(self) -> None:
        await self._groups.write(partial(rows.let_expire, self._scope))
        # With each transaction goes little, and one may bring hundreds of messages.
        for _ in range(_PORTIONS):
            if not await self._groups.write(rows.let_go):
                break

    async def _fetch(self, room: int) -> list[Row]:
        # To look costs others nothing; most looks find nothing.
        if not await self._groups.read(partial(rows.due, self._scope, 1)):
            return []
        return await self._groups.write(partial(rows.fetch, self._scope, room))

    async def _finish(self, row: Row, verdict: Verdict) -> None:
        self._lock.note(await self._groups.write(partial(rows.finish, row, verdict)))

    async def _hand_back(self, row: Row) -> bool:
        return await self._groups.write(partial(rows.hand_back, row.ticket))
