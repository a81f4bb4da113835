import pytest

from authmail import ConfigError, Template

WHOLE = {
    "usageType": "SignIn", "subject": "s", "content": "c", "contentType": "text/plain", "text": "t", "locale": "fr", "sendFrom": "f",
    "replyTo": "r",
}  # fmt: skip


def test_reads_and_writes_its_json():
    """from_dict and to_dict are each other's reverse."""
    assert Template.from_dict(WHOLE).to_dict() == WHOLE
    assert Template.from_dict({"usageType": "X", "subject": "", "content": ""}).to_dict() == {
        "usageType": "X",
        "subject": "",
        "content": "",
    }


def test_knows_the_other_spellings():
    """languageTag and type are read where the usual spelling is missing; a type that is no content type is passed over."""
    base = {"usageType": "X", "subject": "s", "content": "c"}
    assert Template.from_dict(base | {"languageTag": "de", "type": "text/plain"}) == Template(
        "X", "s", "c", "text/plain", locale="de"
    )
    assert Template.from_dict(base | {"type": "SignIn"}).content_type == "text/html"
    assert Template.from_dict(base | {"locale": None, "replyTo": None}) == Template("X", "s", "c")
    assert Template.from_dict(base | {"locale": "fr", "languageTag": "de", "unknown": "x"}) == Template(
        "X", "s", "c", locale="fr"
    )
    assert Template.from_dict(base | {"contentType": "text/html"}) == Template("X", "s", "c")


@pytest.mark.parametrize("key", ["usageType", "subject", "content"])
def test_needs_three_keys(key):
    """A missing key, or a null, is named."""
    for broken in ({k: v for k, v in WHOLE.items() if k != key}, WHOLE | {key: None}):
        with pytest.raises(ConfigError) as caught:
            Template.from_dict(broken)
        assert [(problem.path, problem.message) for problem in caught.value.problems] == [(key, "is required")]


def test_names_every_wrong_value():
    """Wrong kinds and content types, all at once."""
    with pytest.raises(ConfigError) as caught:
        Template.from_dict({"usageType": 1, "subject": [], "content": "c", "contentType": "html"})
    assert [problem.path for problem in caught.value.problems] == ["usageType", "subject", "contentType"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"), (True, "true or false"), ("x", "a text"), (1, "a number"), (1.5, "a number"), ([], "a list"), ((), "a list"),
        (object(), "object"),
    ],
)  # fmt: skip
def test_something_else_is_no_template(value, words):
    """The problem says what came, in words."""
    with pytest.raises(ConfigError) as caught:
        Template.from_dict(value)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [("", f"must be an object, got {words}")]


def test_shows_no_content():
    """A template may hold what a tenant keeps to itself."""
    assert repr(Template("SignIn", "canary", "canary", locale="fr")) == "Template('SignIn', locale='fr', content=<6 characters>)"


@pytest.mark.parametrize("key", ["usageType", "locale"])
@pytest.mark.parametrize("value", ["a\nb", "x" * 101, "\x1b[2J", "fr\u202e"])
def test_type_and_language_can_stand_in_a_log(key, value):
    """One line, printable and short: they may come from a tenant."""
    with pytest.raises(ConfigError) as caught:
        Template.from_dict({"usageType": "Generic", "subject": "s", "content": "c", key: value})
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        (key, "must be up to 100 printable characters")
    ]
    with pytest.raises(ValueError, match="up to 100 printable"):
        Template(value if key == "usageType" else "Generic", "s", "c", locale=value if key == "locale" else None)
