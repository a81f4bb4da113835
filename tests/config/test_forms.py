import json
from typing import Literal

import jsonschema
import pytest

from authmail import ConfigError, Secret, Settings, Template, UsageType, setting, settings
from authmail.config.forms import config_template, form_items, json_schema


@settings
class Login(Settings):
    user: str = setting("User")


@settings
class Config(Settings):
    api_key: Secret = setting("API key", help="Console > Keys")
    region: Literal["a", "b"] = setting("Region", default="a", titles={"a": "Area A"})
    kinds: tuple[Literal["x", "y"], ...] = setting("Kinds", default=())
    port: int = setting("Port", default=25, minimum=1, maximum=65535)
    strict: bool = setting("Strict", default=True)
    note: str | None = setting("Note", default=None, multiline=True, max_length=10, show_if={"strict": True}, placeholder="hello")
    login: Login | None = setting("Login", default=None)
    templates: tuple[Template, ...] = setting("Templates", default=(), required_types=("Generic",))


ITEMS = {item.key: item for item in form_items(Config)}


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("apiKey", "Text"), ("region", "Select"), ("kinds", "MultiSelect"), ("port", "Number"), ("strict", "Switch"), ("note", "MultilineText"),
        ("login", "Json"), ("templates", "Json"),
    ],
)  # fmt: skip
def test_each_kind_of_setting_has_its_widget(key, kind):
    """Types become Logto's form item types."""
    assert ITEMS[key].type == kind


def test_items_say_what_an_admin_page_needs():
    """Required, secret, choices, conditions and defaults, in Logto's JSON."""
    assert ITEMS["apiKey"].to_dict() == {
        "key": "apiKey", "type": "Text", "label": "API key", "required": True, "description": "Console > Keys", "isConfidential": True,
    }  # fmt: skip
    assert ITEMS["region"].to_dict()["selectItems"] == [{"value": "a", "title": "Area A"}, {"value": "b", "title": "b"}]
    assert ITEMS["note"].to_dict()["showConditions"] == [{"targetKey": "strict", "expectValue": True}]
    assert ITEMS["note"].placeholder == "hello"
    assert (ITEMS["region"].default_value, ITEMS["strict"].default_value, ITEMS["port"].default_value) == ("a", True, 25)
    assert ITEMS["templates"].required
    assert len(ITEMS["templates"].default_value) == 9


def test_items_fit_logtos_guard(vectors, aliyun):
    """Aliyun's items have the keys and types that Logto's console accepts."""
    accepted = [case["value"] for case in vectors("logto/data_model")["cases"] if case["model"] == "form_item" and case["valid"]]
    kinds = {item["type"] for item in accepted} | {"Text", "MultilineText", "Number", "Switch", "Select", "MultiSelect", "Json"}
    for item in aliyun.metadata.to_dict()["formItems"]:
        assert item["type"] in kinds
        assert isinstance(item["label"], str)
        assert isinstance(item["key"], str)
        assert all(set(choice) == {"value", "title"} for choice in item.get("selectItems", []))


def test_labels_are_translated():
    """A language that has words for a setting gives them; the rest stays English."""
    items = form_items(Config, {"apiKey": {"label": "Clé"}})
    assert (items[0].label, items[0].description, items[1].label) == ("Clé", "Console > Keys", "Region")


VALID = {"apiKey": "k", "templates": [{"usageType": "Generic", "subject": "s", "content": "c"}]}


@pytest.mark.parametrize(
    "change",
    [
        {}, {"region": "c"}, {"region": None}, {"port": 0}, {"port": 70000}, {"port": "25"}, {"strict": "true"}, {"note": "x" * 11}, {"note": None},
        {"note": ""}, {"apiKey": ""}, {"apiKey": 5}, {"apiKey": None}, {"login": {"user": "u"}}, {"login": {}}, {"login": []}, {"kinds": ["x"]},
        {"kinds": ["z"]}, {"templates": []}, {"templates": {}}, {"templates": [{"usageType": "Generic"}]}, {"unknown": 1},
        {"templates": [{"usageType": "Generic", "subject": "s", "content": "c", "contentType": "html"}]},
    ],
)  # fmt: skip
def test_schema_and_validation_agree(change):
    """A JSON Schema validator accepts exactly what from_dict accepts."""
    schema = json_schema(Config)
    jsonschema.Draft202012Validator.check_schema(schema)
    raw = VALID | change
    try:
        Config.from_dict(raw)
        accepted = True
    except ConfigError:
        accepted = False
    assert jsonschema.Draft202012Validator(schema).is_valid(raw) == accepted
    assert schema["properties"]["apiKey"]["writeOnly"] is True


def test_config_template_is_ready_to_fill_in():
    """All nine types are there, and what is left to fill in is found by validation."""
    template = json.loads(config_template(Config))
    assert [entry["usageType"] for entry in template["templates"]] == [name for name in UsageType if name is not UsageType.NOTICE]
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(template)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [("apiKey", "is not filled in yet")]
    assert Config.from_dict(template | {"apiKey": "k"})
