import pytest

import authmail
from authmail import ConfigError, ProviderTemplate, Template
from authmail_postmark import PostmarkConfig

TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")
RAW = {
    "serverToken": "0f0f0f0f-0000-4000-8000-00000000fa4e",
    "fromEmail": "Acme <no-reply@mail.example.com>",
    "templates": [{"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"} for usage_type in TYPES],
}
AT_POSTMARK = [{"usageType": usage_type, "templateAlias": f"acme-{usage_type}"} for usage_type in TYPES]


@pytest.fixture
def postmark():
    return authmail.get_connector("postmark-mail")


@pytest.mark.parametrize("templates", [RAW["templates"], AT_POSTMARK, [*AT_POSTMARK[:2], *RAW["templates"][2:]]])
def test_a_good_config(postmark, templates):
    """Its templates are here, at Postmark, or some of them; with no warning, to the public host."""
    config = postmark.validate_config(RAW | {"templates": templates, "messageStream": "otp-mail", "tag": "sign in"})
    assert (config.url, config.message_stream, config.tag) == ("https://api.postmarkapp.com", "otp-mail", "sign in")
    assert postmark.warnings(RAW | {"templates": templates}) == []


def test_each_template_is_of_its_kind():
    """One with an alias is Postmark's, whatever else it has, as with Logto; it may have a language."""
    given = [{"usageType": "SignIn", "templateAlias": "acme-fr", "languageTag": "fr", "content": "x"}, *RAW["templates"]]
    first, second, *_ = PostmarkConfig.from_dict(RAW | {"templates": given}).templates
    assert first == ProviderTemplate("SignIn", locale="fr", alias="acme-fr")
    assert second == Template("SignIn", "s {{code}}", "<p>{{code}}</p>")
    assert first.to_dict() == {"usageType": "SignIn", "templateAlias": "acme-fr", "locale": "fr"}


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"serverToken": None}, ["serverToken"]), ({"serverToken": "a b"}, ["serverToken"]), ({"serverToken": "a\r\nX: y"}, ["serverToken"]),
        ({"fromEmail": "Acme"}, ["fromEmail"]), ({"fromEmail": "a@b.c, d@e.f"}, ["fromEmail"]), ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]),
        ({"messageStream": "../server"}, ["messageStream"]), ({"messageStream": "a b"}, ["messageStream"]), ({"tag": "a\nb"}, ["tag"]),
        ({"tag": "t" * 1001}, ["tag"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
        ({"templates": [*AT_POSTMARK, {"usageType": "X", "templateAlias": ""}]}, ["templates[4].templateAlias"]),
        ({"templates": [*AT_POSTMARK, {"templateAlias": "x"}]}, ["templates[4].usageType"]),
        ({"templates": [*AT_POSTMARK, {"usageType": "X", "templateAlias": 12}]}, ["templates[4].templateAlias"]),
        ({"templates": [*AT_POSTMARK, {"usageType": "X", "templateAlias": "a" * 101}]}, ["templates[4].templateAlias"]),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name."""
    with pytest.raises(ConfigError) as caught:
        PostmarkConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"serverToken": "POSTMARK_API_TEST"}, "serverToken", "delivers none"), ({"serverToken": "re_123456"}, "serverToken", "does not look like"),
        ({"messageStream": "broadcast"}, "messageStream", "newsletters"),
        ({"templates": [*AT_POSTMARK, {"usageType": "X", "templateAlias": "x", "templateId": 5}]}, "templates[4].templateId", "no effect"),
    ],
)  # fmt: skip
def test_what_loses_mail_in_silence_warns(postmark, change, path, says):
    """Postmark would say that all is well."""
    [warning] = postmark.warnings(RAW | change)
    assert (warning.path, says in warning.message) == (path, True)


def test_the_token_is_a_secret_and_the_alias_is_none(postmark):
    """In the form, in a config that is shown, and in a repr; Logto's form shows the token."""
    assert [item.key for item in postmark.form_items if item.is_confidential] == ["serverToken"]
    shown = postmark.redacted(RAW | {"templates": AT_POSTMARK})
    assert (shown["serverToken"], shown["templates"]) == ("***", AT_POSTMARK)
    assert "fa4e" not in repr(postmark.validate_config(RAW))


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_hints_and_problems_are_told_in_other_languages(postmark, language):
    """Warnings too."""
    with pytest.raises(ConfigError) as caught:
        PostmarkConfig.from_dict(RAW | {"serverToken": "a b", "messageStream": "a b"})
    for problem in caught.value.problems:
        assert (problem.message_in(language) != problem.message, problem.hint_in(language) != problem.hint) == (True, True)
    for warning in postmark.warnings(RAW | {"serverToken": "POSTMARK_API_TEST", "messageStream": "broadcast"}):
        assert (warning.message_in(language) != warning.message, warning.hint_in(language) != warning.hint) == (True, True)
