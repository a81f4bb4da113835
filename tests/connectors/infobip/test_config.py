import pytest

import authmail
from authmail import ConfigError
from authmail_infobip import InfobipConfig

RAW = {
    "apiKey": "key-123",
    "from": "Acme <no-reply@mail.example.com>",
    "endpoint": "xxxxx.api.infobip.com",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def infobip():
    return authmail.get_connector("infobip")


def test_key_sender_and_base_url_are_enough(infobip):
    """With no warning."""
    config = infobip.validate_config(RAW)
    assert (config.url, str(config.sender)) == ("https://xxxxx.api.infobip.com", "Acme <no-reply@mail.example.com>")
    assert config.headers == {"Authorization": "App key-123", "Accept": "application/json"}
    assert infobip.warnings(RAW) == []


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [(None, "https://api.infobip.com"), ("https://xxxxx.api.infobip.com/", "https://xxxxx.api.infobip.com"), ("http://127.0.0.1:1/x", "http://127.0.0.1:1/x")],
)  # fmt: skip
def test_the_base_url_says_where(endpoint, url):
    """Or the shared host, where there is none."""
    assert InfobipConfig.from_dict(RAW | {"endpoint": endpoint}).url == url


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "App key-123"}, ["apiKey"]), ({"apiKey": "k\r\nX: y"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"from": None}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"campaign": " a"}, ["campaign"]), ({"campaign": "a" * 256}, ["campaign"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        InfobipConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"endpoint": None}, "endpoint", "base URL"),
        ({"from": "acme@SelfServe.worlds-connected.co"}, "from", "domain of your own"),
    ],
)
def test_what_is_doubtful_warns(infobip, change, path, says):
    """No base URL, and the domain of accounts on trial."""
    [warning] = infobip.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_base_url_is_asked_for_as_such(infobip):
    """By its name at Infobip, among what people fill in first."""
    [item] = [item for item in infobip.form_items if item.key == "endpoint"]
    assert (item.label, item.placeholder, item.required) == ("Base URL", "xxxxx.api.infobip.com", False)


def test_the_key_is_a_secret(infobip):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in infobip.form_items if item.is_confidential] == ["apiKey"]
    shown = infobip.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "key-123" not in repr(infobip.validate_config(RAW))
    with pytest.raises(ConfigError):
        infobip.validate_config(infobip.merge(RAW, shown | {"endpoint": "yyyyy.api.infobip.com"}))
