"""The kit for engines: ours keeps every rule, and each bad one is found by the rule that it breaks."""

from pathlib import Path

import made_engines
import pytest
from made_engines import BAD

from authmail.queue import QueueError
from authmail.testing.queues import RULES, EngineUnderTest

NAMED = {rule.name: rule for rule in RULES}


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The kit's own processes import the makers too, and nobody waits long for a bad one."""
    monkeypatch.setenv("PYTHONPATH", str(Path(made_engines.__file__).parent))


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_the_journal_keeps_every_rule(rule, tmp_path):
    """Also with others, killed ones and forks."""
    await rule.check(EngineUnderTest("made_engines:journal", str(tmp_path / "queue.db")))


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_engine_is_found(name, tmp_path, monkeypatch):
    """By its rule."""
    for module in ("subject", "worked", "shared"):
        monkeypatch.setattr(f"authmail.testing.queues.{module}.PATIENCE", 3.0, raising=False)
    with pytest.raises((AssertionError, QueueError)):
        await NAMED[name].check(EngineUnderTest("made_engines:bad", f"{name}|{tmp_path / 'queue.db'}"))


def test_each_rule_has_a_bad_engine():
    """So none is a rule that nothing breaks."""
    assert set(BAD) == set(NAMED)
