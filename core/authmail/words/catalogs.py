"""Catalogs: what the texts for people are in other languages, read from data when somebody first asks."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from authmail.words.locales import best_match

#: Gives translations, English → text, for a language tag that is one of :data:`LANGUAGES`.
Source = Callable[[str], Mapping[str, str]]

#: The languages that authmail's own texts are in, besides English.
LANGUAGES = ("fr", "zh-CN")

_sources: dict[str, Source] = {}


def words_in(folder: Traversable) -> Source:
    """Return the translations of a folder's ``words.<language>.json`` files."""

    def read(language: str) -> Mapping[str, str]:
        try:
            words = json.loads(folder.joinpath(f"words.{language}.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}  # a connector of somebody else may have none, or broken ones; its English is understood
        return {english: text for english, text in words.items() if isinstance(text, str)} if isinstance(words, dict) else {}

    return read


def add_words(name: str, source: Source) -> None:
    """Add somebody's translations. What is translated already stays as it is: nobody changes another one's words.

    Args:
        name: whose they are, a connector's factory id; those of the same name are replaced.
        source: read when somebody first asks for the language.
    """
    _sources[name] = source
    _catalog.cache_clear()


def catalog_of(language: str) -> Mapping[str, str]:
    """Return the translations of the nearest language there is: English → text; empty for English."""
    nearest = best_match([language], ("en", *LANGUAGES))
    return {} if nearest in (None, "en") else _catalog(str(nearest))


@lru_cache(maxsize=8)
def _catalog(language: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for source in (words_in(files("authmail_metadata") / "core"), *_sources.values()):
        found = {**source(language), **found}
    return found
