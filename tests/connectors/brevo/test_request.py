from email.header import decode_header, make_header

import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_brevo import BrevoConfig, send_email

RAW = {"apiKey": "xkeysib-123", "from": "Acme <no-reply@mail.example.com>"}
KEY = "0123456789abcdef0123456789abcdef"


def build(email, key=KEY, **change):
    with templates_elsewhere(True):
        return send_email(email, BrevoConfig.from_dict(RAW | change), key)


def test_a_mail_becomes_brevos_json():
    """One recipient, both parts, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.brevo.com/v3/smtp/email"
    assert request.headers == {"api-key": "xkeysib-123", "Accept": "application/json"}
    assert request.json == {
        "sender": {"email": "no-reply@mail.example.com", "name": "Acme"}, "to": [{"email": "zoe@example.com"}], "subject": "Hi",
        "htmlContent": "<p>h</p>", "textContent": "t",
    }  # fmt: skip
    assert "xkeysib-123" not in repr(request)


# The same mails as the official SDKs and django-anymail send them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>", "text": "Code: 123456",
    "from_name": "Ünïcode, Team", "idempotency_key": "b52dbf00-81dd-4a08-b807-085c00000001",
}  # fmt: skip
MORE = {"reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"}}
#: The SDKs hand a name on as it is, and Brevo loses it where it is not ASCII and has a comma; django-anymail found the way through.
ENCODED = {"sender": {"email": "no-reply@mail.example.com", "name": "=?utf-8?b?w5xuw69jb2RlLCBUZWFt?="}}
#: Metadata of django-anymail's users: a sign-in mail has none.
WITHOUT_METADATA = {"headers": {"X-Authmail-Type": "SignIn"}}


@pytest.mark.parametrize(
    ("name", "email", "change", "different"),
    [
        ("all-fields-201", FULL | MORE, {"tags": ["signin"]}, ENCODED),
        ("minimal-201", {"to": "b@example.net", "subject": "Hi", "text": "123456"}, {"from": "a@example.com"}, {}),
        ("node-all-fields", FULL | {"to": "zoe@example.net"}, {"tags": ["signin"]}, ENCODED),
        (
            "anymail-all-fields",
            FULL | MORE | {"to": Mailbox("zoe@example.net", "Zoé, B."), "idempotency_key": None},
            {"tags": ["signin"]},
            WITHOUT_METADATA,
        ),
    ],
)
def test_the_request_is_that_of_the_official_sdks(vectors, name, email, change, different):
    """Method, path, content, the header of the key and every field, but for those above."""
    [theirs] = next(one["requests"] for one in vectors("brevo/captures")["captures"] if one["name"] == name)
    request = build(Email(**email), email.get("idempotency_key") or KEY, **change)
    assert request.json == theirs["body_json"] | different
    assert ("POST", f"https://api.brevo.com{theirs['target']}") == (theirs["method"], request.url)
    headers = {key.lower(): value for key, value in theirs["headers"]}
    assert (headers["content-type"], headers["api-key"][:8]) == ("application/json", "xkeysib-")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, {"email": "no-reply@mail.example.com", "name": "Acme"}), ({"from_name": "Shop, Inc."}, {"email": "no-reply@mail.example.com", "name": "Shop, Inc."}),
        ({"from_address": "x@mail.example.com"}, {"email": "x@mail.example.com", "name": "Acme"}),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["sender"], sent["replyTo"]) == (expected, {"email": "own@example.com"})


@pytest.mark.parametrize(
    ("name", "is_encoded"),
    [
        ("Zoé", False), ("小红 小绿", False), ("Shop, Inc.", False), ('Zoe "Z" (x)', False), ("小红, Acme", True), ("Zoé B.", True), ('Zoé "Z"', True),
        ("Müller & Söhne (GmbH): Anmeldung, Rücksetzung und Einladung für alle", True),
    ],
)  # fmt: skip
def test_a_name_that_brevo_would_lose_is_encoded(name, is_encoded):
    """In words of RFC 2047, each of at most 75 characters; a reader sees the name."""
    mail = Email(Mailbox("a@b.c", name), "s", text="t", from_name=name)
    sent = build(mail).json["sender"]["name"]
    assert (sent != name, str(make_header(decode_header(sent)))) == (is_encoded, name)
    assert all(len(word) <= 75 for word in sent.split() if is_encoded)


@pytest.mark.parametrize(("name", "is_encoded"), [("Help, Desk", False), ("小绿", True), ("小绿, Acme", True)])
def test_a_reply_address_is_never_in_raw_bytes(name, is_encoded):
    """As Brevo would send every name there that is not ASCII."""
    sent = build(Email("a@b.c", "s", text="t", reply_to=Mailbox("help@example.com", name))).json["replyTo"]["name"]
    assert (sent != name, str(make_header(decode_header(sent)))) == (is_encoded, name)


def test_what_looks_like_an_encoded_word_is_none():
    """Whoever reads the mail would see something else."""
    assert build(Email("a@b.c", "s", text="t", from_name="=?utf-8?q?Bank?=")).json["sender"]["name"] == "= ?utf-8?q?Bank?="


@pytest.mark.parametrize(("name", "sent"), [("Z" * 70, True), ("Z" * 71, False), ("é," * 30, False)])
def test_a_long_name_of_the_recipient_is_left_out(name, sent):
    """Brevo would refuse the mail for it."""
    assert ("name" in build(Email(Mailbox("a@b.c", name), "s", text="t")).json["to"][0]) == sent


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("B52DBF00-81DD-4A08-B807-085C00000001", "b52dbf00-81dd-4a08-b807-085c00000001"), ("order 17", "ddfc6724-0447-5279-9967-341797aa0e59"),
        (KEY, "75ba8da7-179f-5b19-b0b4-8663c0b7c71e"),
    ],
)  # fmt: skip
def test_a_hosts_key_goes_along_as_a_uuid(key, expected):
    """The same for the same key; a key that nobody gave would say nothing."""
    assert build(Email("a@b.c", "s", text="t", idempotency_key=key), key).json["headers"] == {"idempotencyKey": expected}
    assert "headers" not in build(Email("a@b.c", "s", text="t"), key).json


def test_what_a_stranger_writes_is_no_program_of_brevos():
    """Its template language would run it; in HTML a reader sees it as it was. Styles stay as they are."""
    written = "{{ contact.EMAIL }} {% if x %} {{{y}}}"
    style = "<style>@media all{#box{a:b}}@keyframes k{0%{a:b}}</style>"
    sent = build(Email("a@b.c", written, html=f"{style}<p>{written}</p>", text=written)).json
    assert sent["subject"] == sent["textContent"] == "{ { contact.EMAIL }} { % if x %} { { {y}}}"
    assert sent["htmlContent"] == f"{style}<p>&#123;{{ contact.EMAIL }}}} &#123;% if x %}} &#123;&#123;{{y}}}}}}</p>"


def test_an_empty_part_is_left_out():
    """As one that the mail lacks."""
    assert "textContent" not in build(Email("a@b.c", "s", html="<img src='x'>", text="")).json


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"subject": " "}, "without a subject"), ({"text": ""}, "without a subject and a body"), ({"headers": {"Reply-To": "a@b.c"}}, "no header Reply-To"),
        ({"headers": {"X-Ok": "1", "X-SIB-Sandbox": "drop"}}, "no header X-SIB-Sandbox"), ({"headers": {"idempotencyKey": "1"}}, "no header idempotencyKey"),
        ({"headers": {"X-Name": "é"}}, "with this value"),
    ],
)  # fmt: skip
def test_what_is_known_to_go_wrong_is_not_sent(change, says):
    """With the field's name; one of these headers would lose the mail in silence."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")
