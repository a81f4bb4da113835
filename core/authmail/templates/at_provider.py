"""A template that is kept at the provider, who writes the mail from it: here it has a name, a usage type and a language."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from authmail.errors import ConfigError, Problem
from authmail.privacy import make_afresh, raise_afresh
from authmail.templates.template import Template, is_key, kind_of, problem_with_key
from authmail.words.text import say

#: JSON key → field; Logto's Postmark connector has the first two.
_KEYS = {"usageType": "usage_type", "templateAlias": "alias", "locale": "locale", "languageTag": "locale"}
_REQUIRED = ("usageType", "templateAlias")
#: Keys that such a template may have, for hints on misspelt ones.
KNOWN_KEYS = tuple(_KEYS)


@make_afresh
@attrs.frozen(repr=False)
class ProviderTemplate(Template):
    """A template at the provider. It is chosen as every other, by usage type and language, and has no text of its own here.

    Args:
        usage_type: as of :class:`~authmail.Template`.
        locale: the same.
        alias: what the provider calls it, up to 100 printable characters.
    """

    subject: str = attrs.field(default="", init=False)
    content: str = attrs.field(default="", init=False)
    content_type: str = attrs.field(default="text/html", init=False)
    text: str | None = attrs.field(default=None, init=False)
    send_from: str | None = attrs.field(default=None, init=False)
    reply_to: str | None = attrs.field(default=None, init=False)
    alias: str = attrs.field(kw_only=True, validator=is_key)

    @classmethod
    @raise_afresh
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read its JSON: usageType, templateAlias, locale or languageTag. A null is the same as leaving the key out.

        Raises:
            ConfigError: with every problem; paths are relative to the template.
        """
        if not isinstance(data, Mapping):
            raise ConfigError([Problem("", say("must be an object, got {kind}", kind=kind_of(data)))])
        given = {key: data[key] for key in _KEYS if data.get(key) is not None}
        problems = [Problem(key, "is required") for key in _REQUIRED if given.get(key, "") == ""]
        problems += [found for key, value in given.items() if (found := problem_with_key(key, value)) is not None]
        if problems:
            raise ConfigError(problems)
        return cls(**{_KEYS[key]: value for key, value in reversed(given.items())})

    def to_dict(self) -> dict[str, str]:
        """Return the JSON that :meth:`from_dict` reads; what is not set is left out."""
        values = {"usageType": self.usage_type, "templateAlias": self.alias, "locale": self.locale}
        return {key: value for key, value in values.items() if value is not None}

    def __repr__(self) -> str:
        return f"ProviderTemplate({self.usage_type!r}, locale={self.locale!r}, alias={self.alias!r})"


def read_either(value: Any) -> Template:
    """Return a template of one kind or the other: what names an alias is the provider's."""
    if isinstance(value, Template):
        return value
    is_named = isinstance(value, Mapping) and value.get("templateAlias") is not None
    return ProviderTemplate.from_dict(value) if is_named else Template.from_dict(value)
