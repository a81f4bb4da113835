import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_mandrill import MandrillConfig, send_email

RAW = {"apiKey": "md-FAKEfakeFAKEfakeFA4E", "from": "Acme <no-reply@mail.example.com>"}
NONCE = "0123456789abcdef0123456789abcdef"
#: In every mail, whatever the account's defaults.
AS_IT_IS = {
    "track_opens": False, "track_clicks": False, "view_content_link": False, "auto_text": False, "auto_html": False, "inline_css": False,
    "merge": False, "important": True, "preserve_recipients": False,
}  # fmt: skip


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, MandrillConfig.from_dict(RAW | change), NONCE)


def sent(email, **change):
    return build(email, **change).json["message"]


def test_a_mail_becomes_mandrills_json():
    """One recipient, both parts, nothing tracked, kept, made or filled in by Mandrill, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert (request.url, request.headers) == (
        "https://mandrillapp.com/api/1.3/messages/send.json",
        {"Accept": "application/json"},
    )
    assert request.json == {
        "key": RAW["apiKey"],
        "message": AS_IT_IS | {
            "from_email": "no-reply@mail.example.com", "from_name": "Acme", "to": [{"email": "zoe@example.com", "type": "to"}], "subject": "Hi",
            "html": "<p>h</p>", "text": "t", "metadata": {"authmail_id": NONCE},
        },
    }  # fmt: skip
    assert request.id == NONCE
    assert RAW["apiKey"] not in repr(request)


# The same mails as the official SDK sends them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>", "text": "Code: 123456",
    "from_name": "Ünïcode, Team", "reply_to": "help@example.com", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
#: What we send in place of the SDK's, and why.
DIFFERENT = AS_IT_IS | {  # what an account may have switched on, each switched off
    "metadata": {"authmail_id": NONCE},  # our own id; the SDK's caller has others
}


@pytest.mark.parametrize(
    ("name", "mail", "version"),
    [
        ("all-fields-200", FULL, "1.3"),
        # That of anymail, which speaks the version of the pages; a name with a comma goes unquoted, one in a header quoted.
        ("anymail-all-fields", FULL | {"to": Mailbox("zoe@example.net", "Zoé, B."), "reply_to": "Help <help@example.com>"}, "1.0"),
    ],
)  # fmt: skip
def test_the_request_is_that_of_the_official_sdk(vectors, name, mail, version):
    """Method, path, key, content type and every field, but for the differences above."""
    [theirs] = next(one["requests"] for one in vectors("mandrill/captures")["captures"] if one["name"] == name)
    key = theirs["body_json"]["key"]
    request = build(Email(**mail), tags=["signin"], apiKey=key)
    assert request.json == {"key": key, "message": theirs["body_json"]["message"] | DIFFERENT}
    assert (theirs["method"], theirs["target"]) == ("POST", f"/api/{version}/messages/send.json")
    assert request.url == "https://mandrillapp.com/api/1.3/messages/send.json"
    assert dict(theirs["headers"]).get("Content-Type", "application/json") == "application/json"


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, ("no-reply@mail.example.com", "Acme")), ({"from_name": 'Shop "A", Inc.'}, ("no-reply@mail.example.com", 'Shop "A", Inc.')),
        ({"from_address": "x@mail.example.com"}, ("x@mail.example.com", "Acme")),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself, unquoted as JSON has them; the reply address whole."""
    mail = sent(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com")
    assert ((mail["from_email"], mail["from_name"]), mail["headers"]) == (expected, {"Reply-To": "own@example.com"})


def test_without_a_name_there_is_none():
    """No empty one."""
    assert "from_name" not in sent(Email("a@b.c", "s", text="t"), **{"from": "no-reply@mail.example.com"})


def test_headers_and_the_configs_settings_go_along():
    """The reply address as a header, quoted where it must be."""
    email = Email("a@b.c", "s", text="t", headers={"X-Flow": "1"})
    mail = sent(email, replyTo='"Help, Team" <help@example.com>', tags=["acme"], subaccount="cust-1")
    assert mail["headers"] == {"X-Flow": "1", "Reply-To": '"Help, Team" <help@example.com>'}
    assert (mail["tags"], mail["subaccount"]) == (["acme"], "cust-1")


@pytest.mark.parametrize(("parts", "left"), [({"text": "t"}, {"text"}), ({"html": "<img src='x'>", "text": ""}, {"html"})])
def test_an_empty_part_is_left_out(parts, left):
    """As one that the mail lacks."""
    assert {"text", "html"} & sent(Email("a@b.c", "s", **parts)).keys() == left


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": ""}, "no body"), ({"headers": {"reply-to": "a@b.c"}}, "header reply-to"), ({"headers": {"X-Ok": "1", "Bcc": "a@b.c"}}, "header Bcc"),
        ({"headers": {"MIME-Version": "2.0"}}, "header MIME-Version"),
    ],
)  # fmt: skip
def test_what_would_become_another_mail_is_not_sent(change, says):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
