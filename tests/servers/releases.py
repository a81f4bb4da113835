"""A process of today's release, or of a next one that is made up here, which sends at one store with others.

``python releases.py today|next KIND PLACE``: it says "ready", waits for a line, sends the same messages as all others, and prints what came of them
as JSON.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

import attrs

from authmail import Limited, Message, Receipt, SendError
from authmail.delivery import Dedupe, Delivery, Limit, Limits, PostgresStore, SQLiteStore, Store
from authmail.delivery.stores import postgres, redis, schema
from authmail.delivery.stores.redis_scripts import Script
from authmail.delivery.stores.turns import KEPT
from authmail.delivery.stores.window import SLICES

SECRET = b"a secret of sixteen bytes or more"
KEYS, MOST, NUMBER = 40, 30, 150

# The next release only adds: a column to each table, and functions of its own beside those of today.
# In the order in which messages use them, so that no two wait for each other.
_TABLES = ("notes", "entries", "times", "slices", "turns")


class NextPostgresStore(PostgresStore):
    """That of the next release: version 2."""

    async def _migrate(self, connection):  # type: ignore[no-untyped-def]
        await super()._migrate(connection)
        text = (files("authmail.delivery.stores") / "sql" / "version_1.sql").read_text("utf-8").replace("_1(", "_2(")
        for name, value in (("schema", self.schema), ("slices", SLICES), ("kept", KEPT), ("newest", 3)):
            text = text.replace(f"{{{name}}}", str(value))
        columns = f"LOCK TABLE {', '.join(f'{self.schema}.{table}' for table in _TABLES)} IN ACCESS EXCLUSIVE MODE;\n"
        columns += "".join(f"ALTER TABLE {self.schema}.{table} ADD COLUMN IF NOT EXISTS origin text;\n" for table in _TABLES)
        version = (
            f"INSERT INTO {self.schema}.version SELECT 2 WHERE NOT EXISTS (SELECT FROM {self.schema}.version WHERE version = 2)"
        )
        await connection.ask(f"BEGIN; {text}; {columns}; {version}; COMMIT")

    async def _call(self, query, values, connection):  # type: ignore[no-untyped-def]
        return await super()._call(query.replace("_1(", "_2("), values, connection)


def become_next() -> None:
    """Be the next release of the other two kinds."""
    redis.VERSION = 2
    text = redis.BEGIN.text.replace("if not version then", "if not version or tonumber(version) < tonumber(ARGV[2]) then")
    text = text.replace("'fingerprint', ARGV[5],", "'origin', 'next', 'fingerprint', ARGV[5],")
    assert text.count("next") > redis.BEGIN.text.count("next")
    redis.BEGIN = Script(text)
    tables = "".join(f"ALTER TABLE {table} ADD COLUMN origin TEXT;" for table in _TABLES)
    schema.VERSION += 1
    schema._TABLES += tables


def store_of(release: str, kind: str, place: str) -> Store:
    """Return a release's store at a place."""
    url, _, own = place.partition("|")
    if kind == "redis":
        return redis.RedisStore(url, secret=SECRET, prefix=own)
    if kind == "postgres":
        store = NextPostgresStore if release == "next" else postgres.PostgresStore
        return store(url, secret=SECRET, schema=own)
    return SQLiteStore(Path(place), secret=SECRET)


@attrs.define
class _Provider:
    sent: Counter[str] = attrs.field(factory=Counter)

    async def send(self, message: Message, *, timeout: float | None = None) -> Receipt:
        self.sent[str(message.idempotency_key)] += 1
        return Receipt("1")


async def _send(release: str, kind: str, place: str) -> None:
    provider, ends = _Provider(), Counter[str]()
    chance = random.Random(release)
    store = store_of(release, kind, place)
    limits = Limits(provider, store=store, recipient=Limit(MOST, 600), account=Limit(200, 600), strict=True)
    print("ready", flush=True)  # noqa: T201 (who started it reads)
    await asyncio.to_thread(sys.stdin.readline)
    async with Delivery(Dedupe(limits, store=store, strict=True)) as delivery:
        for number in range(NUMBER):
            key = f"key {chance.randrange(KEYS)}"
            message = Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key=key)
            try:
                await delivery.send(message, timeout=20)
                ends["accepted"] += 1
            except Limited:
                ends["limited"] += 1
            except SendError as error:
                ends[repr(error)] += 1
            if number == 5:
                print("under way", flush=True)  # noqa: T201
            await asyncio.sleep(0.001)
    print(json.dumps({"sent": provider.sent, "ends": ends}), flush=True)  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1] == "next":
        become_next()
    asyncio.run(_send(*sys.argv[1:]))
