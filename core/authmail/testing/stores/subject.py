"""What the kit for stores tests, and what a rule is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import attrs

from authmail.delivery import Begun, Claim, Limit, Store, StoreError
from authmail.privacy import hide_fields
from authmail.testing.rules_of_kits import KitRule, UnderTest

#: Seconds that a store may take here for anything.
PATIENCE = 5.0


@attrs.frozen(field_transformer=hide_fields)
class StoreUnderTest(UnderTest[Store]):
    """A store, and how more of it are made.

    Args:
        maker: ``module:function`` of a function that gets the argument and returns a new store over the same data.
        argument: a path or URL, which may hold a password; data of its own for each rule.
        hold: keeps the store's data locked within a block, where something can: the rule about it is left out without.
    """

    unusable = StoreError

    hold: Callable[[], AbstractContextManager[object]] | None = None


@attrs.frozen
class StoreRule(KitRule[StoreUnderTest]):
    """One thing that a store keeps to."""


async def begin(store: Store, key: str | None = None, **claim: Any) -> tuple[Claim, Begun]:
    """Begin a message, by default one of a minute."""
    made = Claim(**{"key": key, "fingerprint": "f", "lease": 30.0, "keep": 60.0, **claim})
    return made, await store.begin(made, timeout=PATIENCE)


async def count(store: Store, *counts: tuple[str, Limit]) -> tuple[Claim, Begun]:
    """Count a message."""
    return await begin(store, None, counts=counts)


async def end(store: Store, begun: tuple[Claim, Begun], answer: str | None = None, *uncount: str) -> None:
    """End a message."""
    await store.end(begun[0], begun[1], answer=answer, uncount=uncount, timeout=PATIENCE)
