import pytest

import authmail
from authmail import ConfigError
from authmail_mandrill import MandrillConfig

RAW = {
    "apiKey": "md-123",
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def mandrill():
    return authmail.get_connector("mandrill")


def test_a_good_config(mandrill):
    """It is accepted, with no warning, and goes to the public host."""
    raw = RAW | {"tags": ["acme", "sign in"], "subaccount": "cust-1"}
    config = mandrill.validate_config(raw)
    assert (config.api, str(config.sender)) == ("https://mandrillapp.com/api/1.3", "Acme <no-reply@mail.example.com>")
    assert (config.tags, config.subaccount) == (("acme", "sign in"), "cust-1")
    assert mandrill.warnings(raw) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "md-1\r\nX: y"}, ["apiKey"]), ({"apiKey": "md- 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"tags": "acme"}, ["tags"]), ({"tags": [5]}, ["tags[0]"]), ({"tags": [" "]}, ["tags"]), ({"tags": ["a\nb"]}, ["tags"]),
        ({"tags": ["_acme"]}, ["tags"]), ({"tags": ["a" * 51]}, ["tags"]), ({"subaccount": "a\nb"}, ["subaccount"]), ({"subaccount": " a"}, ["subaccount"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        MandrillConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize("key", ["0123456789abcdef0123456789abcdef-us12", "SG.1"])
def test_a_key_of_another_kind_warns(mandrill, key):
    """That of Mailchimp's marketing side, too; with how Mandrill's begin, in every language."""
    [warning] = mandrill.warnings(RAW | {"apiKey": key})
    assert (warning.path, "md-" in warning.hint) == ("apiKey", True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(mandrill):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in mandrill.form_items if item.is_confidential] == ["apiKey"]
    shown = mandrill.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "md-123" not in repr(mandrill.validate_config(RAW))
    with pytest.raises(ConfigError):
        mandrill.merge(RAW, shown | {"endpoint": "https://mail.other.example"})


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_problems_are_told_in_other_languages(language):
    """Those with values filled in too."""
    with pytest.raises(ConfigError) as caught:
        MandrillConfig.from_dict(RAW | {"apiKey": "a b", "tags": ["_a"]})
    for problem in caught.value.problems:
        assert problem.message_in(language) != problem.message
