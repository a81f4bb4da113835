"""Which template would serve each usage type and language, and whether the documented payload can fill it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from authmail.outcomes import TemplateError
from authmail.privacy import raise_afresh
from authmail.templates.choice import choose_template, find_candidates, missing_vital
from authmail.templates.language import placeholders, value_at
from authmail.templates.samples import LOGTO_TYPES, sample_payload
from authmail.templates.strangers import Strangers
from authmail.templates.template import Template, mail_texts
from authmail.words.text import NOTHING, Text, join_words, say


@attrs.frozen
class Coverage:
    """One cell of the table.

    Args:
        usage_type: of a message.
        locale: the reader's language; empty where none is known.
        template: what serves it; None if nothing does.
        unfilled: placeholders of that template which the documented payload of the type does not fill.
        problem: why no mail could be sent, or empty.
        strangers: placeholders whose values are a stranger's words.
    """

    usage_type: str
    locale: str
    template: Template | None
    unfilled: tuple[str, ...] = ()
    problem: Text = NOTHING
    strangers: tuple[str, ...] = ()


def coverage(
    templates: Sequence[Template], default_locale: str | None = None, usage_types: Iterable[str] = LOGTO_TYPES
) -> list[Coverage]:
    """Return the table: every usage type in every language that any template has, and for readers of none of them."""
    locales = ["", *sorted({template.locale for template in templates if template.locale})]
    extra = dict.fromkeys(template.usage_type for template in templates)
    return [
        _cell(templates, usage_type, locale, default_locale)
        for usage_type in dict.fromkeys([*usage_types, *extra])
        for locale in locales
    ]


def _cell(templates: Sequence[Template], usage_type: str, locale: str, default_locale: str | None) -> Coverage:
    payload = sample_payload(usage_type)
    found = find_candidates(templates, usage_type, [locale], default_locale)
    try:
        template = choose_template(found, usage_type, payload)
    except TemplateError as error:
        return Coverage(usage_type, locale, next(iter(found.ranked), None), problem=error.hint)
    unfilled = {name for name, path in _paths(template).items() if value_at(payload, path) is None}
    lacking = missing_vital(template, payload)
    problem = say("needs {lacking}, which {type} messages do not have", lacking=join_words(lacking), type=usage_type)
    strangers = tuple(name for name in strangers_in(template, payload) if name not in unfilled)
    return Coverage(usage_type, locale, template, tuple(sorted(unfilled)), problem if lacking else NOTHING, strangers)


@raise_afresh
def strangers_in(
    template: Template,
    payload: Mapping[str, Any],
    *,
    trusted: Iterable[str] = (),
    link_hosts: Iterable[str] | None = None,
    recipient: str = "",
) -> tuple[str, ...]:
    """Return the placeholders of a template whose values in a payload are a stranger's words.

    Args:
        template: whose placeholders.
        payload: of a message, or a sample.
        trusted: as of the Mailer.
        link_hosts: the same.
        recipient: the address that the mail goes to.
    """
    rule = Strangers(trusted, link_hosts)
    return tuple(name for name, path in _paths(template).items() if not rule.is_own(path, value_at(payload, path), recipient))


def _paths(template: Template) -> dict[str, tuple[str, ...]]:
    """Return name and path of every placeholder, those of sender and reply address too."""
    texts = (*mail_texts(template), template.send_from or "", template.reply_to or "")
    return {piece.name: piece.path for text in texts for piece in placeholders(text)}
