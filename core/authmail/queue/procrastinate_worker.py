"""A worker of a queue in PostgreSQL: procrastinate fetches, and this sees that nothing is sent by two, lost, or left lying."""

import asyncio
import secrets
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import attrs
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException

from authmail.delivery.ticket import ENDED, TicketState
from authmail.privacy import hide_fields, log_of
from authmail.queue import procrastinate_statements as statements
from authmail.queue.engine import Handler, QueueError, Row, Verdict
from authmail.queue.procrastinate_connector import StoreConnector
from authmail.queue.procrastinate_database import Database
from authmail.queue.procrastinate_identity import Identity
from authmail.queue.procrastinate_transactions import TASK, NewJob, Transaction
from authmail.queue.working import Hands

_log = log_of("authmail.queue")

# In seconds. A worker says so often that it is alive, and one that was silent for longer has ended.
_BEAT, _SILENCE = 2.0, 6.0
# So often is looked for what ended workers had, for lost jobs, and whether messages are fetched at all.
_ROUND = 1.0
# Nobody is taken for ended until the database has answered for so long: after an outage all were silent.
_GRACE = 3.0
# Messages that are due for so long, of which none is fetched although there is room: this worker is of no use.
_STUCK = 10.0
# New messages are looked for so often where nothing wakes us.
_LOOK = 0.5
# After an error it begins again.
_PAUSE = 0.5
_NOT_SENT = frozenset((TicketState.FAILED, TicketState.EXPIRED))
_JOBS_AT_ONCE, _SWEPT_AT_ONCE = 200, 1000


@attrs.frozen(kw_only=True, field_transformer=hide_fields)
class OwnedRow(Row):
    """A message that this worker has in hand.

    Args:
        owner: token of this attempt; whoever takes the message over has another.
    """

    owner: str


@attrs.frozen(eq=False, field_transformer=hide_fields)
class _Attempt:
    """What is done with a message here and now.

    Args:
        owner: its token.
        hands: in which the message is.
    """

    owner: str
    hands: Hands


_attempt: ContextVar[_Attempt | None] = ContextVar("authmail_queue_attempt", default=None)


async def mark(database: Database, ticket: str) -> None:
    """Note, durably, that a provider is about to be asked by the attempt that runs here.

    Raises:
        QueueError: another worker has the message meanwhile, or it was handed back; nobody may be asked.
    """
    attempt = _attempt.get()
    if attempt is None or not await database.rows(statements.MARK, ticket=ticket, owner=attempt.owner):
        raise QueueError("another worker has taken over the message")
    attempt.hands.begin(ticket)  # only now: what could not be marked is not in doubt


class Worker:
    """Lets procrastinate fetch, and takes care of the rest.

    Args:
        database: of the queue.
        handle: what is done with a message.
        concurrency: with so many at a time.
        scope: whose messages.
    """

    def __init__(self, database: Database, handle: Handler, concurrency: int, scope: str) -> None:
        self._database = database
        self._concurrency = concurrency
        self._scope = scope
        self._queue = database.queue(scope)
        self._identity = Identity(database)
        self._hands = Hands(handle, self._finish, self._hand_back)
        self._running: dict[int, int | None] = {}  # number of a job → of the worker that procrastinate knows
        self._fetched = self._answers_since = 0.0
        self._is_ending = False
        self._in_trouble = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; see :meth:`authmail.queue.Engine.work`."""
        self._fetched = self._answers_since = _now()
        await self._identity.ask()
        await self._identity.check()
        app = await self._app()
        ended = [asyncio.create_task(one) for one in (self._work(app), self._watch(app), stop.wait())]
        working, watching, _ = ended
        beating = asyncio.create_task(self._beat(app))
        try:
            await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._is_ending = True
            working.cancel()  # which lets it end in order
            await asyncio.sleep(0)
            await self._hands.end()
            await asyncio.gather(working, return_exceptions=True)
            for one in (*ended, beating):
                one.cancel()
            await asyncio.gather(*ended, beating, return_exceptions=True)
        if not watching.cancelled() and (error := watching.exception()) is not None:
            raise error

    async def _app(self) -> App:
        listens = not await self._database.is_pooled()
        app = App(connector=StoreConnector(self._database.store, listens=listens))
        app.task(name=TASK, queue=self._queue, pass_context=True)(self._send)
        # Without a periodic task procrastinate 3.10 does not look after its other tasks, and one whose heartbeat failed goes on fetching
        # (Worker._monitor_side_tasks ends with the first that ends). This one runs once in four years.
        app.periodic(cron="0 0 29 2 *")(app.task(name=f"{TASK}.idle", queue=self._queue)(_idle))
        return app

    async def _work(self, app: App) -> None:
        """Fetch until the end: procrastinate's worker ends with the first error of its database, also where it was cancelled."""
        while not self._is_ending:
            try:
                await app.run_worker_async(
                    queues=[self._queue],
                    name="authmail",
                    concurrency=self._concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=_LOOK,
                    update_heartbeat_interval=_BEAT,
                    stalled_worker_timeout=_SILENCE,
                    delete_jobs="always",
                )
            except ConnectorException as error:
                self._tell(error)
            except Exception as error:  # noqa: BLE001 (whatever it is, a fresh one may do better)
                _log.error("the worker of procrastinate ended, and begins again: %s", type(error).__name__)
            await asyncio.sleep(_PAUSE)

    async def _send(self, context: JobContext, ticket: str) -> None:
        """Do a job: all that one message needs."""
        job = context.job
        task = asyncio.current_task()
        assert job.id is not None  # noqa: S101 (it was fetched)
        assert task is not None  # noqa: S101 (procrastinate's, which nobody listens to)
        task.add_done_callback(self._hear)
        self._fetched = _now()
        self._running[job.id] = job.worker_id
        try:
            row = await self._take(ticket, job.id)
            if row is None:  # it has ended, or another job has it
                return
            _attempt.set(_Attempt(row.owner, self._hands))
            if self._is_ending:
                await self._hand_back(row)
            else:
                await asyncio.wait(self._hands.take([row]))
        except QueueError as error:
            self._tell(error)  # the message has no job any more, and gets another
        finally:
            del self._running[job.id]

    def _hear(self, task: asyncio.Task[Any]) -> None:
        """Hear of a job that could not be removed; its message has ended all the same, or has another."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._tell(error)

    async def _take(self, ticket: str, job: int) -> OwnedRow | None:
        owner = secrets.token_hex(8)
        found = await self._database.rows(statements.TAKE, ticket=ticket, job=job, owner=owner)
        return statements.read_row(found[0], OwnedRow, owner=owner) if found else None

    async def _finish(self, row: Row, verdict: Verdict) -> None:
        assert isinstance(row, OwnedRow)  # noqa: S101 (as taken)
        if not await self._record(row, verdict):
            _log.warning("another worker has taken over a message that was handled here; what came of it here is not recorded")

    async def _record(self, row: OwnedRow, verdict: Verdict) -> bool:
        now = await self._database.now()
        values: dict[str, Any] = {
            "owner": row.owner,
            "answer": verdict.answer,
            "marked": verdict.marked,
            "tried": int(verdict.tried),
        }
        if verdict.state in ENDED:
            values |= {"state": str(verdict.state), "wiped": verdict.state is not TicketState.IN_DOUBT, "now": now}
            return bool(await self._database.rows(statements.END, ticket=row.ticket, unsent=verdict.state in _NOT_SENT, **values))
        return await self._database.give_job(statements.AGAIN, row, min(now + verdict.wait, row.expires), **values)

    async def _hand_back(self, row: Row) -> bool:
        """Make a message due again of which no provider was asked; whether that is so."""
        assert isinstance(row, OwnedRow)  # noqa: S101 (as taken)
        return await self._database.give_job(
            statements.HAND_BACK, row, await self._database.now(), owner=row.owner, marked=row.marked
        )

    async def _beat(self, app: App) -> None:
        """Say that this worker is alive as long as it has messages in hand: procrastinate's does not while it ends in order."""
        while True:
            await asyncio.sleep(_BEAT)
            try:
                for worker in {one for one in self._running.values() if one is not None}:
                    await app.job_manager.update_heartbeat(worker)
            except ConnectorException as error:
                self._tell(error)

    async def _watch(self, app: App) -> None:
        """Take up what lies about, and see that something is fetched.

        Raises:
            QueueError: messages are due, and none is fetched here.
        """
        while True:
            await asyncio.sleep(_ROUND)
            try:
                await self._identity.check()
                if _now() - self._answers_since > _GRACE:
                    await self._database.transact(lambda within: self._rescue(app, within))
                await self._database.transact(self._give_jobs)
                now = await self._database.now()
                await self._database.rows(statements.LET_EXPIRE, now=now)
                await self._database.rows(statements.SWEEP, now=now, most=_SWEPT_AT_ONCE)
                is_stuck = await self._is_stuck()
            except (QueueError, ConnectorException) as error:
                self._fetched = self._answers_since = _now()
                self._tell(error)
                continue
            if self._in_trouble:
                self._in_trouble = False
                _log.warning("the queue can be used again")
            if is_stuck:
                raise QueueError(
                    f"messages are due, and this worker fetched none for {_STUCK:.0f} s although {self._database.store.place} answers"
                )

    async def _rescue(self, app: App, within: Transaction) -> None:
        """Let others have what workers had that have ended. One worker at a time, so that none takes from the one that came before."""
        ((is_ours,),) = await within.rows(self._database.text(statements.TAKE_RESCUE), {})
        if not is_ours:
            return
        at = datetime.fromtimestamp(await self._database.now(), UTC)  # by the server's clock, not this machine's
        stalled = await app.job_manager.get_stalled_jobs(queue=self._queue, seconds_since_heartbeat=_SILENCE)
        for job in stalled:
            if job.id not in self._running:
                await app.job_manager.retry_job(job, retry_at=at)

    async def _give_jobs(self, within: Transaction) -> None:
        """Give jobs to messages that are due and have none."""
        now, text = await self._database.now(), self._database.text
        for ticket, scope, priority in await within.rows(text(statements.JOBLESS), {"now": now, "most": _JOBS_AT_ONCE}):
            queue = self._database.queue(scope)
            job = await within.defer(NewJob(ticket=ticket, queue=queue, priority=priority, due=now))
            await within.rows(text(statements.GIVE_JOB), {"ticket": ticket, "job": job})

    async def _is_stuck(self) -> bool:
        if len(self._running) >= self._concurrency or _now() - self._fetched < _STUCK:
            return False
        ((since,),) = await self._database.rows(statements.OLDEST_OF_SCOPE, scope=self._scope)
        return since is not None and await self._database.now() - since > _STUCK

    def _tell(self, error: BaseException) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            _log.warning("the queue cannot be used now, and is tried again: %s", error)


def _idle(timestamp: int) -> None:
    """Do nothing, once in four years."""


def _now() -> float:
    return asyncio.get_running_loop().time()
