import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_smtp2go import SMTP2GOConfig, send_email

RAW = {"apiKey": "api-123", "sender": "no-reply@mail.example.com", "senderName": "Acme"}
NONCE = "0123456789abcdef0123456789abcdef"


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, SMTP2GOConfig.from_dict(RAW | change), NONCE)


def test_a_mail_becomes_smtp2gos_json():
    """One recipient, both parts, looked at before it is accepted, and nothing that the mail lacks; the key is no part of it."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.smtp2go.com/v3/email/send"
    assert request.headers == {"X-Smtp2go-Api-Key": "api-123", "Accept": "application/json"}
    assert request.json == {
        "sender": "Acme <no-reply@mail.example.com>", "to": ["zoe@example.com"], "subject": "Hi", "html_body": "<p>h</p>", "text_body": "t",
        "fastaccept": False,
    }  # fmt: skip
    assert "api-123" not in repr(request)


# The same mails as the official SDK sends them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team",
}  # fmt: skip
#: What we send in place of the SDK's, and why.
DIFFERENT = {
    "fastaccept": False,  # the page announces the other as the default, which says yes before it has looked
    "api_key": None,  # it goes in a header, since bodies get logged
    "template_id": None,  # absent, where the SDK says null
    "template_data": None,
}
#: Headers of the library's own.
THEIRS = ("X-Smtp2go-Api", "X-Smtp2go-Api-Version")


@pytest.mark.parametrize(("name", "more"), [("all-fields-200", {}), ("reply-to-200", {"reply_to": "Help <help@example.com>"})])
def test_the_request_is_that_of_the_official_sdk(vectors, name, more):
    """Method, path and every field, but for the differences above; the SDK says no content type, and repeats headers in HTTP's."""
    [theirs] = next(one["requests"] for one in vectors("smtp2go/captures")["captures"] if one["name"] == name)
    request = build(Email(**FULL, **more))
    expected = theirs["body_json"] | DIFFERENT
    expected["custom_headers"] = [one for one in expected["custom_headers"] if one["header"] not in THEIRS] or None
    assert request.json == {field: value for field, value in expected.items() if value is not None}
    assert ("POST", f"https://api.smtp2go.com{theirs['target']}") == (theirs["method"], request.url)
    assert theirs["body_json"]["api_key"].startswith("api-")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"), ({"from_name": "Shop, Inc."}, '"Shop, Inc." <no-reply@mail.example.com>'),
        ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["sender"], sent["custom_headers"]) == (expected, [{"header": "Reply-To", "value": "own@example.com"}])


def test_headers_and_the_configs_reply_address_go_along():
    """As custom headers, both."""
    sent = build(Email("a@b.c", "s", text="t", headers={"X-Flow": "1"}), replyTo="Help <help@example.com>").json
    expected = {"X-Flow": "1", "Reply-To": "Help <help@example.com>"}
    assert {one["header"]: one["value"] for one in sent["custom_headers"]} == expected


def test_an_empty_part_is_left_out():
    """As one that the mail lacks."""
    assert "text_body" not in build(Email("a@b.c", "s", html="<img src='x'>", text="")).json


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": " "}, "without a subject"), ({"text": ""}, "without a subject and a body"), ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"),
        ({"headers": {"X-Ok": "1", "MIME-Version": "2.0"}}, "no header MIME-Version"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
