"""The stores on servers keep every rule of the kit, with processes, kills and forks."""

from pathlib import Path

import pytest
import server_stores

from authmail.testing.stores import RULES, StoreUnderTest


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The kit's own processes import the makers too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(server_stores.__file__).parent))


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_redis_keeps_every_rule(rule, redis_server, own):
    """One script a trip."""
    await rule.check(StoreUnderTest("server_stores:redis", f"{redis_server.url}|{own}"))


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_postgres_keeps_every_rule(rule, postgres_server, own):
    """One function a trip."""
    await rule.check(StoreUnderTest("server_stores:postgres", f"{postgres_server.url}|{own}"))
