"""JSON Schema of ``authmail.toml``, for editors that complete and check while one types."""

from typing import Any

from authmail.config.forms import json_schema
from authmail.connect.connector import Connector
from authmail.connect.registry import connectors
from authmail.delivery.file.settings import FileSettings

_REFERENCE = {
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
    "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
}


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a file, with the settings of every connector that is installed."""
    schema: dict[str, Any] = _without_others(_with_references(json_schema(FileSettings)))
    schema["properties"]["$schema"] = {"type": "string"}
    installed = list(connectors())
    schema["properties"]["senders"]["minProperties"] = 1
    sender = schema["properties"]["senders"]["additionalProperties"]
    sender["properties"]["connector"]["examples"] = [connector.id for connector in installed]
    sender["allOf"] = [_when(connector) for connector in installed]
    return schema


def _when(connector: Connector) -> dict[str, Any]:
    config = _with_references({key: value for key, value in connector.json_schema.items() if key != "$schema"})
    # The file's own templates serve all of its senders, so none needs any.
    config["required"] = [key for key in config.get("required", ()) if key != "templates"]
    config["properties"].pop("templates", None)
    names = sorted({connector.id, connector.target})
    return {
        "if": {"properties": {"connector": {"enum": names}}, "required": ["connector"]},
        "then": {"properties": {"config": config}},
    }


def _without_others(schema: Any) -> Any:
    """Return a schema that refuses what the settings do not know, at every depth: such a file does not load."""
    if isinstance(schema, list):
        return [_without_others(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {}
    return {**closed, **{key: _without_others(value) for key, value in schema.items()}}


def _with_references(schema: Any) -> Any:
    """Return a schema in which every secret may also be a reference."""
    if isinstance(schema, list):
        return [_with_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("writeOnly"):
        words = {key: value for key, value in schema.items() if key in ("title", "description")}
        limits = {key: value for key, value in schema.items() if key in ("type", "maxLength", "writeOnly")}
        return {**words, "anyOf": [{**limits, "minLength": 1}, _REFERENCE]}
    return {key: _with_references(value) for key, value in schema.items()}
