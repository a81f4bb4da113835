import pytest

import authmail
from authmail import ConfigError
from authmail_brevo import BrevoConfig

RAW = {
    "apiKey": "xkeysib-123",
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def brevo():
    return authmail.get_connector("brevo")


def test_a_config_is_good(brevo):
    """It is accepted, with no warning, and goes to the public host."""
    assert brevo.validate_config(RAW | {"tags": ["sign-in"], "replyTo": "Help <help@example.com>"}).url == "https://api.brevo.com"
    assert brevo.warnings(RAW) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "xkeysib-1\r\nX: y"}, ["apiKey"]), ({"apiKey": "xkeysib- 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"from": None}, ["from"]), ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"tags": [""]}, ["tags"]), ({"tags": ["a\nb"]}, ["tags"]), ({"tags": "a"}, ["tags"]), ({"endpoint": "ftp://x"}, ["endpoint"]),
        ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        BrevoConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize("key", ["SG.123", "xsmtpsib-123"])
def test_a_strange_key_warns(brevo, key):
    """One of somebody else, and one for SMTP."""
    [warning] = brevo.warnings(RAW | {"apiKey": key})
    assert (warning.path, str(warning.hint)) == ("apiKey", "it begins with xkeysib-")
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(brevo):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in brevo.form_items if item.is_confidential] == ["apiKey"]
    shown = brevo.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "xkeysib-123" not in repr(brevo.validate_config(RAW))
    with pytest.raises(ConfigError):
        brevo.validate_config(brevo.merge(RAW, shown | {"endpoint": "proxy.example"}))
