"""What the kit for stores tests, and what a rule is."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from importlib import import_module
from typing import Any

import attrs

from authmail.delivery import Begun, Claim, Limit, Store, StoreError
from authmail.privacy import hide_fields

#: Seconds that a store may take here for anything.
PATIENCE = 5.0


@attrs.frozen(field_transformer=hide_fields)
class StoreUnderTest:
    """A store, and how more of it are made.

    Args:
        maker: ``module:function`` of a function that gets the argument and returns a new store over the same data.
        argument: a path or URL, which may hold a password; data of its own for each rule.
        hold: keeps the store's data locked within a block, where something can: the rule about it is left out without.
    """

    maker: str
    argument: str
    hold: Callable[[], AbstractContextManager[object]] | None = None
    _made: list[Store] = attrs.field(factory=list, init=False)

    def make(self) -> Store:
        """Return a new store."""
        self._made.append(make_store(self.maker, self.argument))
        return self._made[-1]

    async def close(self) -> None:
        """Close the stores that were made, where they can be."""
        while self._made:
            store = self._made.pop()
            if isinstance(store, AbstractAsyncContextManager):
                with suppress(StoreError):
                    async with store:
                        pass


@attrs.frozen
class StoreRule:
    """One thing that a store keeps to.

    Args:
        name: in a few words.
        run: raises AssertionError where it is broken.
        shared: whether it is about several processes; a store of one process leaves it out.
    """

    name: str
    run: Callable[[StoreUnderTest], Awaitable[None]]
    shared: bool = False

    async def check(self, subject: StoreUnderTest) -> None:
        """Check a store.

        Raises:
            AssertionError: the store breaks the rule, and how.
        """
        try:
            await self.run(subject)
        finally:
            await subject.close()

    def __str__(self) -> str:
        return self.name


def make_store(maker: str, argument: str) -> Store:
    """Return a new store of a maker."""
    module, _, function = maker.partition(":")
    store: Store = getattr(import_module(module), function)(argument)
    return store


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


def expect(what: str, found: object, wanted: object) -> None:
    """Compare.

    Raises:
        AssertionError: they differ; with words for it.
    """
    if found != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {found!r}")


def expect_that(what: str, holds: object) -> None:
    """Raise an AssertionError with these words unless something holds."""
    if not holds:
        raise AssertionError(what)
