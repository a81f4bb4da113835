"""Settings classes of connectors: attrs classes that read a config strictly and report every problem at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self, TypeVar, dataclass_transform, get_args, get_origin

import attrs

from authmail.config.reading import converter, prefix_paths, problem_of
from authmail.config.secret import Secret
from authmail.errors import ConfigError, Problem
from authmail.privacy import raise_afresh
from authmail.templates.template import KNOWN_KEYS, Template, kind_of
from authmail.words.text import say

_Class = TypeVar("_Class", bound=type)

_SPEC = "authmail"

# Templates that the host keeps elsewhere serve a config that has none; core says so around the connector's hook.
_templates_elsewhere: ContextVar[bool] = ContextVar("templates_elsewhere", default=False)


@attrs.frozen(kw_only=True)
class Spec:
    """What :func:`setting` says of a setting; its parameters explain the attributes."""

    label: str
    help: str = ""
    key: str | None = None
    placeholder: str | None = None
    multiline: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    pattern_hint: str = ""
    titles: Mapping[str, str] = attrs.field(factory=dict)
    show_if: Mapping[str, Any] = attrs.field(factory=dict)
    required_types: tuple[str, ...] = ()
    destination: bool = False
    check: Callable[[Any], None] | None = None


def setting(label: str, *, default: Any = attrs.NOTHING, **details: Any) -> Any:
    """Describe one setting of a settings class.

    Args:
        label: what the admin page calls it, in English; translations are in metadata.json.
        default: makes the setting optional. A null in the config is the same as leaving it out.
        **details: ``help``, where to find the value; ``key``, the JSON key where camelCase does not give it;
            ``placeholder``; ``multiline``; ``min_length``, ``max_length`` in characters (a required text needs 1);
            ``minimum``, ``maximum``; ``pattern``, a regular expression of the whole text, with ``pattern_hint``;
            ``titles``, choice → words for it; ``show_if``, key → value that another setting must have to show this
            one; ``required_types``, usage types that a list of templates must have; ``destination``, this setting
            decides where secrets are sent, so a change of it asks for them anew; ``check``, a function that raises
            ValueError on a bad value.

    Raises:
        TypeError: a detail that does not exist.
    """
    spec = Spec(label=label, **details)
    return attrs.field(default=default, metadata={_SPEC: spec}, validator=_validate)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting,))
def settings(cls: _Class) -> _Class:
    """Make a settings class: attrs, frozen, with slots, keyword-only, camelCase in JSON."""
    return attrs.define(cls, frozen=True, slots=True, kw_only=True, field_transformer=_put_own_first)


def _put_own_first(_: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Order settings as people fill them in: what a class adds comes before what it inherits."""
    return sorted(fields, key=lambda field: bool(getattr(field, "inherited", False)))  # which its type stub lacks


class Settings:
    """Base of every settings class. Decorate the subclass with :func:`settings`."""

    __slots__ = ()

    @classmethod
    @raise_afresh
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read a config, Logto's connector JSON.

        Types are strict: no text becomes a number, nothing is cut or guessed. Unknown keys are no problem here, see
        :func:`unknown_keys`.

        Raises:
            ConfigError: with every problem, in the order of the settings; never with a secret's value.
        """
        config: Self = _structure(raw, cls)
        return config

    def warnings(self) -> Iterable[Problem]:
        """Yield what is valid yet doubtful. For subclasses to override."""
        return ()


@contextmanager
def templates_elsewhere(elsewhere: bool) -> Iterator[None]:
    """Within this block the required template types of a config may be missing, since the host has its own."""
    token = _templates_elsewhere.set(elsewhere)
    try:
        yield
    finally:
        _templates_elsewhere.reset(token)


def fields_of(cls: type) -> list[tuple[str, attrs.Attribute[Any], Spec]]:
    """Return JSON key, attrs field and spec of every setting, in order."""
    attrs.resolve_types(cls)
    found = []
    for field in attrs.fields(cls):
        spec = field.metadata.get(_SPEC) or Spec(label=field.name.replace("_", " ").capitalize())
        found.append((spec.key or camel_case(field.name), field, spec))
    return found


def placeholder_of(spec: Spec) -> str:
    """Return what stands for a value in a config that is still to be filled in."""
    return f"<{spec.label}>"


def is_required(field: attrs.Attribute[Any]) -> bool:
    """Whether a setting has no default."""
    return field.default is attrs.NOTHING


def default_of(field: attrs.Attribute[Any]) -> Any:
    """Return the default of an optional setting; None where it is made by a factory."""
    return None if is_required(field) or isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]  # attrs types Factory as a function


def camel_case(name: str) -> str:
    """Return ``access_key_id`` as ``accessKeyId``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def unknown_keys(raw: Any, cls: type, path: str = "") -> Iterator[Problem]:
    """Yield a warning for every key that no setting has, with the nearest one that exists; templates included."""
    if not isinstance(raw, Mapping):
        return
    known = {key: field for key, field, _ in fields_of(cls)}
    for key, value in raw.items():
        if key not in known:
            yield _unknown(f"{path}{key}", str(key), known)
        elif holds_templates(known[key].type) and isinstance(value, list | tuple):
            for index, template in enumerate(value):
                if isinstance(template, Mapping):
                    here = f"{path}{key}[{index}]."
                    yield from (_unknown(f"{here}{k}", str(k), KNOWN_KEYS) for k in template if k not in KNOWN_KEYS)
        elif (nested := nested_settings(known[key].type)) is not None:
            for place, inner in _nested_values(value, known[key].type, f"{path}{key}"):
                yield from unknown_keys(inner, nested, f"{place}.")


def _nested_values(value: Any, annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of every object with settings within a setting: itself, or the items of a list or mapping."""
    if isinstance(value, list | tuple):
        yield from ((f"{path}[{index}]", item) for index, item in enumerate(value))
    elif get_origin(annotation) in (dict, Mapping) and isinstance(value, Mapping):
        yield from ((f"{path}.{key}", item) for key, item in value.items())
    else:
        yield path, value


def holds_templates(annotation: Any) -> bool:
    """Whether a setting of this type is the list of templates."""
    return Template in _kinds(annotation)


def is_secret(annotation: Any) -> bool:
    """Whether a setting of this type is a secret."""
    return Secret in _kinds(annotation)


def holds_secrets(annotation: Any) -> bool:
    """Whether a setting of this type is an object whose every value is a secret, such as headers."""
    return is_secret(annotation) and get_origin(annotation) in (dict, Mapping)


def nested_settings(annotation: Any) -> type | None:
    """Return the settings class that a setting holds, if it holds one."""
    return next((kind for kind in _kinds(annotation) if isinstance(kind, type) and issubclass(kind, Settings)), None)


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of: of ``tuple[Secret, ...] | None`` also ``Secret``."""
    yield annotation
    for kind in get_args(annotation):
        yield from _kinds(kind)


def _unknown(path: str, key: str, known: Iterable[str]) -> Problem:
    from difflib import get_close_matches  # imported late: for hints alone

    near = get_close_matches(key, list(known), n=1)
    return Problem(path, "is not a known setting and has no effect", say("did you mean {near}?", near=near[0]) if near else "")


def _structure(raw: Any, cls: type) -> Any:
    if not isinstance(raw, Mapping):
        raise ConfigError([Problem("", say("must be an object, got {kind}", kind=kind_of(raw)))])
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for key, field, spec in fields_of(cls):
        value = raw.get(key)
        # An empty text is how a form says that an optional field was left empty.
        if value is None or (value == "" and not is_required(field)):
            if is_required(field):
                problems.append(Problem(key, "is required", spec.help))
            problems += prefix_paths(_missing_types(spec, ()), key)
            continue
        if value == placeholder_of(spec):
            problems.append(Problem(key, "is not filled in yet", spec.help))
            continue
        try:
            values[field.name] = converter.structure(value, field.type or object)
            _check(values[field.name], spec, required=is_required(field))
            problems += prefix_paths(_missing_types(spec, values[field.name]), key)
        except ConfigError as error:
            problems += prefix_paths(error.problems, key)
        except ValueError as error:
            problems.append(problem_of(key, error, secret=value if is_secret(field.type) else None))
    if not problems:
        try:
            return cls(**values)
        except ValueError as error:  # rules across settings, from __attrs_post_init__
            problems = error.problems if isinstance(error, ConfigError) else [problem_of("", error)]
    raise ConfigError(problems)


def _validate(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    _check(value, field.metadata[_SPEC], required=is_required(field))


def _check(value: Any, spec: Spec, *, required: bool) -> None:
    """Raise ValueError(message, hint) if the value breaks a rule of its setting."""
    if isinstance(value, str):
        _check_text(value, spec, required=required)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if (spec.minimum is not None and value < spec.minimum) or (spec.maximum is not None and value > spec.maximum):
            raise ValueError(say("must be between {minimum} and {maximum}", minimum=spec.minimum, maximum=spec.maximum))
    elif required and not value and not isinstance(value, bool | tuple):
        raise ValueError("must not be empty", spec.help)  # an empty Secret
    if spec.check is not None:
        spec.check(value)


def _missing_types(spec: Spec, templates: Iterable[Template]) -> list[Problem]:
    if not spec.required_types or _templates_elsewhere.get():
        return []
    present = {template.usage_type for template in templates}
    hint = say("add an entry with this usageType, a subject and a content")
    return [
        Problem("", say("a template for {name} is missing", name=name), hint)
        for name in spec.required_types
        if name not in present
    ]


def _check_text(value: str, spec: Spec, *, required: bool) -> None:
    shortest = max(spec.min_length or 0, 1 if required else 0)
    if len(value) < shortest:
        raise ValueError(
            "must not be empty" if shortest == 1 else say("must have at least {least} characters", least=shortest), spec.help
        )
    if spec.max_length is not None and len(value) > spec.max_length:
        raise ValueError(
            say("must have at most {max_length} characters, has {count}", max_length=spec.max_length, count=len(value))
        )
    if spec.pattern is not None and not re.fullmatch(spec.pattern, value):
        raise ValueError("does not have the right form", spec.pattern_hint)


converter.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Settings), _structure)
