from functools import cache

import pytest
from figures import figures
from judge import Allowance, violations
from machines import SHARED_PROMISES, sharing
from standing_still import STORES
from world import Scale, lived

from authmail.delivery import pace

LIFE = Scale(600, per_second=2.0)


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Hours of log records say nothing here."""
    caplog.set_level("CRITICAL", "authmail.delivery")


def life(kind, folder, scale=LIFE):
    with sharing(kind, folder) as policy:
        return lived(scale, policy, SHARED_PROMISES)


@cache
def life_in_memory():
    return life("memory", None)


@pytest.mark.parametrize("kind", STORES)
def test_processes_that_share_a_store_keep_every_promise(kind, tmp_path):
    """Six of them, one started anew now and then; and the same seed is the same life, to the last asking, on every store."""
    ledger = life(kind, tmp_path) if kind != "memory" else life_in_memory()
    assert list(violations(ledger, SHARED_PROMISES)) == []
    assert figures(ledger, SHARED_PROMISES)["in the mailbox"] > 0.95
    assert ledger == life_in_memory()


def test_processes_apart_break_them(tmp_path):
    """In the same life: second mails, too many to one person, too fast for the provider, and each asks it while it is down."""
    broken = figures(life("apart", tmp_path), SHARED_PROMISES)["broken promises"]
    assert {"second mail", "more than", "faster than its pace", "breaker"} <= set(broken)


def test_the_judge_sees_who_does_not_wait_for_his_turn(monkeypatch, tmp_path):
    """The provider would have taken what came at the pace, so what is too fast is the senders' own doing."""

    async def go_at_once(*_):
        pass

    monkeypatch.setattr(pace.Pace, "_wait", go_at_once)
    assert "faster than its pace" in figures(life("memory", tmp_path), SHARED_PROMISES)["broken promises"]


def test_an_allowance_is_kept_in_any_time_at_all():
    """Two at once and one each second: after a quiet time no more than that may come together."""
    allowance = Allowance(rate=1.0, burst=2)
    assert [allowance.over(time) for time in (0.0, 0.0, 1.0, 1.5, 10.0, 10.0, 10.0)] == [-1.0, 0.0, 0.0, 0.5, -1.0, 0.0, 1.0]
