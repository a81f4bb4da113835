"""C1, C2: nothing of a config is so large that working on it would stop the loop."""

from contextlib import suppress
from typing import Any

import attrs
import pytest
from attacks import ALIYUN, HTTP, SMTP
from cpu_time import cpu_seconds

import authmail
from authmail import ConfigError, Secret, Settings, Template, setting, settings
from authmail.config.bounds import LARGEST_TEMPLATES, LONGEST_TEXT, LONGEST_TOGETHER, MOST_ITEMS
from authmail.config.forms import json_schema

TEMPLATE = {"usageType": "SignIn", "subject": "s", "content": "c"}


@settings
class Config(Settings):
    key: Secret = setting("Key")
    name: str = setting("Name", default="")
    note: str = setting("Note", default="", max_length=20_000)
    tags: tuple[str, ...] = setting("Tags", default=())
    headers: dict[str, Secret] = setting("Headers", default=attrs.Factory(dict))
    anything: dict[str, Any] = setting("Anything", default=attrs.Factory(dict))
    templates: tuple[Template, ...] = setting("Templates", default=())


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


TOO_LARGE = {
    "a secret": ({"key": "k" * (LONGEST_TEXT + 1)}, "key: must have at most 16384 characters"),
    "a text": ({"name": "n" * (LONGEST_TEXT + 1)}, "name: must have at most 16384 characters"),
    "a text with a limit of its own": ({"note": "n" * 20_001}, "note: must have at most 20000 characters"),
    "a text in a list": ({"tags": ["t", "t" * (LONGEST_TEXT + 1)]}, r"tags\[1\]: must have at most 16384 characters"),
    "texts together": (
        {"tags": ["t" * 1000] * (LONGEST_TOGETHER // 1000 + 1)},
        "tags: must have at most 65536 characters in all",
    ),
    "a header": ({"headers": {"X-Key": "k" * 1_000_000}}, "headers.X-Key: must have at most 16384 characters"),
    "a header's name": ({"headers": {"k" * 1_000_000: "v"}}, "headers: must have at most 16384 characters"),
    "many entries": ({"tags": ["t"] * (MOST_ITEMS + 1)}, "tags: must have at most 1000 entries"),
    "deep": ({"anything": nested(9)}, "anything: must have at most 8 levels"),
    "very deep": ({"anything": nested(900)}, "anything: must have at most 8 levels"),
    "templates": (
        {"templates": [TEMPLATE | {"content": "<" * LARGEST_TEMPLATES}]},
        "templates: must have at most 524288 characters in all",
    ),
    "many templates": (
        {"templates": [TEMPLATE | {"content": "<" * 1000}] * 600},
        "templates: must have at most 524288 characters in all",
    ),
    "many keys": ({f"k{number}": 1 for number in range(MOST_ITEMS + 1)}, "must have at most 1000 entries"),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_by_name(name):
    """Before any work, and without repeating it."""
    raw, problem = TOO_LARGE[name]
    with pytest.raises(ConfigError, match=problem) as caught:
        Config.from_dict({"key": "k", **raw})
    assert len(str(caught.value)) < 1000


def test_the_limit_itself_is_allowed():
    """And a config that a program makes is bounded as one that is read."""
    Config.from_dict({"key": "k" * LONGEST_TEXT, "note": "n" * 20_000, "anything": nested(8), "tags": ["t"] * MOST_ITEMS})
    with pytest.raises(ConfigError):
        Config(key=Secret("k" * (LONGEST_TEXT + 1)))


def test_the_limits_are_in_the_schema():
    """So that a form or an editor tells them first."""
    properties = json_schema(Config)["properties"]
    assert properties["key"]["maxLength"] == LONGEST_TEXT
    (tags, _) = properties["tags"]["anyOf"]
    assert (tags["maxItems"], tags["items"]["maxLength"]) == (MOST_ITEMS, LONGEST_TEXT)
    (note, _) = properties["note"]["anyOf"]
    assert note["maxLength"] == 20_000


@pytest.mark.parametrize("identity", [SMTP, HTTP, ALIYUN])
@pytest.mark.parametrize("piece", ["a", " ", "<", "@", ".", "a.", '"', "\\", "://", "…", "é", "{{", "a@b.co, "])
def test_no_setting_takes_long_for_its_largest_value(identity, piece):
    """Each text and secret of a connector, filled with whatever parsers dislike: twice as much takes about twice as long."""
    connector = authmail.get_connector(identity)
    keys = [item.key for item in connector.form_items if item.type in ("Text", "MultilineText")]

    def read(size):
        raw = dict.fromkeys(keys, (piece * size)[:size])
        with suppress(ConfigError):
            connector.validate_config(raw)
        connector.redacted(raw)
        connector.merge(raw, raw)

    short = cpu_seconds(lambda: read(LONGEST_TEXT // 4))
    assert cpu_seconds(lambda: read(LONGEST_TEXT)) < max(10 * short, 0.02)


def test_unknown_keys_are_looked_at_so_far_and_no_further():
    """A stranger's thousand long keys cost no more than a hundred short ones would."""
    connector = authmail.get_connector(SMTP)
    raw = {f"{number}{'k' * 5000}": 1 for number in range(2000)}
    few = {f"{number}{'k' * 50}": 1 for number in range(100)}
    assert cpu_seconds(lambda: connector.warnings(raw)) < 10 * cpu_seconds(lambda: connector.warnings(few))
    assert all(len(problem.path) < 100 for problem in connector.warnings(raw))
