import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_smtp2go.answers import ANSWERS

ID, RID, OURS = "1u0SwL-B9zBpi9ffUq-JAB2", "aa253464-0bd0-467a-b24b-6159dcd7be60", "0123456789abcdef0123456789abcdef"
MAIL = {"sender": "Acme <no-reply@mail.example.com>", "to": ["Zoé <zoe@example.net>"]}


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(
            Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", json=MAIL, id=OURS)
        )
    except SendError as error:
        return error


def data(**members):
    return {"request_id": RID, "data": members}


# What accepts, and what a 200 says besides.


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (data(succeeded=1, failed=0, failures=[], email_id=ID), Receipt(ID, RID)), (data(email_id=ID), Receipt(ID, RID)),
        (data(succeeded=1, failed=0, failures=[]), Receipt(RID, RID)), ({"data": {"succeeded": 1, "failed": 0}}, Receipt(OURS)),
        (data(succeeded=1, failed=1, failures=["of somebody else"], email_id=ID), Receipt(ID, RID)),
    ],
)  # fmt: skip
def test_what_went_out_is_accepted(body, receipt):
    """By its id, or its count where there is none; counts are missing with fastaccept."""
    assert outcome(200, body) == receipt


@pytest.mark.parametrize(
    "body", [b"", b"<html>ok</html>", {}, [], data(), data(email_id=""), data(succeeded="1"), data(succeeded=0, failed=0, failures=[], email_id=""),
             {"email_id": ID}, {"data": []}, b"[" * 100_000]
)  # fmt: skip
def test_a_success_without_id_and_count_is_unknown(body):
    """Something in between may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


SENDER, RECIPIENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.PROVIDER)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, LATER, SUPPRESSED = (AccountError, Reason.ENDPOINT), (NotSent, Reason.PROVIDER), (MessageRejected, Reason.SUPPRESSED)
START = "An error occurred during the SMTP request: "
FAILURES = {
    f"{START}Verification failed for <no-reply@mail.example.com>\nUnrouteable address\ndomain verify fail <no-reply@mail.example.com>": SENDER,
    f"{START}Verification failed for <Zoe@Example.net>\nUnrouteable address": RECIPIENT,
    f"{START}unable to verify sender address": SENDER,
    f"{START}The sender domain is not verified": SENDER,
    f"{START}550 refused": OTHER,
    f"{START}450 <zoe@example.net> mailbox busy": LATER,
    f"{START}451 4.3.0 try later": LATER,
    f"{START}The recipient <zoe@example.net> is on the suppression list": SUPPRESSED,
    f"{START}Your account has exceeded its quota": QUOTA,
    f"{START}Your account has been suspended": (AccountError, Reason.ACCOUNT),
}


@pytest.mark.parametrize("words", FAILURES)
def test_a_200_that_failed_goes_by_its_words(words):
    """Those of the SMTP dialogue: they name the address that was refused."""
    error = outcome(200, data(succeeded=0, failed=1, failures=[words], email_id=""))
    assert (type(error), error.reason) == FAILURES[words]
    assert (error.code, error.status, error.request_id) == ("FAILED", 200, RID)
    assert error.hint


@pytest.mark.parametrize(
    ("members", "expected", "code"),
    [
        ({"failed": 1, "email_id": ID}, OTHER, "FAILED"), ({"failures": ["x"], "email_id": ID}, OTHER, "FAILED"),
        ({"error_code": "E_ApiResponseCodes.API_EXCEPTION", "error": "API key bad"}, KEY, "API_EXCEPTION"),
        ({"error_code": "E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED", "error": "e", "email_id": ID}, PERMISSION, "ENDPOINT_PERMISSION_DENIED"),
        ({"error_code": "E_ApiResponseCodes.NEW_ONE", "error": "e"}, OTHER, "FAILED"), ({"error_code": 5}, OTHER, "FAILED"),
    ],
)  # fmt: skip
def test_a_refusal_within_a_200_is_seen(members, expected, code):
    """Whatever else the answer has; a code that nobody knows is a failure, too."""
    error = outcome(200, data(**members))
    assert ((type(error), error.reason), error.code) == (expected, code)


# Every row of the table.

PERMISSION_WORDS = "You do not have permission to access this API endpoint"
ERRORS = [
    (400, "ENDPOINT_PERMISSION_DENIED", PERMISSION_WORDS, PERMISSION), (401, "API_KEY_INVALID", "The API key passed was not in the correct format", KEY),
    (400, "API_KEY_INVALID", "x", KEY), (403, "SENDER_NOT_VERIFIED", "Verify a sender domain.", SENDER), (400, "SENDER_NOT_VERIFIED", "x", SENDER),
    (400, "NON_VALIDATING_IN_PAYLOAD", "x", OTHER), (422, "NON_VALIDATING_IN_PAYLOAD", "x", OTHER),
    (400, "API_EXCEPTION", "API key bad", KEY), (400, "API_EXCEPTION", "The sender is not verified", SENDER), (400, "API_EXCEPTION", "x", OTHER),
    (400, "API_EXCEPTION", "Your monthly quota is used up", QUOTA), (429, "API_EXCEPTION", "API key ratelimit exceeded", RATE),
    (401, "API_EXCEPTION", "x", KEY), (500, "API_EXCEPTION", "internal", UNKNOWN), (503, "API_EXCEPTION", "x", UNKNOWN), (502, "API_EXCEPTION", "x", UNKNOWN),
    (400, "NEW_ONE", "x", OTHER), (402, "NEW_ONE", "x", QUOTA), (403, "NEW_ONE", "x", PERMISSION), (404, "NEW_ONE", "x", ENDPOINT),
    (405, "NEW_ONE", "x", ENDPOINT), (413, "NEW_ONE", "x", CONTENT), (415, "NEW_ONE", "x", ENDPOINT), (504, "NEW_ONE", "x", UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("status", "code", "words", "expected"), ERRORS)
def test_code_words_and_status_decide(status, code, words, expected, flat):
    """Within ``data`` or without; code without its prefix, words and a hint are kept."""
    members = {"error_code": f"E_ApiResponseCodes.{code}", "error": words}
    error = outcome(status, members if flat else data(**members))
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "code", "words", "expected"), ERRORS)
def test_every_hint_is_translated(status, code, words, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("smtp2go-email")
    error = outcome(status, data(error_code=f"E_ApiResponseCodes.{code}", error=words))
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it."""
    assert {code for code, _ in ANSWERS.codes()} - {"FAILED"} == {code for _, code, _, _ in ERRORS} - {"NEW_ONE"}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("sender", SENDER), ("api_key", KEY), ("to", RECIPIENT), ("to.0", RECIPIENT), ("to[0]", RECIPIENT), ("subject", CONTENT), ("text_body", CONTENT),
        ("html_body", CONTENT), ("custom_headers.0.value", CONTENT), ("schedule", OTHER), (5, OTHER), (None, OTHER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("many", [False, True])
def test_the_field_decides_what_is_not_valid(field, expected, many):
    """One, or a list of them."""
    wrong = {"fieldname": field, "message": "It is not valid."}
    members = {
        "error_code": "E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD",
        "error": "e",
        "field_validation_errors": [wrong] if many else wrong,
    }
    error = outcome(400, data(**members))
    assert ((type(error), error.reason), error.detail) == (expected, "e It is not valid.")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", OTHER), (401, b"", KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"", ENDPOINT), (429, {}, RATE),
        (500, b"<html>", UNKNOWN), (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (504, {}, UNKNOWN),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """And a 5xx is unknown, whoever says it."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(("headers", "wait"), [({}, 60), ({"Retry-After": "7"}, 7)])
def test_who_is_too_fast_waits_a_minute(headers, wait):
    """No header tells, the page does; something in between may."""
    assert outcome(429, {}, headers).retry_after == wait


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "reply-to-200": Receipt, "failed-in-200": SENDER, "fastaccept-shape-200": Receipt, "error-400-validation": SENDER,
        "error-400-endpoint-permission": PERMISSION, "error-401": KEY, "error-429": RATE, "error-500": UNKNOWN, "error-502-html": UNKNOWN,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("smtp2go/captures")["captures"]}
    for name, kind in expected.items():
        body = answers[name]["body"]
        result = outcome(answers[name]["status"], body.encode() if isinstance(body, str) else body)
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
