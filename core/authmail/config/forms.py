"""What a settings class says to others: form items for an admin page, JSON Schema, a config to fill in."""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from authmail.config.bounds import LARGEST_TEMPLATES, MOST_ITEMS
from authmail.config.secret import Secret
from authmail.config.settings import (
    Settings,
    Spec,
    default_of,
    fields_of,
    holds_templates,
    is_required,
    is_secret,
    nested_settings,
    placeholder_of,
)
from authmail.templates.at_provider import ProviderTemplate
from authmail.templates.samples import LOGTO_TYPES, starter_templates
from authmail.templates.template import Template
from authmail.words.text import in_language

#: Language tag → setting's key → ``label`` and ``help`` in that language.
Translations = Mapping[str, Mapping[str, Mapping[str, str]]]


@attrs.frozen(kw_only=True)
class FormItem:
    """One field of an admin page's form, as Logto's console draws it.

    Args:
        key: the config's key.
        type: Text, MultilineText, Number, Switch, Select, MultiSelect or Json.
        label: what to call it.
        required: it must be filled in.
        placeholder: an example in the empty field.
        default_value: what a new config starts with.
        description: where to find the value.
        select_items: of a Select or MultiSelect: ``{"value", "title"}``.
        show_conditions: ``{"targetKey", "expectValue"}``; all must hold to show it.
        is_confidential: mask it and never send it back.
        group: ``basic``, or ``more`` for what few need: a form folds it.
    """

    key: str
    type: str
    label: str
    required: bool = False
    placeholder: str | None = None
    default_value: Any = None
    description: str | None = None
    select_items: tuple[dict[str, str], ...] = ()
    show_conditions: tuple[dict[str, Any], ...] = ()
    is_confidential: bool = False
    group: str = "basic"

    def to_dict(self) -> dict[str, Any]:
        """Return Logto's JSON of a form item; what is empty is left out."""
        item = {
            "key": self.key,
            "type": self.type,
            "label": self.label,
            "required": self.required,
            "placeholder": self.placeholder,
            "defaultValue": self.default_value,
            "description": self.description,
            "selectItems": list(self.select_items) or None,
            "showConditions": list(self.show_conditions) or None,
            "isConfidential": self.is_confidential or None,
            "group": self.group if self.group != "basic" else None,
        }
        return {key: value for key, value in item.items() if value is not None}


def form_items(
    cls: type, translations: Mapping[str, Mapping[str, str]] | None = None, language: str = "en"
) -> tuple[FormItem, ...]:
    """Return a form item for each setting.

    Args:
        cls: the settings class.
        translations: key → ``label`` and ``help`` in the language wanted.
        language: the language; what the translations lack is looked up in the catalogs, else it stays English.
    """
    items = []
    for key, field, spec in fields_of(cls):
        common = {"label": in_language(spec.label, language), "help": in_language(spec.help, language)}
        items.append(_form_item(key, field, spec, {**common, **(translations or {}).get(key, {})}, language))
    return tuple(items)


def json_schema(cls: type) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a config."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object_schema(cls)}


def config_template(cls: type) -> str:
    """Return a config to fill in, as JSON: required settings, common defaults, templates for all nine types."""
    config: dict[str, Any] = {}
    for key, field, spec in fields_of(cls):
        if holds_templates(field.type):
            config[key] = _starter()
        elif is_required(field):
            config[key] = _to_fill_in(field, spec)
        elif spec.placeholder is not None and not is_secret(field.type) and not spec.destination and not spec.show_if:
            config[key] = spec.placeholder
        elif get_origin(_bare(field.type)) is Literal and default_of(field) is not None:
            config[key] = default_of(field)
    return json.dumps(config, ensure_ascii=False, indent=2)


def _to_fill_in(field: "attrs.Attribute[Any]", spec: Spec) -> Any:
    """Return what stands in a new config for a setting without default; no text where a number is wanted."""
    if (nested := nested_settings(field.type)) is not None:
        return {key: inner.placeholder for key, _, inner in fields_of(nested) if inner.placeholder is not None}
    return int(spec.placeholder) if field.type is int and spec.placeholder else placeholder_of(spec)


def _starter() -> list[dict[str, str]]:
    english = {template.usage_type: template for template in starter_templates() if template.locale == "en"}
    return [attrs.evolve(english[usage_type], locale=None).to_dict() for usage_type in LOGTO_TYPES]


def _bare(annotation: Any) -> Any:
    """Return the type without its ``| None``."""
    if get_origin(annotation) in (Union, UnionType):
        options = [option for option in get_args(annotation) if option is not NoneType]
        return options[0] if len(options) == 1 else annotation
    return annotation


def _choices(annotation: Any) -> Sequence[Any]:
    kind = _bare(annotation)
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return get_args(kind)
    return [member.value for member in kind] if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _form_type(annotation: Any, spec: Spec) -> str:
    kind = _bare(annotation)
    if _choices(annotation):
        return "MultiSelect" if get_origin(kind) is tuple else "Select"
    plain = {bool: "Switch", int: "Number", float: "Number", str: "Text", Secret: "Text"}
    found = plain.get(kind, "Json")
    return "MultilineText" if found == "Text" and spec.multiline else found


def _form_item(key: str, field: "attrs.Attribute[Any]", spec: Spec, words: Mapping[str, str], language: str) -> FormItem:
    choices = [str(choice) for choice in _choices(field.type)]
    titles = {choice: in_language(spec.titles.get(choice, choice), language) for choice in choices}
    default = _starter() if holds_templates(field.type) else _json_value(default_of(field))
    return FormItem(
        key=key,
        type=_form_type(field.type, spec),
        label=words["label"],
        required=_is_needed(field, spec),
        placeholder=spec.placeholder,
        default_value=default,
        description=words["help"] or None,
        select_items=tuple({"value": choice, "title": titles[choice]} for choice in choices),
        show_conditions=tuple({"targetKey": target, "expectValue": value} for target, value in spec.show_if.items()),
        is_confidential=is_secret(field.type),
        group=spec.group or "basic",
    )


def _is_needed(field: "attrs.Attribute[Any]", spec: Spec) -> bool:
    """Whether a form asks for it; what is required and yet folded has others that can stand for it."""
    return (is_required(field) and spec.group != "more") or (bool(spec.required_types) and not spec.required_unless)


def _json_value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Settings):
        return None  # its own settings have their defaults
    return list(value) or None if isinstance(value, tuple) else value


def _object_schema(cls: type) -> dict[str, Any]:
    fields = fields_of(cls)
    schema: dict[str, Any] = {"type": "object", "properties": {key: _schema(field, spec) for key, field, spec in fields}}
    required = [key for key, field, spec in fields if _is_needed(field, spec)]
    return schema | ({"required": required} if required else {})


def _schema(field: "attrs.Attribute[Any]", spec: Spec) -> dict[str, Any]:
    kind = _type_schema(_bare(field.type), spec.longest(field.type))
    schema = {"title": spec.label} | ({"description": spec.help} if spec.help else {}) | kind
    limits: dict[str, Any] = {
        "minLength": spec.min_length or (1 if is_required(field) and schema.get("type") == "string" else None),
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "pattern": f"^(?:{spec.pattern})$" if spec.pattern else None,
    }
    schema |= {name: limit for name, limit in limits.items() if limit is not None}
    if spec.required_types:
        one_of_type = [{"contains": {"properties": {"usageType": {"const": name}}}} for name in spec.required_types]
        return schema | {"allOf": one_of_type}
    if is_required(field):
        return schema
    default = _json_value(default_of(field))
    # A null is the same as leaving the key out; an empty text is how a form says so.
    return {"anyOf": [schema, {"enum": [None, ""]}]} | ({"default": default} if default is not None else {})


def _type_schema(kind: Any, longest: int) -> dict[str, Any]:
    arguments = get_args(kind)
    if choices := (() if get_origin(kind) is tuple else _choices(kind)):
        return {"enum": list(choices)}
    if kind is Secret:
        return {"type": "string", "maxLength": longest, "writeOnly": True}
    if kind is Template:
        return _TEMPLATE_SCHEMA
    if kind == Template | ProviderTemplate:
        return {"anyOf": [_TEMPLATE_SCHEMA, _PROVIDER_TEMPLATE_SCHEMA]}
    if (nested := nested_settings(kind)) is kind and nested is not None:
        return _object_schema(nested)
    if get_origin(kind) is tuple:
        return {"type": "array", "items": _type_schema(arguments[0], longest), "maxItems": MOST_ITEMS}
    if get_origin(kind) in (dict, Mapping):
        return {"type": "object", "additionalProperties": _type_schema(arguments[1], longest), "maxProperties": MOST_ITEMS}
    if kind is str:
        return {"type": "string", "maxLength": longest}
    return {"type": _PLAIN[kind]} if kind in _PLAIN else {}


_PLAIN = {bool: "boolean", int: "integer", float: "number"}
_LONG = {"type": "string", "maxLength": LARGEST_TEMPLATES}
_PROVIDER_TEMPLATE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["usageType", "templateAlias"],
    "properties": {key: {"type": "string"} for key in ("usageType", "templateAlias", "locale")},
}
_TEMPLATE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["usageType", "subject", "content"],
    "properties": {
        "usageType": {"type": "string"},
        "subject": _LONG,
        "content": _LONG,
        "contentType": {"enum": ["text/html", "text/plain", None]},
        **{
            key: {**_LONG, "type": ["string", "null"]} for key in ("type", "text", "locale", "languageTag", "sendFrom", "replyTo")
        },
    },
}
