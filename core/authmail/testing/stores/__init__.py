"""The conformance kit for stores: what every :class:`authmail.delivery.Store` keeps to, also somebody else's.

In your tests, with a function that makes your store::

    import pytest
    from authmail.testing.stores import RULES, StoreUnderTest

    @pytest.mark.parametrize("rule", RULES, ids=str)
    async def test_store(rule, tmp_path):
        await rule.check(StoreUnderTest("my_package.testing:make_store", str(tmp_path / "store.db")))

The function is named as ``module:function``, since the kit also calls it in processes of its own. It gets the argument, and
returns a new store over the same data each time.
"""

from authmail.testing.stores.one import SINGLE
from authmail.testing.stores.paced import PACED
from authmail.testing.stores.shared import SHARED
from authmail.testing.stores.subject import StoreRule, StoreUnderTest

#: Every rule, in order.
RULES: tuple[StoreRule, ...] = (*SINGLE, *PACED, *SHARED)

__all__ = ["RULES", "StoreRule", "StoreUnderTest"]
