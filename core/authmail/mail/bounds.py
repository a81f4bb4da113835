"""How large a message may be. It may hold what strangers chose, so nothing of it is worked on before this is known."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.words.text import say

#: Characters of all texts and names of a payload together.
LARGEST_PAYLOAD = 256 * 1024
#: Levels of objects and lists; the payload itself is the first.
DEEPEST_PAYLOAD = 8
#: Values that are no object and no list.
MOST_LEAVES = 1_000
#: Characters of subject, bodies and headers of a rendered mail.
LARGEST_EMAIL = 10 * 1024 * 1024
#: More digits than any code or id has; Python refuses to print thousands of them.
MOST_DIGITS = 30
LARGEST_NUMBER = 10**MOST_DIGITS


def is_huge(value: object) -> bool:
    """Whether a value is a whole number with more digits than anything needs."""
    return isinstance(value, int) and abs(value) >= LARGEST_NUMBER


def check_payload(payload: Any) -> None:
    """Refuse a payload that is too large, in one pass that ends where it is.

    Raises:
        MessageRejected: what is too large of it.
    """
    waiting: list[tuple[Any, int]] = [(payload, 1)]
    characters = leaves = 0
    while waiting:
        value, level = waiting.pop()
        names, inner = _parts(value)
        _refuse(inner is not None and level > DEEPEST_PAYLOAD, "the payload has more than {most} levels", DEEPEST_PAYLOAD)
        leaves += not inner
        _refuse(leaves + len(waiting) + len(inner or ()) > MOST_LEAVES, "the payload has more than {most} values", MOST_LEAVES)
        characters += sum(map(len, names))
        _refuse(characters > LARGEST_PAYLOAD, "the payload has more than {most:,} characters", LARGEST_PAYLOAD)
        _refuse(is_huge(value), "the payload has a number with more than {most} digits", MOST_DIGITS)
        waiting += [(one, level + 1) for one in inner or ()]


def _parts(value: Any) -> tuple[list[str], Collection[Any] | None]:
    """Return the texts that a value has itself, and what stands in it; None if it is no object and no list."""
    if isinstance(value, str):
        return [value], None
    if isinstance(value, Mapping):
        return [name for name in value if isinstance(name, str)], value.values()
    return [], value if isinstance(value, list | tuple) else None  # one that holds itself is too deep


def check_size(texts: Iterable[str]) -> None:
    """Refuse a rendered mail whose texts are too large together.

    Raises:
        MessageRejected: they are.
    """
    _refuse(sum(map(len, texts)) > LARGEST_EMAIL, "the mail has more than {most:,} characters", LARGEST_EMAIL)


def _refuse(wrong: bool, english: str, most: int) -> None:
    if wrong:
        raise MessageRejected(say(english, most=most), reason=Reason.MESSAGE, phase=Phase.BEFORE)
