import base64
import json
from email.message import EmailMessage

import pytest

from authmail import AccountError, OutcomeUnknown, Receipt, Throttled
from authmail.outcomes import NoAnswerInTime
from authmail.testing.exchange import differences, outcome_differences, read, request_differences
from authmail.testing.wire import Request

GOOD = {
    "why": "Accepted",
    "email": {"to": "zoe@example.com", "subject": "s", "text": "t", "replyTo": "Help <h@example.com>", "idempotencyKey": "k"},
    "request": {"path": "/send", "json": {"a": 1}},
    "answer": {"status": 202, "json": {"id": "m-1"}},
    "outcome": {"type": "Receipt", "message_id": "m-1"},
}


def written(tmp_path, data):
    file = tmp_path / "one.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return file


def request(body, kind="application/json", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", "/send", {"content-type": kind, **headers}, content)


def test_a_file_is_read(tmp_path):
    """Mail, answer and outcome; the body of an answer in JSON says so."""
    exchange = read(written(tmp_path, GOOD))
    assert (exchange.name, exchange.kind, exchange.is_silent) == ("one", Receipt, False)
    assert (exchange.mail.reply_to.name, exchange.mail.idempotency_key) == ("Help", "k")
    assert exchange.steps[0].answer.headers["Content-Type"] == "application/json"
    assert json.loads(exchange.steps[0].answer.body) == {"id": "m-1"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"why": ""}, '"why" is missing'),
        ({"reqest": {}}, "the exchange has the unknown key 'reqest'"),
        ({"email": {"to": "zoe@example.com", "subjet": "s"}}, "email has the unknown key 'subjet'"),
        ({"email": {"to": "nobody", "subject": "s", "text": "t"}}, "not one single address"),
        ({"message": {"to": "a@b.c", "type": "SignIn", "payload": {}}}, 'either "message" or "email"'),
        ({"request": {"verb": "PUT"}}, "request has the unknown key 'verb'"),
        ({"answer": {"code": 200}}, "answer has the unknown key 'code'"),
        ({"answer": "hangs"}, "answer must be an object or one of cut, silence"),
        ({"outcome": {"type": "Success"}}, "outcome.type must be Receipt or a kind of SendError, not 'Success'"),
        ({"dialogue": ["S: 220 x"]}, 'it needs "request" and "answer", or "steps", or "dialogue"'),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path, change, says):
    """With its name, and the keys that there are."""
    with pytest.raises(ValueError, match="one.json: ") as caught:
        read(written(tmp_path, GOOD | change))
    assert says in str(caught.value)


def test_a_file_that_is_no_json_is_told(tmp_path):
    """With its place."""
    with pytest.raises(ValueError, match=r"one.json: .*line 1"):
        read(written(tmp_path, "{"))


@pytest.mark.parametrize(
    ("expected", "seen", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": 1.5}, ["x.a: expected 1, got 1.5"]),
        ({"a": 1}, {"a": "1"}, ["x.a: expected 1, got '1'"]),
        ({"a": True}, {"a": 1}, ["x.a: expected True, got 1"]),
        ({"a": 1.0}, {"a": True}, ["x.a: expected 1.0, got True"]),
        ({"a": 1}, {}, ["x.a: missing, expected 1"]),
        ({}, {"b": 2}, ["x.b: not expected, got 2"]),
        ([{"a": "y"}], [{"a": "z"}], ["x[0].a: expected 'y', got 'z'"]),
        (["a"], ["a", "b"], ["x: expected 1 items, got 2: ['a', 'b']"]),
        ("Bearer <any>", "Bearer abc", []),
        ("Bearer <any>", "Bearer ", ["x: expected 'Bearer <any>', got 'Bearer '"]),
        ("<like [0-9]{3}>", "482", []),
        ("<like [0-9]{3}>", "4829", ["x: expected '<like [0-9]{3}>', got '4829'"]),
        ("a.c", "abc", ["x: expected 'a.c', got 'abc'"]),
        ("<p>a+b</p>", "<p>a+b</p>", []),
        (None, None, []),
        (None, "a", ["x: expected None, got 'a'"]),
        ("a", None, ["x: expected 'a', got nothing"]),
    ],
)
def test_differences_are_told_where_they_are(expected, seen, found):
    """As deep as they go; numbers count by value, else types count too, and only the two patterns are patterns."""
    assert list(differences(expected, seen, "x")) == found


def test_a_request_is_compared_whole_but_for_its_headers():
    """Those that are named; null means none."""
    seen = request({"a": 1}, authorization="Bearer k", **{"x-more": "1"})
    assert (
        list(
            request_differences(
                {"path": "/send", "headers": {"Authorization": "Bearer k", "X-None": None}, "json": {"a": 1}}, seen
            )
        )
        == []
    )
    found = list(request_differences({"method": "PUT", "path": "/", "headers": {"X-More": None}, "json": {"a": 2}}, seen))
    assert [line.partition(":")[0] for line in found] == ["method", "path", "headers.X-More", "json.a"]
    assert list(request_differences({"path": "/send"}, seen)) == ["body: expected '', got '{\"a\": 1}'"]


def test_forms_are_compared_by_their_fields():
    """A JSON body is no form."""
    form = request(b"a=1&b=%E4%BD%A0+x", "application/x-www-form-urlencoded; charset=utf-8")
    assert list(request_differences({"path": "/send", "form": {"a": "1", "b": "你 x"}}, form)) == []
    assert list(request_differences({"path": "/send", "form": {"a": "1"}}, request({"b": 1}))) == [
        "form.a: missing, expected '1'",
        "form.b: not expected, got 1",
    ]


def test_outcomes_are_compared_by_type_and_what_is_named():
    """A kind below the expected one fits; reasons are compared as texts."""
    error = Throttled("slow down", retry_after=3.0, status=429)
    assert list(outcome_differences({"type": "Throttled", "reason": "rate", "retry_after": 3.0, "code": None}, error)) == []
    assert list(outcome_differences({"type": "OutcomeUnknown"}, NoAnswerInTime("x"))) == []
    assert list(outcome_differences({"type": "Throttled", "retry_after": 4.0, "retry": 1}, error)) == [
        "retry_after: expected 4.0, got 3.0",
        "retry: expected 1, got nothing",
    ]
    (told,) = outcome_differences({"type": "Receipt"}, AccountError("bad key"))
    assert told.startswith("type: expected Receipt, got AccountError: account")
    (told,) = outcome_differences({"type": "NoAnswerInTime"}, OutcomeUnknown("x"))
    assert told.startswith("type: expected NoAnswerInTime, got OutcomeUnknown")


def mime():
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "小红 <a@example.com>", "zoe@example.com", "你好 482913"
    mail.set_content("the text, in 中文")
    mail.add_alternative("<p>the <b>HTML</b></p>", subtype="html")
    return mail.as_bytes()


@pytest.mark.parametrize(
    "seen",
    [
        request({"raw": base64.b64encode(mime()).decode()}),
        request({"a": [{"raw": base64.urlsafe_b64encode(mime()).decode().rstrip("=")}]}),
        request({"message": mime().decode()}),
        Request("MAIL", "", {"content-type": "message/rfc822"}, mime()),
    ],
)
def test_a_mail_within_a_request_is_read(seen):
    """Whole, in Base64 or as it is: some providers want it so."""
    for text in ("你好 482913", "小红", "zoe@example.com", "the text, in 中文", "<p>the <b>HTML</b></p>"):
        assert seen.shows(text), text
    assert not seen.shows("elsewhere")


def test_a_text_is_found_in_any_spelling():
    """Also in Base64, whatever stands before it; but not what is too short to be told from chance."""
    for before in ("", "a", "ab"):
        login = base64.b64encode(f"{before}:key-canary-1".encode()).decode()
        seen = request({}, authorization=f"Basic {login}")
        assert (seen.tells("key-canary-1"), seen.tells("key-cBnary-1"), seen.tells("key")) == (True, False, False)
    assert request({"a": "%2Fcanary%2F"}).tells("/canary/")


@pytest.mark.parametrize(
    ("leaf", "shown"),
    [
        ("=?utf-8?b?5bCP57qiLCBBY21l?= <login@mail.example.com>", "小红, Acme"), ("=?utf-8?b?!?=", "=?utf-8?b?!?="),
        ("=?nonsense?b?5bCP?=", "=?nonsense?b?5bCP?="),
    ],
)  # fmt: skip
def test_an_encoded_word_is_read(leaf, shown):
    """Some providers want names so (RFC 2047); what is none stays as it is."""
    assert request({"from": leaf}).shows(shown)


@pytest.mark.parametrize("written", [3, 3.0])
@pytest.mark.parametrize("seen", [3, 3.0])
def test_whole_seconds_need_no_point(written, seen):
    """Whichever of both is the float."""
    assert list(outcome_differences({"type": "Throttled", "retry_after": written}, Throttled(retry_after=seen))) == []
    assert list(outcome_differences({"type": "Throttled", "retry_after": written}, Throttled(retry_after=4.0))) != []
