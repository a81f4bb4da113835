import json
from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_ses.config import SESConfig
from authmail_ses.request import send_email

RAW = {
    "accessKeyId": "AKIAFAKE", "accessKeySecret": "secret-1", "region": "eu-central-1", "emailAddress": "Acme <no-reply@mail.example.com>",
}  # fmt: skip
NOW = datetime(2026, 11, 25, 13, 11, 16, tzinfo=UTC)
#: What authmail adds to every mail.
ADDED = {"ConfigurationOverrides": {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}}}


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, SESConfig.from_dict(RAW | change), now=NOW)


def mail_of(email, **change):
    return json.loads(build(email, **change).body)


def test_a_mail_becomes_sess_json():
    """One recipient, charsets, no tracking, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://email.eu-central-1.amazonaws.com/v2/email/outbound-emails"
    assert json.loads(request.body) == ADDED | {
        "FromEmailAddress": "Acme <no-reply@mail.example.com>", "Destination": {"ToAddresses": ["zoe@example.com"]},
        "Content": {"Simple": {
            "Subject": {"Data": "Hi", "Charset": "UTF-8"},
            "Body": {"Text": {"Data": "t", "Charset": "UTF-8"}, "Html": {"Data": "<p>h</p>", "Charset": "UTF-8"}},
        }},
    }  # fmt: skip
    assert "secret-1" not in repr(request)


def test_a_session_token_is_sent_and_signed():
    """Temporary credentials do not work without."""
    headers = build(Email("a@b.c", "s", text="t"), sessionToken="token-1").headers
    assert headers["x-amz-security-token"] == "token-1"
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token," in headers["authorization"]


# The same mails as the official SDK sends them.

FULL = Email(
    "zoe@example.net", "您的验证码 is 123456", html="<p>Code: <b>123456</b> &amp; 你好</p>", text="Code: 123456",
    from_name="Ünïcode, Team", reply_to="Help <help@example.com>",
    headers={"X-Authmail-Type": "SignIn", "Auto-Submitted": "auto-generated"},
)  # fmt: skip
WITH = {"tags": {"type": "SignIn"}, "configurationSetName": "transactional"}
#: Capture → mail, settings, and the fields that we send otherwise: with why.
SAME = {
    # The SDK passes the name on as it is; API version 1 says that it must be encoded.
    "tracking-off-override-200": (FULL, WITH, {"FromEmailAddress"}),
    # Without an override the account's tracking would count.
    "simple-all-fields-200": (FULL, WITH, {"FromEmailAddress", "ConfigurationOverrides"}),
    # The charset is always told.
    "simple-minimal-200": (
        Email("b@example.net", "Hi", text="123456"), {"emailAddress": "a@example.com"}, {"Content", "ConfigurationOverrides"},
    ),
}  # fmt: skip


@pytest.fixture
def captured(vectors):
    return {capture["name"]: capture for capture in vectors("ses/captures")["captures"]}


@pytest.mark.parametrize("name", SAME)
def test_the_request_is_that_of_the_official_sdk(captured, name):
    """Method, path, headers and every field, but for those that are named."""
    email, change, different = SAME[name]
    request, theirs = build(email, **change), captured[name]["requests"][0]
    ours, told = json.loads(request.body), json.loads(theirs["body"])
    assert {field for field in ours.keys() | told.keys() if ours.get(field) != told.get(field)} == different
    assert ("POST", f"https://email.eu-central-1.amazonaws.com{theirs['target']}") == (theirs["method"], request.url)
    assert request.headers.keys() == {header.lower() for header, _ in theirs["headers"]}
    assert request.headers["content-type"] == dict(theirs["headers"])["Content-Type"]
    assert request.headers["x-amz-date"] == dict(theirs["headers"])["X-Amz-Date"]


def test_the_fields_that_differ_mean_the_same(captured):
    """The name of the sender when decoded, and the texts without their charset."""
    ours, theirs = mail_of(FULL, **WITH), json.loads(captured["simple-all-fields-200"]["requests"][0]["body"])
    decoded = Mailbox.parse(ours["FromEmailAddress"])
    assert str(Mailbox(decoded.address, str(make_header(decode_header(decoded.name))))) == theirs["FromEmailAddress"]
    ours = mail_of(Email("b@example.net", "Hi", text="123456"))["Content"]["Simple"]
    theirs = json.loads(captured["simple-minimal-200"]["requests"][0]["body"])["Content"]["Simple"]
    assert ours == {
        "Subject": theirs["Subject"] | {"Charset": "UTF-8"}, "Body": {"Text": theirs["Body"]["Text"] | {"Charset": "UTF-8"}},
    }  # fmt: skip


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"), ({"from_name": "Shop, Inc."}, '"Shop, Inc." <no-reply@mail.example.com>'),
        ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
        ({"from_name": "Ü"}, "=?utf-8?b?w5w=?= <no-reply@mail.example.com>"),
        ({"from_name": "=?utf-8?b?w5w=?="}, "=?utf-8?b?PT91dGYtOD9iP3c1dz0/PQ==?= <no-reply@mail.example.com>"),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; a name with a comma is quoted, one that is not ASCII or reads like an encoded word encoded."""
    sent = mail_of(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com")
    assert (sent["FromEmailAddress"], sent["ReplyToAddresses"]) == (expected, ["own@example.com"])


def test_a_long_name_is_several_encoded_words():
    """None longer than RFC 2047 allows, and all in one line."""
    name = "很长的名字," * 20
    encoded = mail_of(Email("a@b.c", "s", text="t", from_name=name))["FromEmailAddress"].rpartition(" <")[0]
    assert "\n" not in encoded
    assert max(map(len, encoded.split(" "))) <= 75
    assert str(make_header(decode_header(encoded))) == name


def test_every_setting_has_its_field():
    """Names of the API, values as they are."""
    settings = {
        "emailAddressIdentityArn": "arn:a", "feedbackForwardingEmailAddress": "f@e.c", "tenantName": "acme", "configurationSetName": "cs",
        "feedbackForwardingEmailAddressIdentityArn": "arn:b", "replyTo": "Help <help@example.com>", "tags": {"a": "1", "b": "2"},
    }  # fmt: skip
    sent = mail_of(Email("a@b.c", "s", text="t"), **settings)
    expected = {
        "FromEmailAddressIdentityArn": "arn:a", "FeedbackForwardingEmailAddress": "f@e.c", "TenantName": "acme", "ConfigurationSetName": "cs",
        "FeedbackForwardingEmailAddressIdentityArn": "arn:b", "ReplyToAddresses": ["Help <help@example.com>"],
        "EmailTags": [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}],
    }  # fmt: skip
    assert {name: sent[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("email", "reason", "says"),
    [
        (Email("zoë@b.c", "s", text="t"), Reason.RECIPIENT, "other than ASCII"),
        (Email("a@b.c", "s", text="t", headers={f"X-{number}": "1" for number in range(16)}), Reason.CONTENT, "16 headers"),
        (Email("a@b.c", "s", text="t", headers={"X" * 127: "1"}), Reason.CONTENT, "longer"),
        (Email("a@b.c", "s", text="t", headers={"X": "1" * 996}), Reason.CONTENT, "longer"),
        (Email("a@b.c", "s", text="t", headers={"X-A": ""}), Reason.CONTENT, "empty"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(email, reason, says):
    """With what is wrong."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(email)
    assert (caught.value.reason, caught.value.phase) == (reason, "before")


def test_the_most_headers_are_sent():
    """At their longest, and in ASCII."""
    headers = {f"X-{number}": "1" for number in range(13)} | {"X": "1" * 995, "X-Name": "小红"}
    sent = mail_of(Email("a@b.c", "s", text="t", headers=headers))["Content"]["Simple"]["Headers"]
    assert len(sent) == 15
    assert sent[-1] == {"Name": "X-Name", "Value": "=?utf-8?b?5bCP57qi?="}


@pytest.mark.parametrize(
    ("change", "url"),
    [
        ({"region": "us-gov-west-1"}, "https://email.us-gov-west-1.amazonaws.com"), ({"region": "eusc-de-east-1"}, "https://email.eusc-de-east-1.amazonaws.eu"),
        ({"endpoint": "email-fips.us-east-1.amazonaws.com"}, "https://email-fips.us-east-1.amazonaws.com"),
        ({"endpoint": "http://127.0.0.1:8026/"}, "http://127.0.0.1:8026"),
    ],
)  # fmt: skip
def test_the_region_decides_the_host(change, url):
    """Unless an endpoint does."""
    assert build(Email("a@b.c", "s", text="t"), **change).url == f"{url}/v2/email/outbound-emails"
