import json

import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_infobip import InfobipConfig, send_email

RAW = {"apiKey": "key-123", "from": "Acme <no-reply@mail.example.com>", "endpoint": "xxxxx.api.infobip.com"}
NONCE = "0123456789abcdef0123456789abcdef"


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, InfobipConfig.from_dict(RAW | change), NONCE)


def test_a_mail_becomes_infobips_json():
    """One recipient with an id of ours, both parts, tracking off, and nothing that the mail lacks; the key is no part of it."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://xxxxx.api.infobip.com/email/4/messages"
    assert request.headers == {"Authorization": "App key-123", "Accept": "application/json"}
    assert request.json == {
        "messages": [
            {
                "sender": "Acme <no-reply@mail.example.com>",
                "destinations": [{"to": [{"destination": "zoe@example.com", "messageId": NONCE}]}],
                "content": {"subject": "Hi", "html": "<p>h</p>", "text": "t"},
            }
        ],
        "options": {"tracking": {"track": False, "trackOpens": False, "trackClicks": False}},
    }
    assert (request.id, "key-123" in repr(request)) == (NONCE, False)


# The same mail as the official SDK sends it.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team", "reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
#: Path of a field → what we send in place of the SDK's; None leaves it out.
DIFFERENT = {
    ("messages", 0, "destinations", 0, "to", 0, "messageId"): NONCE,  # the SDK's is the caller's
    ("messages", 0, "destinations", 0, "to", 0, "placeholders"): None,  # of the caller; a finished body has none
    ("messages", 0, "destinations", 0, "preserveRecipients"): None,  # the SDK writes the default
    ("messages", 0, "content", "templateLanguageVersion"): None,  # the same
    ("messages", 0, "webhooks"): None,  # of the caller: where reports go is set in the account
    ("options", "tracking", "trackingPixelPosition"): None,  # the default, and there is no pixel
}


def test_the_request_is_that_of_the_official_sdk(vectors):
    """Method, path, key, content type and every field, but for the differences above."""
    [theirs] = next(one["requests"] for one in vectors("infobip/captures")["captures"] if one["name"] == "all-fields-200")
    expected, headers = theirs["body_json"], dict(theirs["headers"])
    for path, value in DIFFERENT.items():
        within = expected
        for step in path[:-1]:
            within = within[step]
        assert within.pop(path[-1]) is not None
        within |= {} if value is None else {path[-1]: value}
    request = build(Email(**FULL), apiKey=headers["Authorization"].removeprefix("App "))
    assert request.json == expected
    assert ("POST", "https://xxxxx.api.infobip.com" + theirs["target"]) == (theirs["method"], request.url)
    assert (request.headers["Authorization"], headers["Content-Type"]) == (headers["Authorization"], "application/json")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"), ({"from_name": "Shop, Inc."}, '"Shop, Inc." <no-reply@mail.example.com>'),
        ({"from_name": "小红"}, "小红 <no-reply@mail.example.com>"), ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself, quoted where it must be; of the reply address the address."""
    [message] = build(
        Email("a@b.c", "s", text="t", **sender, reply_to="Own <own@example.com>"), replyTo="config@example.com"
    ).json["messages"]
    assert (message["sender"], message["destinations"][0]["replyTo"]) == (expected, "own@example.com")


def test_what_the_config_says_goes_along():
    """Reply address and campaign."""
    [message] = build(Email("a@b.c", "s", text="t"), replyTo='"Help, us" <h@b.c>', campaign="sign-in").json["messages"]
    assert (message["destinations"][0]["replyTo"], message["options"]) == ("h@b.c", {"campaignReferenceId": "sign-in"})


def test_headers_are_a_json_text():
    """As Infobip wants them, and not an object."""
    [message] = build(Email("a@b.c", "s", text="t", headers={"X-Flow": 'a "b" é', "X-Two": "2"})).json["messages"]
    assert isinstance(message["content"]["headers"], str)
    assert json.loads(message["content"]["headers"]) == {"X-Flow": 'a "b" é', "X-Two": "2"}


def test_an_empty_part_is_left_out():
    """As one that the mail lacks."""
    assert "text" not in build(Email("a@b.c", "s", html="<img src='x'>", text="")).json["messages"][0]["content"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": ""}, "without a subject"), ({"text": ""}, "without a subject and a body"), ({"subject": "s" * 1001}, "longer than the 1000"),
        ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"), ({"headers": {"X-Ok": "1", "Return-Path": "<a@b.c>"}}, "no header Return-Path"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
    assert build(Email("a@b.c", "s" * 1000, text="t")).json
