"""Which template serves a message: the type first, within it the language, within that the source."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

from authmail.mail.message import UsageType
from authmail.mail.vital import REQUIRED
from authmail.outcomes import TemplateError
from authmail.templates.language import placeholders, text_of, value_at
from authmail.templates.template import Template
from authmail.words.locales import best_match
from authmail.words.text import join_words, say


@attrs.frozen
class Candidates:
    """The best template of the message's own type, and the best ``Generic`` one, for a reader's languages."""

    own: Template | None
    generic: Template | None


def find_candidates(
    templates: Sequence[Template], usage_type: str, locales: Iterable[str], default_locale: str | None = None
) -> Candidates:
    """Return what could serve a usage type and languages.

    Args:
        templates: all there are, the preferred source first; of equals the first wins.
        usage_type: of the message; case matters.
        locales: the reader's languages, best first.
        default_locale: the host's language, before templates without a language.
    """
    locales = tuple(locales)
    return Candidates(
        own=_best([t for t in templates if t.usage_type == usage_type], locales, default_locale),
        generic=_best([t for t in templates if t.usage_type == UsageType.GENERIC], locales, default_locale),
    )


def choose_template(found: Candidates, usage_type: str, payload: Mapping[str, Any]) -> Template:
    """Return the template that serves a payload: the type's own, else ``Generic`` if the payload can fill it.

    Raises:
        TemplateError: there is none.
    """
    if found.own is not None:
        return found.own
    if found.generic is None:
        if usage_type == UsageType.GENERIC:
            raise TemplateError(say("no template for Generic: add one"))
        raise TemplateError(say("no template for {type} and none for Generic: add one of them", type=usage_type))
    lacking = missing_vital(found.generic, payload)
    if lacking:
        hint = "no template for {type}, and the Generic one needs {lacking}, which the payload lacks"
        raise TemplateError(say(hint, type=usage_type, lacking=join_words(lacking)))
    return found.generic


def missing_vital(template: Template, payload: Mapping[str, Any]) -> list[str]:
    """Return which of code and link the template asks for and the payload does not have."""
    return sorted({path[0] for path in _vital(template) if not text_of(value_at(payload, path)).strip()})


@lru_cache(maxsize=1024)
def _vital(template: Template) -> frozenset[tuple[str, ...]]:
    texts = [template.subject, template.content, template.text or ""]
    return frozenset(piece.path for text in texts for piece in placeholders(text) if piece.path[0] in REQUIRED)


def _best(templates: list[Template], locales: tuple[str, ...], default_locale: str | None) -> Template | None:
    by_locale: dict[str, Template] = {}
    for template in templates:
        by_locale.setdefault(template.locale or "", template)
    found = best_match(locales, by_locale)  # the empty tag matches nobody's
    if found is None and default_locale:
        found = best_match([default_locale], by_locale)
    if found is None and "" in by_locale:
        found = ""
    return by_locale[found] if found is not None else next(iter(templates), None)
