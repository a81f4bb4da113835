import pytest

from authmail import Email
from authmail.config.settings import templates_elsewhere
from authmail_mailjunky import MailJunkyConfig, send_email

RAW = {"apiKey": "mj_live_123", "fromEmail": "no-reply@mail.example.com", "fromName": "Acme"}


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, MailJunkyConfig.from_dict(RAW | change))


def test_a_mail_becomes_mailjunkys_json():
    """One recipient, both parts, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://mailjunky.ai/api/v1/emails/send"
    assert request.headers == {"Authorization": "Bearer mj_live_123", "Accept": "application/json"}
    assert request.json == {
        "from": "Acme <no-reply@mail.example.com>", "to": "zoe@example.com", "subject": "Hi", "html": "<p>h</p>", "text": "t",
    }  # fmt: skip
    assert "mj_live_123" not in repr(request)


# The same mails as the official SDKs send them.

FULL = {
    "to": "zoe@example.net", "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>", "text": "Code: 123456",
    "reply_to": "help@example.com",
}  # fmt: skip
NAMED = {"from_name": "Ünïcode, Team", "headers": {"X-Authmail-Type": "SignIn"}}
#: What we leave out of the SDKs' requests: they disagree on the form of tags, and a sign-in mail needs neither.
LEFT_OUT = ("tags", "metadata")


@pytest.mark.parametrize(
    ("name", "email", "change"),
    [
        ("all-fields-200", FULL | NAMED, {}),
        ("minimal-200", {"to": "b@example.net", "subject": "Hi", "text": "123456"}, {"fromEmail": "a@example.com", "fromName": None}),
        ("node-all-fields", FULL, {"fromName": None}),
    ],
)  # fmt: skip
def test_the_request_is_that_of_the_official_sdks(vectors, name, email, change):
    """Method, path, key, content and every field, but for the two above."""
    [theirs] = next(one["requests"] for one in vectors("mailjunky/captures")["captures"] if one["name"] == name)
    request = build(Email(**email), endpoint="http://127.0.0.1:1", **change)
    assert request.json == {field: value for field, value in theirs["body_json"].items() if field not in LEFT_OUT}
    assert ("POST", f"http://127.0.0.1:1{theirs['target']}") == (theirs["method"], request.url)
    headers = {key.lower(): value for key, value in theirs["headers"]}
    assert (headers["content-type"], headers["authorization"][:15]) == ("application/json", "Bearer mj_live_")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"), ({"from_name": "Shop, Inc."}, '"Shop, Inc." <no-reply@mail.example.com>'),
        ({"from_name": 'Zoé "Z"'}, r'"Zoé \"Z\"" <no-reply@mail.example.com>'), ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["from"], sent["reply_to"]) == (expected, "own@example.com")


def test_the_configs_reply_address_goes_along():
    """With its name."""
    assert build(Email("a@b.c", "s", text="t"), replyTo="Help <help@example.com>").json["reply_to"] == "Help <help@example.com>"


def test_an_empty_part_is_left_out():
    """As one that the mail lacks."""
    assert "text" not in build(Email("a@b.c", "s", html="<img src='x'>", text="")).json
