import pytest

import authmail
from authmail import ConfigError
from authmail_sparkpost import SparkPostConfig

RAW = {
    "apiKey": "key-123",
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "type": "text/html", "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def sparkpost():
    return authmail.get_connector("sparkpost")


def test_key_and_sender_are_enough(sparkpost):
    """With no warning; mails go to the host in the United States."""
    config = sparkpost.validate_config(RAW)
    assert (config.url, str(config.sender)) == ("https://api.sparkpost.com", "Acme <no-reply@mail.example.com>")
    assert sparkpost.warnings(RAW) == []


@pytest.mark.parametrize(
    ("region", "host"), [("us", "api.sparkpost.com"), ("eu", "api.eu.sparkpost.com"), (None, "api.sparkpost.com")]
)
def test_the_region_says_where(region, host):
    """Unless there is an endpoint."""
    assert SparkPostConfig.from_dict(RAW | {"region": region}).url == f"https://{host}"
    assert SparkPostConfig.from_dict(RAW | {"region": region, "endpoint": "http://127.0.0.1:1/x/"}).url == "http://127.0.0.1:1/x"


def test_the_key_goes_alone():
    """Without ``Bearer``; a subaccount beside it."""
    assert SparkPostConfig.from_dict(RAW).headers == {"Authorization": "key-123", "Accept": "application/json"}
    assert SparkPostConfig.from_dict(RAW | {"subaccount": 7}).headers["X-MSYS-SUBACCOUNT"] == "7"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "k\r\nX: y"}, ["apiKey"]), ({"apiKey": "Bearer k"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"from": None}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"region": "uk"}, ["region"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"subaccount": 0}, ["subaccount"]), ({"subaccount": "7"}, ["subaccount"]),
        ({"ipPool": "a\nb"}, ["ipPool"]), ({"campaign": " a"}, ["campaign"]), ({"campaign": "é" * 33}, ["campaign"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        SparkPostConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"from": "x@SparkPostBox.com"}, "from", "five mails"),
        ({"region": "eu", "endpoint": "https://proxy.example"}, "region", "remove"),
    ],
)  # fmt: skip
def test_what_is_doubtful_warns(sparkpost, change, path, says):
    """The sandbox domain, a region without effect."""
    [warning] = sparkpost.warnings(RAW | change)
    assert (warning.path, says in warning.hint) == (path, True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


def test_the_key_is_a_secret(sparkpost):
    """In the form, in a config that is shown, in a repr; and asked for again where it would travel elsewhere."""
    assert [item.key for item in sparkpost.form_items if item.is_confidential] == ["apiKey"]
    shown = sparkpost.redacted(RAW)
    assert shown["apiKey"] == "***"
    assert "key-123" not in repr(sparkpost.validate_config(RAW))
    with pytest.raises(ConfigError):
        sparkpost.validate_config(sparkpost.merge(RAW, shown | {"region": "eu"}))
