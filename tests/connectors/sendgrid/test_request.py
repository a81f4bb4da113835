import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_sendgrid import SendGridConfig, send_email

RAW = {"apiKey": "SG.123", "fromEmail": "no-reply@mail.example.com", "fromName": "Acme"}
NONCE = "0123456789abcdef0123456789abcdef"
NO_TRACKING = {
    "click_tracking": {"enable": False, "enable_text": False}, "open_tracking": {"enable": False}, "subscription_tracking": {"enable": False},
}  # fmt: skip
#: What authmail adds to every mail: an id that events show unchanged (X-Message-Id they do not), and no tracking.
ADDED = {"custom_args": {"authmail_id": NONCE}, "tracking_settings": NO_TRACKING}


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, SendGridConfig.from_dict(RAW | change), NONCE)


def test_a_mail_becomes_sendgrids_json():
    """One recipient, the text first, no tracking, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.sendgrid.com/v3/mail/send"
    assert request.headers == {"Authorization": "Bearer SG.123", "Accept": "application/json"}
    assert request.json == ADDED | {
        "from": {"email": "no-reply@mail.example.com", "name": "Acme"}, "personalizations": [{"to": [{"email": "zoe@example.com"}]}],
        "subject": "Hi", "content": [{"type": "text/plain", "value": "t"}, {"type": "text/html", "value": "<p>h</p>"}],
    }  # fmt: skip
    assert request.id == NONCE
    assert "SG.123" not in repr(request)


# The same mails as client libraries send them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team", "reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
SIMPLE = {"to": "b@example.net", "subject": "Hi", "text": "123456"}
ALONE = {"fromEmail": "a@example.com", "fromName": None}
BYPASS = {"bypassListManagement": True}
#: Capture → the same mail and settings here, and what we send in place of the library's, with the reason.
SAME = {
    "all-fields-202": (FULL, {"categories": ["signin", "auth"]}, {}),
    "minimal-202": (SIMPLE, ALONE, {}),
    "bypass-list-management-202": (FULL, {"categories": ["signin", "auth"], **BYPASS}, {}),
    # Replies go to one address; the library names it in a list of one. It leaves one kind of tracking.
    "anymail-all-fields": (
        FULL | {"to": Mailbox("zoe@example.net", "Zoé, B.")},
        {"categories": ["signin"]},
        {"personalizations": [{"to": [{"email": "zoe@example.net", "name": "Zoé, B."}]}],
         "reply_to": {"email": "help@example.com", "name": "Help"}, "reply_to_list": None},
    ),
    # We never ask for sandbox mode, so we do not switch it off either. The library's reply address lacks its name.
    "node-all-fields": (
        FULL, {"categories": ["signin"]}, {"mail_settings": None, "reply_to": {"email": "help@example.com", "name": "Help"}},
    ),
}  # fmt: skip


@pytest.fixture
def captured(vectors):
    return {one["name"]: one["requests"][0] for one in vectors("sendgrid/captures")["captures"] if one["requests"]}


@pytest.mark.parametrize("name", SAME)
def test_the_request_is_that_of_the_libraries(captured, name):
    """Method, path, credentials, content type and every field, but for what authmail adds and what the table names."""
    mail, config, different = SAME[name]
    request, theirs = build(Email(**mail), **config), captured[name]
    expected = theirs["body_json"] | ADDED | different
    assert request.json == {field: value for field, value in expected.items() if value is not None}
    assert ("POST", f"https://api.sendgrid.com{theirs['target']}") == (theirs["method"], request.url)
    headers = dict(theirs["headers"])
    assert (headers["Accept"], headers["Content-Type"]) == (request.headers["Accept"], "application/json")
    assert headers["Authorization"].startswith("Bearer SG.")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, {"email": "no-reply@mail.example.com", "name": "Acme"}),
        ({"from_name": "Shop, Inc."}, {"email": "no-reply@mail.example.com", "name": "Shop, Inc."}),
        ({"from_address": "x@mail.example.com"}, {"email": "x@mail.example.com", "name": "Acme"}),
    ],
)
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["from"], sent["reply_to"]) == (expected, {"email": "own@example.com"})


def test_the_configs_reply_address_serves_where_a_mail_has_none():
    """One only, with its name."""
    sent = build(Email("a@b.c", "s", text="t"), replyTo="Help <help@example.com>").json
    assert sent["reply_to"] == {"email": "help@example.com", "name": "Help"}


def test_an_empty_part_is_left_out():
    """SendGrid refuses it, and would the whole mail."""
    sent = build(Email("a@b.c", "s", html="<img src='x'>", text="")).json
    assert sent["content"] == [{"type": "text/html", "value": "<img src='x'>"}]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": " "}, "without a subject"), ({"text": ""}, "without a subject and a body"),
        ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"), ({"headers": {"X-SG-ID": "1"}}, "no header X-SG-ID"),
        ({"headers": {"X-Flow": "é"}}, "no header X-Flow"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
