"""Workers of a queue that are killed at every point of a message's way: ``python tests/long/queue_kills.py`` prints a table.

Each run queues codes and invitations, starts a worker that SIGKILL ends at the point, then one that nobody kills. The ledger is the inbox
of a sandbox's provider, a real HTTP server of another process's; the judge knows the ledger and what the host was told, and shares no code
with the queue. The tests have a short form: ``tests/queue/test_kills.py``.
"""

import asyncio
import json
import logging
import multiprocessing
import os
import random
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import click

from authmail import Mailer, Message, get_connector, load
from authmail.delivery import Delivery
from authmail.sandbox import Sandbox
from authmail.testing.queues.subject import eventually

#: Where a worker is killed.
POINTS = (
    "before fetch",
    "after fetch",
    "after the mark",
    "before the provider accepts",
    "during the provider's answer",
    "after the answer",
    "after the record",
)
#: Points before the first mark: nothing may be in doubt after them.
UNMARKED = ("before fetch", "after fetch")  # of which the second is met with the first message
#: Those at which the process itself is killed; at the others it is the provider that waits.
BY_PROVIDER = ("before the provider accepts", "during the provider's answer")

CODES, INVITATIONS = 6, 6
KEY = "dG8gYmUgdXNlZCBieSB0ZXN0cyBhbG9uZSwgMzIgYi4"
# Its provider joins no repeats, so that each mail which went out is in the ledger.
_CONNECTOR = "sendgrid-email-service"
_TEXTS = {"OrganizationInvitation": "<p>{{link}}</p>"} | dict.fromkeys(
    ("SignIn", "Register", "ForgotPassword", "Generic"), "<p>Your code is {{code}}.</p>"
)
_TEMPLATES = [
    {"usageType": usage, "type": "text/html", "subject": "A mail", "content": content} for usage, content in _TEXTS.items()
]
_PATIENCE = 60.0


@contextmanager
def journal(folder: Path) -> Iterator[str]:
    """Give a store whose queue is a journal."""
    yield str(folder / "authmail.db")


@contextmanager
def procrastinate(folder: Path) -> Iterator[str]:
    """Give a store whose queue is in PostgreSQL."""
    sys.path.append(str(Path(__file__).parents[1] / "servers"))
    from store_servers import PostgresServer, running  # where these are, is known only now

    with running(PostgresServer(folder / "postgres")) as server:
        yield server.url


#: Name → a store for each run.
ENGINES: dict[str, Callable[[Path], AbstractContextManager[str]]] = {"journal": journal, "procrastinate": procrastinate}


@attrs.frozen
class Sent:
    """A message, what the ledger has of it, and what the host was told.

    Args:
        to: its recipient, whom no other message has.
        is_code: whether a second mail is harmless.
        before: its state when the worker was dead.
        mails_before: how many mails there were then.
        state: its state in the end.
        mails: how many mails there are.
    """

    to: str
    is_code: bool
    before: str
    mails_before: int
    state: str
    mails: int


def violations(point: str, messages: Iterable[Sent]) -> Iterator[str]:
    """Yield what was promised and is not so."""
    for one in messages:
        kind = "code" if one.is_code else "invitation"
        if one.state not in {"sent", "in doubt"}:
            yield f"a {kind} was lost: it is {one.state}"
        if one.state == "sent" and one.mails < 1:
            yield f"a {kind} is told as sent, and is in no mailbox"
        if one.mails > (2 if one.is_code else 1):
            yield f"a {kind} went out {one.mails} times"
        if one.before == "sent" and one.mails > one.mails_before:
            yield f"a {kind} that was marked done went out again"
        if one.state == "in doubt" and one.is_code:
            yield "a code is in doubt, though a second one is harmless"
        if one.state == "in doubt" and point in UNMARKED:
            yield f"a {kind} is in doubt, though nobody had begun with it"
        if one.mails > 1 and point in UNMARKED:
            yield f"a {kind} went out twice, though nobody had begun with it"
    if point == "after the record" and not any(one.before in {"sent", "in doubt"} for one in messages):
        yield "the worker was killed before it recorded anything"


class Door:
    """Stands before the provider: hands connections on, and kills a worker when it is told to.

    Args:
        port: the provider's.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.kills_at: tuple[int, str, int] | None = None
        self._requests = 0
        self._answering: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """End the connections that are left."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hand on one connection."""
        task = asyncio.create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    def aim(self, pid: int, point: str, number: int) -> None:
        """Kill a process at so many requests from now."""
        self.kills_at, self._requests = (pid, point, number), 0

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, outward = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                kills = self._is_next()
                if kills == "before the provider accepts":
                    break
                outward.write(head + await reader.readexactly(_length(head)))
                head = await onward.readuntil(b"\r\n\r\n")
                body = await onward.readexactly(_length(head))
                if kills:
                    writer.write(head[:20])  # of its answer a part is on the way
                    break
                writer.write(head + body)
            if self.kills_at:
                with suppress(ProcessLookupError):
                    os.kill(self.kills_at[0], signal.SIGKILL)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for one in (writer, outward):
                one.close()

    def _is_next(self) -> str:
        if self.kills_at is None:
            return ""
        self._requests += 1
        _, point, number = self.kills_at
        return point if self._requests == number else ""


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), 0)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm(delivery: Delivery, point: str, number: int) -> None:
    """Let this process be killed at a point, the n-th time that it comes there."""
    engine: Any = delivery.queue.engine  # type: ignore[union-attr]
    work, mark, send = engine.work, engine.mark, Mailer.send
    counts: Counter[str] = Counter()

    def reached(here: str) -> None:
        counts[here] += 1
        if here == point and counts[here] == number:
            _die()

    async def watch(ticket: str) -> None:
        await eventually("it has ended", lambda: _has_ended(engine, ticket))
        reached("after the record")

    watching = set()

    def armed_handler(handle: Any) -> Any:
        async def armed(row: Any) -> Any:
            reached("after fetch")
            verdict = await handle(row)
            watching.add(asyncio.create_task(watch(row.ticket)))
            return verdict

        return armed

    async def armed_work(handle: Any, **options: Any) -> None:
        asyncio.get_running_loop().call_soon(reached, "before fetch")  # it has the lock, or asks for it
        await work(armed_handler(handle), **options)

    async def armed_mark(ticket: str) -> None:
        await mark(ticket)
        reached("after the mark")

    async def armed_send(self: Mailer, message: Any, **options: Any) -> Any:
        receipt = await send(self, message, **options)
        reached("after the answer")
        return receipt

    engine.work, engine.mark = armed_work, armed_mark
    Mailer.send = armed_send  # type: ignore[method-assign, assignment]


async def _has_ended(engine: Any, ticket: str) -> bool:
    row = await engine.row(ticket)
    return row is None or row.state not in {"queued", "sending"}


async def all_ended(states: Callable[[], Awaitable[dict[str, str]]]) -> bool:
    """Whether no message waits any more."""
    return not {"queued", "sending"} & set((await states()).values())


def worker(file: str, point: str, number: int) -> None:
    """Work, as a process of its own."""
    logging.disable()
    from authmail.queue import work

    async def working() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        async with load(file) as delivery:
            if point:
                _arm(delivery, point, number)
            await work(delivery, stop=stop)

    asyncio.run(working())


_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["queue_kills", "authmail.queue.worker", "aiohttp"])


@asynccontextmanager
async def _started(file: Path, point: str = "", number: int = 0) -> AsyncIterator[Any]:
    process = _processes.Process(target=worker, args=(str(file), point, number))
    process.start()
    try:
        yield process
    finally:
        if process.is_alive():
            process.terminate()
        await asyncio.to_thread(process.join, _PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


async def one_run(folder: Path, store: str, point: str, chance: random.Random) -> list[Sent]:
    """Kill one worker at a point; return what became of each message."""
    async with Sandbox({_CONNECTOR: get_connector(_CONNECTOR).get_emulator()}) as sandbox:  # type: ignore[dict-item]
        config = sandbox.config(_CONNECTOR)
        door = Door(int(config["endpoint"].rsplit(":", 1)[1]))
        server = await asyncio.start_server(door.begin, "127.0.0.1", 0)
        config["endpoint"] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        config["templates"] = _TEMPLATES
        file = folder / "authmail.json"
        file.write_text(
            json.dumps(
                {
                    "store": store,
                    "storeSecret": "a secret of sixteen bytes or more",
                    "name": folder.name,
                    "queue": {"keys": [KEY], "concurrency": 4},
                    "senders": {"one": {"connector": _CONNECTOR, "config": config}},
                }
            )
        )

        def mails() -> Counter[str]:
            return Counter(to for mail in sandbox.inbox.messages() for to in mail.to)

        async with load(file) as delivery:
            tickets = {message.to: (await delivery.enqueue(message)).id for message in _messages(folder.name)}

            async def states() -> dict[str, str]:
                found = {to: await delivery.state(ticket) for to, ticket in tickets.items()}
                return {to: "gone" if state is None else str(state.name) for to, state in found.items()}

            number = 1 if point in UNMARKED else chance.randint(1, 6)
            async with _started(file, point, number) as first:
                if point in BY_PROVIDER:
                    door.aim(first.pid, point, number)
                await asyncio.to_thread(first.join, _PATIENCE)
                if first.exitcode != -signal.SIGKILL:
                    raise RuntimeError(f"the worker was not killed {point}: {first.exitcode}")
            door.kills_at = None
            before, mails_before = await states(), mails()
            async with _started(file):
                await eventually("all have ended", lambda: all_ended(states), _PATIENCE)
            after = await states()
            ledger = mails()
        server.close()
        await door.close()
    return [Sent(to, to.startswith("code"), before[to], mails_before[to], after[to], ledger[to]) for to in tickets]


def _messages(run: str) -> Iterator[Message]:
    for number in range(CODES):
        yield Message(f"code-{number}@{run}.example", "SignIn", {"code": f"{number:06}"})
    for number in range(INVITATIONS):
        yield Message(
            f"invitation-{number}@{run}.example", "OrganizationInvitation", {"link": f"https://example.com/{run}/{number}"}
        )


def row(engine: str, point: str, runs: list[list[Sent]]) -> tuple[str, list[str]]:
    """Return a row of the table, and what was promised and is not so."""
    broken = [problem for run in runs for problem in violations(point, run)]
    all_of_them = [one for run in runs for one in run]
    figures = (
        len(runs),
        len(all_of_them),
        sum(one.state == "sent" for one in all_of_them),
        sum(one.state == "in doubt" for one in all_of_them),
        sum(one.is_code and one.mails > 1 for one in all_of_them),
        sum(not one.is_code and one.mails > 1 for one in all_of_them),
        sum(one.state not in {"sent", "in doubt"} for one in all_of_them),
        len(broken),
    )
    return f"| {engine} | {point} | {' | '.join(f'{figure:,}' for figure in figures)} |", broken


async def killed(engine: str, point: str, runs: int, seed: int = 1) -> list[list[Sent]]:
    """Return what became of the messages of so many runs."""
    chance = random.Random(f"{seed}/{engine}/{point}")
    results = []
    with tempfile.TemporaryDirectory() as whole, ENGINES[engine](Path(whole)) as store:
        for number in range(runs):
            folder = Path(whole) / f"r{number}"
            folder.mkdir()
            own = str(folder / "authmail.db") if store.endswith(".db") else store
            results.append(await one_run(folder, own, point, chance))
    return results


@click.command()
@click.option("--runs", default=50, show_default=True, help="Of each point and engine.")
@click.option("--engine", "engines", multiple=True, type=click.Choice(list(ENGINES)), help="By default journal.")
@click.option("--point", "points", multiple=True, type=click.Choice(POINTS), help="By default all.")
@click.option("--seed", default=1, show_default=True)
def main(runs: int, engines: tuple[str, ...], points: tuple[str, ...], seed: int) -> None:
    """Kill workers, and print a table of what became of their messages."""
    logging.disable()
    click.echo(
        "| Engine | Killed | Runs | Messages | Sent | In doubt | Codes twice | Invitations twice | Lost | Promises broken |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    found = []
    for engine in engines or ("journal",):
        for point in points or POINTS:
            line, broken = row(engine, point, asyncio.run(killed(engine, point, runs, seed)))
            click.echo(line)
            found += [f"{engine}, {point}: {problem}" for problem in broken]
    for problem in found:
        click.echo(problem)
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from queue_kills import main as importable  # so that the workers' processes find its functions

    importable()
