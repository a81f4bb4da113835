"""authmail store."""

import math
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import click

from authmail import AuthmailError, ConfigError, References, say
from authmail.cli.config_file import parsed, stop
from authmail.cli.language import language_option, told
from authmail.cli.output import echo, padded, print_json, print_part, print_progress, styled
from authmail.cli.store_answers import asked, check_as_dict, checked_store, place_of, print_check
from authmail.delivery import MemoryStore, Store, StoreStats
from authmail.delivery.file.store import read_store

_WIDTH = 10
# Seconds → the unit that a time is told in from there on.
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@click.group(short_help="Ask where limits and answers are kept.")
def store() -> None:
    """Ask the store that a file names, authmail.toml if none is given: how it stands, how much is in it; make its tables.

    \b
    Examples:
      authmail store check
      authmail store stats authmail.toml
      authmail store migrate
    """


def file_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add FILE, authmail.toml unless said otherwise, --lang and --json to a command."""
    argument = click.argument("file", default="authmail.toml", type=click.Path(allow_dash=True, dir_okay=False, exists=True))
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    return argument(language_option(option(function)))


def _store_of(file: str) -> Store:
    return _store_in(parsed(file), file)


def _store_in(raw: dict[str, Any], file: str) -> Store:
    try:
        return read_store(raw, Path(file).parent, References(tell=True))
    except ConfigError as error:
        stop(file, error)


def _queue_in(raw: dict[str, Any], kept: Any) -> list[Any]:
    """Return the queue that has tables beside a store's."""
    if "queue" not in raw:
        return []
    try:
        module = import_module("authmail.queue.procrastinate")  # needs more than the store
    except ImportError as error:
        problem = say("needs {module}, which is not installed", module=error.name or "procrastinate")
        install = say("pip install 'authmail[{extra}]'", extra="postgres")
        raise click.ClickException(f"queue: {told(problem)}; {told(install)}") from None
    return [module.Procrastinate(kept)]


async def _migrate(tables: Iterable[Any]) -> None:
    for one in tables:
        await one.migrate()


@store.command(short_help="Say how the store stands.")
@file_argument
def check(file: str, as_json: bool) -> None:
    """Reach the store, and find what would lose data in silence: eviction, replicas, clocks, rights, network file systems.

    The exit code is 1 if it cannot be used. A note is written and removed; nothing else changes.

    \b
    Examples:
      authmail store check
      authmail store check authmail.toml --json
    """
    found = checked_store(_store_of(file))
    if as_json:
        print_json(check_as_dict(found))
    else:
        print_check(found)
    if found.problems:
        raise SystemExit(1)


@store.command(short_help="Say how much is in the store.")
@file_argument
def stats(file: str, as_json: bool) -> None:
    """Count entries, counts, notes and paces in the store, with the first and the last time at which something is over.

    Large tables and servers are estimated. Other programs go on meanwhile.

    \b
    Example:
      authmail store stats authmail.toml
    """
    kept = _store_of(file)
    found = _asked(kept, lambda one: one.stats(_progress))
    if as_json:
        names = {"first_end": "firstEndSeconds", "last_end": "lastEndSeconds", "size": "bytes", "of_server": "bytesOfServer"}
        numbers = {names.get(name, name): value for name, value in attrs.asdict(found).items()}
        print_json({"place": getattr(kept, "place", None), **numbers})
    elif isinstance(kept, MemoryStore):
        echo(told(say("in memory, of each process for itself: nobody else can look into it")))
    else:
        _print(place_of(kept), found)


def _print(place: str, found: StoreStats) -> None:
    head = say("{place}:", place=place) if found.exact else say("{place}, estimated:", place=place)
    echo(styled(told(head), bold=True))
    numbers = {say("entries"): found.entries, say("counts"): found.counts, say("notes"): found.notes, say("paces"): found.paces}
    facts = {name: f"{number:,}" for name, number in numbers.items()}
    if found.first_end is not None and found.last_end is not None:
        facts[say("over")] = f"{_duration(found.first_end)} … {_duration(found.last_end)}"
    if found.size is not None:
        whose = say("of the whole server") if found.of_server else ""
        facts[say("size")] = f"{found.size / 1024:,.0f} KiB {told(whose)}".rstrip()
    for name, value in facts.items():
        echo(f"  {padded(told(name) + ':', _WIDTH)} {value}")


def _duration(seconds: float) -> str:
    length, unit = next(((length, unit) for length, unit in _UNITS if abs(seconds) >= length), _UNITS[-1])
    return f"{math.trunc(seconds / length)} {unit}"


def _progress(done: int, of: int) -> None:
    print_progress(f"{done:,} / {of:,}" if done < of else "")


@store.command(short_help="Make the store's tables.")
@file_argument
@click.option("--sql", is_flag=True, help="Print the statements for whoever runs the database, and change nothing.")
@click.option("--role", default="authmail", show_default=True, metavar="NAME", help="With --sql: the role that sends.")
def migrate(file: str, as_json: bool, sql: bool, role: str) -> None:
    """Make what is missing of a PostgreSQL store's tables, and of the queue's where the file has one. Only adds, and is safe while others send.

    Other stores need nothing. A user who may make tables is named for this once: store = { env = "AUTHMAIL_STORE" }.

    \b
    Examples:
      authmail store migrate authmail.toml
      authmail store migrate authmail.toml --sql --role authmail > authmail.sql
    """
    raw = parsed(file)
    kept: Any = _store_in(raw, file)
    has_tables = hasattr(kept, "migrate")
    tables = [kept, *_queue_in(raw, kept)] if has_tables else []
    if sql and has_tables:
        statements = "\n".join(one.statements_for(role) for one in tables)
        if as_json:
            print_json({"sql": statements})
        else:
            print_part(statements)
        return
    if has_tables:
        _asked(kept, lambda _: _migrate(tables))
    if as_json:
        print_json({"place": getattr(kept, "place", None), "migrated": has_tables})
    elif has_tables:
        echo(told(say("{place}: the tables are there", place=place_of(kept))))
    else:
        echo(told(say("{place}: nothing is to be done for this store", place=place_of(kept))), err=sql)


def _asked(kept: Store, question: Callable[[Any], Any]) -> Any:
    try:
        return asked(kept, question)
    except AuthmailError as error:
        raise click.ClickException(str(error)) from None
