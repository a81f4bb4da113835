import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_sparkpost import SparkPostConfig, send_email

RAW = {"apiKey": "key-123", "from": "Acme <no-reply@mail.example.com>"}
NONCE = "0123456789abcdef0123456789abcdef"


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, SparkPostConfig.from_dict(RAW | change), NONCE)


def test_a_mail_becomes_sparkposts_json():
    """One recipient, both parts, tracking and template language off, and nothing that the mail lacks; the key is no part of it."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h {{x}}</p>", text="t"))
    assert request.url == "https://api.sparkpost.com/api/v1/transmissions"
    assert request.headers == {"Authorization": "key-123", "Accept": "application/json"}
    assert request.json == {
        "recipients": [{"address": {"email": "zoe@example.com"}}],
        "content": {"from": {"email": "no-reply@mail.example.com", "name": "Acme"}, "subject": "Hi", "html": "<p>h {{x}}</p>", "text": "t"},
        "options": {"transactional": True, "open_tracking": False, "initial_open": False, "click_tracking": False, "perform_substitutions": False},
        "metadata": {"authmail_id": NONCE},
    }  # fmt: skip
    assert "key-123" not in repr(request)


# The same mails as the official SDK sends them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team", "reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
MINIMAL = {"to": "b@example.net", "subject": "Hi", "text": "123456", "from_address": "a@example.com"}
#: Field → what we send in place of the SDK's, and why.
DIFFERENT = {
    "metadata": {"authmail_id": NONCE},  # by which a mail is found whose answer was lost; the SDK's is the caller's
    "options": {
        "transactional": True,  # not the list of those who unsubscribed from marketing
        "open_tracking": False,  # on by default
        "click_tracking": False,
        "initial_open": False,  # the picture at the top, a switch of its own
        "perform_substitutions": False,  # a finished body is no template
    },
}


@pytest.mark.parametrize(
    ("name", "mail", "change"),
    [("all-fields-200", FULL, {"campaign": "signin"}), ("minimal-200", MINIMAL, {"from": "no-reply@mail.example.com"})],
)
def test_the_request_is_that_of_the_official_sdk(vectors, name, mail, change):
    """Method, path, key and every field, but for the differences above."""
    [theirs] = next(one["requests"] for one in vectors("sparkpost/captures")["captures"] if one["name"] == name)
    headers = dict(theirs["headers"])
    request = build(Email(**mail), apiKey=headers["Authorization"], **change)
    assert request.json == theirs["body_json"] | DIFFERENT
    assert ("POST", f"https://api.sparkpost.com{theirs['target']}") == (theirs["method"], request.url)
    assert (request.headers["Authorization"], headers["Content-Type"]) == (headers["Authorization"], "application/json")


#: Of the second client, by the field that differs: addresses as texts, and a slash at the path's end, are the same to SparkPost.
DJANGO = {
    "content.from": '"Ünïcode, Team" <no-reply@mail.example.com>',
    "recipients.address": {"email": "zoe@example.net", "header_to": '"Zoé, B." <zoe@example.net>'},
}


def test_a_second_client_says_the_same(vectors):
    """django-anymail, which is maintained; names with a comma or a quote need no care in fields of their own."""
    [theirs] = next(one["requests"] for one in vectors("sparkpost/captures")["captures"] if one["name"] == "anymail-all-fields")
    body = theirs["body_json"]
    assert (body["content"].pop("from"), body["recipients"][0].pop("address")) == (
        DJANGO["content.from"],
        DJANGO["recipients.address"],
    )
    ours = build(Email(**FULL | {"to": Mailbox("zoe@example.net", "Zoé, B.")}), campaign="signin").json
    assert ours["content"].pop("from") == {"email": "no-reply@mail.example.com", "name": "Ünïcode, Team"}
    assert ours["recipients"][0].pop("address") == {"email": "zoe@example.net", "name": "Zoé, B."}
    assert ours == body | DIFFERENT
    assert theirs["target"].rstrip("/") == "/api/v1/transmissions"


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, {"email": "no-reply@mail.example.com", "name": "Acme"}),
        ({"from_name": 'Shop, "Inc."'}, {"email": "no-reply@mail.example.com", "name": 'Shop, "Inc."'}),
        ({"from_address": "x@mail.example.com"}, {"email": "x@mail.example.com", "name": "Acme"}),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["content"]["from"], sent["content"]["reply_to"]) == (expected, "own@example.com")


def test_what_the_config_says_goes_along():
    """Reply address, campaign, pool and subaccount."""
    request = build(Email("a@b.c", "s", text="t"), replyTo='"Help, us" <h@b.c>', campaign="sign-in", ipPool="codes", subaccount=7)
    assert (request.json["content"]["reply_to"], request.json["campaign_id"]) == ('"Help, us" <h@b.c>', "sign-in")
    assert (request.json["options"]["ip_pool"], request.headers["X-MSYS-SUBACCOUNT"]) == ("codes", "7")


def test_an_empty_part_is_left_out():
    """As one that the mail lacks."""
    assert "text" not in build(Email("a@b.c", "s", html="<img src='x'>", text="")).json["content"]


@pytest.mark.parametrize(
    ("change", "says"),
    [({"text": ""}, "without a body"), ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"),
     ({"headers": {"X-Ok": "1", "Content-Type": "text/plain"}}, "no header Content-Type")],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
