"""Secrets of a config: found by its settings class, hidden for showing, kept when they come back hidden."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from authmail.config.reading import is_reference
from authmail.config.secret import Secret
from authmail.config.settings import Settings, fields_of, holds_secrets, is_secret, nested_settings
from authmail.errors import ConfigError, Problem
from authmail.privacy import names_secret
from authmail.words.striking import MARK
from authmail.words.text import say

# JSON may be nested more deeply than Python can follow.
_DEEPEST = 8


def map_secrets(raw: Mapping[str, Any], cls: type, change: Callable[[str, Any], Any], *, unknown: bool = False) -> dict[str, Any]:
    """Return a copy of a config with every secret changed.

    Args:
        raw: the config as the user wrote it.
        cls: its settings class.
        change: gets path and value of a secret that is there, gives the new value.
        unknown: also change what stands under unknown keys that look like a misspelt or forgotten secret, and look
            below other unknown keys as if the config stood there, a level too deep.
    """
    return _Walk(change, unknown).through(raw, cls, "", _DEEPEST)


@attrs.frozen
class _Walk:
    """Goes through a config; what is nested more deeply than so many levels is taken for a secret."""

    change: Callable[[str, Any], Any]
    unknown: bool

    def through(self, raw: Mapping[str, Any], cls: type, path: str, levels: int) -> dict[str, Any]:
        known = {key: field for key, field, _ in fields_of(cls)}
        secrets = [key for key, field in known.items() if is_secret(field.type)]
        return {
            key: value
            if value is None
            else self._known(value, known[key].type, f"{path}{key}", levels)
            if key in known
            else self._unknown(str(key), value, cls, secrets, f"{path}{key}", levels)
            for key, value in raw.items()
        }

    def _known(self, value: Any, annotation: Any, path: str, levels: int) -> Any:
        if holds_secrets(annotation) and isinstance(value, Mapping):
            return {name: self.change(f"{path}.{name}", item) for name, item in value.items()}
        if is_secret(annotation):
            return self.change(path, value)
        nested = nested_settings(annotation)
        return value if nested is None else self._below(value, nested, path, levels)

    def _unknown(self, key: str, value: Any, cls: type, secrets: list[str], path: str, levels: int) -> Any:
        if not self.unknown:
            return value
        if _looks_secret(key, value, secrets):
            return self.change(path, value)
        return self._below(value, cls, path, levels)

    def _below(self, value: Any, cls: type, path: str, levels: int) -> Any:
        """Go a level down, into an object or a list of them."""
        if levels == 0:
            return self.change(path, value)
        if isinstance(value, Mapping):
            return self.through(value, cls, f"{path}.", levels - 1)
        if isinstance(value, list | tuple):
            return [self._below(item, cls, f"{path}[{index}]", levels - 1) for index, item in enumerate(value)]
        return value


def _looks_secret(key: str, value: Any, secrets: list[str]) -> bool:
    if isinstance(value, bool | int | float):
        return False
    from difflib import get_close_matches  # imported late: for hints alone

    return names_secret(key) or bool(get_close_matches(key, secrets))


def redact_secrets(raw: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return a config to show: every secret is ``"***"``, a reference to one stays."""
    return map_secrets(raw, cls, lambda _, value: value if is_reference(value) else MARK, unknown=True)


def merge_secrets(old: Mapping[str, Any], new: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return the new config with the old secret wherever ``"***"`` came back.

    Raises:
        ConfigError: a secret came back hidden while a setting that decides where it is sent has changed. Otherwise
            whoever may edit the config, but not read it, could have the secret sent to a server of their own.
    """
    secrets: dict[str, Any] = {}
    map_secrets(old, cls, secrets.setdefault, unknown=True)
    kept: list[str] = []

    def keep(path: str, value: Any) -> Any:
        if value == MARK and path in secrets:
            kept.append(path)
            return secrets[path]
        return value

    result = map_secrets(new, cls, keep, unknown=True)
    moved = [path for path, value in _destinations(new, cls).items() if value != _destinations(old, cls)[path]]
    if moved and kept:
        message = say("must be typed again, since {settings} changed", settings=", ".join(moved))
        raise ConfigError([Problem(path, message, "a stored secret is never sent to a new place") for path in kept])
    return result


def _destinations(raw: Any, cls: type, path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    values = raw if isinstance(raw, Mapping) else {}
    for key, field, spec in fields_of(cls):
        nested = nested_settings(field.type)
        if spec.destination:
            found[f"{path}{key}"] = values.get(key) or None
        elif nested is not None:
            found |= _destinations(values.get(key), nested, f"{path}{key}.")
    return found


def secrets_in(config: object) -> list[str]:
    """Return the texts of all secrets of a typed config, nested ones included."""
    if isinstance(config, Secret):
        return [config.reveal()]
    if isinstance(config, Settings):
        return [text for _, field, _ in fields_of(type(config)) for text in secrets_in(getattr(config, field.name))]
    if isinstance(config, Mapping):
        return secrets_in(tuple(config.values()))
    if isinstance(config, tuple | list):
        return [text for item in config for text in secrets_in(item)]
    return []


def texts_in(config: object) -> list[str]:
    """Return the texts of all settings of a typed config that are no secrets, nested ones included."""
    if isinstance(config, str):
        return [str(config)]
    if isinstance(config, Settings):
        return [text for _, field, _ in fields_of(type(config)) for text in texts_in(getattr(config, field.name))]
    if isinstance(config, Mapping):
        return texts_in(tuple(config.values()))
    if isinstance(config, tuple | list):
        return [text for item in config for text in texts_in(item)]
    return []
