import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_mailjunky.answers import ANSWERS

ID = "email_abc123"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


# What accepts, and what a success says besides.


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "told", [{"status": "sent"}, {"status": "Queued"}, {}, {"status": None}, {"status": "sent", "error": None}]
)
def test_an_id_is_accepted(status, told):
    """With a status that says so, or none."""
    assert outcome(status, {"id": ID, "message_id": "<x@mail.example.com>", **told}) == Receipt(ID)


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"<html>ok</html>", {}, [], {"id": ""}, {"id": 5}, {"message_id": "<x@y.z>", "status": "sent"},
             {"id": ID, "status": "held"}, {"id": ID, "status": 5}, {"id": ID, "status": ["sent"]}, {"data": {"id": ID}}, b"[" * 100_000]
)  # fmt: skip
def test_a_success_without_id_or_with_a_strange_status_is_unknown(body):
    """Something in between may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


SENDER, RECIPIENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.PROVIDER)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, LATER, STOPPED = (AccountError, Reason.ENDPOINT), (NotSent, Reason.PROVIDER), (AccountError, Reason.ACCOUNT)


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"status": "failed"}, OTHER), ({"status": "Failed"}, OTHER), ({"status": "failed", "error": "The domain is not verified"}, SENDER),
        ({"status": "failed", "message": "Your account has been suspended"}, STOPPED), ({"error": {"message": "Quota exceeded"}}, QUOTA),
        ({"status": "queued", "error": "x"}, OTHER), ({"success": False}, OTHER), ({"status": "failed", "error": "invalid to"}, RECIPIENT),
    ],
)  # fmt: skip
def test_a_refusal_within_a_success_is_seen(status, told, expected):
    """Whatever else the answer has: the npm SDK's types name the status, and its words tell why."""
    error = outcome(status, {"id": ID, **told})
    assert ((type(error), error.reason), error.code) == (expected, "FAILED")
    assert error.hint


# Every row of the table.

ERRORS = [
    (400, "Invalid request", OTHER), (401, "Invalid API key", KEY), (402, "Quota exceeded", QUOTA), (403, "Forbidden", PERMISSION),
    (403, "The domain of this from address is not verified", SENDER), (404, "Not found", ENDPOINT), (405, "Method not allowed", ENDPOINT), (409, "Conflict", UNKNOWN),
    (413, "Too large", CONTENT), (415, "x", ENDPOINT), (422, "Validation failed", OTHER), (429, "Rate limit exceeded", RATE), (500, "Internal", UNKNOWN),
    # Words tell apart what has one status.
    (422, "invalid from", SENDER), (400, "'from' must be a valid email", SENDER), (422, "from is required", SENDER), (422, "The from address is not allowed", SENDER),
    (422, "invalid to", RECIPIENT), (400, "'to' is required", RECIPIENT), (422, "The recipient is not a valid address", RECIPIENT),
    (422, "The subject is required", OTHER), (422, "The link from your template is invalid", OTHER), (400, "Your account has been suspended", STOPPED),
    (403, "You have reached your monthly email limit", QUOTA), (429, "You have reached your monthly email limit", QUOTA),
]  # fmt: skip


@pytest.mark.parametrize("form", ["coded", "plain", "nested"])
@pytest.mark.parametrize(("status", "words", "expected"), ERRORS)
def test_status_and_words_decide(status, words, expected, form):
    """With a code, which no list has, or without; words and a hint are kept."""
    told = {"message": words, "code": "made_up"}
    body = {"coded": told, "plain": {"error": words}, "nested": {"error": told}}[form]
    error = outcome(status, body)
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (None if form == "plain" else "made_up", status, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "words", "expected"), ERRORS)
def test_every_hint_is_translated(status, words, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("mailjunky-mail")
    error = outcome(status, {"message": words})
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every status of it."""
    assert {row for row in ANSWERS.meanings if isinstance(row, int)} <= {status for status, _, _ in ERRORS}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", OTHER), (401, b"", KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"<html>", ENDPOINT), (429, {}, RATE), (409, b"", UNKNOWN),
        (418, {}, OTHER), (500, b"<html>", UNKNOWN), (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (504, {}, UNKNOWN),
        (502, {"message": "x", "code": "made_up"}, UNKNOWN), (503, {"message": "x", "code": "made_up"}, LATER),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """A 5xx is unknown; only a 503 with a code is the provider's own "not now"."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500])
def test_a_status_alone_has_a_hint_of_mailjunkys(status):
    """It says where to look."""
    assert "MailJunky" in outcome(status, {}).hint


def test_the_delay_is_that_of_retry_after():
    """Where the answer has one."""
    assert [outcome(429, {}, headers).retry_after for headers in ({}, {"Retry-After": "7"})] == [None, 7]


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "minimal-200": Receipt, "node-all-fields": Receipt, "node-failed-in-200": OTHER, "error-400": OTHER, "error-401": KEY,
        "error-402": QUOTA, "error-404": ENDPOINT, "error-409": UNKNOWN, "error-500": UNKNOWN, "error-503": LATER,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("mailjunky/captures")["captures"]}
    for name, kind in expected.items():
        result = outcome(answers[name]["status"], answers[name]["body"])
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
