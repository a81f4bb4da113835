"""How large a config may be. It may be a stranger's, so nothing of it is worked on before this is known."""

from collections.abc import Iterable, Mapping

import attrs

from authmail.config.secret import revealed
from authmail.errors import ConfigError, Problem
from authmail.templates.template import Template
from authmail.words.text import say

#: Characters of a text or secret whose setting says nothing else.
LONGEST_TEXT = 16 * 1024
#: Characters of all texts of a list or object together.
LONGEST_TOGETHER = 64 * 1024
#: Characters of all templates together.
LARGEST_TEMPLATES = 512 * 1024
#: Entries of a list or object.
MOST_ITEMS = 1_000
#: Entries of all lists and objects of a setting together.
_MOST_TOGETHER = 20_000
#: Levels of lists and objects within a setting.
DEEPEST = 8
# Of a key that is told to people.
_LONGEST_KEY = 100


def check_bounds(value: object, longest: int, *, nested: bool = False) -> None:
    """Refuse a value that is too large.

    Args:
        value: of a setting, as it came or typed.
        longest: characters that a text may have.
        nested: it has settings of its own, which say how long their texts may be.

    Raises:
        ConfigError: where it is, relative to the setting.
    """
    items, together = 0, 0
    waiting: list[tuple[str, object, int]] = [("", value, 0)]
    while waiting:
        path, item, level = waiting.pop()
        text = _text(item)
        if text is not None:
            together += len(text)
            _refuse(not nested and len(text) > longest, path, _too_long(longest, len(text)))
            continue
        children = _children(item)
        items += len(children)
        _refuse(len(children) > MOST_ITEMS, path, say("must have at most {most} entries", most=MOST_ITEMS))
        _refuse(items > _MOST_TOGETHER, "", say("must have at most {most} entries in all", most=_MOST_TOGETHER))
        _refuse(bool(children) and level == DEEPEST, "", say("must have at most {levels} levels", levels=DEEPEST))
        for key, child in children:
            _refuse(len(key) > longest, path, _too_long(longest, len(key)))
            waiting.append((_joined(path, key), child, level + 1))
    most = max(longest, LONGEST_TOGETHER)
    problem = say("must have at most {max_length} characters in all, has {count}", max_length=most, count=together)
    _refuse(not nested and together > most, "", problem)


def _refuse(wrong: bool, path: str, problem: str) -> None:
    if wrong:
        raise ConfigError([Problem(path, problem)])


def _too_long(longest: int, count: int) -> str:
    return say("must have at most {max_length} characters, has {count}", max_length=longest, count=count)


def _joined(path: str, key: str) -> str:
    key = key[:_LONGEST_KEY]
    return f"{path}.{key}" if path and key[0:1] != "[" else path + key


def _text(value: object) -> str | None:
    text = revealed(value)
    return text if isinstance(text, str) else None


def _children(value: object) -> list[tuple[str, object]]:
    """Return the parts of a list, an object or a template, each with its key; of anything else none."""
    if isinstance(value, Template):
        value = attrs.asdict(value)
    pairs: Iterable[tuple[object, object]] = ()
    if isinstance(value, Mapping):
        pairs = value.items()
    elif isinstance(value, list | tuple):
        pairs = ((f"[{index}]", item) for index, item in enumerate(value))
    return [(str(key), item) for key, item in pairs]
