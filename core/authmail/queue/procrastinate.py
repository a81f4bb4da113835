"""The engine for many machines: a table in PostgreSQL, and procrastinate to hand it out. Any number of processes queue and work."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from authmail.delivery.stores.postgres import PostgresStore
from authmail.delivery.ticket import ENDED, TicketState
from authmail.queue import procrastinate_statements as statements
from authmail.queue.engine import Handler, QueueError, Row, Statistics
from authmail.queue.journal_schema import FOR_EVER
from authmail.queue.procrastinate_database import LONG, Database
from authmail.queue.procrastinate_statements import read_row
from authmail.queue.procrastinate_transactions import Transaction
from authmail.queue.procrastinate_worker import Worker, mark

_TIMES = ("created", "expires", "due", "repeat_until")
# So often is looked for the earlier one of the same message, which may go meanwhile.
_LOOKS = 3


class Procrastinate:
    """A queue in the database of a :class:`~authmail.delivery.PostgresStore`. Needs the extra ``postgres``.

    Messages are in a table of the store's schema; `procrastinate <https://procrastinate.readthedocs.io>`_ hands them out, wakes workers and knows
    who is alive. Its tables hold a ticket for each message, and nothing else. Missing tables are made, where the user may; else by
    ``authmail store migrate``. Procrastinate's stand in ``public``, and may be those that the host has already, wherever its ``search_path``
    leads: then its own workers must name their queues, for one that takes any job takes ours too, which costs some seconds each.

    What a worker had that was killed goes on with another after 6 to 8 s. A message has one owner at a time: a worker that was
    suspended for longer and comes back sends nothing of what others took over.

    A dump that is restored, here or elsewhere, is noticed by the number of the table and the server's identifier: all that had not ended is
    held until it is released. So it is after pg_upgrade. Not noticed is a copy of the server's files, a restore to a point in time, and a
    restore of data alone into the same table. It works behind PgBouncer in transaction mode, where workers look for messages twice a second.

    Args:
        store: whose database, schema and connections are used.
    """

    def __init__(self, store: PostgresStore) -> None:
        self._store = store
        self._database = Database(store)

    async def __aenter__(self) -> Self:
        await self._store.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._store.__aexit__(None, None, None)

    @property
    def place(self) -> str:
        """See :attr:`authmail.queue.Engine.place`."""
        return self._store.place

    async def now(self) -> float:
        """See :meth:`authmail.queue.Engine.now`."""
        return await self._database.now()

    async def migrate(self) -> None:
        """Make what is missing of the tables, also of procrastinate's, and nothing else; harmless while others use them.

        Raises:
            QueueError: the database cannot be used, or the user may not make tables.
        """
        await self._database.migrate()

    def statements_for(self, role: str) -> str:
        """Return what :meth:`migrate` does as SQL, and what a role needs that may nothing else, for whoever runs the database."""
        return self._database.statements_for(role)

    async def add(self, row: Row, *, keep: float, transaction: object | None = None) -> Row:
        """See :meth:`authmail.queue.Engine.add`.

        Args:
            row: as there.
            keep: as there.
            transaction: a connection of psycopg 3, a connection or session of SQLAlchemy (``postgresql+psycopg://``), or Django's ``connection``.
                If its transaction is rolled back, the message was never queued, and its repeats are no repeats.

        Raises:
            QueueError: the database cannot be used, or the transaction is none that can be joined.
        """
        now = await self.now()
        values = {name: getattr(row, name) for name in statements.FIELDS}
        values |= {name: now + getattr(row, name) for name in _TIMES}
        values |= {"keep": keep, "until": now + keep if row.state in ENDED else FOR_EVER, "job": None, "now": now}
        text = self._database.text
        tries = 0

        async def store(within: Transaction) -> Row | None:
            nonlocal tries
            tries += 1
            if row.state not in ENDED:
                values["job"] = await within.defer(self._database.job(row, values["due"]))
            stored = await within.rows(text(statements.INSERT), values)
            if not stored:
                raise _StoredAlready
            return read_row(stored[0])

        async def look(within: Transaction) -> Row | None:
            stored = await within.rows(text(statements.STORED), values)
            if not stored:
                await within.rows(text(statements.FREE), values)
            return read_row(stored[0]) if stored else None

        for _ in range(_LOOKS):
            try:
                added = await self._database.transact(store, transaction)
            except _StoredAlready:
                added = await self._database.transact(look, transaction)
                if added is not None and added.ticket == row.ticket and tries == 1:
                    raise QueueError("there is another message with this ticket") from None
            if added is not None:
                return added
        raise QueueError(f"the queue {self.place} does not show what is in it to your transaction; it needs READ COMMITTED")

    async def row(self, ticket: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.row`."""
        return _one(await self._database.rows(statements.ROW, ticket=ticket))

    async def known(self, repeat: str) -> Row | None:
        """See :meth:`authmail.queue.Engine.known`."""
        return _one(await self._database.rows(statements.KNOWN, repeat=repeat, now=await self.now()))

    async def mark(self, ticket: str) -> None:
        """See :meth:`authmail.queue.Engine.mark`.

        Raises:
            QueueError: another worker has it meanwhile, so it must not be sent here; or the database cannot be used.
        """
        await mark(self._database, ticket)

    async def find(self, states: Sequence[TicketState], *, most: int) -> Sequence[Row]:
        """See :meth:`authmail.queue.Engine.find`."""
        found = await self._database.rows(statements.FIND, seconds=LONG, states=[str(one) for one in states], most=most)
        return [read_row(values) for values in found]

    async def retry(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.retry`."""
        row = await self.row(ticket)
        if row is None:
            return False
        return await self._database.give_job(statements.RETRY, row, await self.now())

    async def drop(self, ticket: str) -> bool:
        """See :meth:`authmail.queue.Engine.drop`."""
        return bool(await self._database.rows(statements.DROP, ticket=ticket, now=await self.now()))

    async def reseal(self, row: Row, key: str, box: bytes) -> bool:
        """See :meth:`authmail.queue.Engine.reseal`."""
        return bool(await self._database.rows(statements.RESEAL, ticket=row.ticket, old=row.key, key=key, box=box))

    async def release(self) -> int:
        """See :meth:`authmail.queue.Engine.release`. Workers give each a job again, some hundred a second."""
        return _number(await self._database.rows(statements.RELEASE, seconds=LONG))

    async def forget(self, address: str) -> int:
        """See :meth:`authmail.queue.Engine.forget`."""
        return _number(await self._database.rows(statements.FORGET, address=address))

    async def statistics(self) -> Statistics:
        """See :meth:`authmail.queue.Engine.statistics`."""
        now = await self.now()
        states = await self._database.rows(statements.STATES, seconds=LONG)
        ((since,),) = await self._database.rows(statements.OLDEST)
        return Statistics(
            states={state: number for state, number, _ in states},
            oldest=0.0 if since is None else max(0.0, now - since),
            held=sum(held for _, _, held in states),
        )

    async def work(self, handle: Handler, *, concurrency: int, stop: asyncio.Event, scope: str = "") -> None:
        """See :meth:`authmail.queue.Engine.work`. Any number may work at the same time.

        Raises:
            QueueError: the database cannot be used at the beginning; or none of the messages that are due was fetched for 10 s although it answers.
        """
        await Worker(self._database, handle, concurrency, scope).run(stop)

    def __repr__(self) -> str:
        return f"Procrastinate({self.place!r})"


class _StoredAlready(Exception):
    """The same message is stored, so its job is taken back."""


def _one(found: list[tuple[Any, ...]]) -> Row | None:
    return read_row(found[0]) if found else None


def _number(found: list[tuple[Any, ...]]) -> int:
    ((number,),) = found
    return int(number)
