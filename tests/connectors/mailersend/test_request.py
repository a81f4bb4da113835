import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_mailersend import MailerSendConfig, send_email

RAW = {"apiKey": "mlsn.123", "from": "Acme <no-reply@mail.example.com>"}
#: What authmail adds to every mail.
ADDED = {"settings": {"track_clicks": False, "track_opens": False, "track_content": False}}


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, MailerSendConfig.from_dict(RAW | change))


def test_a_mail_becomes_mailersends_json():
    """One recipient, both parts, no tracking, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.mailersend.com/v1/email"
    assert request.headers == {"Authorization": "Bearer mlsn.123", "Accept": "application/json"}
    assert request.json == ADDED | {
        "from": {"email": "no-reply@mail.example.com", "name": "Acme"}, "to": [{"email": "zoe@example.com"}],
        "subject": "Hi", "html": "<p>h</p>", "text": "t",
    }  # fmt: skip
    assert "mlsn.123" not in repr(request)


# The same mails as client libraries send them.

FULL = Email(
    Mailbox("zoe@example.net", "Zoé"), "您的验证码 is 123456", html="<p>Code: <b>123456</b> &amp; 你好</p>", text="Code: 123456",
    from_name="Ünïcode, Team", reply_to="Help <help@example.com>",
)  # fmt: skip


@pytest.fixture
def captured(vectors):
    captures = vectors("mailersend/captures")["captures"]
    return {capture["name"]: capture["requests"][0] for capture in captures}


@pytest.mark.parametrize(
    ("name", "email", "config"),
    [
        ("all-fields-202", FULL, {"tags": ["signin"]}),
        ("minimal-202", Email("b@example.net", "Hi", text="123456"), {"from": "a@example.com"}),
    ],
)
def test_the_request_is_that_of_the_official_sdk(captured, name, email, config):
    """But for the tracking, which the SDK switches off where it is told to."""
    request, theirs = build(email, **config), captured[name]
    assert request.json == ADDED | theirs["body_json"]
    assert ("POST", f"https://api.mailersend.com{theirs['target']}") == (theirs["method"], request.url)
    assert request.headers["Accept"] == dict(theirs["headers"])["Accept"]
    assert dict(theirs["headers"])["Authorization"].startswith("Bearer mlsn.")


def test_the_request_is_that_of_anymail(captured):
    """A library that others wrote, with a header; it names a recipient as the page forbids, and leaves one kind of tracking."""
    email = Email("zoe@example.net", FULL.subject, html=FULL.html, text=FULL.text, from_name="Ünïcode, Team",
                  reply_to=FULL.reply_to, headers={"X-Authmail-Type": "SignIn"})  # fmt: skip
    theirs = captured["anymail-all-fields"]["body_json"]
    assert build(email, tags=["signin"]).json == theirs | ADDED | {"to": [{"email": "zoe@example.net"}]}


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


@pytest.mark.parametrize("name", ["Zoé, B.", "Zoé; B."])
def test_a_recipients_name_that_is_not_taken_is_left_out(name):
    """The page forbids , and ; there, and the mail is as good without."""
    assert build(Email(Mailbox("zoe@example.net", name), "s", text="t")).json["to"] == [{"email": "zoe@example.net"}]


@pytest.mark.parametrize(
    ("email", "says"),
    [
        (Email("a@b.c", "s" * 999, text="t"), "the subject is longer than the 998"),
        (Email("a@b.c", "s", text="t", headers={"X_Flow": "1"}), "no header of the name X_Flow"),
    ],
)
def test_what_is_known_to_be_refused_is_not_sent(email, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(email)
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")


def test_the_longest_subject_is_sent():
    """Characters count, of whatever script."""
    assert build(Email("a@b.c", "码" * 998, text="t")).json["subject"] == "码" * 998
