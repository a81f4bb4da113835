"""A message comes out of its box as it went in."""

from datetime import UTC, datetime

import pytest

from authmail import Email, Message, MessageRejected
from authmail.queue.letter import read_letter, write_letter

MESSAGES = [
    Message("zoe@example.com", "SignIn", {"code": "123456"}),
    Message("zoe@example.com", "SignIn", {"code": 123456}),
    Message(
        '"Zoé" <zoe@exämple.com>',
        "OrganizationInvitation",
        {"link": "https://example.com/?a=b&c", "organization": {"name": "Ü", "tags": ["a", 1, 2.5, None, True]}},
        ip="192.0.2.1",
        idempotency_key="k",
        resend=True,
    ),
    Message("zoe@example.com", "odd", {"half": "\ud800", "line": "\u2028", "": "", "code": "1" * 5000}),
    Email("zoe@example.com", "Hello", text="code 123456"),
    Email(
        'Zoé "Z" <zoe@example.com>',
        "Grüße \U0001f600",
        html="<p>1</p>",
        text="1\r\n2",
        from_name="A, B",
        from_address="Name <a@example.com>",
        reply_to="r@example.com",
        headers={"List-Unsubscribe": "<https://example.com/u>"},
        text_is_own=False,
        repeatable=True,
        usage_type="SignIn",
        idempotency_key="k",
        ip="192.0.2.1",
        resend=True,
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_it_comes_back_as_it_was(message):
    """Every field of it."""
    back = read_letter(write_letter(message))
    assert back == message
    assert (back.repeatable, back.vital, back.address) == (message.repeatable, message.vital, message.address)


def test_it_comes_back_with_blanks_at_the_end():
    """With which a box is filled up."""
    assert read_letter(write_letter(MESSAGES[0]) + b" " * 200) == MESSAGES[0]


@pytest.mark.parametrize(
    ("payload", "place"),
    [
        ({"at": datetime.now(UTC)}, "payload.at holds datetime"),
        ({"user": {"ids": [1, {2}]}}, "payload.user.ids[1] holds set"),
        ({"user": {1: "one"}}, "payload.user holds dict"),
        ({"rate": float("nan")}, "payload.rate holds float"),
        ({"rate": float("inf")}, "payload.rate holds float"),
        ({"raw": b"482913"}, "payload.raw holds bytes"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_its_place(payload, place):
    """And without its value: at once, rather than in the worker."""
    with pytest.raises(MessageRejected) as caught:
        write_letter(Message("zoe@example.com", "SignIn", payload))
    assert place in caught.value.hint
    assert "482913" not in str(caught.value)


def test_a_payload_without_end_is_refused():
    """It holds itself."""
    payload = {}
    payload["again"] = payload
    with pytest.raises(MessageRejected, match="again"):
        write_letter(Message("zoe@example.com", "SignIn", payload))


def test_a_mail_that_is_too_large_is_refused():
    """A queue is no store of files."""
    assert read_letter(write_letter(Email("zoe@example.com", "s", text="a" * 5_000_000))).text == "a" * 5_000_000
    with pytest.raises(MessageRejected, match="too large"):
        write_letter(Email("zoe@example.com", "s", text="a" * 11_000_000))


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"later": {}}', b'{"message": {"to": "a", "type": "b", "later": 1}}', b'{"email": {}}']
)
def test_what_is_of_another_release_is_told(text):
    """By errors that the worker expects."""
    with pytest.raises((ValueError, TypeError, LookupError)):
        read_letter(text)
