"""Which template serves a message: a language that the reader knows, the type before ``Generic``, the preferred source."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import attrs

from authmail.mail.message import UsageType
from authmail.mail.vital import REQUIRED
from authmail.outcomes import TemplateError
from authmail.templates.language import placeholders, text_of, value_at
from authmail.templates.template import Template, mail_texts
from authmail.words.locales import best_match
from authmail.words.text import join_words, say


@attrs.frozen
class Candidates:
    """What could serve a usage type and a reader's languages, the best first: of the type itself and of ``Generic``."""

    ranked: tuple[Template, ...]


def find_candidates(
    templates: Sequence[Template], usage_type: str, locales: Iterable[str], default_locale: str | None = None
) -> Candidates:
    """Return what could serve a usage type and languages.

    In this order: the type in a language of the reader, the type for every language, ``Generic`` likewise, the type in the
    host's language, ``Generic`` in it, the type in the first language there is, ``Generic`` in it.

    Args:
        templates: all there are, the preferred source first; of equals the first wins.
        usage_type: of the message; case matters.
        locales: the reader's languages, best first.
        default_locale: the host's language.
    """
    wanted = tuple(locales)
    kinds = [_by_locale(templates, kind) for kind in dict.fromkeys([usage_type, str(UsageType.GENERIC)])]
    ranked = [found for kind in kinds for found in (_match(kind, wanted), kind.get(""))]
    ranked += [_match(kind, (default_locale,)) for kind in kinds if default_locale]
    ranked += [next(iter(kind.values()), None) for kind in kinds]
    return Candidates(tuple({id(template): template for template in ranked if template is not None}.values()))


def choose_template(found: Candidates, usage_type: str, payload: Mapping[str, Any]) -> Template:
    """Return the template that serves a payload: the best one, ``Generic`` ones only if the payload can fill them.

    Raises:
        TemplateError: there is none.
    """
    lacking: list[str] = []
    for template in found.ranked:
        lacking = [] if template.usage_type == usage_type else missing_vital(template, payload)
        if not lacking:
            return template
    if lacking:
        hint = "no template for {type}, and the Generic one needs {lacking}, which the payload lacks"
        raise TemplateError(say(hint, type=usage_type, lacking=join_words(lacking)))
    if usage_type == UsageType.GENERIC:
        raise TemplateError(say("no template for Generic: add one"))
    raise TemplateError(say("no template for {type} and none for Generic: add one of them", type=usage_type))


def missing_vital(template: Template, payload: Mapping[str, Any]) -> list[str]:
    """Return which of code and link the template asks for and the payload does not have."""
    return sorted({path[0] for path in _vital(template) if not text_of(value_at(payload, path)).strip()})


@lru_cache(maxsize=1024)
def _vital(template: Template) -> frozenset[tuple[str, ...]]:
    return frozenset(piece.path for text in mail_texts(template) for piece in placeholders(text) if piece.path[0] in REQUIRED)


def _by_locale(templates: Iterable[Template], usage_type: str) -> dict[str, Template]:
    found: dict[str, Template] = {}
    for template in templates:
        if template.usage_type == usage_type:
            found.setdefault(template.locale or "", template)
    return found


def _match(kind: Mapping[str, Template], locales: Iterable[str]) -> Template | None:
    found = best_match(locales, kind)  # the empty tag matches nobody's
    return None if found is None else kind[found]
