"""How large a message may be. It may hold what strangers chose, so nothing of it is worked on before this is known."""

from collections.abc import Iterable, Mapping
from typing import Any

from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.words.text import Text, say

#: Characters of all texts and names of a payload together.
LARGEST_PAYLOAD = 256 * 1024
#: Levels of objects and lists; the payload itself is the first.
DEEPEST_PAYLOAD = 8
#: Values that are no object and no list.
MOST_LEAVES = 1_000
#: Characters of subject, bodies and headers of a rendered mail.
LARGEST_EMAIL = 10 * 1024 * 1024
#: More digits than any code or id has; Python refuses to print thousands of them.
LARGEST_NUMBER = 10**30


def is_huge(value: object) -> bool:
    """Whether a value is a whole number with more digits than anything needs."""
    return isinstance(value, int) and abs(value) >= LARGEST_NUMBER


def check_payload(payload: Any) -> None:
    """Refuse a payload that is too large, in one pass that ends where it is.

    Raises:
        MessageRejected: what is too large of it.
    """
    waiting: list[tuple[Any, int]] = [(payload, 1)]
    characters = found = 0
    while waiting:
        value, level = waiting.pop()
        if isinstance(value, Mapping | list | tuple):
            if level > DEEPEST_PAYLOAD:  # Python's own objects may hold themselves
                raise _refused(say("the payload has more than {most} levels", most=DEEPEST_PAYLOAD))
            found += not value
            if len(value) + len(waiting) > MOST_LEAVES:
                raise _refused(say("the payload has more than {most} values", most=MOST_LEAVES))
            if isinstance(value, Mapping):
                characters += sum(len(name) for name in value if isinstance(name, str))
                value = value.values()
            waiting += [(inner, level + 1) for inner in value]
        else:
            found += 1
            characters += len(value) if isinstance(value, str | bytes) else 0
            if is_huge(value):
                raise _refused(say("the payload has a number with more than 30 digits"))
        if found > MOST_LEAVES:
            raise _refused(say("the payload has more than {most} values", most=MOST_LEAVES))
        if characters > LARGEST_PAYLOAD:
            raise _refused(say("the payload has more than {most:,} characters", most=LARGEST_PAYLOAD))


def check_size(texts: Iterable[str]) -> None:
    """Refuse a rendered mail whose texts are too large together.

    Raises:
        MessageRejected: they are.
    """
    if sum(map(len, texts)) > LARGEST_EMAIL:
        raise _refused(say("the mail has more than {most:,} characters", most=LARGEST_EMAIL))


def _refused(hint: Text) -> MessageRejected:
    return MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)
