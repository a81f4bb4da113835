"""How a Redis store stands, and how much is in it."""

import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Protocol

import attrs

from authmail.delivery.stores.redis_scripts import VERSION
from authmail.delivery.stores.reports import Clocks, StoreCheck, StoreStats, not_written, problems_of_schema, round_trip, stats_of
from authmail.delivery.stores.store import StoreError
from authmail.errors import Problem
from authmail.words.text import Text, say

# So many keys of the server at a time, and so many times; what is beyond is estimated.
_PORTION = 1000
_PORTIONS = 500
# lua/common.lua: a key has so many seconds to spare after what is in it is over.
_TO_SPARE = 60.0
_SPECIAL = re.compile(r"[\\*?\[\]]")
# The letter in a key → what it is of StoreStats, and the command that tells its size, if it holds several.
_KINDS = {"e": ("entries", ""), "c": ("counts", "ZCARD"), "s": ("counts", "HLEN"), "n": ("notes", ""), "t": ("paces", "")}


#: Gives the server's answers to commands that are asked in one go.
Commands = Callable[[Sequence[tuple[Any, ...]]], Awaitable[list[Any]]]


class Connected(Protocol):
    """What is asked of a RedisStore."""

    @property
    def place(self) -> str:
        """Where it is."""

    def digest(self, *parts: str) -> str:
        """Return a keyed hash."""

    async def note(self, key: str, text: str | None, *, keep: float = ...) -> None:
        """Leave a note."""

    async def answer_of(self, key: str) -> object:
        """Return what is known of a message."""


async def check(store: Connected, prefix: str, ask: Commands) -> StoreCheck:
    """Return how a store stands.

    Args:
        store: the store.
        prefix: of its keys.
        ask: asks its server.

    Raises:
        StoreError: it cannot be reached.
    """
    clocks = await _clocks(ask)
    info = await _info(ask)
    problems = _problems(info)
    schema = None
    if not problems:  # a server of a cluster answers for its own keys alone
        (kept,) = await ask([("GET", f"{prefix}:version")])
        schema = None if kept is None else int(kept)
        problems += problems_of_schema(schema, VERSION)
    key = store.digest("check")
    if not problems:
        try:
            await store.note(key, "", keep=1.0)
            await store.note(key, None)
        except StoreError as error:
            problems.append(not_written(error))
    is_valkey = info.get("server_name") == "valkey"
    version = info.get("valkey_version" if is_valkey else "redis_version")
    return StoreCheck(
        kind="Valkey" if is_valkey else "Redis",
        place=store.place,
        version=version,
        schema=schema,
        round_trip=await round_trip(partial(store.answer_of, key)) if not problems else None,
        clock_difference=clocks.difference,
        problems=tuple(problems),
        warnings=(*_warnings(info), *clocks.warnings()),
        notes=tuple(_notes(info, is_new=schema is None and not problems)),
    )


async def _info(ask: Commands) -> dict[str, str]:
    """Return what the server says of itself; nothing where the user may not ask."""
    try:
        (said,) = await ask([("INFO",)])
    except StoreError:
        return {}
    pairs = (line.partition(":") for line in bytes(said).decode("utf-8", "replace").splitlines())
    return {key: value for key, colon, value in pairs if colon}


async def _clocks(ask: Commands) -> Clocks:
    before = time.time()
    ((seconds, microseconds),) = await ask([("TIME",)])
    return Clocks(before, int(seconds) + int(microseconds) / 1e6, time.time())


def _problems(info: dict[str, str]) -> list[Problem]:
    found = []
    mode = info.get("redis_mode", "standalone")
    if mode == "cluster":
        hint = say("name one server, or a primary with replicas: a message's keys must be on one server")
        found.append(Problem("mode", say("the server is part of a cluster, which is not supported"), hint))
    elif mode == "sentinel":
        found.append(Problem("mode", say("this is a sentinel, which keeps nothing"), say("name the server that it watches")))
    if info.get("role") in ("slave", "replica"):
        found.append(Problem("role", say("the server is a read-only replica"), say("name the primary")))
    return found


def _warnings(info: dict[str, str]) -> list[Problem]:
    """Return what loses data in silence, see Redis' pages "Key eviction" and "Persistence"."""
    found = []
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory", "0") != "0" and policy != "noeviction":
        message = say("is {policy}: when memory is full, counts and answers vanish, and mail goes out twice", policy=policy)
        found.append(Problem("maxmemory-policy", message, say("set it to noeviction, or use a server of authmail's own")))
    if info and info.get("aof_enabled", "0") == "0" and info.get("connected_slaves", "0") == "0":
        message = say("is off, and there is no replica: what was counted and answered last is lost in a crash of the server")
        found.append(Problem("appendonly", message, say("set appendonly yes, which loses a second at most")))
    return found


def _notes(info: dict[str, str], *, is_new: bool) -> list[Text]:
    notes = [] if info else [say("the user may not ask the server about its settings (INFO), so they were not checked")]
    return [*notes, say("nothing is kept there yet")] if is_new else notes


@attrs.define
class _Seen:
    """What was found so far.

    Args:
        numbers: of each kind.
        ends: the first and the last, in seconds from now.
    """

    numbers: Counter[str] = attrs.field(factory=Counter)
    ends: list[float] = attrs.field(factory=list)


async def stats(prefix: str, ask: Commands, told: Callable[[int, int], None] | None) -> StoreStats:
    """Return how much is in a store, looked at in portions between which the server serves others.

    Args:
        prefix: of its keys.
        ask: asks its server.
        told: hears how many of the server's keys were looked at, and how many there are.

    Raises:
        StoreError: it cannot be used.
    """
    (keys,) = await ask([("DBSIZE",)])
    memory = (await _info(ask)).get("used_memory")
    pattern = _SPECIAL.sub(r"\\\g<0>", prefix) + ":?:*"
    seen = _Seen()
    cursor = looked_at = 0
    for _ in range(_PORTIONS):
        ((following, found),) = await ask([("SCAN", cursor, "MATCH", pattern, "COUNT", _PORTION)])
        await _look(seen, ask, [(chr(key[len(prefix) + 1]), key) for key in found])
        cursor, looked_at = int(following), min(keys, looked_at + _PORTION)
        if told is not None:
            told(looked_at, keys)
        if not cursor:
            break
    # The order of SCAN is that of a hash, so those looked at stand for all.
    factor = keys / looked_at if cursor and looked_at else 1.0
    numbers = {kind: round(number * factor) for kind, number in seen.numbers.items()}
    size = None if memory is None else int(memory)
    return attrs.evolve(stats_of(numbers, seen.ends), size=size, of_server=True, exact=not cursor)


async def _look(seen: _Seen, ask: Commands, keys: list[tuple[str, bytes]]) -> None:
    """Ask of each key when it ends and how much is in it."""
    keys = [(letter, key) for letter, key in keys if letter in _KINDS]
    if not keys:
        return
    questions = [("PTTL", key) for _, key in keys] + [(_KINDS[letter][1] or "EXISTS", key) for letter, key in keys]
    answers = await ask(questions)
    for (letter, _), milliseconds, number in zip(keys, answers[: len(keys)], answers[len(keys) :], strict=True):
        if milliseconds >= 0:  # else it is gone by now
            seen.numbers[_KINDS[letter][0]] += number
            end = milliseconds / 1000 - _TO_SPARE
            seen.ends = [min([*seen.ends, end]), max([*seen.ends, end])]
