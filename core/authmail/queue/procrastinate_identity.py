"""Whether a queue is the one that it was: a dump that is restored is another, and holds what may have been sent since it was made."""

from authmail.privacy import log_of
from authmail.queue import procrastinate_statements as statements
from authmail.queue.engine import QueueError
from authmail.queue.procrastinate_database import VERSION, Database
from authmail.queue.procrastinate_transactions import Transaction

_log = log_of("authmail.queue")


class Identity:
    """What a queue says of itself, and what it is: the number of its table, and the server's identifier where the user may ask for it.

    Args:
        database: of the queue.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._system: int | None = None

    async def ask(self) -> None:
        """Ask which server it is, once for a worker: a connection leads to one.

        Raises:
            QueueError: the database cannot be used.
        """
        ((may_ask,),) = await self._database.rows(statements.MAY_ASK_SYSTEM)
        self._system = (await self._database.rows(statements.SYSTEM))[0][0] if may_ask else None

    async def check(self) -> None:
        """See that it is the one that it was; else hold all that has not ended.

        Raises:
            QueueError: the database cannot be used, or a later release made the queue.
        """
        ((number, noted_number, noted_system, version),) = await self._database.rows(statements.IDENTITY)
        if version > VERSION + 1:
            raise QueueError(f"a newer release writes the queue (version {version}); this one reads up to {VERSION + 1}")
        is_same_server = None in (noted_system, self._system) or noted_system == self._system
        if noted_number != number or not is_same_server:
            held = await self._database.transact(lambda within: self._hold(within, number))
            _log.error("the queue is out of a back-up: %s messages are held until authmail queue release", held)
        elif noted_system is None and self._system is not None:
            await self._database.rows(statements.NOTE_IDENTITY, number=number, system=self._system)

    async def _hold(self, within: Transaction, number: int) -> int:
        # Another worker may have noticed it too.
        if await within.rows(self._database.text(statements.LOCK_IDENTITY), {"number": number, "system": self._system}):
            return 0
        held = await within.rows(self._database.text(statements.HOLD), {})
        await within.rows(self._database.text(statements.NOTE_IDENTITY), {"number": number, "system": self._system})
        return len(held)
