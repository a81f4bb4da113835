"""A template: subject and content for one usage type and language."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from authmail.errors import ConfigError, Problem
from authmail.privacy import make_afresh, raise_afresh
from authmail.words.text import say

_CONTENT_TYPES = ("text/html", "text/plain")

#: JSON key → field, the usual spelling first. ``type`` counts only with a text/… value: elsewhere it is a usage type.
_KEYS = {
    "usageType": "usage_type",
    "subject": "subject",
    "content": "content",
    "contentType": "content_type",
    "type": "content_type",
    "text": "text",
    "locale": "locale",
    "languageTag": "locale",
    "sendFrom": "send_from",
    "replyTo": "reply_to",
}
_LONGEST_KEY = 100
_REQUIRED = ("usageType", "subject", "content")


def is_key(_: object, field: "attrs.Attribute[Any]", value: str | None) -> None:
    """Refuse what cannot stand in a line of a log: a validator of attrs."""
    if value is not None and not _is_loggable(value):
        raise ValueError(f"{field.name} is up to {_LONGEST_KEY} printable characters")


def _is_loggable(value: str) -> bool:
    """Whether it can stand in a line of a log."""
    return isinstance(value, str) and len(value) <= _LONGEST_KEY and value.isprintable()


@make_afresh
@attrs.frozen(repr=False)
class Template:
    """A mail template.

    Args:
        usage_type: what it is for, a :class:`~authmail.UsageType` or any other text of up to 100 printable characters; case
            matters.
        subject: subject with placeholders.
        content: body with placeholders.
        content_type: ``text/html`` or ``text/plain``, of the content.
        text: a text part of its own beside an HTML content; without it one is derived.
        locale: language tag, as long at most; None serves every language.
        send_from: ``Name <address>`` or a name, with placeholders, in place of the configured sender.
        reply_to: where answers go, with placeholders.

    Raises:
        ValueError: usage type or locale is longer, or not printable.
    """

    usage_type: str = attrs.field(validator=is_key)
    subject: str
    content: str
    content_type: str = "text/html"
    text: str | None = None
    locale: str | None = attrs.field(default=None, validator=is_key)
    send_from: str | None = None
    reply_to: str | None = None

    @classmethod
    @raise_afresh
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a template's JSON.

        Its keys: usageType, subject, content, contentType (or ``type`` with a ``text/…`` value), text, locale or
        languageTag, sendFrom, replyTo. A null is the same as leaving the key out.

        Raises:
            ConfigError: with every problem; paths are relative to the template.
        """
        if not isinstance(data, Mapping):
            raise ConfigError([Problem("", say("must be an object, got {kind}", kind=kind_of(data)))])
        problems = [Problem(key, "is required") for key in _REQUIRED if data.get(key) is None]
        fields: dict[str, str] = {}
        for key, value in data.items():
            field = _field_of(key, value)
            if field is None or field in fields:
                continue
            problem = _problem_with(key, field, value)
            if problem is None:
                fields[field] = value
            else:
                problems.append(problem)
        if problems:
            raise ConfigError(problems)
        return cls(**fields)

    def to_dict(self) -> dict[str, str]:
        """Return the JSON that :meth:`from_dict` reads; what is not set is left out."""
        keys = {field: key for key, field in reversed(_KEYS.items())}
        values = attrs.asdict(self)
        if self.content_type == "text/html":
            values.pop("content_type")
        return {keys[field]: str(value) for field, value in values.items() if value is not None}

    @property
    def is_html(self) -> bool:
        """Whether the content is HTML."""
        return self.content_type != "text/plain"

    def __repr__(self) -> str:
        return f"Template({self.usage_type!r}, locale={self.locale!r}, content=<{len(self.content)} characters>)"


def mail_texts(template: Template) -> tuple[str, str, str]:
    """Return what a template says in a mail: subject, content, and the text part, empty where it has none."""
    return (template.subject, template.content, template.text or "")


#: Keys that a template may have, for hints on misspelt ones.
KNOWN_KEYS = tuple(_KEYS)


def _field_of(key: str, value: Any) -> str | None:
    """Return the field that a key fills in; None if it has no effect."""
    if value is None or (key == "type" and not _is_content_type(value)):
        return None
    return _KEYS.get(key)


def _problem_with(key: str, field: str, value: Any) -> Problem | None:
    if not isinstance(value, str) or field in ("usage_type", "locale"):
        return problem_with_key(key, value)
    if field == "content_type" and value not in _CONTENT_TYPES:
        return Problem(key, "must be text/html or text/plain", "leave it out for text/html")
    return None


def problem_with_key(key: str, value: Any) -> Problem | None:
    """Return what is wrong with a value by which templates are found; None where it can be one."""
    if not isinstance(value, str):
        return Problem(key, say("must be text, got {kind}", kind=kind_of(value)))
    if not _is_loggable(value):
        return Problem(key, say("must be up to {longest} printable characters", longest=_LONGEST_KEY))
    return None


def _is_content_type(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("text/")


def kind_of(value: Any) -> str:
    """Return what kind of JSON value it is, in words."""
    if value is None:
        return say("null")
    if isinstance(value, bool):
        return say("true or false")
    kinds = {str: "a text", int: "a number", float: "a number", Mapping: "an object", list: "a list", tuple: "a list"}
    return say(next((name for kind, name in kinds.items() if isinstance(value, kind)), type(value).__name__))
