from enum import StrEnum
from typing import Literal

import attrs
import pytest

from authmail import ConfigError, Mailbox, Problem, Secret, Settings, Template, setting, settings
from authmail.config.doubts import unknown_keys
from authmail.config.forms import json_schema
from authmail.config.settings import templates_elsewhere, templates_of


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@settings
class Login(Settings):
    user: str = setting("User")
    pass_: Secret = setting("Password", key="pass")


def even(value):
    if value % 2:
        raise ValueError("must be even", "add one")


@settings
class Config(Settings):
    api_key: Secret = setting("API key", help="Console > Keys")
    from_email: str = setting("From", max_length=20)
    region: Literal["cn-hangzhou", "eu-central-1"] = setting("Region", default="cn-hangzhou")
    color: Color = setting("Color", default=Color.RED)
    port: int = setting("Port", default=26, minimum=1, maximum=65535, check=even)
    factor: float = setting("Factor", default=1.0)
    strict: bool = setting("Strict", default=False)
    tag: str | None = setting("Tag", default=None, pattern="[a-z]+", pattern_hint="letters")
    login: Login | None = setting("Login", default=None)
    tags: tuple[str, ...] = setting("Tags", default=())
    headers: dict[str, str] = setting("Headers", default=attrs.Factory(dict))
    contact: Mailbox | None = setting("Contact", default=None)
    templates: tuple[Template, ...] = setting("Templates", default=(), required_types=("SignIn", "Generic"))

    def __attrs_post_init__(self):
        if self.strict and self.tag is None:
            raise ConfigError([Problem("tag", "is needed with strict")])


def template(usage_type):
    return {"usageType": usage_type, "subject": "s", "content": "c"}


VALID = {"apiKey": "k-canary", "fromEmail": "a@b.c", "templates": [template("SignIn"), template("Generic")]}


def problems(**change):
    raw = VALID | change
    with pytest.raises(ConfigError) as caught:
        Config.from_dict({key: value for key, value in raw.items() if value is not ...})
    assert "canary" not in str(caught.value)
    return [(problem.path, problem.message, problem.hint) for problem in caught.value.problems]


def test_reads_a_config():
    """camelCase keys, nested classes, lists, and every kind of value."""
    config = Config.from_dict(
        VALID
        | {
            "color": "blue",
            "port": 30,
            "factor": 2,
            "strict": True,
            "tag": "x",
            "login": {"user": "u", "pass": "p"},
            "tags": ["a"],
        }
        | {"headers": {"X": "y"}, "contact": "Zoë <z@y.x>"}
    )
    assert config.api_key == Secret("k-canary")
    assert (config.color, config.port, config.factor, config.login) == (Color.BLUE, 30, 2, Login(user="u", pass_=Secret("p")))
    assert (config.tags, config.headers, config.contact) == (("a",), {"X": "y"}, Mailbox("z@y.x", "Zoë"))
    assert config.templates[0] == Template("SignIn", "s", "c")


def test_null_and_empty_are_left_out():
    """A null, or the empty text that a form sends, is the same as leaving an optional key out."""
    assert Config.from_dict(VALID | {"tag": None, "region": None, "login": None, "tags": None}) == Config.from_dict(VALID)
    assert Config.from_dict(VALID | {"tag": "", "region": ""}) == Config.from_dict(VALID)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("fromEmail", 7, "must be text, got a number"),
        ("fromEmail", True, "must be text, got true or false"),
        ("fromEmail", [], "must be text, got a list"),
        ("port", "25", "must be a whole number, got a text"),
        ("port", True, "must be a whole number, got true or false"),
        ("port", 2.0, "must be a whole number, got a number"),
        ("factor", "1", "must be a number, got a text"),
        ("factor", float("nan"), "must be a finite number"),
        ("factor", 10**400, "must be a finite number"),
        ("strict", "false", "must be true or false, got a text"),
        ("strict", 1, "must be true or false, got a number"),
        ("tags", "abc", "must be a list, got a text"),
        ("tags", {}, "must be a list, got an object"),
        ("headers", [], "must be an object, got a list"),
        ("login", "x", "must be an object, got a text"),
        ("templates", {}, "must be a list, got an object"),
        ("region", 5, "must be one of cn-hangzhou, eu-central-1, got a number"),
        ("contact", "a, b", "not one single address like name@example.com"),
        ("apiKey", 5, "must be text, got a number"),
        ("apiKey", "k\ud800", "must be valid Unicode, has half of a surrogate pair"),
        ("fromEmail", "\udfff", "must be valid Unicode, has half of a surrogate pair"),
        ("contact", "canary\ud800@b.c", "the address holds half of a surrogate pair"),
    ],
)
def test_types_are_strict(key, value, message):
    """No text becomes a number, no number a text, and the message says what came."""
    assert [(path, text) for path, text, _ in problems(**{key: value})] == [(key, message)]


def test_all_problems_come_at_once_in_order():
    """Every problem, with its path as the user wrote it, in the order of the settings."""
    found = problems(
        apiKey=..., fromEmail="x" * 21, region="cn-hangzho", color="read", port=70000, tag="A1", login={"user": 1}, tags=["a", 2],
        headers={"X": 1}, templates=[template("SignIn") | {"subject": 1}, None],
    )  # fmt: skip
    assert found == [
        ("apiKey", "is required", "Console > Keys"),
        ("fromEmail", "must have at most 20 characters, has 21", ""),
        ("region", "must be one of cn-hangzhou, eu-central-1, got another text", "did you mean cn-hangzhou?"),
        ("color", "must be one of red, blue, got another text", "did you mean red?"),
        ("port", "must be between 1 and 65535", ""),
        ("tag", "does not have the right form", "letters"),
        ("login.user", "must be text, got a number", ""),
        ("login.pass", "is required", ""),
        ("tags[1]", "must be text, got a number", ""),
        ("headers.X", "must be text, got a number", ""),
        ("templates[0].subject", "must be text, got a number", ""),
        ("templates[1]", "must be an object, got null", ""),
    ]


def test_checks_and_rules_across_settings():
    """A setting's own check, and a rule of the class, are problems like any other."""
    assert problems(port=27) == [("port", "must be even", "add one")]
    assert problems(strict=True) == [("tag", "is needed with strict", "")]
    with pytest.raises(ValueError, match="even"):
        Config(api_key=Secret("k"), from_email="a", port=27)


@pytest.mark.parametrize(
    ("words", "problem"),
    [((), ("cannot be used", "")), ((7,), ("7", "")), (("is odd", "add one", "more"), ("is odd", "add one"))],
)
def test_a_check_may_say_anything(words, problem):
    """A connector's ValueError is a problem at its place, with words or without."""

    def check(_: str) -> None:
        raise ValueError(*words)

    @settings
    class Checked(Settings):
        name: str = setting("Name", check=check)

    with pytest.raises(ConfigError) as caught:
        Checked.from_dict({"name": "x"})
    assert [(found.path, found.message, found.hint) for found in caught.value.problems] == [("name", *problem)]


def test_required_texts_are_not_empty():
    """An empty required text or secret is a problem, and so is the mark of a config to fill in."""
    assert problems(fromEmail="", apiKey="") == [
        ("apiKey", "must not be empty", "Console > Keys"),
        ("fromEmail", "must not be empty", ""),
    ]
    assert problems(fromEmail="<From>") == [("fromEmail", "is not filled in yet", "")]
    assert problems(apiKey="***")[0][1] == "is the mark that stands for a hidden secret, not a secret"


@pytest.mark.parametrize("templates", [..., None, [], [template("Register")]])
def test_required_template_types(templates):
    """Each missing type is a problem of its own, unless the host has templates elsewhere."""
    assert [message for _, message, _ in problems(templates=templates)] == [
        "a template for SignIn is missing",
        "a template for Generic is missing",
    ]
    with templates_elsewhere(True):
        Config.from_dict({key: value for key, value in (VALID | {"templates": templates}).items() if value is not ...})


@settings
class Other(Settings):
    mails: dict[str, str] = setting("Mails", default=attrs.Factory(dict))
    templates: tuple[Template, ...] = setting("Templates", default=(), required_types=("Generic",), required_unless="mails")

    def other_templates(self):
        return ((f"mails.{name}", Template(name, "s", content)) for name, content in self.mails.items())


def test_templates_may_stand_elsewhere_in_a_config():
    """Beside them the list needs none of its types, and both serve; an empty object has none."""
    listed = [template("SignIn")]
    config = Other.from_dict({"mails": {"Generic": "{{code}}"}, "templates": listed})
    assert [one.usage_type for one in templates_of(config)] == ["SignIn", "Generic"]
    assert "required" not in json_schema(Other)
    for raw in ({}, {"mails": {}}, {"mails": None}):
        with pytest.raises(ConfigError, match="a template for Generic is missing"):
            Other.from_dict(raw)


@pytest.mark.parametrize("reference", [{"env": "HOME"}, {"file": "/etc/passwd"}])
def test_references_are_refused(reference):
    """Unless the caller opted in, nothing of the server is read; other settings never take references."""
    assert problems(apiKey=reference)[0][1] == "must be the secret itself: references are refused here"
    assert problems(fromEmail=reference) == [("fromEmail", "must be text, got an object", "only secrets may be references")]


@pytest.mark.parametrize("raw", [None, [], "x", 1, True])
def test_refuses_what_is_no_object(raw):
    """Anything but an object is one problem of the whole config."""
    with pytest.raises(ConfigError, match="must be an object"):
        Config.from_dict(raw)


def test_a_traceback_shows_no_secret():
    """The config is not among the local variables of the frames that an error passed through."""
    try:
        Config.from_dict({"apiKey": "k-canary", "fromEmail": 5})
    except ConfigError as error:
        frame = error.__traceback__.tb_next
        while frame is not None:
            assert "canary" not in repr(frame.tb_frame.f_locals)
            frame = frame.tb_next
        assert error.__context__ is None


def test_unknown_keys_are_warnings_with_a_near_match():
    """A misspelt key is pointed at, also within a template or a nested object; it stops nothing."""
    raw = VALID | {
        "apiKye": 1,
        "zzz": 2,
        "login": {"usr": 1},
        "templates": [template("SignIn") | {"sendfrom": "x"}, template("Generic")],
    }
    found = [(problem.path, problem.hint) for problem in unknown_keys(raw, Config)]
    assert found == [
        ("templates[0].sendfrom", "did you mean sendFrom?"), ("apiKye", "did you mean apiKey?"), ("zzz", ""), ("login.usr", "did you mean user?"),
    ]  # fmt: skip


@pytest.mark.parametrize("value", ["PIN-CANARY", Secret("PIN-CANARY")])
def test_a_check_that_quotes_a_secret_does_not_get_it_out(value):
    """As Python's own int() does, with which an author may check a PIN."""

    @settings
    class Config(Settings):
        pin: Secret = setting("PIN", check=lambda secret: int(secret.reveal()) and None)

    with pytest.raises(ConfigError) as caught:
        Config.from_dict({"pin": value})
    assert "CANARY" not in str(caught.value)
    assert "***" in str(caught.value)
