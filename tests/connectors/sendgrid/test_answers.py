import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_sendgrid.answers import ANSWERS

ID = "14c5d75ce93FAKEmsgid01"
OURS = "0123456789abcdef0123456789abcdef"
NOW = {"Date": "Fri, 15 Jan 2027 07:59:00 GMT"}


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", id=OURS))
    except SendError as error:
        return error


def error_of(status, words, field=None, *others):
    """An error in SendGrid's form, with further fields that are wrong."""
    errors = [{"message": words, "field": field, "help": None}, *({"message": "m", "field": one, "help": None} for one in others)]
    return outcome(status, {"errors": errors})


# What accepts.


@pytest.mark.parametrize(
    ("headers", "message_id"), [({"X-Message-Id": ID}, ID), ({"x-message-id": ID}, ID), ({}, OURS), ({"X-Message-Id": ""}, OURS)]
)
def test_an_empty_202_is_the_acceptance(headers, message_id):
    """With SendGrid's id; where it was lost on the way, with the one that we sent along."""
    assert outcome(202, b"", headers) == Receipt(message_id)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""), (201, b""), (204, b""), (202, b"<html>ok</html>"), (202, {}), (202, {"id": ID}), (202, b" "), (202, b"[" * 100_000),
        (202, {"errors": [{"message": "m", "field": "from.email"}]}), (200, {"message": "success"}), (200, b"x" * 2_000_000),
    ],
)  # fmt: skip
def test_another_success_is_unknown(status, body):
    """An empty 200 is sandbox mode's, which sends nothing; a body is somebody else's."""
    error = outcome(status, body)
    assert (type(error), error.status) == (OutcomeUnknown, status)


# Every row of the table, and what public issues quote.

SENDER, CONTENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.CONTENT), (MessageRejected, Reason.PROVIDER)
KEY, QUOTA, PERMISSION = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.QUOTA), (AccountError, Reason.PERMISSION)
RECIPIENT, ENDPOINT, CONFIG = (MessageRejected, Reason.RECIPIENT), (AccountError, Reason.ENDPOINT), (AccountError, Reason.CONFIG)
ACCOUNT, UNKNOWN = (AccountError, Reason.ACCOUNT), (OutcomeUnknown, Reason.PROVIDER)
ERRORS = [
    (400, "The from object must be provided for every email send. It is an object that requires the email parameter.", "from.email", SENDER),
    (400, "The from email does not contain a valid address.", "from", SENDER),
    (400, "The reply_to email does not contain a valid address.", "reply_to.email", SENDER),
    (400, "The category array must be unique values.", "categories", CONFIG),
    (400, "You do not have permission to use this setting.", "mail_settings.bypass_list_management", PERMISSION),
    (400, "The value must be a boolean.", "mail_settings.bypass_list_management.enable", CONFIG),
    (400, "Does not contain a valid address.", "personalizations.0.to.0.email", RECIPIENT),
    (400, "The to array is required for all personalization objects.", "personalizations.0.to", RECIPIENT),
    (400, "The subject is required.", "subject", CONTENT),
    (400, "The content value must be a string at least one character in length.", "content.0.value", CONTENT),
    (400, "You cannot use reserved headers.", "headers.X-SG-ID", CONTENT),
    (400, "The custom args are too long.", "custom_args", OTHER),
    (400, "The enable parameter must be a boolean.", "tracking_settings.open_tracking", OTHER),
    (400, "The batch id does not exist.", "batch_id", OTHER),
    (400, "Bad Request", None, OTHER),
    (401, "The provided authorization grant is invalid, expired, or revoked", None, KEY),
    (401, "authorization required", None, KEY),
    (401, "Permission denied, wrong credentials", None, KEY),
    (401, "Maximum credits exceeded", None, QUOTA),
    (401, "Authenticated user is not authorized to send mail", None, PERMISSION),
    (403, "Authenticated user is not authorized to send mail", None, PERMISSION),
    (401, "You are not authorized to access SendGrid, please contact Support.", None, ACCOUNT),
    (403, "Your account is temporarily under review.", None, ACCOUNT),
    (403, "Your account has been suspended. Please contact Support to regain access.", None, ACCOUNT),
    (403, "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.", "from", SENDER),
    (403, "The from address does not match a verified Sender Identity.", None, SENDER),
    (403, "access forbidden", None, PERMISSION),
    (404, "Resource not found", None, ENDPOINT),
    (405, "method not allowed", None, ENDPOINT),
    (406, "not acceptable", None, ENDPOINT),
    (413, "content too large", None, CONTENT),
    (415, "Content-Type should be application/json.", None, ENDPOINT),
    (429, "too many requests", None, (Throttled, Reason.RATE)),
    (500, "internal server error", None, UNKNOWN),
    (502, "bad gateway", None, UNKNOWN),
    (503, "service unavailable", None, (NotSent, Reason.PROVIDER)),
    (504, "timeout", None, UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "words", "field", "expected"), ERRORS)
def test_field_words_and_status_decide(status, words, field, expected):
    """The field first, but for words of the account's trouble; field, words and a hint are kept."""
    error = error_of(status, words, field)
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (field, status, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "words", "field", "expected"), ERRORS)
def test_every_hint_is_translated(status, words, field, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("sendgrid-email-service")
    error = error_of(status, words, field)
    assert error.hint_in(language) != error.hint


@pytest.mark.parametrize(
    ("fields", "code", "expected"),
    [
        (["subject", "from.email"], "from.email", SENDER), (["personalizations.0.to", "categories"], "categories", CONFIG),
        (["content.0.value", "subject"], "content.0.value", CONTENT), ([None, "subject"], "subject", CONTENT), ([None, None], None, OTHER),
    ],
)  # fmt: skip
def test_of_several_fields_the_accounts_counts(fields, code, expected):
    """It must be put right before any mail goes; else the first one."""
    error = error_of(400, "m", *fields)
    assert (error.code, type(error), error.reason) == (code, *expected)


@pytest.mark.parametrize(
    ("status", "body", "expected", "detail"),
    [
        (401, {"message": "unauthorized"}, KEY, "unauthorized"),
        (401, {"errors": ["Maximum credits exceeded"], "message": "error"}, QUOTA, "Maximum credits exceeded error"),
        (400, {"errors": [{"message": "a"}, {"message": "a"}, {"message": "b"}]}, OTHER, "a b"),
        (400, {"errors": [5, None, {"message": 5, "field": 5}]}, OTHER, None), (400, {"errors": {"a": "b"}}, OTHER, None),
        (400, [], OTHER, None), (401, b"<html>", KEY, None), (403, b"", PERMISSION, None), (429, b"", (Throttled, Reason.RATE), None),
        (503, b"<html>unavailable</html>", UNKNOWN, None), (503, {}, UNKNOWN, None), (500, b"<html>", UNKNOWN, None),
    ],
)  # fmt: skip
def test_other_forms_are_read_too(status, body, expected, detail):
    """Gateways and the older API say it otherwise; what cannot be read goes by its status, and a 503 of a proxy is unknown."""
    error = outcome(status, body)
    assert ((type(error), error.reason), error.detail) == (expected, detail)


@pytest.mark.parametrize("name", ["error-400-from-missing", "error-401-bad-key", "error-403-sender", "error-413", "error-429", "error-500",
                                  "error-503-html", "anymail-401", "node-401-credits", "node-500"])  # fmt: skip
def test_captured_answers_are_understood(vectors, name):
    """The same as in the rows above."""
    expected = {
        "error-400-from-missing": SENDER, "error-401-bad-key": KEY, "error-403-sender": SENDER, "error-413": CONTENT,
        "error-429": (Throttled, Reason.RATE), "error-500": UNKNOWN, "error-503-html": UNKNOWN, "anymail-401": KEY,
        "node-401-credits": QUOTA, "node-500": UNKNOWN,
    }  # fmt: skip
    [answer] = [one["server_replies"][0] for one in vectors("sendgrid/captures")["captures"] if one["name"] == name]
    body = answer["body"].encode() if isinstance(answer["body"], str) else answer["body"]
    error = outcome(answer["status"], body, answer.get("headers"))
    assert (type(error), error.reason) == expected[name]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"X-RateLimit-Reset": "1800000000"}, 60), (429, {"X-RateLimit-Reset": "1800000000", "Retry-After": "7"}, 7),
        (429, {"X-RateLimit-Reset": "1799999000"}, None), (429, {"X-RateLimit-Reset": "1900000000"}, None), (429, {"X-RateLimit-Reset": "9" * 5000}, None),
        (429, {"X-RateLimit-Reset": "soon"}, None), (429, {"X-RateLimit-Reset": "-5"}, None), (429, {}, None),
        (400, {"X-RateLimit-Reset": "1800000000"}, None),
    ],
)  # fmt: skip
def test_the_delay_ends_with_the_window(status, headers, wait):
    """By the clock of the answer; an end that has passed, or is far away, tells nothing."""
    assert outcome(status, {"errors": [{"message": "too many requests"}]}, NOW | headers).retry_after == wait
