"""Faults that a test aims at one provider, whoever the recipient is: the first one fails, and the next one must take over."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import attrs

from authmail.sandbox.exchanges import served


@attrs.define
class Aim:
    """A fault that the next mails to a provider meet.

    Args:
        name: what the fault is called.
        fault: what happens.
        left: how many requests it is for; None for all until told otherwise.
    """

    name: str
    fault: Any
    left: int | None


class Aims:
    """The faults that are aimed, at most one at each provider."""

    def __init__(self) -> None:
        self._aims: dict[str, Aim] = {}

    def set(self, connector: str, aim: Aim | None) -> None:
        """Aim a fault at a provider in place of the one before, or none."""
        self._aims.pop(connector, None)
        if aim is not None:
            self._aims[connector] = aim

    def get(self, connector: str) -> Aim | None:
        """Return what is aimed at a provider."""
        return self._aims.get(connector)

    def clear(self) -> None:
        """Aim at nobody."""
        self._aims.clear()

    def take(self, connector: str) -> Any:
        """Return the fault of the next mail to a provider, and count it; None where none is aimed at it."""
        aim = self._aims.get(connector)
        if aim is None:
            return None
        if aim.left is not None:
            aim.left -= 1
            if aim.left <= 0:
                del self._aims[connector]
        return aim.fault


@attrs.define
class _Serving:
    aims: Aims
    each: bool
    asked: bool = False
    fault: Any = None


_serving: ContextVar[_Serving | None] = ContextVar("aims", default=None)


@contextmanager
def aiming(aims: Aims, *, each: bool = False) -> Iterator[None]:
    """Within this block a provider is served whose faults may be aimed.

    Args:
        aims: what is aimed.
        each: the block is a conversation, in which each question for a fault is for another mail; else one request.
    """
    token = _serving.set(_Serving(aims, each))
    try:
        yield
    finally:
        _serving.reset(token)


def aimed() -> Any:
    """Return the fault that the mail which is being handled meets by aim; None where there is none."""
    serving = _serving.get()
    if serving is None:
        return None
    if serving.each or not serving.asked:
        serving.asked, serving.fault = True, serving.aims.take(served())
    return serving.fault
