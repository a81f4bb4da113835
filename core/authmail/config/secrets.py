"""Secrets of a config: found by its settings class, hidden for showing, kept when they come back hidden, struck out."""

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote, quote_plus

from authmail.config.reading import REDACTED, is_reference
from authmail.config.secret import Secret
from authmail.config.settings import Settings, fields_of, holds_secrets, is_secret, nested_settings
from authmail.mail.email import Email
from authmail.mail.mailbox import header_safe
from authmail.mail.message import Message
from authmail.outcomes import ConfigError, Problem, SendError
from authmail.templates.language import whole_unicode

_SECRET_NAME = re.compile(r"secret|token|passw|pwd|api_?key|private|credential", re.IGNORECASE)
_SHORTEST_TO_STRIKE = 4
# JSON may be nested more deeply than Python can follow.
_DEEPEST = 8
# So many characters of a link or secret in a row give it away.
_TELLING = 8
_ONE_WORD = re.compile(r"[\x21-\x7e]{1,128}")
_VITAL_IN_EMAIL = re.compile(r"https?://[^\s\"'<>]+|\b[0-9A-Z]*[0-9][0-9A-Z]{3,}\b")


def map_secrets(
    raw: Mapping[str, Any],
    cls: type,
    change: Callable[[str, Any], Any],
    *,
    unknown: bool = False,
    path: str = "",
    levels: int = _DEEPEST,
) -> dict[str, Any]:
    """Return a copy of a config with every secret changed.

    Args:
        raw: the config as the user wrote it.
        cls: its settings class.
        change: gets path and value of a secret that is there, gives the new value.
        unknown: also change what stands under unknown keys that look like a misspelt or forgotten secret, and look
            below other unknown keys as if the config stood there, a level too deep.
        path: where ``raw`` stands in the whole config.
        levels: so many further levels are looked at; what is deeper is taken for a secret.
    """
    copy = dict(raw)
    known = {key: field for key, field, _ in fields_of(cls)}
    secrets = [key for key, field in known.items() if is_secret(field.type)]
    for key, value in raw.items():
        if value is None:
            continue
        field = known.get(key)
        here = f"{path}{key}"
        if field is not None and holds_secrets(field.type) and isinstance(value, Mapping):
            copy[key] = {name: change(f"{here}.{name}", item) for name, item in value.items()}
        elif is_secret(field.type) if field is not None else unknown and _looks_secret(str(key), value, secrets):
            copy[key] = change(here, value)
        elif kind := nested_settings(field.type) if field is not None else cls if unknown else None:
            copy[key] = _map_below(value, kind, change, unknown=unknown, path=here, levels=levels)
    return copy


def _map_below(value: Any, cls: type, change: Callable[[str, Any], Any], *, unknown: bool, path: str, levels: int) -> Any:
    """Go a level down, into an object or a list of them."""
    if levels == 0:
        return change(path, value)
    if isinstance(value, Mapping):
        return map_secrets(value, cls, change, unknown=unknown, path=f"{path}.", levels=levels - 1)
    if isinstance(value, list | tuple):
        return [
            _map_below(item, cls, change, unknown=unknown, path=f"{path}[{index}]", levels=levels - 1)
            for index, item in enumerate(value)
        ]
    return value


def _looks_secret(key: str, value: Any, secrets: list[str]) -> bool:
    if isinstance(value, bool | int | float):
        return False
    from difflib import get_close_matches  # imported late: for hints alone

    return _SECRET_NAME.search(key) is not None or bool(get_close_matches(key, secrets))


def redacted(raw: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return a config to show: every secret is ``"***"``, a reference to one stays."""
    return map_secrets(raw, cls, lambda _, value: value if is_reference(value) else REDACTED, unknown=True)


def merged(old: Mapping[str, Any], new: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Return the new config with the old secret wherever ``"***"`` came back.

    Raises:
        ConfigError: a secret came back hidden while a setting that decides where it is sent has changed. Otherwise
            whoever may edit the config, but not read it, could have the secret sent to a server of their own.
    """
    secrets: dict[str, Any] = {}
    map_secrets(old, cls, secrets.setdefault, unknown=True)
    kept: list[str] = []

    def keep(path: str, value: Any) -> Any:
        if value == REDACTED and path in secrets:
            kept.append(path)
            return secrets[path]
        return value

    result = map_secrets(new, cls, keep, unknown=True)
    moved = [path for path, value in _destinations(new, cls).items() if value != _destinations(old, cls)[path]]
    if moved and kept:
        message = f"must be typed again, since {' and '.join(moved)} changed"
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


def confidential_in(message: Message | Email) -> list[str]:
    """Return what of a message must not be shown: code, link and token, or in an Email what looks like one."""
    if isinstance(message, Message):
        if not isinstance(message.payload, Mapping):
            return []
        return [str(value) for key, value in message.payload.items() if isinstance(value, str | int) and _is_vital(str(key))]
    texts = (message.subject, message.html or "", message.text or "")
    return list(dict.fromkeys(found for text in texts for found in _VITAL_IN_EMAIL.findall(text)))


def _is_vital(key: str) -> bool:
    return key in ("code", "link", "url") or _SECRET_NAME.search(key) is not None


def without_secrets(error: SendError, connector: str, confidential: Iterable[str]) -> SendError:
    """Return an error afresh, so without traceback and cause, with the confidential parts of its texts struck out."""
    confidential = list(confidential)
    words = {name: _loggable(struck(getattr(error, name), confidential)) for name in ("hint", "detail")}
    ids = {name: struck(getattr(error, name), confidential) for name in ("code", "request_id")}
    # A code or id is one word; something longer is not what a provider gives.
    words |= {name: value if value and _ONE_WORD.fullmatch(value) else None for name, value in ids.items()}
    return error.afresh(connector=connector, **words)


def _loggable(text: str | None) -> str | None:
    """Return a text that a log takes as one line and UTF-8 as text: an answer's JSON can spell what neither does."""
    return text and header_safe(whole_unicode(text))


def struck(text: str | None, confidential: Iterable[str]) -> str | None:
    """Return a text with every confidential part replaced by ``***``.

    Also where it is percent-encoded, once or twice, or written as HTML or JSON; and where only a piece of it was
    repeated, since whoever echoes a request may cut it anywhere.
    """
    if not text:
        return text
    hidden = bytearray(len(text))
    for spelling in spellings(confidential):
        size = min(len(spelling), _TELLING)
        for start in range(len(text) - size + 1):
            if text[start : start + size] in spelling:
                hidden[start : start + size] = b"x" * size
    return "".join(
        REDACTED if is_hidden else "".join(char for char, _ in group)
        for is_hidden, group in groupby(zip(text, hidden, strict=True), key=lambda pair: bool(pair[1]))
    )


def spellings(confidential: Iterable[str]) -> set[str]:
    """Return confidential texts in every way in which they may be repeated: encoded, escaped. Short ones are left out."""
    found: set[str] = set()
    # The scheme of a link tells nothing, and stands in other addresses too.
    for part in (text.removeprefix("https://").removeprefix("http://") for text in confidential):
        if len(part) >= _SHORTEST_TO_STRIKE:
            encoded = quote(part, safe="")
            found |= {
                part,
                encoded,
                quote(encoded, safe=""),
                quote_plus(part),
                quote(part),
                escape(part),
                part.replace("/", "\\/"),
            }
    return found
