"""The short form of ``tests/long/queue_kills.py``: workers that are killed at three points, for each engine."""

import pytest
import queue_kills
from queue_kills import ENGINES, Sent, violations

SHORT = ("after fetch", "during the provider's answer", "after the record")


@pytest.mark.parametrize("point", SHORT)
@pytest.mark.parametrize("engine", ENGINES)
async def test_nothing_is_lost_nor_done_twice(engine, point):
    """Whatever was enqueued is sent or told as in doubt; what was marked done does not go out again."""
    if engine == "procrastinate":
        pytest.importorskip("procrastinate")
    for run in await queue_kills.killed(engine, point, 2):
        assert list(violations(point, run)) == []


def _sent(**changes):
    return Sent(**{"to": "a", "is_code": False, "before": "queued", "mails_before": 0, "state": "sent", "mails": 1, **changes})


@pytest.mark.parametrize(
    ("point", "message", "told"),
    [
        ("after fetch", _sent(state="gone", mails=0), "was lost"),
        ("after fetch", _sent(mails=0), "in no mailbox"),
        ("after the mark", _sent(mails=2), "went out 2 times"),
        ("after the mark", _sent(is_code=True, mails=3), "went out 3 times"),
        ("after the answer", _sent(is_code=True, before="sent", mails_before=1, mails=2), "marked done"),
        ("after fetch", _sent(state="in doubt"), "though nobody had begun"),
        ("before fetch", _sent(is_code=True, mails=2), "though nobody had begun"),
        ("after the answer", _sent(is_code=True, state="in doubt"), "harmless"),
        ("after the record", _sent(), "before it recorded"),
    ],
)
def test_the_judge_sees_each_fault(point, message, told):
    """So a table without broken promises says something."""
    assert any(told in problem for problem in violations(point, [message]))


def test_the_judge_is_content():
    """With what was promised."""
    assert list(violations("after the answer", [_sent(), _sent(is_code=True, mails=2), _sent(state="in doubt")])) == []
