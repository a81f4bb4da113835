"""The conformance kit for engines of a queue: what every :class:`authmail.queue.Engine` keeps to, also somebody else's.

In your tests, with a function that makes your engine::

    import pytest
    from authmail.testing.queues import RULES, EngineUnderTest

    @pytest.mark.parametrize("rule", RULES, ids=str)
    async def test_engine(rule, tmp_path):
        await rule.check(EngineUnderTest("my_package.testing:make_engine", str(tmp_path / "queue.db")))

The function is named as ``module:function``, since the kit also calls it in processes of its own. It gets the argument, and
returns a new engine over the same data each time.
"""

from authmail.testing.queues.kept import KEPT
from authmail.testing.queues.shared import SHARED
from authmail.testing.queues.subject import EngineRule, EngineUnderTest
from authmail.testing.queues.worked import WORKED

#: Every rule, in order.
RULES: tuple[EngineRule, ...] = (*KEPT, *WORKED, *SHARED)

__all__ = ["RULES", "EngineRule", "EngineUnderTest"]
