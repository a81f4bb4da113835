import pytest

import authmail
from authmail import ConfigError
from authmail_mailjunky import MailJunkyConfig

RAW = {
    "apiKey": "mj_live_123",
    "fromEmail": "no-reply@mail.example.com",
    "fromName": "Acme",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def mailjunky():
    return authmail.get_connector("mailjunky-mail")


def test_a_config_of_logto_is_good(mailjunky):
    """It is accepted, with no warning, and goes where Logto's connector sends."""
    config = mailjunky.validate_config(RAW)
    assert (config.url, str(config.sender)) == ("https://mailjunky.ai", "Acme <no-reply@mail.example.com>")
    assert mailjunky.warnings(RAW) == []


def test_the_host_of_the_sdks_is_an_endpoint():
    """The path is the same."""
    assert MailJunkyConfig.from_dict(RAW | {"endpoint": "api.mailjunky.ai"}).url == "https://api.mailjunky.ai"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "mj_live_1\r\nX: y"}, ["apiKey"]), ({"apiKey": "mj_ 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"fromEmail": "Acme"}, ["fromEmail"]), ({"fromEmail": "a@b.c, d@e.f"}, ["fromEmail"]), ({"fromEmail": "A <a@b.c>"}, ["fromEmail"]),
        ({"fromName": "a\nb"}, ["fromName"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]), ({"endpoint": "ftp://x"}, ["endpoint"]),
        ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        MailJunkyConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "says"), [({"apiKey": "SG.123"}, "it begins with mj_"), ({"apiKey": "mj_test_123"}, "for real mails")]
)
def test_what_is_doubtful_warns(mailjunky, change, says):
    """A key of somebody else, and one for tests."""
    [warning] = mailjunky.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == ("apiKey", True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(mailjunky):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in mailjunky.form_items if item.is_confidential] == ["apiKey"]
    shown = mailjunky.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "mj_live_123" not in repr(mailjunky.validate_config(RAW))
    with pytest.raises(ConfigError):
        mailjunky.validate_config(mailjunky.merge(RAW, shown | {"endpoint": "api.mailjunky.ai"}))
