"""Language tags: which of the languages there are fits the ones a person reads (BCP 47, RFC 4647)."""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

# Locales come from a request parameter that anybody can send.
_MOST_LOCALES = 16
_LONGEST_TAG = 35

# How far langcodes may go: 25 still takes zh-TW to zh-Hant and nb to no, not French to English.
_FARTHEST = 25


def normalize(tag: str) -> str:
    """Return a tag for comparison: ``pt_BR`` and ``PT-br`` are both ``pt-br``."""
    return tag.replace("_", "-").strip().lower()


def wanted_locales(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ordered languages of a payload: its ``locale``, then its ``uiLocales``, each once.

    ``uiLocales`` is a text with blanks between, as OpenID Connect's ``ui_locales``; a list is accepted. At most 16
    tags of at most 35 characters count; what is not a text is passed over.
    """
    wanted: list[Any] = [payload.get("locale")]
    ui_locales = payload.get("uiLocales")
    wanted += ui_locales.split() if isinstance(ui_locales, str) else ui_locales if isinstance(ui_locales, list | tuple) else []
    tags = [normalize(tag) for tag in wanted[: _MOST_LOCALES + 1] if isinstance(tag, str)]
    return tuple(dict.fromkeys([tag for tag in tags if 0 < len(tag) <= _LONGEST_TAG]))


def fallbacks(tag: str) -> Iterable[str]:
    """Yield the tag and what is left of it when subtags fall away from its end (RFC 4647 section 3.4)."""
    subtags = tag.split("-")
    while subtags:
        yield "-".join(subtags)
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:  # a singleton such as the x of en-x-private
            subtags.pop()


def best_match(wanted: Iterable[str], available: Collection[str]) -> str | None:
    """Return which of the available tags serves a reader of the wanted ones best, or None.

    For each wanted tag in order: plain look-up with its fallbacks; only where that finds nothing, the nearest by
    CLDR's language distance (langcodes): ``pt`` finds ``pt-BR``, ``zh-TW`` finds ``zh-Hant``.

    Args:
        wanted: tags in order of preference; case and ``_`` do not matter.
        available: the tags there are; the result is one of them as it is written here.
    """
    by_tag = {normalize(tag): tag for tag in reversed(list(available))}
    tags = tuple(by_tag)
    for tag in map(normalize, wanted):
        found = next((candidate for candidate in fallbacks(tag) if candidate in by_tag), None) or _nearest(tag, tags)
        if found is not None:
            return by_tag[found]
    return None


@lru_cache(maxsize=1024)
def _nearest(wanted: str, available: tuple[str, ...]) -> str | None:
    import langcodes  # imported late: costs more than the rest of core and is seldom needed

    valid = [tag for tag in available if langcodes.tag_is_valid(tag)]
    if not valid or not langcodes.tag_is_valid(wanted):
        return None
    found, _ = langcodes.closest_match(wanted, valid, max_distance=_FARTHEST)
    return None if found == "und" else found
