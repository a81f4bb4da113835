"""Numbers of a payload: Python refuses to print those with thousands of digits, and no mail needs one."""

from collections.abc import Mapping
from typing import Any

#: More digits than any code or id has.
LARGEST_NUMBER = 10**30


def is_huge(value: object) -> bool:
    """Whether a value is a whole number with more digits than anything needs."""
    return isinstance(value, int) and abs(value) >= LARGEST_NUMBER


def holds_huge_number(payload: Any) -> bool:
    """Whether there is one anywhere in a payload, however deep."""
    waiting = [payload]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if is_huge(value):
            return True
        if isinstance(value, Mapping | list | tuple) and id(value) not in seen:
            seen.add(id(value))  # Python's own objects may hold themselves
            waiting += value.values() if isinstance(value, Mapping) else value
    return False
