"""A rolling upgrade: processes of today's release and of the next one send at one store, at the same time."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections import Counter

import psycopg
import pytest
import redis
import releases
from releases import KEYS, MOST, NUMBER, NextPostgresStore

from authmail.delivery import PostgresStore, RedisStore, SQLiteStore, StoreError
from authmail.delivery.stores import Claim, schema


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def kind(request):
    """Each kind of store that processes share."""
    return request.param


@pytest.fixture
def place(kind, request, own, tmp_path):
    """Where such a store is."""
    if kind == "sqlite":
        return str(tmp_path / "store.db")
    return f"{request.getfixturevalue(f'{kind}_server').url}|{own}"


def version_at(kind, place, become=None):
    """Return the version that stands in a store, or let another stand there."""
    url, _, own = place.partition("|")
    if kind == "redis":
        with redis.Redis.from_url(url) as client:
            if become:
                client.set(f"{own}:version", become)
            return int(client.get(f"{own}:version"))
    if kind == "postgres":
        with psycopg.connect(url, autocommit=True) as connection:
            if become:
                connection.execute(f"INSERT INTO {own}.version VALUES ({become})")
            return connection.execute(f"SELECT max(version) FROM {own}.version").fetchone()[0]
    connection = sqlite3.connect(place)
    try:
        if become:
            connection.execute(f"PRAGMA user_version = {become}")
        return connection.execute("PRAGMA user_version").fetchone()[0]
    finally:
        connection.close()


def todays(kind):
    """Return the version that today's release makes."""
    return schema.VERSION if kind == "sqlite" else 1


class Process:
    """A process of a release."""

    async def start(self, *arguments):
        command = [sys.executable, releases.__file__, *arguments]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert await self._process.stdout.readline() == b"ready\n"
        return self

    def go(self):
        self._process.stdin.write(b"go\n")

    async def is_under_way(self):
        assert await self._process.stdout.readline() == b"under way\n"

    async def end(self):
        """Return what it says in the end."""
        said, _ = await self._process.communicate()
        assert self._process.returncode == 0
        return json.loads(said)


@pytest.mark.parametrize("first", ["today", "next"])
async def test_two_releases_send_at_once(kind, place, first):
    """What the second finds is in use by the first. Limits and repeats hold for both together, and neither fails."""
    second = {"today": "next", "next": "today"}[first]
    one, two = await asyncio.gather(*(Process().start(release, kind, place) for release in (first, second)))
    one.go()
    await one.is_under_way()
    two.go()
    await two.is_under_way()
    said = await asyncio.gather(one.end(), two.end())
    sent = sum((Counter(part["sent"]) for part in said), Counter())
    assert version_at(kind, place) == todays(kind) + 1
    assert set(sent.values()) == {1}
    assert len(sent) == MOST < KEYS
    for part in said:
        assert part["ends"].keys() == {"accepted", "limited"}
        assert sum(part["ends"].values()) == NUMBER


def store_at(kind, place):
    url, _, own = place.partition("|")
    if kind == "sqlite":
        return SQLiteStore(place, secret=releases.SECRET)
    made = RedisStore if kind == "redis" else PostgresStore
    return made(url, secret=releases.SECRET, **{"prefix" if kind == "redis" else "schema": own})


async def test_two_releases_further_is_too_far(kind, place):
    """Today's says so, in words; what comes between the two is read and written."""
    claim = Claim(key="key", fingerprint="f", lease=5, keep=60)
    async with store_at(kind, place) as store:
        await store.begin(claim)
    version_at(kind, place, todays(kind) + 1)
    async with store_at(kind, place) as store:
        assert (await store.begin(Claim(key="key", fingerprint="f", lease=5, keep=60))).entry is not None
    version_at(kind, place, todays(kind) + 2)
    with pytest.raises(StoreError, match=f"version {todays(kind) + 2}.*; this one reads up to {todays(kind) + 1}"):
        async with store_at(kind, place) as store:
            await store.begin(claim)


async def test_tables_of_the_next_release_alone(postgres_server, own):
    """Today's functions are there too, since it only adds."""
    async with NextPostgresStore(postgres_server.url, secret=releases.SECRET, schema=own) as store:
        await store.begin(Claim(key="key", fingerprint="f", lease=5, keep=60))
    async with PostgresStore(postgres_server.url, secret=releases.SECRET, schema=own) as store:
        assert (await store.answer_of("key")).fingerprint == "f"
