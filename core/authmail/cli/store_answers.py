"""What a store says of itself, asked and printed."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from authmail import Problem, say
from authmail.cli.language import told
from authmail.cli.output import as_dicts, echo, padded, print_problems, print_warnings, styled
from authmail.delivery import Store, StoreCheck, StoreError

_Answer = TypeVar("_Answer")
_WIDTH = 14
_KINDS = {"RedisStore": "Redis", "PostgresStore": "PostgreSQL", "SQLiteStore": "SQLite"}


def place_of(store: Store) -> str:
    """Return where a store is: a path, a URL without user and password, or that it is in memory."""
    return str(getattr(store, "place", "")) or told(say("in memory"))


def asked(store: Store, question: Callable[[Any], Awaitable[_Answer]]) -> _Answer:
    """Ask a store, and close what that opened.

    Raises:
        StoreError: it cannot be used.
    """

    async def ask() -> _Answer:
        async with AsyncExitStack() as stack:
            if hasattr(store, "__aexit__"):
                stack.push_async_exit(store.__aexit__)  # not entered, which would make what is missing
            return await question(store)

    return asyncio.run(ask())


def checked_store(store: Store) -> StoreCheck:
    """Ask a store how it stands; one that cannot be reached has that as its problem."""
    try:
        found: StoreCheck = asked(store, lambda one: one.check())
    except StoreError as error:
        name = type(store).__name__
        return StoreCheck(kind=_KINDS.get(name, name), place=place_of(store), problems=(Problem("store", str(error)),))
    return found


def print_check(check: StoreCheck) -> None:
    """Print how a store stands."""
    place = check.place or told(say("in memory"))
    if check.problems:
        print_problems(place, check.problems)
    else:
        echo(styled(told(say("{place}: can be used", place=place)), fg="green", bold=True))
    facts = {
        check.kind: check.version,
        say("schema"): None if check.schema is None else str(check.schema),
        say("round trip"): None if check.round_trip is None else f"{check.round_trip * 1000:.2f} ms",
        say("clock"): None if check.clock_difference is None else f"{check.clock_difference:+.1f} s",
    }
    for name, value in facts.items():
        if value is not None:
            echo(f"  {padded(told(name) + ':', _WIDTH)} {value}")
    for note in check.notes:
        echo("  ", told(note))
    print_warnings(check.warnings)


def check_as_dict(check: StoreCheck) -> dict[str, Any]:
    """Return how a store stands, for machines."""
    return {
        "usable": not check.problems,
        "kind": check.kind,
        "place": check.place or None,
        "version": check.version,
        "schema": check.schema,
        "roundTripSeconds": check.round_trip,
        "clockDifferenceSeconds": check.clock_difference,
        "problems": as_dicts(check.problems),
        "warnings": as_dicts(check.warnings),
        "notes": [told(note) for note in check.notes],
    }
