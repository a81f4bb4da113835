"""How a PostgreSQL store stands, and how much is in it."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import attrs

from authmail.delivery.stores.reports import (
    TABLES,
    Clocks,
    StoreCheck,
    StoreStats,
    not_written,
    problems_of_schema,
    round_trip,
    stats_of,
)
from authmail.delivery.stores.server import OPENING_SECONDS
from authmail.delivery.stores.store import StoreError
from authmail.errors import Problem
from authmail.words.text import Text, say

_Result = TypeVar("_Result")
_OLDEST = 130_000
# Up to so many rows a table is counted; beyond, the server's own estimate is taken.
_COUNTED = 200_000
_COUNTING_SECONDS = 60.0
_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

# https://www.postgresql.org/docs/current/functions-info.html
_ASKED = """
SELECT row_to_json(said) FROM (SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number,
  pg_is_in_recovery() AS replica, current_setting('transaction_read_only') AS read_only,
  current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
  pg_backend_pid() AS process, extract(epoch FROM clock_timestamp())::double precision AS clock,
  has_database_privilege(current_database(), 'CREATE') AS may_create,
  EXISTS (SELECT FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
    WHERE n.nspname = %s AND c.relname = 'version') AS has_tables) AS said
"""
_MAY_WRITE = f"""
SELECT has_schema_privilege(n.oid, 'USAGE') AND coalesce(bool_and({" AND ".join(f"has_table_privilege(c.oid, '{right}')" for right in _RIGHTS)}), false)
  FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
  WHERE n.nspname = %s AND c.relname = ANY (%s) GROUP BY n.oid
"""


class Connection(Protocol):
    """What is asked of a connection."""

    @property
    def info(self) -> Any:
        """What the server greeted with."""

    async def ask(self, query: str, values: tuple[Any, ...] | None = None) -> Any:
        """Return the first value of the first row."""


class Connected(Protocol):
    """What is asked of a PostgresStore."""

    schema: str

    @property
    def place(self) -> str:
        """Where it is."""

    def digest(self, *parts: str) -> str:
        """Return a keyed hash."""

    async def note(self, key: str, text: str | None, *, keep: float = ...) -> None:
        """Leave a note."""

    async def answer_of(self, key: str) -> object:
        """Return what is known of a message."""

    async def ask(self, work: Callable[[Any], Awaitable[_Result]], timeout: float) -> _Result:
        """Let a connection do something."""


@attrs.frozen(kw_only=True)
class _Facts:
    """What the server says.

    Args:
        said: its settings, and what there is.
        clocks: its time.
        pooled: whether somebody stands between.
        may_write: whether the user may read and write the tables.
        schema: version of the tables.
    """

    said: dict[str, Any]
    clocks: Clocks
    pooled: bool
    may_write: bool
    schema: int | None


async def check(store: Connected, own: int) -> StoreCheck:
    """Return how a store stands. Makes nothing.

    Args:
        store: the store.
        own: version of the tables that this release makes.

    Raises:
        StoreError: it cannot be reached.
    """
    facts = await store.ask(partial(_facts, store.schema), OPENING_SECONDS)
    problems = [*_problems(facts), *problems_of_schema(facts.schema, own)]
    key = store.digest("check")
    trip = None
    if facts.schema is not None and not problems:
        try:
            await store.note(key, "", keep=1.0)
            await store.note(key, None)
            trip = await round_trip(partial(store.answer_of, key))
        except StoreError as error:
            problems.append(not_written(error))
    return StoreCheck(
        kind="PostgreSQL",
        place=store.place,
        version=str(facts.said["version"]),
        schema=facts.schema,
        round_trip=trip,
        clock_difference=facts.clocks.difference,
        problems=tuple(problems),
        warnings=(*_warnings(facts), *facts.clocks.warnings()),
        notes=tuple(_notes(facts)),
    )


async def _facts(schema: str, connection: Connection) -> _Facts:
    before = time.time()
    said: dict[str, Any] = await connection.ask(_ASKED, (schema,))
    clocks = Clocks(before, said["clock"], time.time())
    may_write, version = False, None
    if said["has_tables"]:
        may_write = bool(await connection.ask(_MAY_WRITE, (schema, list(TABLES))))
        version = await connection.ask(f"SELECT max(version) FROM {schema}.version") if may_write else None
    # A pooler makes up the number that it greets with.
    pooled = connection.info.backend_pid != said["process"]
    return _Facts(said=said, clocks=clocks, pooled=pooled, may_write=may_write, schema=version)


def _problems(facts: _Facts) -> list[Problem]:
    said = facts.said
    found = []
    if said["number"] < _OLDEST:
        found.append(Problem("version", say("PostgreSQL 13 or later is needed")))
    if said["replica"]:
        found.append(Problem("role", say("the server is a read-only replica"), say("name the primary")))
    elif said["read_only"] == "on":
        found.append(Problem("default_transaction_read_only", say("is on, so nothing can be written")))
    if said["has_tables"] and not facts.may_write:
        hint = say("authmail store migrate --sql prints the rights that it needs")
        found.append(Problem("rights", say("the user may not read and write the tables"), hint))
    if not said["has_tables"] and not said["may_create"]:
        hint = say("authmail store migrate makes them, as a user who may; or --sql prints the statements")
        found.append(Problem("tables", say("there are none, and the user may not make them"), hint))
    return found


def _warnings(facts: _Facts) -> list[Problem]:
    found = []
    if facts.said["commit"] == "off":
        message = say("is off: after a crash of the server the last messages with a key may go out twice")
        found.append(
            Problem("synchronous_commit", message, say("set it to on for this user: ALTER ROLE … SET synchronous_commit = on"))
        )
    if facts.said["fsync"] == "off":
        message = say("is off: a crash of the machine may destroy the database")
        found.append(Problem("fsync", message, say("set it to on")))
    return found


def _notes(facts: _Facts) -> list[Text]:
    notes = []
    if facts.pooled:
        notes.append(say("a pooler such as PgBouncer stands between; transaction mode is fine"))
    if not facts.said["has_tables"]:
        notes.append(say("nothing is kept there yet; tables are made at the first message, or by authmail store migrate"))
    return notes


async def stats(store: Connected) -> StoreStats:
    """Return how much is in a store.

    Raises:
        StoreError: it cannot be used.
    """
    return await store.ask(partial(_stats, store.schema), _COUNTING_SECONDS)


async def _stats(schema: str, connection: Connection) -> StoreStats:
    if not (await connection.ask(_ASKED, (schema,)))["has_tables"]:
        return StoreStats()
    numbers: Counter[str] = Counter()
    exact, ends, size = True, list[float](), 0
    for table, kind in TABLES.items():
        name = f"{schema}.{table}"
        number = await connection.ask(f"SELECT count(*) FROM (SELECT FROM {name} LIMIT {_COUNTED + 1}) AS first")
        if number > _COUNTED:
            exact = False
            number = max(number, round(await connection.ask("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", (name,))))
        numbers[kind] += number
        for which in ("min", "max"):
            end = await connection.ask(
                f"SELECT {which}(until) - extract(epoch FROM clock_timestamp())::double precision FROM {name}"
            )
            ends += [] if end is None else [end]
        size += await connection.ask("SELECT pg_total_relation_size(%s::regclass)", (name,))
    return attrs.evolve(stats_of(numbers, ends), size=size, exact=exact)


def grants(schema: str, role: str) -> str:
    """Return the statements that let a role send, and nothing else."""
    name = '"' + role.replace('"', '""') + '"'
    return (
        f"-- For the role that sends. CREATE ROLE {name} LOGIN makes it.\n"
        f"GRANT USAGE ON SCHEMA {schema} TO {name};\n"
        f"GRANT {', '.join(_RIGHTS)} ON ALL TABLES IN SCHEMA {schema} TO {name};\n"
        f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {name};\n"
    )
