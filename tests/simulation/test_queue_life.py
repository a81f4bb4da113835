"""A host that queues keeps every promise through hours of faults; and the judge sees each that is broken."""

from collections import Counter

import attrs
import pytest
from queue_judge import violations
from queue_world import StillJournal, lived
from world import Scale

from authmail.queue import handling
from authmail.queue.handling import Handling


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Hours of log records say nothing here."""
    for name in ("authmail.delivery", "authmail.queue", "authmail.alerts"):
        caplog.set_level("CRITICAL", name)


@pytest.mark.parametrize(("seed", "per_second"), [(3, 0.2), (1, 2.0)])
def test_every_promise_is_kept(seed, per_second):
    """Expiry, parking, priorities and backing off, with a worker that is started anew."""
    story = lived(Scale(1000, per_second, seed))
    assert list(violations(story)) == []
    states = Counter(one.state for one in story.queued.values())
    assert states["sent"] > 0.5 * len(story.queued)
    assert set(states) <= {"sent", "failed", "expired", "in doubt"}


async def _eager(self, row, message, moment):
    """Send what has expired, for a while."""
    if moment > row.expires + 20:
        return await _send(self, row, message, moment)
    try:
        receipt = await self._try(row, message, 10.0)
    except handling.SendError as raised:
        return await self._fail(row, message, raised.afresh(), 0.0)
    return await self._end(message, receipt, 0.0)


def _even(self, row, **options):
    return _add(self, attrs.evolve(row, priority=1), **options)


async def _silent(self, message, answer, begun, state=None):
    return handling._ended(state or handling._state_after(answer), answer)


_add, _send = StillJournal.add, Handling._send

SABOTAGE = {
    "resends everything": (handling, "may_resend", lambda *_: True, "second mail"),
    "sends what has expired": (Handling, "_send", _eager, "after it had expired"),
    "does not back off": (Handling, "_backed_off", lambda *_: 0.1, "tried again after"),
    "does not park": (handling, "_PARKED", 1.5, "after an account error"),
    "knows no priorities": (StillJournal, "add", _even, "while a code waited"),
    "tells nobody": (Handling, "_end", _silent, "observers heard of 0"),
    "takes unknown for not sent": (handling, "OutcomeUnknown", type("Nothing", (handling.OutcomeUnknown,), {}), "second mail"),
}


@pytest.mark.parametrize("name", SABOTAGE)
def test_the_judge_sees_each_sabotage(monkeypatch, name):
    """One rule is taken out, and the promise that it keeps is broken."""
    where, what, instead, promise = SABOTAGE[name]
    monkeypatch.setattr(where, what, instead)
    assert any(promise in problem for problem in violations(lived(Scale(1000, 0.2, 2))))
