"""What the kits for stores and for engines have in common: subjects that are made by name, also in other processes, and rules."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from importlib import import_module
from typing import Any, ClassVar, Generic, TypeVar

import attrs

from authmail.privacy import hide_fields

_Made = TypeVar("_Made")
_Subject = TypeVar("_Subject", bound="UnderTest[Any]")


@attrs.frozen(field_transformer=hide_fields)
class UnderTest(Generic[_Made]):
    """What is tested, and how more of it are made.

    Args:
        maker: ``module:function`` of a function that gets the argument and returns a new one over the same data.
        argument: a path or URL, which may hold a password; data of its own for each rule.
    """

    #: What it raises when it cannot be used: then it need not be closed.
    unusable: ClassVar[type[Exception]]

    maker: str
    argument: str
    _made: list[_Made] = attrs.field(factory=list, init=False)

    def make(self) -> _Made:
        """Return a new one."""
        self._made.append(make_by_name(self.maker, self.argument))
        return self._made[-1]

    async def close(self) -> None:
        """Close those that were made, where they can be."""
        while self._made:
            made = self._made.pop()
            if isinstance(made, AbstractAsyncContextManager):
                with suppress(self.unusable):
                    async with made:
                        pass


@attrs.frozen
class KitRule(Generic[_Subject]):
    """One thing that is kept to.

    Args:
        name: in a few words.
        run: raises AssertionError where it is broken.
        shared: whether it is about several processes; what is of one process alone leaves it out.
    """

    name: str
    run: Callable[[_Subject], Awaitable[None]]
    shared: bool = False

    async def check(self, subject: _Subject) -> None:
        """Check a subject.

        Raises:
            AssertionError: it breaks the rule, and how.
        """
        try:
            await self.run(subject)
        finally:
            await subject.close()

    def __str__(self) -> str:
        return self.name


def make_by_name(maker: str, argument: str) -> Any:
    """Return what a function makes.

    Args:
        maker: ``module:function``.
        argument: its argument.
    """
    module, _, function = maker.partition(":")
    return getattr(import_module(module), function)(argument)


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
