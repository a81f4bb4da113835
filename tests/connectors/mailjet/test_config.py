import pytest

import authmail
from authmail import ConfigError
from authmail_mailjet import MailjetConfig

KEY, SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
RAW = {
    "apiKey": KEY,
    "secretKey": SECRET,
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def mailjet():
    return authmail.get_connector("mailjet")


def test_a_good_config(mailjet):
    """It is accepted, with no warning, and goes to the public host."""
    config = mailjet.validate_config(RAW)
    assert (config.url, str(config.sender)) == ("https://api.mailjet.com", "Acme <no-reply@mail.example.com>")
    assert mailjet.warnings(RAW) == []


@pytest.mark.parametrize(("region", "host"), [("us", "api.us"), ("global", "api"), (None, "api")])
def test_the_region_says_where(region, host):
    """Unless there is an endpoint."""
    assert MailjetConfig.from_dict(RAW | {"region": region}).url == f"https://{host}.mailjet.com"
    assert MailjetConfig.from_dict(RAW | {"region": region, "endpoint": "http://127.0.0.1:1/x/"}).url == "http://127.0.0.1:1/x"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "a b"}, ["apiKey"]), ({"apiKey": "a:b"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"secretKey": None}, ["secretKey"]), ({"secretKey": "a\r\nX: y"}, ["secretKey"]), ({"region": "eu"}, ["region"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        MailjetConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": "xkeysib-1"}, ["apiKey"]), ({"secretKey": "SG.1"}, ["secretKey"]), ({"secretKey": KEY}, ["secretKey"]),
        ({"apiKey": KEY[:-1]}, ["apiKey"]), ({"region": "us", "endpoint": "http://127.0.0.1:1"}, ["region"]), ({"region": "us"}, []),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_warned_of(mailjet, change, paths):
    """In every language: keys of somebody else, one for both, a region that decides nothing."""
    warnings = mailjet.warnings(RAW | change)
    assert [warning.path for warning in warnings] == paths
    for warning in warnings:
        for language in ("fr", "zh-CN"):
            assert (warning.message_in(language), warning.hint_in(language)) != (warning.message, warning.hint)


def test_both_keys_are_secrets(mailjet):
    """In the form, in a config that is shown, and in a repr."""
    assert [item.key for item in mailjet.form_items if item.is_confidential] == ["apiKey", "secretKey"]
    shown = mailjet.redacted(RAW)
    assert (shown["apiKey"], shown["secretKey"]) == ("***", "***")
    assert not {KEY, SECRET} & set(repr(mailjet.validate_config(RAW)).split("'"))


@pytest.mark.parametrize("change", [{"region": "us"}, {"endpoint": "https://mail.other.example"}])
def test_the_keys_are_asked_for_again_where_they_would_travel_elsewhere(mailjet, change):
    """An edit of something else keeps them."""
    shown = mailjet.redacted(RAW)
    assert mailjet.merge(RAW, shown | {"replyTo": "help@example.com"})["secretKey"] == SECRET
    with pytest.raises(ConfigError) as caught:
        mailjet.merge(RAW, shown | change)
    assert {problem.path for problem in caught.value.problems} == {"apiKey", "secretKey"}


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_problems_are_told_in_other_languages(language):
    """Those with values filled in too."""
    with pytest.raises(ConfigError) as caught:
        MailjetConfig.from_dict(RAW | {"apiKey": "a:b", "secretKey": "a b"})
    for problem in caught.value.problems:
        assert problem.message_in(language) != problem.message
