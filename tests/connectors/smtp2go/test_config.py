import pytest

import authmail
from authmail import ConfigError
from authmail_smtp2go import SMTP2GOConfig

RAW = {
    "apiKey": "api-123",
    "sender": "no-reply@mail.example.com",
    "senderName": "Acme",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def smtp2go():
    return authmail.get_connector("smtp2go-email")


def test_a_config_of_logto_is_good(smtp2go):
    """It is accepted, with no warning, and goes to the public host."""
    config = smtp2go.validate_config(RAW)
    assert (config.url, str(config.mailbox)) == ("https://api.smtp2go.com", "Acme <no-reply@mail.example.com>")
    assert smtp2go.warnings(RAW) == []


@pytest.mark.parametrize(
    ("region", "host"), [("us", "us-api"), ("eu", "eu-api"), ("au", "au-api"), ("global", "api"), (None, "api")]
)
def test_the_region_says_where(region, host):
    """Unless there is an endpoint."""
    assert SMTP2GOConfig.from_dict(RAW | {"region": region}).url == f"https://{host}.smtp2go.com"
    assert SMTP2GOConfig.from_dict(RAW | {"region": region, "endpoint": "http://127.0.0.1:1/x/"}).url == "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "api-1\r\nX: y"}, ["apiKey"]), ({"apiKey": "api- 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"sender": "Acme"}, ["sender"]), ({"sender": "a@b"}, ["sender"]), ({"sender": "a@b.c, d@e.f"}, ["sender"]), ({"sender": "A <a@b.c>"}, ["sender"]),
        ({"senderName": "a\nb"}, ["senderName"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]), ({"region": "uk"}, ["region"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        SMTP2GOConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [({"apiKey": "SG.123"}, "apiKey", "api-"), ({"region": "eu", "endpoint": "https://proxy.example"}, "region", "remove")],
)
def test_what_is_doubtful_warns(smtp2go, change, path, says):
    """A key of somebody else, a region without effect."""
    [warning] = smtp2go.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(smtp2go):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in smtp2go.form_items if item.is_confidential] == ["apiKey"]
    shown = smtp2go.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "api-123" not in repr(smtp2go.validate_config(RAW))
    with pytest.raises(ConfigError):
        smtp2go.validate_config(smtp2go.merge(RAW, shown | {"region": "eu"}))
