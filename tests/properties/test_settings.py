"""Configs: whatever comes in, a config or a ConfigError comes out, and never a value that should not be repeated."""

import copy
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import CANARIES, CANARY, JSON, as_json, damaged

import authmail
from authmail import ConfigError, Mailbox, Problem, Secret, Settings, Template, setting, settings
from authmail.config.doubts import unknown_keys
from authmail.config.references import References, resolve_references
from authmail.config.shown import merge_secrets, redact_secrets


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@settings
class Login(Settings):
    user: str = setting("User", min_length=2)
    password: Secret = setting("Password")
    server: str | None = setting("Server", default=None, destination=True)


def even(value):
    if value % 2:
        raise ValueError("must be even", "add one")


@settings
class EveryFeature(Settings):
    """One setting of each kind that a connector may have."""

    api_key: Secret = setting("API key")
    token: Secret | None = setting("Token", default=None)
    keys: tuple[Secret, ...] | None = setting("Keys", default=None)
    passwords: dict[str, Secret] = setting("Passwords", default=attrs.Factory(dict))
    name: str = setting("Name", max_length=20)
    tag: str | None = setting("Tag", default=None, pattern="[a-z]+", pattern_hint="letters")
    region: Literal["north", "south", 1] = setting("Region", default="north")
    color: Color = setting("Color", default=Color.RED)
    port: int = setting("Port", default=26, minimum=1, maximum=65535, check=even)
    factor: float = setting("Factor", default=1.0, minimum=0.5)
    limit: float | None = setting("Limit", default=None)
    strict: bool = setting("Strict", default=False)
    endpoint: str | None = setting("Endpoint", default=None, destination=True)
    login: Login | None = setting("Login", default=None)
    logins: tuple[Login, ...] = setting("Logins", default=())
    tags: tuple[str, ...] = setting("Tags", default=())
    numbers: tuple[int, ...] = setting("Numbers", default=())
    headers: Mapping[str, str] = setting("Headers", default=attrs.Factory(dict))
    contact: Mailbox | None = setting("Contact", default=None)
    templates: tuple[Template, ...] = setting("Templates", default=(), required_types=("SignIn",))

    def __attrs_post_init__(self):
        if self.strict and self.tag is None:
            raise ConfigError([Problem("tag", "is needed with strict")])

    def warnings(self):
        if self.port != 26:
            yield Problem("port", "is not 26")


TEMPLATE = {"usageType": "SignIn", "subject": "{{code}}", "content": "<p>{{code}}", "contentType": "text/html", "locale": "fr"}
VALID = {
    "apiKey": CANARY, "token": CANARY, "keys": [CANARY, CANARY], "passwords": {"a": CANARY}, "name": "n", "tag": "t", "region": "south",
    "color": "blue", "port": 2, "factor": 2, "limit": 1.5, "strict": True, "endpoint": "e",
    "login": {"user": "me", "password": CANARY, "server": "s"}, "logins": [{"user": "me", "password": CANARY}], "tags": ["a", "b"],
    "numbers": [1], "headers": {"x": "y"}, "contact": "Zoe <zoe@example.com>", "templates": [TEMPLATE],
}  # fmt: skip
ALIYUN = {
    "accessKeyId": "k", "accessKeySecret": CANARY, "securityToken": CANARY, "accountName": "a@example.com", "fromAlias": "Acme",
    "regionId": "eu-central-1", "endpoint": "dm.example.com", "replyToAddress": False, "replyAddress": "r@example.com",
    "replyAddressAlias": "R", "tagName": "t", "clickTrace": True, "signature": "v1", "replayOnTimeout": False,
    "templates": [{**TEMPLATE, "usageType": usage_type} for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")],
}  # fmt: skip
CONFIGS = {"every feature": (EveryFeature, VALID), "aliyun": (authmail.get_connector("aliyun-dm").metadata.settings, ALIYUN)}

each_settings_class = pytest.mark.parametrize("name", CONFIGS)


def told(error):
    """All that an error says."""
    return f"{error} {error!r} {error.args} {error.problems}"


@each_settings_class
def test_the_valid_configs_are_valid(name):
    """Otherwise what follows would prove little; and a typed config shows none of its secrets."""
    cls, valid = CONFIGS[name]
    assert CANARY not in repr(cls.from_dict(valid))
    assert not list(unknown_keys(valid, cls))


@each_settings_class
@given(data=st.data())
def test_any_json_gives_a_config_or_a_config_error(name, data):
    """Never anything else: JSON of any kind, a config with faults at any place, and settings with any values."""
    cls, valid = CONFIGS[name]
    any_values = st.fixed_dictionaries({}, optional=dict.fromkeys(valid, JSON))
    raw = data.draw(damaged(valid) | JSON | any_values)
    before = copy.deepcopy(raw)
    try:
        config = cls.from_dict(raw)
    except ConfigError as error:
        assert error.problems
        assert CANARY not in told(error)
    else:
        assert all(isinstance(problem, Problem) for problem in config.warnings())
    for problem in unknown_keys(raw, cls):
        assert CANARY not in str(problem)
    assert as_json(raw) == as_json(before)


@each_settings_class
@given(data=st.data())
def test_no_value_is_repeated_in_an_error(name, data):
    """Values in the shapes that parsers quote, in place of one after another."""
    cls, valid = CONFIGS[name]
    key = data.draw(st.sampled_from(list(valid)))
    canary = data.draw(CANARIES)
    for value in (canary, [canary], {"value": canary}):
        try:
            cls.from_dict({**valid, key: value})
        except ConfigError as error:
            assert CANARY not in told(error)


@each_settings_class
@given(data=st.data())
def test_what_was_shown_and_came_back_is_no_change(name, data):
    """A config is shown without its secrets, and merges with what was shown to itself, however broken it is."""
    cls, valid = CONFIGS[name]
    raw = data.draw(damaged(valid).filter(lambda raw: isinstance(raw, dict) and "NaN" not in as_json(raw)))
    shown = redact_secrets(raw, cls)
    assert merge_secrets(raw, shown, cls) == raw
    assert redact_secrets(shown, cls) == shown


@each_settings_class
@given(data=st.data())
def test_a_secret_is_not_shown_wherever_it_got_to(name, data):
    """Wrapped in a list or an object, in a setting with a name nearly right, or with the whole config a level too deep."""
    cls, valid = CONFIGS[name]
    raw = {key: value for key, value in valid.items() if CANARY in as_json(value)}
    key = data.draw(st.sampled_from(list(raw)))
    wrong = data.draw(
        st.sampled_from([[raw[key]], {"value": raw[key]}, {"env": [raw[key]]}, {"env": raw[key], "x": 1}, {key: raw[key]}])
    )
    for broken in ({key: wrong}, {f"{key}_": raw[key]}, {key.lower(): wrong}, {"config": raw}, {"configs": [raw, [raw]]}):
        assert CANARY not in as_json(redact_secrets(broken, cls))
        assert merge_secrets(broken, redact_secrets(broken, cls), cls) == broken


@each_settings_class
@given(data=st.data())
def test_merging_never_fails_in_another_way(name, data):
    """Any edited config merges with any stored one, or the secret is asked for anew."""
    cls, valid = CONFIGS[name]
    old, new = (data.draw(damaged(valid).filter(lambda raw: isinstance(raw, dict))) for _ in range(2))
    try:
        merge_secrets(old, data.draw(st.sampled_from([new, redact_secrets(new, cls)])), cls)
    except ConfigError as error:
        assert CANARY not in told(error)


@each_settings_class
@given(data=st.data())
def test_references_never_fail_in_another_way(name, data):
    """Whatever stands for a secret, it is read, refused or left alone."""
    cls, valid = CONFIGS[name]
    raw = data.draw(damaged(valid).filter(lambda raw: isinstance(raw, dict)))
    config, problems = resolve_references(raw, cls, References(env=(), files=()))
    assert CANARY not in str(problems)
    try:
        cls.from_dict(config)
    except ConfigError as error:
        assert CANARY not in told(error)


@given(data=st.data())
def test_a_connector_takes_any_json(data):
    """The same through the installed connector, as hosts call it."""
    connector = authmail.get_connector("aliyun-dm")
    raw = data.draw(damaged(ALIYUN) | JSON)
    try:
        connector.validate_config(raw)
    except ConfigError as error:
        assert error.problems
        assert CANARY not in told(error)
    if isinstance(raw, dict):
        connector.warnings(raw)
        connector.redacted(raw)
