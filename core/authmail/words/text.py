"""Texts for people. English stands in the code; translations stand in data, under the English text as their key."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Self

from authmail.words.catalogs import catalog_of


class Text(str):
    """A text for people: plain English wherever a ``str`` is wanted, and what it is made of, for other languages.

    Attributes:
        key: the English text with ``{names}`` in place of values: what translations are found by.
        values: what stands for the names. None where the text came ready made, so that nobody knows its fixed words
            from what was filled in.
    """

    __slots__ = ("key", "values")
    key: str
    values: Mapping[str, Any] | None

    def __new__(cls, key: str, values: Mapping[str, Any] | None = None) -> Self:
        """Fill the values in."""
        made = super().__new__(cls, key.format_map(values) if values else key)
        made.key, made.values = key, values
        return made

    def in_language(self, language: str) -> str:
        """Return it in the nearest language there is; English where nobody translated it.

        Args:
            language: a language tag, such as ``fr`` or ``zh-CN``.
        """
        found = catalog_of(language).get(self.key)
        if found is None and not self.values:
            return str(self)
        values = {name: _told(value, language) for name, value in (self.values or {}).items()}
        try:
            return (found or self.key).format_map(values) if values else found or self.key
        except (LookupError, ValueError, AttributeError, TypeError):  # a translation names a value that there is not
            return str(self)

    def change(self, change: Callable[[str], str]) -> "Text":
        """Return it with every text that was filled in changed, and never the fixed words around them."""
        if self.values is None:
            return Text(change(str(self)))
        return Text(self.key, {name: _changed(value, change) for name, value in self.values.items()})

    def __reduce__(self) -> tuple[Any, ...]:
        values = None if self.values is None else dict(self.values)
        return Text, (self.key, values)


def say(english: str, /, **values: Any) -> Text:
    """Return a text for people, for hints and problems.

    Args:
        english: in English, with ``{names}`` as of :meth:`str.format` where values are filled in. Catalogs hold its
            translations: ``words.<language>.json`` beside a connector's metadata.json, English → translation.
        **values: what stands for the names; never a secret, code or link.
    """
    return Text(english, values)


def join_words(words: Iterable[str]) -> Text | str:
    """Return words as a sentence lists them: ``code and link``; each is a name that no language changes."""
    *first, last = [*words] or [""]
    return say("{first} and {last}", first=", ".join(first), last=last) if first else last


#: No words at all.
NOTHING = Text("", {})


def as_text(value: str) -> Text:
    """Return a text as a :class:`Text`; of a plain one, nobody knows what was filled in."""
    return value if isinstance(value, Text) else Text(value)


def in_language(value: Any, language: str) -> Any:
    """Return a text in a language; what is no text stays as it is."""
    return as_text(value).in_language(language) if isinstance(value, str) else value


def _told(value: Any, language: str) -> Any:
    """Return a value in a language: a text or member of an enum; a plain text is somebody's own, and stays."""
    return in_language(str(value) if isinstance(value, Enum) else value, language) if isinstance(value, Text | Enum) else value


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, Text):
        return value.change(change)
    # A member of an enum is a fixed word of the code.
    return change(value) if isinstance(value, str) and not isinstance(value, Enum) else value
