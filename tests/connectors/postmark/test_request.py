import pytest

from authmail import Email, Mailbox, Message, ProviderTemplate
from authmail.config.settings import templates_elsewhere
from authmail_postmark import PostmarkConfig, send

RAW = {"serverToken": "0f0f0f0f-0000-4000-8000-00000000fa4e", "fromEmail": "no-reply@mail.example.com"}
#: What authmail adds to every mail: with both left out the server's own setting would count.
ADDED = {"TrackOpens": False, "TrackLinks": "None"}
#: What the SDK sends although it has nothing in it.
EMPTY = {"Headers": [], "Attachments": [], "Metadata": {}}


def build(email, **change):
    with templates_elsewhere(True):
        return send(email, email, None, {}, PostmarkConfig.from_dict(RAW | change))


def test_a_mail_becomes_postmarks_json():
    """One recipient, both parts, no tracking, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == "https://api.postmarkapp.com/email"
    assert request.headers == {"X-Postmark-Server-Token": RAW["serverToken"], "Accept": "application/json"}
    assert request.json == ADDED | {
        "From": "no-reply@mail.example.com", "To": "zoe@example.com", "Subject": "Hi", "HtmlBody": "<p>h</p>", "TextBody": "t",
    }  # fmt: skip
    assert RAW["serverToken"] not in repr(request)


def test_a_template_at_postmark_gets_the_values():
    """By its alias, with the same sender, stream, tag and tracking; there is no text of ours."""
    message, template = Message("zoe@example.com", "SignIn", {"code": "1"}), ProviderTemplate("SignIn", alias="acme")
    with templates_elsewhere(True):
        config = PostmarkConfig.from_dict(RAW | {"replyTo": "help@example.com", "messageStream": "otp", "tag": "t"})
    request = send(message, None, template, {"code": "1"}, config)
    assert request.url == "https://api.postmarkapp.com/email/withTemplate"
    assert request.json == ADDED | {
        "From": "no-reply@mail.example.com", "To": "zoe@example.com", "ReplyTo": "help@example.com", "TemplateAlias": "acme",
        "TemplateModel": {"code": "1"}, "MessageStream": "otp", "Tag": "t",
    }  # fmt: skip


# The same mails as client libraries send them.

FULL = Email(
    Mailbox("zoe@example.net", "Zoé"), "您的验证码 is 123456", html="<p>Code: <b>123456</b> &amp; 你好</p>", text="Code: 123456",
    from_name="Ünïcode, Team", reply_to="help@example.com", headers={"X-Authmail-Type": "SignIn"},
)  # fmt: skip
MINIMAL = Email("b@example.net", "Hi", text="123456")
#: Capture → mail, settings, and field → what we send instead (None: nothing). A name without a comma needs no quotes (RFC
#: 5322, 3.2.3 and RFC 6532); metadata are for the host's own records, and authmail keeps none at providers.
COMPARED = {
    "all-fields-200": (FULL, {"tag": "signin", "messageStream": "outbound"}, {"To": "Zoé <zoe@example.net>", "Metadata": None, "Attachments": None}),
    "node-all-fields": (FULL, {"tag": "signin", "messageStream": "outbound"}, {"To": "Zoé <zoe@example.net>", "Metadata": None}),
    "minimal-200": (MINIMAL, {"fromEmail": "a@example.com"}, ADDED | dict.fromkeys(EMPTY)),
    "anymail-all-fields": (FULL, {"tag": "signin"}, {"To": "Zoé <zoe@example.net>", "ReplyTo": "help@example.com", "Metadata": None}),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPARED)
def test_the_request_is_that_of_the_official_sdks(vectors, name):
    """Of two official ones and one of others; but for the fields above."""
    [theirs] = next(one["requests"] for one in vectors("postmark/captures")["captures"] if one["name"] == name)
    email, config, different = COMPARED[name]
    request = build(email, **config)
    assert (theirs["method"], f"https://api.postmarkapp.com{theirs['target']}") == ("POST", request.url)
    headers = {key.lower(): value for key, value in theirs["headers"]}
    own = {key.lower(): value for key, value in request.headers.items()}
    assert headers == own | {"content-type": "application/json"}  # which every JSON request of authmail has
    names = request.json.keys() | theirs["body_json"].keys()
    found = {key: request.json.get(key) for key in names if request.json.get(key) != theirs["body_json"].get(key)}
    assert found == different


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
    config = {"fromEmail": "Acme <no-reply@mail.example.com>", "replyTo": "config@example.com"}
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), **config).json
    assert (sent["From"], sent["ReplyTo"]) == (expected, "own@example.com")


def test_the_configs_reply_address_serves_where_a_mail_has_none():
    """With its name."""
    assert build(Email("a@b.c", "s", text="t"), replyTo="Help <help@example.com>").json["ReplyTo"] == "Help <help@example.com>"
