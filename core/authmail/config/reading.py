"""The strict cattrs converter: JSON values into typed ones, without guessing.

Every hook raises ValueError(message, hint), or ConfigError where there are problems below the value; paths in it are
relative to the value. Messages never hold the value.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, StrEnum
from typing import Any, Literal, get_args, get_origin

from cattrs import Converter

from authmail.config.secret import Secret, revealed
from authmail.config.slips import refuse_blanks
from authmail.errors import ConfigError, Problem
from authmail.mail.mailbox import Mailbox
from authmail.templates.at_provider import ProviderTemplate, read_either
from authmail.templates.template import Template, kind_of
from authmail.words.striking import MARK
from authmail.words.text import NOTHING, as_text, say

converter = Converter(detailed_validation=False)


def prefix_paths(problems: Iterable[Problem], key: str) -> list[Problem]:
    """Return problems with a key or ``[index]`` in front of their paths."""
    return [
        Problem(
            key + (problem.path if not problem.path or problem.path[0] == "[" else f".{problem.path}"),
            problem.message,
            problem.hint,
        )
        for problem in problems
    ]


def problem_of(path: str, error: ValueError, *, secret: object = None) -> Problem:
    """Return the problem that a ``ValueError(message, hint)`` tells; one without words is a problem all the same.

    Args:
        path: where.
        error: what a check raised.
        secret: a value that must not be in it, as where a check calls ``int`` on a secret.
    """
    words = [as_text(word if isinstance(word, str) else str(word)) for word in error.args[:2]]
    text = revealed(secret)
    if isinstance(text, str) and text:
        words = [word.change(lambda part: part.replace(text, MARK)) for word in words]
    message, hint = (*words, NOTHING, NOTHING)[:2]
    return Problem(path, message or "cannot be used", hint)


def _exactly(kinds: tuple[type, ...], words: str) -> Callable[[Any, Any], Any]:
    def hook(value: Any, _: Any) -> Any:
        if type(value) not in kinds and not (str in kinds and isinstance(value, str)):
            raise ValueError(say("must be {words}, got {kind}", words=say(words), kind=kind_of(value)), _reference_hint(value))
        return value

    return hook


def is_reference(value: Any) -> bool:
    """Whether a value is ``{"env": "NAME"}`` or ``{"file": "PATH"}``, in place of a secret."""
    return isinstance(value, Mapping) and set(value) in ({"env"}, {"file"}) and all(isinstance(v, str) for v in value.values())


def _reference_hint(value: Any) -> str:
    return "only secrets may be references" if is_reference(value) else ""


def _text(value: Any, kind: Any) -> str:
    text: str = _exactly((str,), "text")(value, kind)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be valid Unicode, has half of a surrogate pair")
    return text


def _number(value: Any, kind: Any) -> float:
    number: float = _exactly((int, float), "a number")(value, kind)
    # An integer has no end, which is more than a float can say.
    if not -sys.float_info.max <= number <= sys.float_info.max:
        raise ValueError("must be a finite number")
    return number


def _secret(value: Any, _: Any) -> Secret:
    if isinstance(value, Secret):
        refuse_blanks(value)
        return value
    if is_reference(value):
        raise ValueError("must be the secret itself: references are refused here", "give the secret as text")
    _text(value, str)
    if value == MARK:
        raise ValueError("is the mark that stands for a hidden secret, not a secret", "type the secret again")
    refuse_blanks(value)
    return Secret(value)


def _one_of(choices: Iterable[Any], value: Any) -> None:
    choices = list(choices)
    if value not in choices or isinstance(value, bool):
        from difflib import get_close_matches  # imported late: for hints alone

        near = get_close_matches(str(value).lower(), [str(choice) for choice in choices], n=1) if isinstance(value, str) else []
        words = ", ".join(str(choice) for choice in choices)
        raise ValueError(
            say(
                "must be one of {words}, got {value}",
                words=words,
                value=say("another text") if isinstance(value, str) else kind_of(value),
            ),
            say("did you mean {near}?", near=near[0]) if near else "",
        )


def _literal(value: Any, kind: Any) -> Any:
    _one_of(get_args(kind), value)
    return value


def _enum(value: Any, kind: type[Enum]) -> Enum:
    _one_of([member.value for member in kind], value)
    return kind(value)


def _tuple_of(kind: Any) -> Callable[[Any, Any], tuple[Any, ...]]:
    item_kind = get_args(kind)[0]

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError(say("must be a list, got {kind}", kind=kind_of(value)))
        return tuple(_each(((f"[{index}]", item, item_kind) for index, item in enumerate(value))).values())

    return hook


def _mapping_of(kind: Any) -> Callable[[Any, Any], dict[str, Any]]:
    value_kind = (get_args(kind) or (str, Any))[1]

    def hook(value: Any, _: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValueError(say("must be an object, got {kind}", kind=kind_of(value)))
        return _each((str(key), item, value_kind) for key, item in value.items())

    return hook


def _each(items: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    problems: list[Problem] = []
    structured: dict[str, Any] = {}
    for key, item, kind in items:
        try:
            structured[key] = converter.structure(item, kind)
        except ConfigError as error:
            problems += prefix_paths(error.problems, key)
        except ValueError as error:
            problems.append(problem_of(key, error))
    if problems:
        raise ConfigError(problems)
    return structured


def _mailbox(value: Any, _: Any) -> Mailbox:
    return value if isinstance(value, Mailbox) else Mailbox.parse(value)


def _is_a(*origins: Any) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) in origins


converter.register_structure_hook(str, _text)
converter.register_structure_hook(int, _exactly((int,), "a whole number"))
converter.register_structure_hook(float, _number)
converter.register_structure_hook(bool, _exactly((bool,), "true or false"))
converter.register_structure_hook(Secret, _secret)
converter.register_structure_hook(Mailbox, _mailbox)
converter.register_structure_hook(Template, lambda value, _: value if isinstance(value, Template) else Template.from_dict(value))
converter.register_structure_hook_func(lambda kind: kind == Template | ProviderTemplate, lambda value, _: read_either(value))
# StrEnum is named besides Enum, since the hook of str would take it first.
converter.register_structure_hook(Enum, _enum)
converter.register_structure_hook(StrEnum, _enum)
converter.register_structure_hook_func(_is_a(Literal), _literal)
converter.register_structure_hook_factory(_is_a(tuple), _tuple_of)
converter.register_structure_hook_factory(_is_a(dict, Mapping), _mapping_of)
