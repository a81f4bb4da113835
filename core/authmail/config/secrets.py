"""Secrets of a config, found by its settings class."""

from collections.abc import Callable, Mapping
from typing import Any, get_origin

from authmail.config.secret import Secret
from authmail.config.settings import Settings, fields_of, holds_secrets, is_secret, lists_secrets, nested_settings


def map_secrets(raw: Mapping[str, Any], cls: type, change: Callable[[str, Any], Any]) -> dict[str, Any]:
    """Return a copy of a config with every secret changed.

    Args:
        raw: the config as the user wrote it.
        cls: its settings class.
        change: gets path and value of a secret that is there, gives the new value.
    """
    return _through(raw, cls, "", change)


def _through(raw: Mapping[str, Any], cls: type, path: str, change: Callable[[str, Any], Any]) -> dict[str, Any]:
    known = {key: field.type for key, field, _ in fields_of(cls)}
    return {
        key: value if value is None or key not in known else _changed(value, known[key], f"{path}{key}", change)
        for key, value in raw.items()
    }


def _changed(value: Any, annotation: Any, path: str, change: Callable[[str, Any], Any]) -> Any:
    if holds_secrets(annotation) and isinstance(value, Mapping):
        return {name: change(f"{path}.{name}", item) for name, item in value.items()}
    if is_secret(annotation):
        several = isinstance(value, list | tuple) and lists_secrets(annotation)
        return [change(f"{path}[{index}]", item) for index, item in enumerate(value)] if several else change(path, value)
    nested = nested_settings(annotation)
    return value if nested is None else _below(value, annotation, nested, path, change)


def _below(value: Any, annotation: Any, cls: type, path: str, change: Callable[[str, Any], Any]) -> Any:
    """Change the secrets of an object with settings of its own, or of each in a list or an object of such."""
    if isinstance(value, list | tuple):
        return [
            _through(item, cls, f"{path}[{index}].", change) if isinstance(item, Mapping) else item
            for index, item in enumerate(value)
        ]
    if not isinstance(value, Mapping):
        return value
    if get_origin(annotation) in (dict, Mapping):
        return {
            name: _through(item, cls, f"{path}.{name}.", change) if isinstance(item, Mapping) else item
            for name, item in value.items()
        }
    return _through(value, cls, f"{path}.", change)


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
