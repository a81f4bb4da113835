import json
from base64 import b64decode

import pytest

from authmail import Email, Mailbox, Message, MessageRejected, ProviderTemplate, Reason
from authmail.config.settings import templates_elsewhere
from authmail_mailgun import send
from authmail_mailgun.config import MailgunConfig

RAW = {"domain": "mail.example.com", "apiKey": "key-0123", "from": "Acme <no-reply@mail.example.com>"}
#: What authmail adds to every mail: an account may have each on by default.
NO_TRACKING = {"o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no"}


def build(email, **change):
    with templates_elsewhere(True):
        return send(email, email, None, {}, MailgunConfig.from_dict(RAW | change))


def from_template(alias, values, usage_type="SignIn", **change):
    with templates_elsewhere(True):
        config = MailgunConfig.from_dict(RAW | change)
    message = Message("zoe@example.com", usage_type, values)
    return send(message, None, ProviderTemplate(usage_type, alias=alias), values, config).form


def test_a_mail_becomes_mailguns_form():
    """Both parts, no tracking, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.mailgun.net/v3/mail.example.com/messages"
    assert request.headers == {"Authorization": "Basic YXBpOmtleS0wMTIz", "Accept": "application/json"}
    assert request.form == NO_TRACKING | {
        "from": "Acme <no-reply@mail.example.com>", "to": "zoe@example.com", "subject": "Hi", "html": "<p>h</p>", "text": "t",
    }  # fmt: skip
    assert "key-0123" not in repr(request)


# The same mails as client libraries send them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team", "reply_to": "Help <help@example.com>", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
SIMPLE = {"to": "b@example.net", "subject": "Hi", "text": "123456"}
#: Capture → the same mail and settings here, and what we send in place of the library's, with the reason.
SAME = {
    # We have no metadata of a mail: it would be a header of it.
    "all-fields-200": (FULL, {"tags": ["auth", "signin"]}, {"v:tenant": None}),
    "minimal-200": (SIMPLE, {"from": "a@example.com"}, NO_TRACKING),
    # We never ask for test mode.
    "testmode-200": (FULL, {"tags": ["auth", "signin"]}, {"v:tenant": None, "o:testmode": None}),
    "async-client-200": (FULL, {"tags": ["auth", "signin"]}, {"v:tenant": None}),
    # The library leaves the switch for all out.
    "anymail-all-fields": (
        FULL | {"to": Mailbox("zoe@example.net", "Zoé, B.")}, {"tags": ["signin"]}, {"v:tenant": None, "o:tracking": "no"},
    ),
}  # fmt: skip


@pytest.fixture
def captured(vectors):
    return {one["name"]: one["requests"][0] for one in vectors("mailgun/captures")["captures"] if one["requests"]}


def fields_of(pairs):
    """Return name → value, or values where a name comes several times."""
    fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in fields.items()}


@pytest.mark.parametrize("name", SAME)
def test_the_request_is_that_of_the_libraries(captured, name):
    """Method, path, credentials, content type and every field, but for what authmail adds and what the table names."""
    mail, config, different = SAME[name]
    request, theirs = build(Email(**mail), **config), captured[name]
    expected = fields_of(theirs["body_decoded"]) | different
    ours = {field: value[0] if len(value) == 1 and isinstance(value, tuple) else value for field, value in request.form.items()}
    assert ours == {field: value for field, value in expected.items() if value is not None}
    assert ("POST", f"https://api.mailgun.net{theirs['target']}") == (theirs["method"], request.url)
    headers = dict(theirs["headers"])
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    for one in (headers, request.headers):
        assert b64decode(one["Authorization"].removeprefix("Basic ")).startswith(b"api:key-")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, "Acme <no-reply@mail.example.com>"), ({"from_name": "Shop, Inc."}, '"Shop, Inc." <no-reply@mail.example.com>'),
        ({"from_name": 'A "b"'}, '"A \\"b\\"" <no-reply@mail.example.com>'), ({"from_address": "x@mail.example.com"}, "Acme <x@mail.example.com>"),
    ],
)  # fmt: skip
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").form
    assert (sent["from"], sent["h:Reply-To"]) == (expected, "own@example.com")


def test_the_configs_reply_address_serves_where_a_mail_has_none():
    """One only, with its name."""
    assert build(Email("a@b.c", "s", text="t"), replyTo="Help <help@example.com>").form["h:Reply-To"] == "Help <help@example.com>"


def test_an_empty_subject_or_part_is_left_out():
    """Mailgun takes a mail without them."""
    assert set(build(Email("a@b.c", "", html="<img src='x'>", text="")).form) == {"from", "to", "html", *NO_TRACKING}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to"), ({"headers": {"X-Mailgun-Drop-Message": "yes"}}, "no header X-Mailgun-Drop-Message"),
        ({"from_address": "zoë@mail.example.com"}, "not ASCII"), ({"headers": {"X-Flow": "x" * 16_384}}, "larger than Mailgun takes"),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says):
    """With the field's name; some headers would lose the mail."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (Reason.CONTENT, "before")


# Templates at Mailgun.


def test_a_template_at_mailgun_gets_the_values():
    """Those of the message win over the variables of the config; the subject's placeholders are filled in here."""
    delivery = {
        "template": "sign-in",
        "subject": "{{code}} for\n{{user.name}}",
        "replyTo": "Help <h@b.co>",
        "variables": {"brand": "Acme", "code": "x"},
    }
    sent = from_template("sign-in", {"code": "482913", "user": {"name": "Zoë"}}, deliveries={"SignIn": delivery}, tags=["a"])
    assert json.loads(sent.pop("h:X-Mailgun-Variables")) == {"brand": "Acme", "code": "482913", "user": {"name": "Zoë"}}
    assert sent == NO_TRACKING | {
        "from": RAW["from"], "to": "zoe@example.com", "subject": "482913 for Zoë", "template": "sign-in", "h:Reply-To": "Help <h@b.co>", "o:tag": ("a",),
    }  # fmt: skip


def test_a_template_of_the_list_has_a_name_alone():
    """Also where deliveries have another one for its type; Mailgun's own subject serves."""
    other = {"SignIn": {"template": "other", "subject": "s", "variables": {"brand": "Acme"}}}
    sent = from_template("listed", {"code": "482913"}, deliveries=other, replyTo="config@example.com")
    assert sent == NO_TRACKING | {
        "from": RAW["from"], "to": "zoe@example.com", "template": "listed", "h:Reply-To": "config@example.com", "h:X-Mailgun-Variables": '{"code":"482913"}',
    }  # fmt: skip


def test_values_that_are_too_large_are_not_sent():
    """A link counts among Mailgun's 16 KB of options."""
    with pytest.raises(MessageRejected, match="larger than Mailgun takes"):
        from_template("t", {"link": "https://x.example/" + "é" * 9000})
