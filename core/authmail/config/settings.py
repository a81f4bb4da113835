"""Settings classes of connectors: attrs classes that read a config strictly and report every problem at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Self, TypeVar, dataclass_transform, get_args, get_origin

import attrs

from authmail.config.bounds import LARGEST_TEMPLATES, LONGEST_TEXT, MOST_ITEMS, check_bounds
from authmail.config.reading import converter, prefix_paths, problem_of
from authmail.config.secret import Secret
from authmail.config.slips import how_to_fill_in, is_not_filled_in, refuse_blanks
from authmail.errors import ConfigError, Problem
from authmail.mail.message import UsageType
from authmail.privacy import raise_afresh
from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.template import Template, kind_of
from authmail.words.near import written_instead
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
    required_unless: str = ""
    destination: bool = False
    group: str = ""
    check: Callable[[Any], None] | None = None

    def longest(self, annotation: Any) -> int:
        """How many characters each text of a setting of this type may have; for templates, all of them together."""
        return self.max_length or (LARGEST_TEMPLATES if holds_templates(annotation) else LONGEST_TEXT)


def setting(label: str, *, default: Any = attrs.NOTHING, **details: Any) -> Any:
    """Describe one setting of a settings class.

    Args:
        label: what the admin page calls it, in English; translations are in metadata.json.
        default: makes the setting optional. A null in the config is the same as leaving it out.
        **details: ``help``, where to find the value; ``key``, the JSON key where camelCase does not give it;
            ``placeholder``; ``multiline``; ``min_length``, ``max_length`` in characters (a required text needs 1; unless
            said otherwise a text or secret has at most 16 KiB, templates have 512 KiB in all);
            ``minimum``, ``maximum``; ``pattern``, a regular expression of the whole text, with ``pattern_hint``;
            ``titles``, choice → words for it; ``show_if``, key → value that another setting must have to show this
            one; ``required_types``, usage types that a list of templates must have, and ``required_unless``, the key of a setting
            with templates of its own, beside which it need not; ``destination``, this setting
            decides where or how secrets travel, so a change of it asks for them anew; ``group``, ``basic`` or ``more``:
            forms show the first and fold the second, by default what is required is basic; ``check``, a function that raises
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

    def places(self) -> Iterable[tuple[str, str]]:
        """Yield path and URL, or host, of every place that it connects to. For subclasses to override."""
        for key, field, spec in fields_of(type(self)):
            value = getattr(self, field.name)
            if spec.destination and isinstance(value, str) and ("://" in value or key in ("endpoint", "host")):
                yield key, f"https://{value}" if key == "endpoint" and "://" not in value else value

    def warnings(self) -> Iterable[Problem]:
        """Yield what is valid yet doubtful. For subclasses to override."""
        return ()

    def other_templates(self) -> Iterable[tuple[str, Template]]:
        """Yield path and template of those that stand in another setting than the list. For subclasses to override."""
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


def holds_templates(annotation: Any) -> bool:
    """Whether a setting of this type is the list of templates."""
    return Template in _kinds(annotation)


def holds_provider_templates(annotation: Any) -> bool:
    """Whether its templates may be the provider's."""
    return ProviderTemplate in _kinds(annotation)


def is_secret(annotation: Any) -> bool:
    """Whether a setting of this type is a secret."""
    return Secret in _kinds(annotation)


def holds_secrets(annotation: Any) -> bool:
    """Whether a setting of this type is an object whose every value is a secret, such as headers."""
    return is_secret(annotation) and get_origin(annotation) in (dict, Mapping)


def lists_secrets(annotation: Any) -> bool:
    """Whether a setting of this type is a list of secrets."""
    return is_secret(annotation) and any(get_origin(kind) is tuple for kind in (annotation, *get_args(annotation)))


def holds_anything(annotation: Any) -> bool:
    """Whether a setting of this type, or something in it, may be of any kind."""
    return Any in _kinds(annotation)


def nested_settings(annotation: Any) -> type | None:
    """Return the settings class that a setting holds, if it holds one."""
    return next((kind for kind in _kinds(annotation) if isinstance(kind, type) and issubclass(kind, Settings)), None)


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield a type and all that it is made of: of ``tuple[Secret, ...] | None`` also ``Secret``."""
    yield annotation
    for kind in get_args(annotation):
        yield from _kinds(kind)


def _structure(raw: Any, cls: type) -> Any:
    if not isinstance(raw, Mapping):
        raise ConfigError([Problem("", say("must be an object, got {kind}", kind=kind_of(raw)))])
    if len(raw) > MOST_ITEMS:
        raise ConfigError([Problem("", say("must have at most {most} entries", most=MOST_ITEMS))])
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    instead = _written_instead(raw, cls)
    for key, field, told in fields_of(cls):
        value = raw.get(key)
        spec = attrs.evolve(told, required_types=()) if raw.get(told.required_unless) else told
        try:
            if _is_left_out(value, field):
                _refuse(_problems_of_absence(field, spec, key, instead.get(key)))
            else:
                values[field.name] = _structure_setting(value, field, spec)
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


def _is_left_out(value: Any, field: attrs.Attribute[Any]) -> bool:
    # An empty text is how a form says that an optional field was left empty.
    return value is None or (value == "" and not is_required(field))


def _written_instead(raw: Mapping[str, Any], cls: type) -> dict[str, str]:
    """Return required key that is missing → unknown key of the config which most likely is that one misspelt."""
    known = {key: field for key, field, _ in fields_of(cls)}
    missing = [key for key, field in known.items() if is_required(field) and _is_left_out(raw.get(key), field)]
    return written_instead(missing, [str(key) for key in raw if key not in known]) if missing else {}


def _problems_of_absence(field: attrs.Attribute[Any], spec: Spec, key: str, written: str | None) -> list[Problem]:
    hint = say("{written} is most likely meant: write {key}", written=written, key=key) if written else spec.help
    required = [Problem("", "is required", hint)] if is_required(field) else []
    return required + _missing_types(spec, ())


def _structure_setting(value: Any, field: attrs.Attribute[Any], spec: Spec) -> Any:
    """Return the typed value of one setting; raise ConfigError or ValueError(message, hint), paths relative to it."""
    _check_size(value, field, spec)
    secret, needed = is_secret(field.type), is_required(field)
    if value == placeholder_of(spec) or is_not_filled_in(value, is_free=not (secret or needed)):
        raise ConfigError([Problem("", "is not filled in yet", how_to_fill_in(value, spec.help, secret=secret))])
    if needed:
        refuse_blanks(value)
    structured = converter.structure(value, field.type or object)
    _check(structured, spec, required=is_required(field))
    _refuse(_missing_types(spec, structured))
    return structured


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise ConfigError(problems)


def _validate(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
    spec: Spec = field.metadata[_SPEC]
    _check_size(value, field, spec)
    _check(value, spec, required=is_required(field))


def _check_size(value: Any, field: attrs.Attribute[Any], spec: Spec) -> None:
    """Refuse what is too large before anything is done with it."""
    check_bounds(value, spec.longest(field.type), nested=nested_settings(field.type) is not None)


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
    instead = written_instead([name for name in spec.required_types if name not in present], present - {*UsageType}, near=True)
    problems = []
    for name in spec.required_types:
        if name not in present:
            hint = say("add an entry with this usageType, a subject and a content")
            if name in instead:
                hint = say("{written} is most likely meant: write {key}", written=instead[name], key=name)
            problems.append(Problem("", say("a template for {name} is missing", name=name), hint))
    return problems


def _check_text(value: str, spec: Spec, *, required: bool) -> None:
    shortest = max(spec.min_length or 0, 1 if required else 0)
    if len(value) < shortest:
        raise ValueError(
            "must not be empty" if shortest == 1 else say("must have at least {least} characters", least=shortest), spec.help
        )
    if spec.pattern is not None and not re.fullmatch(spec.pattern, value):
        raise ValueError("does not have the right form", spec.pattern_hint)


converter.register_structure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Settings), _structure)


def templates_of(config: Any) -> tuple[Template, ...]:
    """Return the templates of a typed config; none if its class has no setting for them."""
    if not isinstance(config, Settings):
        return ()
    found = (getattr(config, field.name) for _, field, _ in fields_of(type(config)) if holds_templates(field.type))
    return (*(next(found, None) or ()), *(template for _, template in config.other_templates()))
