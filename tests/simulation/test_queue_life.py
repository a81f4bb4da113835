"""A host that queues keeps every promise through hours of faults; and the judge sees each that is broken."""

import asyncio
from collections import Counter

import attrs
import pytest
from queue_judge import violations
from queue_world import ALL_WEATHERS, StillJournal, lived
from world import Scale

from authmail.queue import handling
from authmail.queue.handling import Handling


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Hours of log records say nothing here."""
    for name in ("authmail.delivery", "authmail.queue", "authmail.alerts"):
        caplog.set_level("CRITICAL", name)


@pytest.mark.parametrize(
    ("seed", "per_second", "weathers"),
    [(1, 0.25, ALL_WEATHERS), (2, 0.25, ALL_WEATHERS), (3, 1.0, ()), (2, 1.0, ("slow",)), (2, 0.01, ("down",) * 4)],
)
def test_every_promise_is_kept(seed, per_second, weathers):
    """Expiry, parking, priorities and backing off, with a worker that is started anew."""
    story = lived(Scale(330, per_second, seed), weathers)
    assert list(violations(story)) == []
    states = Counter(one.state for one in story.queued.values())
    assert states["sent"]
    assert set(states) <= {"sent", "failed", "expired", "in doubt"}


async def _eager(self, row, message, moment):
    """Send what has expired, for a while."""
    await asyncio.sleep(0.5)
    return await _send(self, attrs.evolve(row, expires=row.expires + 20), message, moment)


def _even(self, row, **options):
    return _add(self, attrs.evolve(row, priority=1), **options)


async def _silent(self, message, answer, begun, state=None):
    return handling._ended(state or handling._state_after(answer), answer)


_add, _send = StillJournal.add, Handling._send

SABOTAGE = {
    "resends everything": (handling, "resends", lambda *_: True, "second mail"),
    "sends what has expired": (Handling, "_send", _eager, "after it had expired"),
    "does not back off": (Handling, "_backed_off", lambda *_: 0.1, "tried too often"),
    "does not park": (handling, "_PARKED", 1.5, "after an account error"),
    "knows no priorities": (StillJournal, "add", _even, "while a code waited"),
    "tells nobody": (Handling, "_end", _silent, "observers heard of 0"),
    "takes unknown for not sent": (handling, "OutcomeUnknown", type("Nothing", (handling.OutcomeUnknown,), {}), "second mail"),
}


LIVES = {"knows no priorities": (Scale(200, 1.0, 2), ("slow",)), "does not back off": (Scale(5, 1.0, 2), ("down",) * 4)}


@pytest.mark.parametrize("name", SABOTAGE)
def test_the_judge_sees_each_sabotage(monkeypatch, name):
    """One rule is taken out, and the promise that it keeps is broken."""
    where, what, instead, promise = SABOTAGE[name]
    monkeypatch.setattr(where, what, instead)
    assert any(promise in problem for problem in violations(lived(*LIVES.get(name, (Scale(330, 0.25, 2), ALL_WEATHERS)))))
