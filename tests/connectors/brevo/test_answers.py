import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_brevo.answers import ANSWERS

ID = "<202611251315.12345678901@smtp-relay.mailin.fr>"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


# What accepts.


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    "body", [{"messageId": ID}, {"messageIds": [ID]}, {"messageId": ID, "batchId": "b"}, {"messageId": ID, "messageIds": None}]
)
def test_an_id_is_accepted(status, body):
    """In both forms that the SDK's types have; its brackets stay."""
    assert outcome(status, body) == Receipt(ID)


@pytest.mark.parametrize(
    "body", [b"", b"<html>ok</html>", {}, [], {"messageId": ""}, {"messageId": 5}, {"messageIds": []}, {"messageIds": ID}, {"batchId": "b"},
             {"messageId": ID, "code": "internal_error"}, {"code": "x", "message": "y"}, b"[" * 100_000]
)  # fmt: skip
def test_a_success_without_an_id_is_unknown(body):
    """Something in between may have answered."""
    error = outcome(201, body)
    assert (type(error), error.status) == (OutcomeUnknown, 201)


SENDER, RECIPIENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.PROVIDER)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, LATER, NOT_OPEN = (AccountError, Reason.ENDPOINT), (NotSent, Reason.PROVIDER), (AccountError, Reason.ACCOUNT)
BLOCKED, CONFIG = (MessageRejected, Reason.SUPPRESSED), (AccountError, Reason.CONFIG)


def test_a_refusal_within_a_success_is_seen():
    """By its code."""
    error = outcome(201, {"messageId": ID, "code": "not_enough_credits", "message": "x"})
    assert ((type(error), error.reason), error.code) == (QUOTA, "not_enough_credits")


# Every row of the table.

SENDER_WORDS = "Sending has been rejected because the sender you used no-reply@mail.example.com is not valid. Validate your sender or authenticate your domain"
INACTIVE_WORDS = (
    "Unable to send email. Your SMTP account is not yet activated. Please contact us at contact@brevo.com to request activation"
)
ADDRESS_WORDS = "We have detected you are using an unrecognised IP address 192.0.2.7. If you performed this action make sure to add the new IP address"
ERRORS = [
    # Words tell apart what has one code.
    (400, "invalid_parameter", "email is not valid in to", RECIPIENT), (400, "invalid_parameter", "email is not valid in replyTo", SENDER),
    (400, "invalid_parameter", SENDER_WORDS, SENDER), (400, "invalid_parameter", "Contact is blocked", BLOCKED), (400, "invalid_parameter", "x", OTHER),
    (400, "invalid_parameter", "The recipient is blacklisted", BLOCKED), (400, "invalid_parameter", "valid sender email required", SENDER),
    (400, "invalid_parameter", "tags should be an array", CONFIG), (400, "invalid_parameter", "headers is not valid", CONTENT),
    (400, "invalid_parameter", "Your account is blocked from sending email", NOT_OPEN),
    (400, "invalid_parameter", "zoe@example.net is unsubscribed", BLOCKED), (400, "invalid_parameter", "The recipient is not valid", RECIPIENT),
    (400, "invalid_parameter", "The sender is blocked", SENDER), (400, "missing_parameter", "sender is missing in body", SENDER),
    (400, "invalid_parameter", "replyTo is not valid in body", SENDER), (400, "out_of_range", "tags should be fewer", CONFIG), (400, "bad_request", "sender is missing", SENDER),
    (422, "unprocessable_entity", SENDER_WORDS, SENDER), (406, "not_acceptable", "Your account is suspended", NOT_OPEN),
    (400, "missing_parameter", "sender is missing", SENDER), (400, "missing_parameter", "to is missing", RECIPIENT), (400, "missing_parameter", "x", OTHER),
    (400, "missing_parameter", "subject is missing", CONTENT), (400, "missing_parameter", "htmlContent is missing", CONTENT),
    (400, "out_of_range", "x", OTHER), (400, "bad_request", "x", OTHER), (422, "unprocessable_entity", "x", OTHER), (400, "campaign_processing", "x", OTHER),
    (400, "campaign_sent", "x", OTHER), (401, "unauthorized", "Key not found", KEY), (401, "unauthorized", ADDRESS_WORDS, PERMISSION),
    (403, "permission_denied", INACTIVE_WORDS, NOT_OPEN), (403, "permission_denied", "x", PERMISSION), (403, "reseller_permission_denied", "x", PERMISSION),
    (402, "not_enough_credits", "You do not have enough credits", QUOTA), (400, "not_enough_credits", "x", QUOTA),
    (402, "account_under_validation", "Your account is under validation", NOT_OPEN), (400, "account_under_validation", "x", NOT_OPEN),
    (404, "document_not_found", "x", ENDPOINT), (405, "method_not_allowed", "x", ENDPOINT), (406, "not_acceptable", "x", ENDPOINT),
    (429, "too_many_requests", "Too many requests", RATE),
    # The key was used: never a refusal.
    (400, "duplicate_parameter", "x", UNKNOWN), (400, "duplicate_request", "x", UNKNOWN), (400, "Request already processed", "x", UNKNOWN),
    # Codes that are sentences, and codes that nobody knows.
    (400, "DMARC policy requires domain authentication", "x", SENDER), (400, "DNS records not properly configured", "x", SENDER),
    (402, "Insufficient credits", "x", QUOTA), (401, "Authentication failed", "x", KEY), (401, "api-key not found", "x", KEY),
    (400, "NEW_ONE", "x", OTHER), (400, "NEW_ONE", SENDER_WORDS, SENDER), (401, "NEW_ONE", "x", KEY), (402, "NEW_ONE", "x", QUOTA), (402, "NEW_ONE", INACTIVE_WORDS, NOT_OPEN),
    (403, "NEW_ONE", "x", PERMISSION), (404, "NEW_ONE", "x", ENDPOINT), (405, "NEW_ONE", "x", ENDPOINT), (406, "NEW_ONE", "x", ENDPOINT),
    (413, "NEW_ONE", "x", CONTENT), (415, "NEW_ONE", "x", ENDPOINT), (422, "NEW_ONE", "x", OTHER), (429, "NEW_ONE", "x", RATE), (500, "internal_error", "x", UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "words", "expected"), ERRORS)
def test_code_words_and_status_decide(status, code, words, expected):
    """Code, words and a hint are kept."""
    error = outcome(status, {"code": code, "message": words})
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "code", "words", "expected"), ERRORS)
def test_every_hint_is_translated(status, code, words, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("brevo")
    error = outcome(status, {"code": code, "message": words})
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code and status of it."""
    tried = {status for status, _, _, _ in ERRORS} | {code for _, code, _, _ in ERRORS}
    assert set(ANSWERS.meanings) <= tried


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", OTHER), (401, b"", KEY), (401, {"message": "unauthorized"}, KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"<html>", ENDPOINT),
        (429, {}, RATE), (418, {}, OTHER), (500, b"<html>", UNKNOWN), (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (504, {}, UNKNOWN),
        (502, {"code": "x", "message": "y"}, UNKNOWN), (503, {"code": "x", "message": "y"}, LATER),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """A 5xx is unknown; only a 503 with a code is the provider's own "not now"."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 413, 415, 422, 429, 500])
def test_a_status_alone_has_a_hint_of_brevos(status):
    """It says where to look."""
    assert "Brevo" in outcome(status, {}).hint


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"x-sib-ratelimit-reset": "17"}, 17), (429, {"x-sib-ratelimit-reset": "3600"}, 3600), (429, {"x-sib-ratelimit-reset": "3601"}, None),
        (429, {"x-sib-ratelimit-reset": "1764076500"}, None), (429, {"x-sib-ratelimit-reset": "-1"}, None), (429, {"x-sib-ratelimit-reset": "soon"}, None),
        (429, {}, None), (429, {"Retry-After": "7", "x-sib-ratelimit-reset": "17"}, 7), (400, {"x-sib-ratelimit-reset": "1"}, None),
    ],
)  # fmt: skip
def test_the_reset_counts_from_now(status, headers, wait):
    """In seconds; what is longer than the longest window is no such number."""
    assert outcome(status, {"code": "too_many_requests" if status == 429 else "bad_request"}, headers).retry_after == wait


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-201": Receipt, "minimal-201": Receipt, "scheduled-202": Receipt, "node-all-fields": Receipt, "anymail-all-fields": Receipt,
        "error-400-invalid": RECIPIENT, "error-400-missing": SENDER, "error-400-sender": SENDER, "error-400-blocked": BLOCKED, "error-401-key": KEY,
        "error-402-credits": QUOTA, "error-429": RATE, "error-500": UNKNOWN, "error-502-html": UNKNOWN, "anymail-401": KEY,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("brevo/captures")["captures"]}
    for name, kind in expected.items():
        body = answers[name]["body"]
        result = outcome(answers[name]["status"], body.encode() if isinstance(body, str) else body, answers[name].get("headers"))
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
