import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_mandrill.answers import ANSWERS, HELD, REJECTED

ID, OURS = "8f4a1c1b2d3e4f5061728394a5b6c7d8", "0123456789abcdef0123456789abcdef"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", id=OURS))
    except SendError as error:
        return error


def state(status, **more):
    return [{"email": "zoe@example.net", "status": status, "_id": ID, "reject_reason": None, "queued_reason": None} | more]


def error_of(name, message="x", code=-1):
    return {"status": "error", "code": code, "name": name, "message": message}


# What accepts.


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (state("sent"), Receipt(ID)), (state("scheduled"), Receipt(ID)), (state("queued"), Receipt(ID)), ([{"status": "queued", "_id": ID}], Receipt(ID)),
        # Late, but by itself.
        *((state("queued", queued_reason=reason), Receipt(ID)) for reason in ("hourly-quota-exhausted", "sending-backlogged", "attachments", "new")),
        ([{"status": "sent"}], Receipt(OURS)), (state("sent", _id=None), Receipt(OURS)), (state("sent", reject_reason="hard-bounce"), Receipt(ID)), (state("sent", queued_reason="account-suspended"), Receipt(ID)),
    ],
)  # fmt: skip
def test_the_recipients_state_accepts(body, receipt):
    """With Mandrill's id; where it lacks it, with ours, which stands in the mail's metadata."""
    assert outcome(200, body) == receipt


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>ok</html>", {}, [], [5], [[]], [{}], [{"_id": ID}], state("new"), state(None), {"status": "sent", "_id": ID}, {"PING": "PONG!"},
        b'"PONG!"', b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_success_without_a_known_state_is_unknown(body):
    """Something in between may have answered."""
    error = outcome(200, body)
    assert (type(error), error.reason, error.status) == (OutcomeUnknown, Reason.PROVIDER, 200)


# What a 200 refuses.

SENDER, RECIPIENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.PROVIDER)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, STOPPED, CONFIG = (AccountError, Reason.ENDPOINT), (AccountError, Reason.ACCOUNT), (AccountError, Reason.CONFIG)
SUPPRESSED, LATER = (MessageRejected, Reason.SUPPRESSED), (NotSent, Reason.PROVIDER)
REASONS = {
    "hard-bounce": SUPPRESSED, "soft-bounce": SUPPRESSED, "spam": SUPPRESSED, "unsub": SUPPRESSED, "custom": SUPPRESSED, "rule": SUPPRESSED,
    "invalid": RECIPIENT, "invalid-sender": SENDER, "unsigned": SENDER, "test-mode-limit": QUOTA,
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_a_rejection_goes_by_its_reason(reason):
    """Which is the code; the account's trouble is not the recipient's."""
    error = outcome(200, state("rejected", reject_reason=reason))
    assert ((type(error), error.reason), error.code, error.detail, error.status) == (REASONS[reason], reason, reason, 200)
    assert error.hint


@pytest.mark.parametrize(
    ("body", "expected", "code"),
    [
        (state("invalid"), RECIPIENT, "invalid"), ([{"email": "zoe@", "status": "invalid"}], RECIPIENT, "invalid"), (state("rejected"), OTHER, "rejected"),
        (state("rejected", reject_reason="new"), OTHER, "rejected"), (state("rejected", reject_reason=5), OTHER, "rejected"),
        (state("rejected", reject_reason="your account is suspended"), STOPPED, "rejected"), (state("invalid", reject_reason="invalid-sender"), SENDER, "invalid-sender"),
        (error_of("Invalid_Key"), KEY, "Invalid_Key"), (error_of("New_Error"), OTHER, "rejected"), (error_of("Unknown_Message"), OTHER, "Unknown_Message"),
    ],
)  # fmt: skip
def test_a_refusal_within_a_200_is_seen(body, expected, code):
    """Also one without an id, for a new reason, or an error that should have had another status."""
    error = outcome(200, body)
    assert ((type(error), error.reason), error.code) == (expected, code)


WAITS = {
    "sending-paused": STOPPED, "sending-suspended": STOPPED, "account-suspended": STOPPED, "free-trial-sends-exhausted": QUOTA, "monthly-limit-reached": QUOTA,
}  # fmt: skip


@pytest.mark.parametrize("reason", WAITS)
def test_a_mail_that_waits_for_the_account_is_no_success(reason):
    """It has an id, and does not go out before somebody acts: the account's trouble, and not a code that is on its way."""
    error = outcome(200, state("queued", queued_reason=reason))
    assert ((type(error), error.reason), error.code, error.detail) == (WAITS[reason], reason, reason)
    assert error.hint


# Every row of the table.

FROM = 'Validation error: {"message":{"from_email":"The domain portion of the email address is invalid (the portion after the @: localhost)"}}'
ERRORS = [
    ("Invalid_Key", "Invalid API key", KEY), ("PaymentRequired", "The requested feature requires payment.", QUOTA), ("PoorReputation", "x", STOPPED),
    ("Unknown_Subaccount", "No subaccount exists with the id 'customer-123'", CONFIG), ("Unknown_Pool", "x", CONFIG), ("Unknown_Sender", "x", SENDER),
    ("Unknown_Template", 'No such template "signin"', CONFIG), ("Unknown_Message", "x", OTHER), ("Invalid_Reject", "x", OTHER),
    ("ValidationError", "You must specify a key value", KEY), ("ValidationError", "x", OTHER), ("ValidationError", FROM, SENDER),
    ("ValidationError", 'Validation error: {"message":{"to":[{"email":"An email address must contain a single @"}]}}', RECIPIENT),
    ("ValidationError", 'Validation error: {"message":{"subject":"Sorry"}}', CONTENT), ("ValidationError", 'Validation error: {"message":{"tags":"x"}}', CONFIG),
    ("ValidationError", 'Validation error: {"message":{"subaccount":"x"}}', CONFIG), ("ValidationError", 'Validation error: {"message":{"headers":"x"}}', CONTENT),
    ("ValidationError", 'Validation error: {"message":{"new_field":"x"}}', OTHER), ("ValidationError", "Your account has been suspended", STOPPED),
    ("ServiceUnavailable", "x", LATER), ("GeneralError", "An unexpected error occurred", UNKNOWN), ("RateLimit", "x", RATE),
]  # fmt: skip


@pytest.mark.parametrize("status", [500, 400, 401, 503])
@pytest.mark.parametrize(("name", "words", "expected"), ERRORS)
def test_the_name_decides_whatever_the_status(name, words, expected, status):
    """A wrong key was a 500 for years; name, words and a hint are kept."""
    error = outcome(status, error_of(name, words))
    assert ((type(error), error.reason), error.code, error.detail) == (expected, name, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((500, error_of(name, words)) for name, words, _ in ERRORS), *((200, state("rejected", reject_reason=reason)) for reason in (*REASONS, "new")),
        *((200, state("queued", queued_reason=reason)) for reason in WAITS), *((status, {}) for status in (400, 401, 402, 403, 404, 413, 429)),
    ],
)  # fmt: skip
def test_every_hint_is_translated(status, body, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("mandrill")
    error = outcome(status, body)
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it."""
    assert (REJECTED.keys(), HELD.keys()) == (REASONS.keys() | {"rejected"}, WAITS.keys())
    named = {name for name, _, _ in ERRORS} - {"Unknown_Message", "Invalid_Reject"}
    assert {code for code, _ in ANSWERS.codes()} == REJECTED.keys() | HELD.keys() | named


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", OTHER), (401, {"message": "unauthorized"}, KEY), (401, b"", KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"", ENDPOINT),
        (405, {}, ENDPOINT), (413, b"<html>", CONTENT), (415, b"", ENDPOINT), (429, {}, RATE), (500, b"<html>", UNKNOWN), (500, error_of("New_Error"), UNKNOWN),
        (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (504, {}, UNKNOWN), (400, error_of("New_Error"), OTHER), (400, error_of("New", "Quota exceeded"), QUOTA),
    ],
)  # fmt: skip
def test_what_has_no_known_name_goes_by_its_status(status, body, expected):
    """And a 5xx is unknown, whoever says it."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "rejected-in-200": SUPPRESSED, "invalid-in-200": RECIPIENT, "error-500-invalid-key": KEY, "error-500-validation": KEY,
        "error-500-unknown-template": CONFIG, "error-500-general": UNKNOWN, "error-429": RATE, "error-502-html": UNKNOWN, "anymail-all-fields": Receipt,
        "anymail-refused": SUPPRESSED, "anymail-401": KEY,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("mandrill/captures")["captures"]}
    for name, kind in expected.items():
        body = answers[name]["body"]
        result = outcome(answers[name]["status"], body.encode() if isinstance(body, str) else body)
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
