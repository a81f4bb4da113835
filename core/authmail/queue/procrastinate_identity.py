"""Whether a queue is the one that it was: a dump that is restored is another, and holds what may have been sent since it was made."""

from authmail.privacy import log_of
from authmail.queue import procrastinate_statements as statements
from authmail.queue.engine import QueueError
from authmail.queue.procrastinate_database import VERSION, Database
from authmail.queue.procrastinate_transactions import Transaction

_log = log_of("authmail.queue")


async def recognise(database: Database) -> None:
    """See that a queue is the one that it was; else hold all that has not ended.

    Raises:
        QueueError: the database cannot be used, or a later release made the queue.
    """
    number, system = await _identity(database)
    noted_number, noted_system, version = await _noted(database)
    if version > VERSION + 1:
        raise QueueError(f"a newer release writes the queue (version {version}); this one reads up to {VERSION + 1}")
    if noted_number == number and noted_system in (system, None):
        if noted_system != system:
            await database.rows(statements.NOTE_IDENTITY, number=number, system=system)
        return

    async def hold(within: Transaction) -> int:
        # Another worker may have noticed it too.
        ((number_now, system_now),) = await within.rows(database.text(statements.LOCK_IDENTITY), {})
        if (number_now, system_now) == (number, system):
            return 0
        held = await within.rows(database.text(statements.HOLD), {})
        await within.rows(database.text(statements.NOTE_IDENTITY), {"number": number, "system": system})
        return len(held)

    held = await database.transact(hold)
    _log.error("the queue is out of a back-up: %s messages are held until authmail queue release", held)


async def _identity(database: Database) -> tuple[int, int | None]:
    ((number,),) = await database.rows(statements.TABLE_NUMBER)
    ((may_ask,),) = await database.rows(statements.MAY_ASK_SYSTEM)
    system = (await database.rows(statements.SYSTEM))[0][0] if may_ask else None
    return number, system


async def _noted(database: Database) -> tuple[int, int | None, int]:
    found = await database.rows(statements.IDENTITY)
    return found[0]
