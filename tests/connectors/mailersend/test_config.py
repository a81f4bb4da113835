import pytest

import authmail
from authmail import ConfigError
from authmail_mailersend import MailerSendConfig

RAW = {
    "apiKey": "mlsn.123",
    "from": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}


@pytest.fixture
def mailersend():
    return authmail.get_connector("mailersend")


def test_a_good_config(mailersend):
    """It is accepted, with no warning, and goes to the public host."""
    config = mailersend.validate_config(RAW | {"tags": ["acme", "sign in"]})
    assert (config.url, config.tags) == ("https://api.mailersend.com", ("acme", "sign in"))
    assert mailersend.warnings(RAW) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"apiKey": None}, ["apiKey"]), ({"apiKey": "mlsn.1\r\nX: y"}, ["apiKey"]), ({"apiKey": "mlsn. 1"}, ["apiKey"]), ({"apiKey": "é"}, ["apiKey"]),
        ({"from": "Acme"}, ["from"]), ({"from": "a@b.c, d@e.f"}, ["from"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"tags": "acme"}, ["tags"]), ({"tags": [5]}, ["tags[0]"]), ({"tags": [" "]}, ["tags"]), ({"tags": ["a\nb"]}, ["tags"]),
        ({"tags": ["a", "b", "c", "d", "e", "f"]}, ["tags"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        MailerSendConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


def test_a_key_of_somebody_else_warns(mailersend):
    """With how MailerSend's begin."""
    [warning] = mailersend.warnings(RAW | {"apiKey": "re_123"})
    assert (warning.path, "mlsn." in warning.hint) == ("apiKey", True)


def test_the_token_is_a_secret(mailersend):
    """In the form, in a config that is shown, and in a repr."""
    assert [item.key for item in mailersend.form_items if item.is_confidential] == ["apiKey"]
    assert mailersend.redacted(RAW)["apiKey"] == "***"
    assert "mlsn.123" not in repr(mailersend.validate_config(RAW))


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_hints_and_problems_are_told_in_other_languages(mailersend, language):
    """Those with values filled in too."""
    with pytest.raises(ConfigError) as caught:
        MailerSendConfig.from_dict(RAW | {"apiKey": "a b", "tags": list("abcdef")})
    for problem in caught.value.problems:
        assert problem.message_in(language) != problem.message
    [warning] = mailersend.warnings(RAW | {"apiKey": "re_123"})
    assert warning.hint_in(language) != warning.hint
