"""What a connector says of itself: names, descriptions, logo and guide, from data files beside it."""

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any, Self

import attrs

from authmail.config.forms import FormItem, config_template, form_items
from authmail.words.catalogs import add_words, words_in
from authmail.words.locales import best_match
from authmail.words.text import say

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_README = re.compile(r"README(?:\.(?P<language>[A-Za-z0-9-]+))?\.md")
_LOGO_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}


def _phrases(value: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(value))


def _valid_id(_: object, field: "attrs.Attribute[str]", value: str) -> None:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError(say("metadata: {name} must be lower-case words joined by hyphens", name=field.name))


def _valid_phrases(_: object, field: "attrs.Attribute[Any]", value: Mapping[str, str]) -> None:
    if "en" not in value or not all(_LANGUAGE.fullmatch(tag) and isinstance(text, str) for tag, text in value.items()):
        raise ValueError(say("metadata: {name} must be texts by language tag, with one for en", name=field.name))


def _valid_rate(_: object, field: "attrs.Attribute[Any]", value: float | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value <= 0):
        raise ValueError(say("metadata: {name} must be a number of mails a second", name=field.name))


@attrs.frozen(repr=False)
class ConnectorMetadata:
    """A connector's metadata.

    Args:
        id: factory id, unique among installed connectors; the name of its entry point.
        target: the provider's short name.
        name: language tag → name; English is needed.
        description: language tag → one sentence; English is needed.
        settings: the settings class, from which form items, schema and config template come.
        logo: data URI.
        logo_dark: data URI for dark pages, if it differs.
        readmes: language tag → guide in Markdown.
        translations: setting's key → ``label`` and ``help`` → language tag → text.
        slug: path of the guide on a documentation site.
        sidebar_label: what its navigation calls it.
        rate: mails a second that the provider publishes for every account; None where it publishes none.

    Raises:
        ValueError: an id or a text by language is not one.
    """

    id: str = attrs.field(validator=_valid_id)
    target: str = attrs.field(validator=_valid_id)
    name: Mapping[str, str] = attrs.field(converter=_phrases, validator=_valid_phrases)
    description: Mapping[str, str] = attrs.field(converter=_phrases, validator=_valid_phrases)
    settings: type | None = attrs.field(default=None, kw_only=True)
    logo: str = attrs.field(default="", kw_only=True)
    logo_dark: str | None = attrs.field(default=None, kw_only=True)
    readmes: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    translations: Mapping[str, Mapping[str, Mapping[str, str]]] = attrs.field(factory=dict, kw_only=True)
    slug: str | None = attrs.field(default=None, kw_only=True)
    sidebar_label: str | None = attrs.field(default=None, kw_only=True)
    rate: float | None = attrs.field(default=None, kw_only=True, validator=_valid_rate)

    @classmethod
    def load(cls, folder: Traversable, *, settings: type) -> Self:
        """Read ``metadata.json``, ``README.md``, ``README.<language>.md``, ``logo.svg`` or ``.png`` and ``logo-dark``.

        Args:
            folder: ``importlib.resources.files(…)`` of the connector's data.
            settings: the settings class.

        Raises:
            ValueError: metadata.json is missing or lacks something.
        """
        try:
            data = json.loads(folder.joinpath("metadata.json").read_text("utf-8"))
            required = {key: data[key] for key in ("id", "target", "name", "description")}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ValueError(
                say("metadata.json cannot be used: {kind}: {error}", kind=type(error).__name__, error=error)
            ) from None
        found = {file.name: file for file in folder.iterdir()}
        guides = {
            match["language"] or "en": found[name].read_text("utf-8") for name in found if (match := _README.fullmatch(name))
        }
        metadata = cls(
            **required,
            settings=settings,
            logo=_data_uri(found, "logo") or "",
            logo_dark=_data_uri(found, "logo-dark"),
            readmes=guides,
            translations=data.get("settings", {}),
            slug=data.get("slug"),
            sidebar_label=data.get("sidebarLabel"),
            rate=data.get("rate"),
        )
        add_words(metadata.id, lambda language: {**metadata._helps(language), **words_in(folder)(language)})
        return metadata

    def readme(self, language: str = "en") -> str:
        """Return the guide, Markdown, in the nearest language there is; English where none is near."""
        return self.readmes.get(best_match([language], self.readmes) or "en", "")

    def form_items(self, language: str = "en") -> tuple[FormItem, ...]:
        """Return the form items with labels and helps in the nearest language."""
        if self.settings is None:
            return ()
        words = {
            key: {part: texts[tag] for part, texts in parts.items() if (tag := best_match([language], texts)) is not None}
            for key, parts in self.translations.items()
        }
        return form_items(self.settings, words, language)

    def _helps(self, language: str) -> dict[str, str]:
        """Return the helps of settings, English → text: problems have them as hints."""
        english = {item.key: item.description for item in self.form_items()}
        return {
            text: parts["help"][language]
            for key, parts in self.translations.items()
            if language in parts.get("help", {}) and (text := english.get(key))
        }

    @property
    def config_template(self) -> str:
        """A config to fill in, as JSON text, with templates for all nine types."""
        return config_template(self.settings) if self.settings else "{}"

    def to_dict(self) -> dict[str, Any]:
        """Return Logto's factory JSON, form items included."""
        return {
            "id": self.id,
            "target": self.target,
            "type": "Email",
            "platform": None,
            "name": dict(self.name),
            "description": dict(self.description),
            "logo": self.logo,
            "logoDark": self.logo_dark,
            "readme": self.readme(),
            "configTemplate": self.config_template,
            "formItems": [item.to_dict() for item in self.form_items()],
        }

    def __repr__(self) -> str:
        return f"ConnectorMetadata({self.id!r}, target={self.target!r})"


def _data_uri(found: Mapping[str, Traversable], name: str) -> str | None:
    for ending, kind in _LOGO_TYPES.items():
        if file := found.get(name + ending):
            return f"data:{kind};base64,{b64encode(file.read_bytes()).decode()}"
    return None
