from datetime import UTC, datetime

import pytest

from authmail import Email, Mailbox, MessageRejected, Reason
from authmail.config.settings import templates_elsewhere
from authmail_scaleway_tem import ScalewayTEMConfig, send_email

KEY, PROJECT = "22222222-2222-4222-8222-22222222fa4e", "11111111-1111-4111-8111-11111111fa4e"
RAW = {"secretKey": KEY, "projectId": PROJECT, "from": "Acme <no-reply@mail.example.com>"}
NOW = datetime(2026, 11, 25, 13, 25, tzinfo=UTC)
PATH = "/transactional-email/v1alpha1/regions/fr-par/emails"


def build(email, **change):
    with templates_elsewhere(True):
        return send_email(email, ScalewayTEMConfig.from_dict(RAW | change), NOW)


def test_a_mail_becomes_scaleways_json():
    """With the project, and nothing that the mail lacks."""
    request = build(Email("zoe@example.com", "Hi", html="<p>h</p>", text="t"))
    assert request.url == f"https://api.scaleway.com{PATH}"
    assert request.headers == {"X-Auth-Token": KEY, "Accept": "application/json"}
    assert request.json == {
        "from": {"email": "no-reply@mail.example.com", "name": "Acme"}, "to": [{"email": "zoe@example.com"}],
        "subject": "Hi", "text": "t", "html": "<p>h</p>", "project_id": PROJECT,
    }  # fmt: skip
    assert KEY not in repr(request)


# The same mails as client libraries send them.

FULL = {
    "to": Mailbox("zoe@example.net", "Zoé"), "subject": "您的验证码 is 123456", "html": "<p>Code: <b>123456</b> &amp; 你好</p>",
    "text": "Code: 123456", "from_name": "Ünïcode, Team", "reply_to": "help@example.com", "headers": {"X-Authmail-Type": "SignIn"},
}  # fmt: skip
#: Capture → the same mail and settings here. The second library asks another path, without the region.
SAME = {
    "all-fields-200": (FULL, {}),
    "send-before-200": (FULL | {"repeatable": True}, {"codeMinutes": 10}),
    "anymail-all-fields": (FULL | {"to": Mailbox("zoe@example.net", "Zoé, B."), "reply_to": "Help <help@example.com>"}, {}),
}
OTHER_PATH = {"anymail-all-fields": "/transactional-email/v1alpha1/emails"}


@pytest.fixture
def captured(vectors):
    return {one["name"]: one["requests"][0] for one in vectors("scaleway_tem/captures")["captures"] if one["requests"]}


@pytest.mark.parametrize("name", SAME)
def test_the_request_is_that_of_the_libraries(captured, name):
    """Method, path, credentials, content type and every field."""
    mail, config = SAME[name]
    request, theirs = build(Email(**mail), **config), captured[name]
    assert request.json == theirs["body_json"]
    assert (theirs["method"], theirs["target"]) == ("POST", OTHER_PATH.get(name, PATH))
    headers = {name.lower(): value for name, value in theirs["headers"]}
    assert headers["x-auth-token"] == request.headers["X-Auth-Token"]
    assert headers["content-type"].startswith("application/json")


# What differs from mail to mail.


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ({}, {"email": "no-reply@mail.example.com", "name": "Acme"}),
        ({"from_name": 'Shop, "Inc."'}, {"email": "no-reply@mail.example.com", "name": 'Shop, "Inc."'}),
        ({"from_address": "x@mail.example.com"}, {"email": "x@mail.example.com", "name": "Acme"}),
    ],
)
def test_a_template_overrides_the_sender(sender, expected):
    """Name and address each by itself; the reply address whole."""
    sent = build(Email("a@b.c", "s", text="t", **sender, reply_to="own@example.com"), replyTo="config@example.com").json
    assert (sent["from"], sent["additional_headers"]) == (expected, [{"key": "Reply-To", "value": "own@example.com"}])


def test_the_configs_reply_address_serves_where_a_mail_has_none():
    """One only, with its name."""
    sent = build(Email("a@b.c", "s", text="t"), replyTo="Help <help@example.com>").json
    assert sent["additional_headers"] == [{"key": "Reply-To", "value": "Help <help@example.com>"}]


@pytest.mark.parametrize("part", ["text", "html"])
def test_both_parts_are_always_there(part):
    """Scaleway wants both; one of them may be empty."""
    sent = build(Email("a@b.c", "s", **{part: "t"})).json
    assert (sent["text"], sent["html"]) == (("t", "") if part == "text" else ("", "t"))


def test_a_sender_without_a_name_has_none():
    """Not an empty one."""
    assert build(Email("a@b.c", "s", text="t"), **{"from": "a@mail.example.com"}).json["from"] == {"email": "a@mail.example.com"}


def test_only_a_code_has_an_end():
    """A link may be opened later."""
    mail = {"to": "a@b.c", "subject": "s", "text": "t"}
    assert build(Email(**mail, repeatable=True), codeMinutes=5).json["send_before"] == "2026-11-25T13:30:00+00:00"
    for sent in (build(Email(**mail), codeMinutes=5), build(Email(**mail, repeatable=True))):
        assert "send_before" not in sent.json


@pytest.mark.parametrize(
    ("change", "says", "reason"),
    [
        ({"subject": " "}, "without a subject", Reason.CONTENT), ({"text": ""}, "without a subject and a body", Reason.CONTENT),
        ({"headers": {"reply-to": "a@b.c"}}, "no header reply-to", Reason.CONTENT), ({"to": "zoë@example.com"}, "not ASCII", Reason.RECIPIENT),
        ({"text": "é" * 1_000_001}, "2 MB", Reason.CONTENT),
    ],
)  # fmt: skip
def test_what_is_known_to_be_refused_is_not_sent(change, says, reason):
    """With the field's name."""
    with pytest.raises(MessageRejected, match=says) as caught:
        build(Email(**{"to": "a@b.c", "subject": "s", "text": "t"} | change))
    assert (caught.value.reason, caught.value.phase) == (reason, "before")
