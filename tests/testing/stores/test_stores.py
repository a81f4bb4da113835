"""The kit for stores: ours keep every rule, and each bad one is found by the rule that it breaks."""

import sys
from pathlib import Path

import made_stores
import pytest
from made_stores import BAD, held

from authmail.testing.stores import RULES, StoreUnderTest

SINGLE = [rule for rule in RULES if not rule.shared]
NAMED = {rule.name: rule for rule in RULES}


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    """The kit's own processes import the makers too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(made_stores.__file__).parent))
    assert "made_stores" in sys.modules


@pytest.mark.parametrize("rule", RULES, ids=str)
async def test_the_store_in_a_file_keeps_every_rule(rule, tmp_path):
    """Also with others, killed ones and forks."""
    path = str(tmp_path / "store.db")
    await rule.check(StoreUnderTest("made_stores:file", path, hold=held(path)))


@pytest.mark.parametrize("rule", SINGLE, ids=str)
async def test_the_store_in_memory_keeps_every_rule_of_one_process(rule):
    """It is gone with its process."""
    await rule.check(StoreUnderTest("made_stores:memory", ""))


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_store_is_found(name):
    """By its rule."""
    with pytest.raises(AssertionError):
        await NAMED[name].check(StoreUnderTest("made_stores:bad", name))


@pytest.mark.parametrize(
    ("maker", "name"),
    [
        ("apart", "is one for four processes"),
        ("impatient", "waits where it is busy, within its time"),
        ("endless", "waits where it is busy, within its time"),
        ("rough", "survives forks before, during and after use"),
    ],
)
async def test_a_bad_store_of_several_processes_is_found(maker, name, tmp_path):
    """By its rule."""
    path = str(tmp_path / "store.db")
    with pytest.raises((AssertionError, Exception)) as caught:
        await NAMED[name].check(StoreUnderTest(f"made_stores:{maker}", path, hold=held(path)))
    assert not isinstance(caught.value, TypeError | AttributeError)


async def test_a_store_that_must_be_entered_is_found(tmp_path):
    """Hosts that share one among many deliveries do not know who is first."""
    with pytest.raises(RuntimeError, match="not open"):
        await NAMED["needs no entering"].check(StoreUnderTest("made_stores:entered", str(tmp_path / "store.db")))
