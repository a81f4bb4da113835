"""The engine in PostgreSQL keeps every rule of the kit."""

from pathlib import Path

import pytest
import server_queues

from authmail.testing.queues import RULES, EngineUnderTest

MAKER = "server_queues:procrastinate"


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_every_rule(rule, postgres_server, own, monkeypatch):
    """It does what every engine does."""
    monkeypatch.setenv("PYTHONPATH", str(Path(server_queues.__file__).parent))
    await rule.check(EngineUnderTest(MAKER, f"{postgres_server.url}|{own}"))
