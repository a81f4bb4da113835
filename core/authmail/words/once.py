"""What is found once for each object, without a lock."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from typing import Any, TypeVar

_Value = TypeVar("_Value")


class once(cached_property[_Value]):  # noqa: N801 (a decorator)
    """``functools.cached_property`` without the lock that it has up to Python 3.11, one for all objects of a class.

    A process that is forked while another thread holds it waits for it for ever. Two threads may both find the value; it is the same.
    """

    def __init__(self, func: Callable[[Any], _Value]) -> None:
        super().__init__(func)
        self.lock = nullcontext()  # no other release of Python looks at it
