"""A config that is shown and comes back: what may be seen of it is listed, all else is hidden, and kept when it comes back.

What may be seen is what its settings class knows, where the value is of the setting's kind; never a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_origin

import attrs

from authmail.config.bounds import check_bounds
from authmail.config.reading import converter, is_reference
from authmail.config.settings import (
    Spec,
    default_of,
    fields_of,
    holds_anything,
    holds_secrets,
    holds_templates,
    is_secret,
    lists_secrets,
    nested_settings,
    placeholder_of,
)
from authmail.errors import ConfigError, Problem
from authmail.templates.at_provider import KNOWN_KEYS as PROVIDER_KEYS
from authmail.templates.template import KNOWN_KEYS
from authmail.words.striking import MARK
from authmail.words.text import say

_SHOWN_KEYS = {*KNOWN_KEYS, *PROVIDER_KEYS}

#: Where something stands: keys and positions.
_Path = tuple[str | int, ...]
#: Gets path, value, and what is shown of it; gives what to put there.
_Change = Callable[[_Path, Any, Any], Any]

_BLANKS = re.compile(r"(\s+)")
# Parts of a URL that only hiding makes.
_HIDDEN = re.compile(r"://[*]{3}@|[?#][*]{3}(?!\S)")
_QUERY = re.compile(r"[?#]")


def redact_secrets(raw: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return a config to show.

    Every secret is ``"***"``, and so is what stands under an unknown key or is not of its setting's kind; of URLs user,
    password and query are hidden. A reference to a secret stays.
    """
    return _Walk(lambda _path, _value, shown: shown).through(raw, cls, ())


def merge_secrets(old: Mapping[str, Any], new: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return the new config with the old value wherever what was shown of it came back.

    Raises:
        ConfigError: a hidden value or a reference came back while a setting that decides where or how it travels has
            changed. Otherwise whoever may edit the config, but not read it, could have the secret sent to a server of
            their own.
    """
    hidden: dict[_Path, tuple[Any, Any]] = {}
    references: list[Any] = []

    def note(path: _Path, value: Any, shown: Any) -> Any:
        if value != shown:
            hidden[path] = (value, shown)
        elif is_reference(value):
            references.append(value)
        return value

    _Walk(note).through(old, cls, ())
    kept: list[_Path] = []
    lost: list[_Path] = []

    def keep(path: _Path, value: Any, shown: Any) -> Any:
        was, was_shown = hidden.get(path, (None, None))
        if path in hidden and value == was_shown:
            kept.append(path)
            return was
        if is_reference(value) and (value in references or path in hidden):
            kept.append(path)
        elif isinstance(value, str) and value == shown and any("://" in one and _HIDDEN.search(one) for one in value.split()):
            lost.append(path)
        return value

    result = _Walk(keep).through(new, cls, ())
    was = dict(_destinations(old, cls, ()))
    moved = [path for path, value in _destinations(result, cls, ()) if value != was.get(path, MARK)]
    problems = [Problem(_spelt(path), say("was hidden and cannot be told any more"), say("type it again")) for path in lost]
    if moved and kept:
        message = say("must be typed again, since {settings} changed", settings=", ".join(map(_spelt, moved)))
        problems += [Problem(_spelt(path), message, "a stored secret is never sent to a new place") for path in kept]
    if problems:
        raise ConfigError(problems)
    return result


@attrs.frozen
class _Walk:
    """Goes through a config, and changes whatever is or might be shown."""

    change: _Change

    def through(self, raw: Mapping[str, Any], cls: type, path: _Path) -> dict[str, Any]:
        known = {key: (field, spec) for key, field, spec in fields_of(cls)}
        return {
            key: self._setting(value, *known[key], (*path, key)) if key in known else self._hidden(value, (*path, key))
            for key, value in raw.items()
        }

    def _setting(self, value: Any, field: attrs.Attribute[Any], spec: Spec, path: _Path) -> Any:
        kind = field.type
        if is_secret(kind):
            return self._secret(value, kind, path)
        if (nested := nested_settings(kind)) is not None:
            return self._each(value, kind, path, lambda item, here: self._object(item, nested, here))
        if holds_templates(kind):
            return self._each(value, kind, path, self._template)
        if value is None or value in ("", placeholder_of(spec)) or _is_of_kind(value, field, spec):
            return self._plain(value, path, bool(spec.destination))
        return self._hidden(value, path)

    def _secret(self, value: Any, kind: Any, path: _Path) -> Any:
        if holds_secrets(kind) and isinstance(value, Mapping):
            return {name: self._secret(item, None, (*path, name)) for name, item in value.items()}
        if lists_secrets(kind) and isinstance(value, list | tuple):
            return [self._secret(item, None, (*path, index)) for index, item in enumerate(value)]
        return self.change(path, value, value) if is_reference(value) else self._hidden(value, path)

    def _each(self, value: Any, kind: Any, path: _Path, visit: Callable[[Any, _Path], Any]) -> Any:
        """Visit a value, or each of those in a list or an object of such."""
        if isinstance(value, list | tuple):
            return [visit(item, (*path, index)) for index, item in enumerate(value)]
        if get_origin(kind) in (dict, Mapping) and isinstance(value, Mapping):
            return {name: visit(item, (*path, name)) for name, item in value.items()}
        return visit(value, path)

    def _object(self, value: Any, cls: type, path: _Path) -> Any:
        return self.through(value, cls, path) if isinstance(value, Mapping) else self._hidden(value, path)

    def _template(self, value: Any, path: _Path) -> Any:
        if not isinstance(value, Mapping):
            return self._hidden(value, path)
        return {
            key: self.change((*path, key), item, item if key in _SHOWN_KEYS and isinstance(item, str) else MARK)
            if item is not None
            else None
            for key, item in value.items()
        }

    def _plain(self, value: Any, path: _Path, destination: bool) -> Any:
        """Go through what may be seen, which is no deeper than a config may be."""
        if isinstance(value, str):
            return self.change(path, value, _without_credentials(value, destination))
        if isinstance(value, list | tuple):
            return [self._plain(item, (*path, index), destination) for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            return {key: self._plain(item, (*path, key), destination) for key, item in value.items()}
        return value

    def _hidden(self, value: Any, path: _Path) -> Any:
        return value if value is None else self.change(path, value, MARK)


def _is_of_kind(value: Any, field: attrs.Attribute[Any], spec: Spec) -> bool:
    """Whether a value is of its setting's kind. Where the kind is anything, the setting's check says what it is."""
    try:
        check_bounds(value, spec.longest(field.type))
        converter.structure(value, field.type or object)
        if not holds_anything(field.type):
            return True
        if spec.check is None:
            return False
        spec.check(value)
    except Exception:  # noqa: BLE001 (whatever it is, it is not of the kind)
        return False
    return True


def _without_credentials(text: str, destination: bool) -> str:
    """Return a text with user, password, query and fragment of its URLs hidden.

    Args:
        text: the text.
        destination: it is a URL also where it has no scheme.
    """
    if "://" not in text and not (destination and _marks(text)):
        return text
    return "".join(_word_without_credentials(word, destination) for word in _BLANKS.split(text))


def _word_without_credentials(word: str, destination: bool) -> str:
    scheme, colon, rest = word.partition("://")
    if not colon:
        if not destination:
            return word
        scheme, rest = "", word
    place, *query = _QUERY.split(rest, maxsplit=1)
    sign = rest[len(place) : len(place) + 1]
    _, at, host = place.rpartition("@")
    return f"{scheme}{colon}{MARK if at else ''}{at}{host}{sign}{MARK if query and query[0] else ''}"


def _marks(text: str) -> bool:
    return any(mark in text for mark in "@?#")


def _destinations(raw: Any, cls: type, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Yield every setting that decides where or how secrets travel, with what it says or would say by default."""
    values = raw if isinstance(raw, Mapping) else {}
    for key, field, spec in fields_of(cls):
        value, here = values.get(key), (*path, key)
        nested = nested_settings(field.type)
        if spec.destination:
            yield here, default_of(field) if value is None or value == "" else value
        elif nested is not None:
            for place, inner in _parts(value, field.type, here):
                yield from _destinations(inner, nested, place)


def _parts(value: Any, kind: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Yield each object with settings within a setting: itself, or those of a list or an object of such."""
    if isinstance(value, list | tuple):
        yield from (((*path, index), item) for index, item in enumerate(value))
    elif get_origin(kind) in (dict, Mapping) and isinstance(value, Mapping):
        yield from (((*path, key), item) for key, item in value.items())
    else:
        yield path, value


def _spelt(path: _Path) -> str:
    """Return a path as people read it: ``logins[0].password``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
