"""Language tags: which of the languages there are fits the ones a person reads (BCP 47, RFC 4647)."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any

# Locales come from a request parameter that anybody can send.
_MOST_LOCALES = 8
_LONGEST_TAG = 35

# How far langcodes may go: 10 takes zh-TW to zh-Hant, nb to no and Swiss German to German, not Ukrainian to Russian or
# Catalan to Spanish: whoever reads these as well says so in the languages that the browser sends.
_FARTHEST = 10
# Two ways to write one language, which CLDR puts further apart than that.
_WRITTEN_ALIKE = {"nn": "no"}

# Of a tag, so much is asked of langcodes: language, script, region.
_PARTS = re.compile(
    r"([a-z]{2,3})(?:-[a-z]{3}(?=-|\Z)){0,3}(?:-([a-z]{4})(?=-|\Z))?(?:-([a-z]{2}|[0-9]{3})(?=-|\Z))?(?:-.*)?", re.DOTALL
)
# langcodes keeps every tag that it was ever asked about, some 1.4 KB each.
_MOST_TAGS = 2048


def normalize(tag: str) -> str:
    """Return a tag for comparison: ``pt_BR`` and ``PT-br`` are both ``pt-br``."""
    return tag.replace("_", "-").strip().lower()


def wanted_locales(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ordered languages of a payload: its ``locale``, then its ``uiLocales``, each once.

    ``uiLocales`` is a text with blanks between, as OpenID Connect's ``ui_locales``; a list is accepted. At most 9
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

    with _asking:
        _forget_many()
        by_parts = {parts: tag for tag in reversed(available) if (parts := _known_parts(tag))}
        parts = _known_parts(wanted)
        if not by_parts or not parts:
            return None
        for tag in (parts, *filter(None, [_WRITTEN_ALIKE.get(parts)])):
            found, _ = langcodes.closest_match(tag, list(by_parts), max_distance=_FARTHEST)
            if found in by_parts:
                return by_parts[found]
    return None


#: Tags that langcodes was asked about since it last forgot them.
_asked: set[str] = set()
_asking = Lock()


def _new_lock() -> None:
    """In a forked child: another thread of the parent may have held it at the fork."""
    global _asking  # noqa: PLW0603
    _asking = Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_new_lock)


def _known_parts(tag: str) -> str:
    """Return a tag's language, script and region, if langcodes knows them; empty if not."""
    import langcodes

    found = _PARTS.fullmatch(tag)
    if found is None:
        return ""
    parts = "-".join(filter(None, found.groups()))
    _asked.add(parts)
    return parts if langcodes.tag_is_valid(parts) else ""


def _forget_many() -> None:
    """Empty langcodes' own caches, which have no end, once they hold what strangers may have made up."""
    if len(_asked) < _MOST_TAGS:
        return
    import langcodes
    from langcodes import language_distance

    for owner, name in (
        (langcodes.Language, "_INSTANCES"),
        (langcodes.Language, "_PARSE_CACHE"),
        (language_distance, "_DISTANCE_CACHE"),
    ):
        getattr(owner, name, {}).clear()
    _asked.clear()
