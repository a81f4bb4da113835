"""What is opened is closed: connections, tasks; and a Mailer can be closed twice, and opened again on another loop."""

import asyncio
from collections.abc import AsyncIterator

from authmail.http.egress import Egress
from authmail.mailer import Mailer
from authmail.outcomes import Receipt
from authmail.testing.case import SHORT, TEMPLATES, Case, Sent, message
from authmail.testing.exchange import Answer
from authmail.testing.rules.rule import Rule


async def connections(case: Case) -> AsyncIterator[str]:
    """Let the provider look, after a success, a failure and a time-out."""
    for what, answer in (("a success", None), ("a failure", Answer(500)), ("a time-out", Answer(mishap="silence"))):
        async with case.provider(answer) as provider:
            await case.send(provider, timeout=SHORT if answer and answer.mishap else 5)
            if not await provider.left():
                yield f"after {what} one is still open"


async def tasks(case: Case) -> AsyncIterator[str]:
    """Look which tasks are left on a loop of its own."""

    async def left() -> list[str]:
        async with case.provider() as provider:
            await case.send(provider)
            await provider.left()
        for _ in range(5):
            await asyncio.sleep(0)
        running = asyncio.all_tasks() - {asyncio.current_task()}
        return [getattr(task.get_coro(), "__qualname__", repr(task)) for task in running]

    for name in await asyncio.to_thread(lambda: asyncio.run(left())):
        yield f"{name} is still running"


async def again(case: Case) -> AsyncIterator[str]:
    """Open one Mailer three times, close it twice each time."""
    async with case.provider() as provider:
        settings = {**case.config, **case.config_for(provider.url)}
        mailer = Mailer(case.connector, settings, templates=TEMPLATES, egress=Egress.ANY)
        for turn in ("first", "second", "third"):
            try:
                async with mailer:
                    await mailer.send(message())
                    await mailer.close()
            except Exception as error:  # noqa: BLE001 (whatever it is, it is the finding)
                yield f"the {turn} time: {type(error).__name__}: {error}"
                return


async def loops(case: Case) -> AsyncIterator[str]:
    """Send on loops of two threads, one after the other."""

    async def one() -> Sent:
        async with case.provider() as provider:
            return await case.send(provider)

    for turn in ("first", "second"):
        sent = await asyncio.to_thread(lambda: asyncio.run(one()))
        if not isinstance(sent.outcome, Receipt):
            yield f"on the {turn} loop: {sent.words}"


RULES = (
    Rule(
        "closing.connections",
        "After the Mailer is closed, all connections to the provider are.",
        "Use `http`, or close what you opened in the context manager that open_client returns, however a message ended.",
        connections,
    ),
    Rule(
        "closing.tasks",
        "After the Mailer is closed, no task of the connector is left.",
        "Await what you start, or cancel it in the context manager that open_client returns.",
        tasks,
    ),
    Rule(
        "closing.again",
        "A Mailer can be closed twice, opened again, and used again.",
        "Make what open_client yields anew each time; keep no state in the module.",
        again,
    ),
    Rule(
        "closing.loops",
        "The connector works on one event loop after another: test runs and synchronous hosts have several.",
        "Keep no session, lock, future or task in the module; open_client is the place for them.",
        loops,
    ),
)
