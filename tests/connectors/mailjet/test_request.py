import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_mailjet import MailjetConfig, send_email

# What the captured SDK was given.
RAW = {
    "apiKey": "0000000000000000000000000000fa4e",
    "secretKey": "1111111111111111111111111111fa4e",
    "from": "Acme <no-reply@mail.example.com>",
}
NONCE = "0123456789abcdef0123456789abcdef"


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, MailjetConfig.from_dict(RAW | change), NONCE)


def sent(email, **change):
    [mail] = build(email, **change).json["Messages"]
    return mail


def test_a_mail_becomes_mailjets_json():
    """One message, one recipient, both parts, tracking off, and nothing that the mail lacks; no sandbox, no template language."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.mailjet.com/v3.1/send"
    assert request.json == {
        "Messages": [
            {
                "From": {"Email": "no-reply@mail.example.com", "Name": "Acme"}, "To": [{"Email": "zoe@example.com"}], "Subject": "Hi",
                "TextPart": "t", "HTMLPart": "<p>h</p>", "CustomID": NONCE, "TrackOpens": "disabled", "TrackClicks": "disabled",
            }
        ]
    }  # fmt: skip
    assert request.id == NONCE
    assert RAW["secretKey"] not in repr(request)


# The same mails as the official SDKs send them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>", "text": "Code: 123456",
    "from_name": "Ünïcode, Team", "reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
SHORT = {"to": "b@example.net", "subject": "Hi", "text": "123456"}
NODE = {"to": "zoe@example.net", "subject": FULL["subject"], "html": "<p>Code: <b>123456</b></p>", "text": FULL["text"]}
#: What we send in place of the SDK's, and why.
DIFFERENT = {
    "CustomID": NONCE,  # our own id, by which the mail can be looked up
    "EventPayload": None,  # events are not read
    "CustomCampaign": None,  # sign-in mails are no campaign
    "TrackOpens": "disabled",  # in each mail, whatever the account's default
    "TrackClicks": "disabled",
}
#: Headers of HTTP that we leave out, and why.
NOT_OURS = {
    "Idempotency-Key",  # of the SDK's own making: no page says that Mailjet knows it, and two equal codes would be one mail
}


@pytest.mark.parametrize(
    ("name", "mail", "change"),
    [
        ("all-fields-200", FULL, {}), ("minimal-200", SHORT, {"from": "a@example.com"}),
        ("node-all-fields", NODE | {"from_name": "Ünïcode, Team"}, {"apiKey": "fa4e", "secretKey": "fa4f"}),
    ],
)  # fmt: skip
def test_the_request_is_that_of_the_official_sdk(vectors, name, mail, change):
    """Method, path, credentials, content type and every field, but for the differences above."""
    [theirs] = next(one["requests"] for one in vectors("mailjet/captures")["captures"] if one["name"] == name)
    request = build(Email(**mail), **change)
    [expected] = theirs["body_json"]["Messages"]
    wanted = {field: value for field, value in (expected | DIFFERENT).items() if value is not None}
    assert request.json == theirs["body_json"] | {"Messages": [wanted]}
    assert ("POST", f"https://api.mailjet.com{theirs['target']}") == (theirs["method"], request.url)
    headers = {name: value for name, value in theirs["headers"] if name not in NOT_OURS}
    assert (headers["Authorization"], headers["Content-Type"]) == (request.headers["Authorization"], "application/json")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, {"Email": "no-reply@mail.example.com", "Name": "Acme"}),
        ({"from_name": 'Shop "A", Inc.'}, {"Email": "no-reply@mail.example.com", "Name": 'Shop "A", Inc.'}),
        ({"from_address": "x@mail.example.com"}, {"Email": "x@mail.example.com", "Name": "Acme"}),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself, unquoted as JSON has them; the reply address whole."""
    mail = sent(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com")
    assert (mail["From"], mail["ReplyTo"]) == (expected, {"Email": "own@example.com"})


def test_headers_and_the_configs_reply_address_go_along():
    """The reply address in a field of its own, which Mailjet wants."""
    mail = sent(Email("a@b.c", "s", text="t", headers={"X-Flow": "1"}), replyTo='"Help, Team" <help@example.com>')
    assert (mail["Headers"], mail["ReplyTo"]) == ({"X-Flow": "1"}, {"Email": "help@example.com", "Name": "Help, Team"})


@pytest.mark.parametrize(
    ("parts", "left"), [({"text": "t"}, {"TextPart"}), ({"html": "<img src='x'>", "text": ""}, {"HTMLPart"})]
)
def test_an_empty_part_is_left_out(parts, left):
    """As one that the mail lacks."""
    assert {"TextPart", "HTMLPart"} & sent(Email("a@b.c", "s", **parts)).keys() == left


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": ""}, "without a body"), ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"),
        ({"headers": {"X-Ok": "1", "Message-ID": "<1@b.c>"}}, "no header Message-ID"), ({"headers": {"X-MJ-Vars": "{}"}}, "no header X-MJ-Vars"),
        ({"headers": {f"X-{number}": "1" for number in range(51)}}, "at most 50"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
