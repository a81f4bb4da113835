"""authmail queue."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from authmail import ConfigError, SendError, say
from authmail.cli.config_file import DeliveryFile, parsed, stop
from authmail.cli.language import told
from authmail.cli.output import echo, print_json, print_table
from authmail.cli.store import file_argument
from authmail.delivery import Delivery
from authmail.errors import AuthmailError
from authmail.privacy import masked

if TYPE_CHECKING:
    from authmail.queue import Queue, Row

_Result = TypeVar("_Result")
_STATES = ("queued", "sending", "sent", "failed", "expired", "in doubt")


@click.group(short_help="Look at queued messages, and decide about them.")
def queue() -> None:
    """Look at the queue of a file, authmail.toml if none is given, and decide about messages that wait or are in doubt.

    No command shows a code, a link or a whole address.

    \b
    Examples:
      authmail queue stats
      authmail queue list --state "in doubt"
      authmail queue retry 5f0c2d4b8a1e3c7d9b6a0f42 authmail.toml
    """


def queue_file(file: str, plugins: Iterable[object] = ()) -> Delivery:
    """Return the delivery of a file that has a queue; ends the command if it has none."""
    whole = DeliveryFile(file, parsed(file))
    try:
        delivery = whole.delivery(plugins=plugins)
    except ConfigError as error:
        stop(file, error, whole.warnings())
    if delivery.queue is None:
        raise click.ClickException(told(say("{file} has no queue: a table [queue] makes one", file=file)))
    return delivery


@asynccontextmanager
async def opened(delivery: Delivery) -> "AsyncIterator[Queue]":
    """Open the queue alone; an error of it ends the command with its text."""
    try:
        async with delivery.queue as opened_queue:  # type: ignore[union-attr]
            yield opened_queue
    except AuthmailError as error:
        raise click.ClickException(str(error)) from None


def _asked(file: str, ask: "Callable[[Queue], Awaitable[_Result]]") -> _Result:
    delivery = queue_file(file)

    async def run() -> _Result:
        async with opened(delivery) as queue:
            return await ask(queue)

    return asyncio.run(run())


@queue.command("list", short_help="List messages.")
@file_argument
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these; may be given several times.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 100_000), help="So many, the newest first.")
def list_(file: str, as_json: bool, states: tuple[str, ...], most: int) -> None:
    """List messages, the newest first: those that wait, are sent or in doubt, and for a day what became of the others.

    \b
    Example:
      authmail queue list --state "in doubt"
    """
    from authmail.queue import TicketState

    wanted = [TicketState(state) for state in states or _STATES]
    rows = _asked(file, lambda queue: queue.engine.find(wanted, most=most))
    if as_json:
        print_json([_as_json(row) for row in rows])
    elif not rows:
        echo(told(say("no messages")))
    else:
        lines = [
            (row.ticket, str(row.state), _time(row.created), _time(row.expires), str(row.attempts), _why(row)) for row in rows
        ]
        print_table([("TICKET", "STATE", "QUEUED", "EXPIRES", "TRIES", "WHY"), *lines])


@queue.command(short_help="Show what is known of a message.")
@click.argument("ticket")
@file_argument
def show(ticket: str, file: str, as_json: bool) -> None:
    """Show what is known of a message: its type, whom it is for in part, and what providers answered.

    \b
    Example:
      authmail queue show 5f0c2d4b8a1e3c7d9b6a0f42 authmail.toml
    """
    row, told_of = _asked(file, lambda queue: _shown(queue, ticket))
    if row is None:
        raise click.ClickException(told(say("there is no such ticket, or not any more")))
    if as_json:
        print_json(_as_json(row) | told_of)
        return
    facts = {
        "ticket": row.ticket,
        **told_of,
        "state": str(row.state),
        "queued": _time(row.created),
        "expires": _time(row.expires),
    }
    facts |= {"due": _time(row.due)} if row.state == "queued" else {}
    facts |= {"tries": str(row.attempts), "why": _why(row), "request": row.request, "trace": row.trace}
    width = max(map(len, facts))
    for name, value in facts.items():
        if value:
            echo(f"{name:<{width}}  {value}")


@queue.command(short_help="Send messages again.")
@click.argument("ticket")
@file_argument
def retry(ticket: str, file: str, as_json: bool) -> None:
    """Make a message due now, also one in doubt: it may then arrive twice.

    \b
    Example:
      authmail queue retry 5f0c2d4b8a1e3c7d9b6a0f42
    """
    _done(ticket, _asked(file, lambda queue: queue.engine.retry(ticket)), as_json=as_json, did="retried")


@queue.command(short_help="Give a message up.")
@click.argument("ticket")
@file_argument
def drop(ticket: str, file: str, as_json: bool) -> None:
    """End a message that waits or is in doubt, without sending it; its content is wiped.

    \b
    Example:
      authmail queue drop 5f0c2d4b8a1e3c7d9b6a0f42
    """
    _done(ticket, _asked(file, lambda queue: queue.engine.drop(ticket)), as_json=as_json, did="dropped")


@queue.command(short_help="Let go on what a restored back-up holds.")
@file_argument
def release(file: str, as_json: bool) -> None:
    """Let messages go on that are held because the queue came out of a back-up: some of them may have been sent since then.

    \b
    Example:
      authmail queue release authmail.toml
    """
    number = _asked(file, lambda queue: queue.engine.release())
    if as_json:
        print_json({"released": number})
    else:
        echo(told(say("released: {number}", number=number)))


@queue.command(short_help="Say how the queue does.")
@file_argument
def stats(file: str, as_json: bool) -> None:
    """Say how many messages are in each state, and for how long the oldest that is due waits.

    \b
    Example:
      authmail queue stats
    """
    found = _asked(file, lambda queue: queue.engine.statistics())
    if as_json:
        print_json({"states": found.states, "oldestSeconds": round(found.oldest, 3), "held": found.held})
        return
    print_table([("STATE", "MESSAGES"), *((state, str(found.states.get(state, 0))) for state in _STATES)])
    echo(told(say("the oldest that is due waits for {seconds} s", seconds=round(found.oldest))))
    if found.held:
        hint = say(
            "{number} are held because the queue came out of a back-up; authmail queue release lets them go on", number=found.held
        )
        echo(told(hint))


async def _shown(queue: "Queue", ticket: str) -> "tuple[Row | None, dict[str, str]]":
    from authmail.queue.letter import read_letter
    from authmail.queue.queue import bound

    row = await queue.engine.row(ticket)
    if row is None or not row.box:
        return row, {}
    try:
        message = read_letter(queue.keys.open(row.box, bound(row.ticket, row.scope), row.key))
    except (AuthmailError, ValueError, TypeError) as error:
        return row, {"unread": str(error)}
    return row, {"type": message.usage_type, "to": masked(message.address)}


def _done(ticket: str, done: bool, *, as_json: bool, did: str) -> None:
    if as_json:
        print_json({"ticket": ticket, did: done})
    elif done:
        echo(told(say("done: {ticket}", ticket=ticket)))
    else:
        echo(told(say("{ticket}: there is no such ticket, it is being sent just now, or it has ended", ticket=ticket)), err=True)
    if not done:
        raise SystemExit(1)


def _as_json(row: "Row") -> dict[str, Any]:
    return {
        "ticket": row.ticket,
        "state": str(row.state),
        "queued": _time(row.created),
        "due": _time(row.due) if row.state == "queued" else None,
        "expires": _time(row.expires),
        "attempts": row.attempts,
        "why": _why(row) or None,
        "request": row.request or None,
        "key": row.key,
    }


def _why(row: "Row") -> str:
    from authmail.delivery.kept_answers import read_answer

    try:
        answer = None if row.answer is None else read_answer(row.answer)
    except ValueError:
        return ""
    if isinstance(answer, SendError):
        return told(answer.hint)
    return "" if answer is None else answer.message_id


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
