import pytest

import authmail
from authmail import ConfigError
from authmail_resend.config import ResendConfig

RAW = {
    "apiKey": "re_123",
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def resend():
    return authmail.get_connector("resend")


def problems(**change):
    with pytest.raises(ConfigError) as caught:
        ResendConfig.from_dict(RAW | change)
    return [problem.path for problem in caught.value.problems]


def test_a_good_config(resend):
    """It is accepted, with no warning, and goes to the public host."""
    config = resend.validate_config(RAW)
    assert (config.url, str(config.sender), config.tags) == ("https://api.resend.com", RAW["from"], {})
    assert resend.warnings(RAW) == []
    assert resend.validate_config(RAW | {"endpoint": "http://127.0.0.1:1/"}).url == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": ""}, ["apiKey"]), ({"apiKey": "re_1\r\nX: y"}, ["apiKey"]), ({"apiKey": "re 1"}, ["apiKey"]),
        ({"apiKey": "re_é"}, ["apiKey"]), ({"from": ""}, ["from"]), ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]),
        ({"from": "A <a@b.c>\r\nBcc: x@y.z"}, ["from"]), ({"from": 5}, ["from"]), ({"replyTo": "nobody"}, ["replyTo"]),
        ({"tags": {"a b": "c"}}, ["tags"]), ({"tags": {"a": "é"}}, ["tags"]), ({"tags": {"a": ""}}, ["tags"]), ({"tags": {"a": 5}}, ["tags.a"]),
        ({"tags": {"a": "x" * 257}}, ["tags"]), ({"tags": {f"t{n}": "v" for n in range(76)}}, ["tags"]), ({"tags": ["a"]}, ["tags"]),
        ({"endpoint": "https://x.y/?a"}, ["endpoint"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name, and never with the key."""
    assert problems(**change) == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"apiKey": "SG.123"}, "apiKey", "re_"),
        ({"from": "onboarding@resend.dev"}, "from", "nobody but yourself"),
        ({"fromEmail": "a@b.c"}, "fromEmail", "not a known setting"),
        ({"templates": [RAW["templates"][0] | {"content": " "}, *RAW["templates"][1:]]}, "templates[0]", "empty"),
    ],
)
def test_doubtful_values_warn(resend, change, path, says):
    """With what to do."""
    [warning] = resend.warnings(RAW | change)
    assert warning.path == path
    assert says in f"{warning.message} {warning.hint}"


def test_the_key_is_a_secret(resend):
    """In the form, in a config that is shown, and in a repr; a stored one is not sent to a new endpoint."""
    assert [item.key for item in resend.form_items if item.is_confidential] == ["apiKey"]
    assert resend.redacted(RAW)["apiKey"] == "***"
    assert "re_123" not in repr(resend.validate_config(RAW))
    with pytest.raises(ConfigError, match="typed again"):
        resend.merge(RAW, resend.redacted(RAW) | {"endpoint": "evil.example"})
