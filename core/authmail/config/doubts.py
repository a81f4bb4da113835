"""What of a config is valid yet doubtful, whatever the connector: keys without effect, and values that look like slips."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, get_origin

from authmail.config.settings import Spec, fields_of, holds_provider_templates, holds_templates, nested_settings
from authmail.errors import Problem
from authmail.mail.message import UsageType
from authmail.templates.at_provider import KNOWN_KEYS as PROVIDER_KEYS
from authmail.templates.template import KNOWN_KEYS, Template
from authmail.words.languages import is_language, language_named
from authmail.words.near import LONGEST_SLIP, nearest
from authmail.words.text import say

# Of more unknown keys nobody reads all.
_MOST_UNKNOWN = 100


def unknown_keys(raw: Any, cls: type) -> Iterator[Problem]:
    """Yield a warning for every key that no setting has, with the nearest one that exists; templates included.

    Of very many, the first hundred.
    """
    return islice(_unknown_keys(raw, cls, ""), _MOST_UNKNOWN)


def _unknown_keys(raw: Any, cls: type, path: str) -> Iterator[Problem]:
    if not isinstance(raw, Mapping):
        return
    known = {key: (field.type, spec) for key, field, spec in fields_of(cls)}
    for key, value in raw.items():
        if key not in known:
            yield _unknown(path, str(key), known)
            continue
        kind, spec = known[key]
        if _is_example(value, spec):
            yield Problem(f"{path}{key}", "is still the example", say("write your own, or leave it out"))
        elif holds_templates(kind) and isinstance(value, list | tuple):
            keys = {*KNOWN_KEYS, *PROVIDER_KEYS} if holds_provider_templates(kind) else KNOWN_KEYS
            yield from _doubts_of_templates(value, f"{path}{key}", keys)
        elif (nested := nested_settings(kind)) is not None:
            for place, inner in _nested_values(value, kind, f"{path}{key}"):
                yield from _unknown_keys(inner, nested, f"{place}.")


def _is_example(value: Any, spec: Spec) -> bool:
    """Whether a value is the setting's placeholder, where that is a word that could be one."""
    return spec.placeholder is not None and spec.placeholder.isalpha() and value == spec.placeholder


def _doubts_of_templates(templates: Iterable[Any], path: str, known: Collection[str]) -> Iterator[Problem]:
    for index, template in enumerate(templates):
        if isinstance(template, Mapping):
            here = f"{path}[{index}]."
            yield from (_unknown(here, str(key), known) for key in template if key not in known)
            yield from _doubts_of_template(template, here)


def _nested_values(value: Any, annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of every object with settings within a setting: itself, or the items of a list or mapping."""
    if isinstance(value, list | tuple):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
    elif get_origin(annotation) in (dict, Mapping) and isinstance(value, Mapping):
        yield from ((f"{path}.{key}", item) for key, item in value.items())
    else:
        yield path, value


def _doubts_of_template(template: Mapping[str, Any], path: str) -> Iterator[Problem]:
    written = template.get("usageType")
    if isinstance(written, str) and written not in [*UsageType] and (near := nearest(written, UsageType)):
        message = say("is none of the usage types that are known; no message will have it")
        yield Problem(f"{path}usageType", message, say("did you mean {near}?", near=near))
    for key in ("locale", "languageTag"):
        tag = template.get(key)
        if isinstance(tag, str) and 0 < len(tag) <= LONGEST_SLIP and not is_language(tag):
            hint = say("did you mean {near}?", near=near) if (near := language_named(tag)) else say("such as fr, fr-CA or zh-CN")
            yield Problem(f"{path}{key}", say("is not a language tag, so nobody will get this template"), hint)


def _unknown(path: str, key: str, known: Iterable[str]) -> Problem:
    near = nearest(key, known)
    hint = say("did you mean {near}?", near=near) if near else ""
    shown = key if len(key) <= LONGEST_SLIP else f"{key[:LONGEST_SLIP]}…"
    return Problem(f"{path}{shown}", "is not a known setting and has no effect", hint)


def doubts_of_files(templates: Iterable[Template], folder: str = "templates") -> Iterator[Problem]:
    """Yield what is doubtful of templates that are files: a folder that is no language, a name that is nearly a type."""
    found: dict[Problem, None] = {}
    for template in templates:
        for problem in _doubts_of_template({"usageType": template.usage_type, "locale": template.locale}, ""):
            path = file_of(template, folder)
            path = path if problem.path == "usageType" else f"{path.rpartition('/')[0]}/"
            found[Problem(path, problem.message, problem.hint)] = None
    yield from found


def file_of(template: Template, folder: str) -> str:
    """Return the file that a template of a folder came from."""
    ending = "html" if template.is_html else "txt"
    return "/".join(part for part in (folder.rstrip("/"), template.locale, f"{template.usage_type}.{ending}") if part)
