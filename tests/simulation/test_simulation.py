import pytest
from figures import figures
from judge import violations
from world import POLICIES, PROMISES, Scale, lived

from authmail import OutcomeUnknown
from authmail.delivery import breaker, dedupe, failover, limits, retry
from authmail.delivery.sender import attempt, deadline_of, now
from authmail.delivery.trail import Trail


def test_every_promise_is_kept_through_hours_of_faults():
    """Ten thousand messages while providers go down, slow down, throttle, garble, cut and revoke."""
    ledger = lived(Scale(10_000))
    assert list(violations(ledger, PROMISES)) == []
    numbers = figures(ledger, PROMISES)
    assert numbers["in the mailbox"] > 0.95
    assert numbers["second invitations"] == 0
    assert {one.answer for one in ledger.ended} == {
        "accepted",
        "rejected",
        "throttled",
        "account",
        "not sent",
        "unknown",
    }  # none is cut off, for what a caller leaves behind goes on to its answer


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_in_other_lives_too(seed):
    """Other weather, other people, and ten times the traffic."""
    assert list(violations(lived(Scale(1500, per_second=5, seed=seed)), PROMISES)) == []


def test_the_same_seed_is_the_same_life():
    """What was found once can be found again."""
    one, two = (lived(Scale(300)) for _ in range(2))
    assert (one.asked, one.ended, one.calls) == (two.asked, two.ended, two.calls)


@pytest.mark.parametrize("policy", [name for name in POLICIES if name != "authmail"])
def test_naive_policies_break_promises_in_the_same_life(policy):
    """So the life is hard enough, and the judge sees it."""
    assert figures(lived(Scale(1500), policy), PROMISES)["broken promises"]


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Hours of log records say nothing here."""
    caplog.set_level("CRITICAL", "authmail.delivery")


async def _ask_regardless(self, message, *, timeout=None):
    return await attempt(self._sender, message, deadline_of(timeout))


def _last_word(self):
    return self.errors[-1].afresh(tried=self.tried)


async def _attempt_regardless(sender, message, deadline):
    return await attempt(sender, message, max(deadline, now() + 1.0))


_TIMELESS = (("SHORTEST_ATTEMPT", -100.0), ("attempt", _attempt_regardless))

SABOTAGE = {
    "resends everything": ([(retry, "may_resend", lambda *_: True), (failover, "may_resend", lambda *_: True)], "second mail"),
    "forgets that an outcome was unknown": ([(Trail, "_speaker", _last_word)], "but a caller was told"),
    "asks while the breaker is open": ([(breaker.Breaker, "send", _ask_regardless)], "account error"),
    "has no dedupe": ([(dedupe.Dedupe, "send", _ask_regardless)], "second mail"),
    "counts nothing": ([(limits.Limits, "_counts", lambda *_: iter(()))], "more than"),
    "begins attempts that cannot end in time": (
        [(policy, what, instead) for policy in (retry, failover) for what, instead in _TIMELESS],
        "after its deadline",
    ),
    "takes unknown for not sent": ([(dedupe, "OutcomeUnknown", type("Nothing", (OutcomeUnknown,), {}))], "second mail"),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_the_judge_sees_each_sabotage(monkeypatch, name):
    """One rule of one policy is taken out, and the promise that it keeps is broken."""
    changes, promise = SABOTAGE[name]
    for where, what, instead in changes:
        monkeypatch.setattr(where, what, instead)
    broken = figures(lived(Scale(3000, per_second=0.1)), PROMISES)["broken promises"]
    assert promise in broken, broken
