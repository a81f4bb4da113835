"""Every captured case of Logto's data model and admin form, met or different on purpose: docs/differences-from-logto.md."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from authmail import ConfigError, Message, MessageRejected, Settings, Template, UsageType, setting, settings
from authmail.config.doubts import unknown_keys
from authmail.config.forms import FormItem, form_items
from authmail.connect.metadata import ConnectorMetadata

# The data model.

#: Cases that Logto refuses and we accept, or the other way round.
DIFFERENT_SHAPES = {
    "model-005": "any well-formed language tag names a language; Logto keeps a list",
    "model-025": "form items come from the settings class, never from outside, so nobody can hand in a kind that is none",
    "model-029": "the same for a label",
    "model-033": "the same for required",
    "model-039": "an email connector has no platform; to_dict() says null",
    "model-043": "a logo for dark pages is optional; to_dict() says null",
    "model-077": "a list of locales means what the text with blanks means",
    "model-079": "null is the same as leaving it out",
    "model-083": "a host may have types of its own; without a template of theirs, Generic serves",
}
#: Cases that Logto accepts after stripping what it does not know.
DIFFERENT_CONTENT = {"model-035": "what is not of a kind is not stripped, for the settings class never makes it"}
#: Metadata that an admin may change: social connectors have it, email connectors do not.
WITHOUT_COUNTERPART = {"model-057", "model-059"}


def form_item(value):
    names = {"selectItems": "select_items", "showConditions": "show_conditions"}
    item = FormItem(**{names.get(key, key): tuple(part) if isinstance(part, list) else part for key, part in value.items()})
    made = item.to_dict()
    assert made.pop("required") == value.get("required", False)
    return made


def metadata(value, folder):
    (folder / "metadata.json").write_text(json.dumps(value), "utf-8")
    return ConnectorMetadata.load(folder, settings=Form).to_dict()


def shape(case, folder):
    value = case["value"]
    match case["model"]:
        case "i18n_phrases":
            return ConnectorMetadata("x", "x", value, {"en": "x"}).to_dict()["name"]
        case "form_item":
            return form_item(value)
        case "metadata":
            return metadata(value, folder)
        case "email_template_details":
            return Template.from_dict({"usageType": "Generic", **value}).to_dict()
        case "send_message_data":
            return Message.from_dict(value).to_dict()
        case "template_type":
            return UsageType(value)
    raise AssertionError(case["model"])


def test_every_shape_is_accepted_or_refused_alike(vectors, tmp_path):
    """But for those named above."""
    cases = vectors("logto/data_model")["cases"]
    assert len(cases) == 49
    for case in cases:
        if case["id"] in WITHOUT_COUNTERPART:
            assert case["model"] == "configurable_metadata"
            continue
        try:
            made = shape(case, tmp_path)
        except (ValueError, TypeError, MessageRejected):
            accepted = False
        else:
            accepted = True
        assert (accepted == case["valid"]) != (case["id"] in DIFFERENT_SHAPES), case["id"]
        if accepted and case["model"] in ("i18n_phrases", "send_message_data", "email_template_details", "form_item"):
            expected = case.get("parsed") or case["value"]
            if case["id"] not in DIFFERENT_SHAPES:
                kept = {key: made[key] for key in expected if expected[key] != [] or key in made}
                assert kept == {key: value for key, value in expected.items() if value != [] or key in made}, case["id"]
                assert (set(case["value"]) - set(expected)).isdisjoint(made) != (case["id"] in DIFFERENT_CONTENT), case["id"]


def test_metadata_has_what_logto_wants(aliyun):
    """Platform and dark logo are null where there are none; the rest is there."""
    made = aliyun.metadata.to_dict()
    assert made["platform"] is None
    assert {"id", "target", "name", "description", "logo", "logoDark", "readme", "configTemplate", "formItems"} <= set(made)


# The admin form: Logto's console turns its fields into the config; we take what comes of it.


@settings
class Form(Settings):
    t: str | None = setting("T", default=None)
    m: str | None = setting("M", default=None, multiline=True)
    n: int | None = setting("N", default=None)
    s: bool = setting("S", default=True)
    sel: Literal["a", "b"] = setting("Sel", default="a", titles={"a": "A"})
    ms: tuple[Literal["x", "y"], ...] = setting("MS", default=())
    j: Any = setting("J", default={"a": 1})


#: An empty text is the same as leaving the key out; Logto keeps it for social connectors alone.
EMPTY_IS_ABSENT = {"form-03": {"t": None}}


def test_items_are_of_the_kinds_of_the_form(vectors):
    """The settings class above makes the items of the captured form."""
    kinds = [(item["key"], item["type"], item["label"]) for item in vectors("logto/form_conversion")["about"]["form_items"]]
    assert [(item.key, item.type, item.label) for item in form_items(Form)] == kinds


def test_every_form_becomes_a_config(vectors):
    """What the console makes of its fields is accepted and kept; of what it drops we warn.

    One of them is a defect of the console: JSON that cannot be read becomes an empty object (form-09).
    """
    cases = [case for case in vectors("logto/form_conversion")["cases"] if case["direction"] == "form-to-config"]
    assert len(cases) == 8
    for case in cases:
        config = Form.from_dict(case["expected"])
        kept = {key: getattr(config, key) for key in case["expected"]}
        kept = {key: list(value) if isinstance(value, tuple) else value for key, value in kept.items()}
        assert kept == case["expected"] | EMPTY_IS_ABSENT.get(case["id"], {}), case["label"]
        typed = json.loads(case["form_json"])
        dropped = [key for key in typed if key not in case["expected"]]
        assert [problem.path for problem in unknown_keys(typed, Form)] == dropped


def test_every_config_fills_the_form(vectors):
    """A new one has the defaults of the items; a stored one is accepted as it is."""
    new, stored = (case for case in vectors("logto/form_conversion")["cases"] if case["direction"] == "config-to-form")
    defaults = {item.key: item.default_value for item in form_items(Form)}
    assert defaults["sel"] == new["expected"]["sel"]
    assert json.dumps(defaults["j"], indent=2) == new["expected"]["j"]
    config = Form.from_dict(stored["config"])
    assert (config.t, config.n, config.s, config.sel, config.ms, config.j) == ("x", 1, False, "b", ("y",), {"k": 1})


# Cleaning: Logto removes empty values before it stores a config; to us they mean the same as leaving them out.


@settings
class Login(Settings):
    user: str = setting("User", default="")
    password: str = setting("Password", default="", key="pass")


@settings
class Texts(Settings):
    a: str = setting("A", default="")
    b: str = setting("B", default="")


@settings
class Lists(Settings):
    a: tuple[str, ...] = setting("A", default=())
    b: tuple[int, ...] = setting("B", default=())


@settings
class Nested(Settings):
    auth: Login = setting("Login", default=Login())
    host: str = setting("Host", default="")


@settings
class Flags(Settings):
    a: bool = setting("A", default=True)
    b: int = setting("B", default=1)


@settings
class Objects(Settings):
    tls: Mapping[str, Any] = setting("TLS", default={})
    custom_headers: Mapping[str, Any] = setting("Headers", default={})


CLEANED = {
    "config-clean-01": Texts, "config-clean-03": Lists, "config-clean-05": Nested, "config-clean-07": Flags, "config-clean-09": Lists,
    "config-clean-11": Texts, "config-clean-13": Objects,
}  # fmt: skip
#: Case → path that we report instead: a null within a list is a mistake, which Logto drops without a word.
REFUSED = {"config-clean-09": "a[1]"}


def test_every_config_means_the_same_before_and_after_cleaning(vectors):
    """A config that Logto cleaned, and the same one uncleaned, are read as equal."""
    cases = vectors("logto/config_cleaning")["cases"]
    assert {case["id"] for case in cases} == set(CLEANED)
    for case in cases:
        cls = CLEANED[case["id"]]
        stored = cls.from_dict(case["expected"])
        if case["id"] in REFUSED:
            with pytest.raises(ConfigError) as caught:
                cls.from_dict(case["input"])
            assert [problem.path for problem in caught.value.problems] == [REFUSED[case["id"]]]
        else:
            assert cls.from_dict(case["input"]) == stored, case["label"]
