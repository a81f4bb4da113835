import pytest

import authmail
from authmail import ConfigError
from authmail_ses.config import SESConfig

RAW = {
    "accessKeyId": "AKIAFAKE",
    "accessKeySecret": "secret-1",
    "region": "eu-central-1",
    "emailAddress": "Acme <no-reply@mail.example.com>",
    "templates": [
        {"usageType": usage_type, "subject": "s {{code}}", "content": "<p>{{code}}</p>"}
        for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
    ],
}
ARN = "arn:aws:ses:eu-central-1:123456789012:identity/example.com"


@pytest.fixture
def ses():
    return authmail.get_connector("aws-ses")


def test_a_good_config(ses):
    """It is accepted, with no warning, and goes to its region."""
    more = {"configurationSetName": "mails", "tags": {"type": "sign-in"}, "emailAddressIdentityArn": ARN, "tenantName": "acme"}
    assert ses.validate_config(RAW | more).url == "https://email.eu-central-1.amazonaws.com"
    assert ses.warnings(RAW | more) == []


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"accessKeyId": None}, ["accessKeyId"]), ({"accessKeyId": "AKIA\r\nX: y"}, ["accessKeyId"]), ({"accessKeySecret": "a b"}, ["accessKeySecret"]),
        ({"region": ""}, ["region"]), ({"region": "evil.example/?"}, ["region"]), ({"region": "EU-CENTRAL-1"}, ["region"]),
        ({"emailAddress": "Acme"}, ["emailAddress"]), ({"emailAddress": "zoë@b.c"}, ["emailAddress"]), ({"emailAddress": "a@b.c, d@e.f"}, ["emailAddress"]),
        ({"replyTo": "a@b.c, d@e.f"}, ["replyTo"]), ({"feedbackForwardingEmailAddress": "x"}, ["feedbackForwardingEmailAddress"]),
        ({"configurationSetName": "a b"}, ["configurationSetName"]), ({"configurationSetName": "../account"}, ["configurationSetName"]),
        ({"tenantName": "é"}, ["tenantName"]), ({"tags": {"a b": "c"}}, ["tags"]), ({"tags": {"a": ""}}, ["tags"]), ({"tags": ["a"]}, ["tags"]),
        ({"sessionToken": "a\nb"}, ["sessionToken"]), ({"endpoint": "ftp://x"}, ["endpoint"]), ({"templates": []}, ["templates"] * 4),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(change, paths):
    """With the field's name; what becomes part of the host or path is narrow."""
    with pytest.raises(ConfigError) as caught:
        SESConfig.from_dict(RAW | change)
    assert [problem.path for problem in caught.value.problems] == paths


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        ({"accessKeyId": "ASIAFAKE"}, "sessionToken", "temporary"), ({"accessKeySecret": "B" + "a" * 43}, "accessKeySecret", "SMTP"),
        ({"region": "eu-centrale-1"}, "region", "knows"), ({"region": "cn-north-1"}, "region", "knows"), ({"tags": {"a": "b"}}, "tags", "configurationSetName"),
        ({"endpoint": "email.us-east-1.amazonaws.com"}, "endpoint", "another region"), ({"emailAddressIdentityArn": "arn:a"}, "emailAddressIdentityArn", "look like"),
        ({"region": "us-east-1", "feedbackForwardingEmailAddressIdentityArn": ARN}, "feedbackForwardingEmailAddressIdentityArn", "another region"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_what_somebody_most_likely_did_not_mean_warns(ses, change, path, says, language):
    """At its place, in other languages too."""
    [warning] = ses.warnings(RAW | change)
    assert (warning.path, says in warning.message) == (path, True)
    assert warning.message_in(language) != warning.message
    assert not warning.hint or warning.hint_in(language) != warning.hint


@pytest.mark.parametrize("change", [{"accessKeyId": "ASIAFAKE", "sessionToken": "token-1"}, {"endpoint": "http://127.0.0.1:1"}])
def test_what_is_right_does_not_warn(ses, change):
    """A token beside a temporary key, and a server of one's own."""
    assert ses.warnings(RAW | change) == []


def test_secret_and_token_are_secrets(ses):
    """In the form, in a config that is shown, and in a repr; a change of the endpoint asks for them anew."""
    raw = RAW | {"sessionToken": "token-1"}
    assert [item.key for item in ses.form_items if item.is_confidential] == ["accessKeySecret", "sessionToken"]
    assert (ses.redacted(raw)["accessKeySecret"], ses.redacted(raw)["sessionToken"]) == ("***", "***")
    assert "secret-1" not in repr(ses.validate_config(raw))
    with pytest.raises(ConfigError):
        ses.merge(raw, ses.redacted(raw) | {"endpoint": "https://evil.example"})


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_problems_are_told_in_other_languages(language):
    """Those that are SES's own."""
    with pytest.raises(ConfigError) as caught:
        SESConfig.from_dict(RAW | {"emailAddress": "zoë@b.c", "tags": {"a b": "c"}})
    for problem in caught.value.problems:
        assert problem.message_in(language) != problem.message
