"""What makes two configs the same account at a provider."""

import re
from collections.abc import Iterator
from typing import Any

from authmail.config.secret import Secret
from authmail.config.settings import Settings, fields_of

# A key of these names what logs in: accessKeyId, accountName, user, domain. What a mail looks like is not among them.
_IDENTIFIES = re.compile(r"(?:.*[a-z])?(?:id|user|username|login|account(?:name)?|domain|project|region|client)", re.IGNORECASE)


def identity_of(config: object) -> tuple[str, ...]:
    """Return all that identifies and authenticates an account: secrets, where they travel, and who logs in.

    Keep it as a keyed digest alone: it holds secrets. Whoever knows an account's name only has another identity.
    """
    return tuple(f"{path}={text}" for path, text in _told(config, ""))


def _told(config: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(config, Settings):
        return
    for key, field, spec in fields_of(type(config)):
        value = getattr(config, field.name)
        yield from _texts(value, f"{path}{key}", told=spec.destination or _IDENTIFIES.fullmatch(key) is not None)


def _texts(value: Any, path: str, *, told: bool) -> Iterator[tuple[str, str]]:
    if isinstance(value, Secret):
        yield path, value.reveal()
    elif isinstance(value, Settings):
        yield from _told(value, f"{path}.")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, f"{path}.{name}", told=told or _IDENTIFIES.fullmatch(str(name)) is not None)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]", told=told)
    elif told and value is not None:
        yield path, str(value)
