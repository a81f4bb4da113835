import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_mailjet.answers import ANSWERS

NUMBER, UUID, OURS = 70368744188491213, "123e4567-e89b-12d3-a456-426614174000", "0123456789abcdef0123456789abcdef"
IDENTIFIER = "88b5ca9f-5f1f-42e7-a45e-9ecbad0c285e"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", id=OURS))
    except SendError as error:
        return error


def success(**to):
    return {"Messages": [{"Status": "success", "CustomID": OURS, "To": [{"Email": "zoe@example.net"} | to], "Cc": [], "Bcc": []}]}


def error_of(code, status=400, fields=(), words="x"):
    return {
        "ErrorIdentifier": IDENTIFIER, "ErrorCode": code, "StatusCode": status, "ErrorMessage": words, "ErrorRelatedTo": list(fields),
    }  # fmt: skip


def failure(*errors):
    return {"Messages": [{"Status": "error", "Errors": list(errors)}]}


# What accepts.


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (success(MessageID=NUMBER, MessageUUID=UUID), Receipt(str(NUMBER), UUID)), (success(MessageID=str(NUMBER)), Receipt(str(NUMBER))),
        (success(MessageUUID=UUID), Receipt(UUID, UUID)), (success(), Receipt(OURS)), ({"Messages": [{"Status": "success"}]}, Receipt(OURS)),
        (success(MessageID=1.5, MessageUUID=UUID), Receipt(UUID, UUID)),
    ],
)  # fmt: skip
def test_the_mails_own_status_accepts(body, receipt):
    """With its number, to the last digit; where it lacks it, with its UUID, or with our id, by which it can be looked up."""
    assert outcome(200, body) == receipt


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>ok</html>", {}, [], {"Messages": []}, {"Messages": [{}]}, {"Messages": [5]}, {"Messages": 5}, {"Messages": [{"Status": "queued"}]},
        {"Messages": [{"Status": True}]}, {"Sent": [{"MessageID": 5}]}, success(MessageID=0, MessageUUID=""), b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_success_without_the_mails_own_is_unknown(body):
    """Something in between may have answered, or version 3 of the API; and sandbox mode, whose number is 0, sends nothing."""
    error = outcome(200, body)
    assert (type(error), error.reason, error.status) == (OutcomeUnknown, Reason.PROVIDER, 200)


# Every row of the table.

SENDER, RECIPIENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.PROVIDER)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, STOPPED = (AccountError, Reason.ENDPOINT), (AccountError, Reason.ACCOUNT)
ADDRESS, AUTHORIZED = '"zoe@" is an invalid email address.', '"a@b.c" is not an authorized sender email address for your account.'
ERRORS = [
    (401, "mj-0001", [], "The API key is suspended", STOPPED), (400, "mj-0001", [], "Malformed JSON", OTHER), (401, "mj-0015", [], "authorization failure", KEY), (401, "mj-0002", [], "x", KEY),
    (400, "mj-0002", [], "Malformed JSON", OTHER), (403, "send-0006", ["SenderID"], "x", PERMISSION), (403, "send-0007", ["SenderID"], "x", SENDER),
    (403, "send-0008", ["From"], AUTHORIZED, SENDER), (400, "mj-0013", ["To[0].Email"], ADDRESS, RECIPIENT), (400, "mj-0013", ["From.Email"], ADDRESS, SENDER),
    (400, "mj-0013", ["ReplyTo.Email"], ADDRESS, SENDER), (400, "mj-0013", [], ADDRESS, OTHER), (400, "mj-0003", ["From"], "x", SENDER),
    (400, "mj-0003", ["HTMLPart", "TextPart", "TemplateID"], 'At least "HTMLPart", "TextPart" or "TemplateID" must be provided.', CONTENT),
    (400, "mj-0004", ["To"], 'Type mismatch. Expected type "array of emails".', RECIPIENT), (400, "mj-0004", ["CustomID"], "x", OTHER),
    (400, "mj-0005", ["TrackClicks"], "x", OTHER), (400, "mj-0006", ["Subject"], "x", CONTENT), (400, "mj-0007", ["To"], "x", RECIPIENT),
    (400, "mj-0008", ["Headers"], "x", CONTENT), (400, "mj-0011", [], "x", CONTENT), (400, "mj-0012", ["From.Email"], "x", SENDER),
    (400, "send-0003", ["HTMLPart", "TextPart", "TemplateID"], "x", CONTENT), (400, "send-0004", ["HTMLPart"], "x", OTHER), (400, "send-0010", ["TemplateID"], "x", (AccountError, Reason.CONFIG)),
    (400, "send-0011", ['Headers["To"]'], "x", CONTENT), (400, "send-0012", ["CustomCampaign"], "x", OTHER), (400, "send-0015", ["To"], "x", OTHER),
    (400, "send-0016", ["TemplateLanguage"], "x", OTHER),
    # New ones: the field, the words, or else the inner status.
    (400, "mj-9999", ["To"], "x", RECIPIENT), (403, "send-9999", [], "x", PERMISSION), (401, "mj-9999", [], "x", KEY), (402, "mj-9999", [], "x", QUOTA),
    (413, "mj-9999", [], "x", CONTENT), (429, "mj-9999", [], "x", RATE), (500, "mj-0000", [], "Something went wrong", UNKNOWN), (503, "mj-9999", [], "x", UNKNOWN),
    (400, "mj-9999", [], "Your account has been suspended", STOPPED), (400, "send-9999", [], "The sender is not verified", SENDER), (418, "mj-9999", [], "x", OTHER),
]  # fmt: skip


@pytest.mark.parametrize("http", ["its own", 200])
@pytest.mark.parametrize(("status", "code", "fields", "words", "expected"), ERRORS)
def test_code_field_and_inner_status_decide(http, status, code, fields, words, expected):
    """Whatever the status of HTTP; code, words, identifier and a hint are kept."""
    error = outcome(status if http == "its own" else http, failure(error_of(code, status, fields, words)))
    assert (type(error), error.reason) == expected
    assert (error.code, error.detail, error.request_id) == (code, words, IDENTIFIER)
    assert error.hint


@pytest.mark.parametrize(("status", "code", "fields", "words", "expected"), ERRORS)
def test_an_error_of_the_whole_request_means_the_same(status, code, fields, words, expected):
    """It has the same members, at the top."""
    error = outcome(status, error_of(code, status, fields, words))
    assert ((type(error), error.reason), error.code, error.detail) == (expected, code, words)


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "code", "fields", "words", "expected"), ERRORS)
def test_every_hint_is_translated(status, code, fields, words, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("mailjet")
    error = outcome(status, failure(error_of(code, status, fields, words)))
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it."""
    assert {code for code, _ in ANSWERS.codes()} - {"FAILED"} == {code for _, code, *_ in ERRORS if "9999" not in code} - {
        "mj-0000"
    }


@pytest.mark.parametrize(
    ("errors", "expected", "code"),
    [
        ((error_of("mj-0013", 400, ["To[0].Email"]), error_of("send-0008", 403, ["From"])), SENDER, "send-0008"),
        ((error_of("mj-0006", 400, ["Subject"]), error_of("mj-0013", 400, ["To[0].Email"])), CONTENT, "mj-0006"),
        ((error_of("mj-0013", 400, ["To[0].Email"]), error_of("mj-0013", 400, ["From.Email"])), SENDER, "mj-0013"),
    ],
)  # fmt: skip
def test_of_several_errors_one_of_the_accounts_counts(errors, expected, code):
    """Since that must be put right before anything goes; else the first."""
    error = outcome(400, failure(*errors))
    assert ((type(error), error.reason), error.code) == (expected, code)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (failure(), OTHER), (failure({}), OTHER), (failure(5), OTHER), (failure({"ErrorMessage": "Your account has been suspended"}), STOPPED),
        (failure({"ErrorCode": 5, "StatusCode": "400"}), OTHER), (failure({"ErrorCode": "new", "StatusCode": 403}), PERMISSION),
        (failure({"StatusCode": 500, "ErrorMessage": "x"}), UNKNOWN), ({"Messages": [{"Status": "error", "Errors": 5}]}, OTHER),
        ({"ErrorCode": "new", "ErrorMessage": "x", "StatusCode": 401}, KEY),
    ],
)  # fmt: skip
def test_a_mail_that_failed_without_a_known_code_is_no_success(body, expected):
    """Of a 200; its status stands for the code."""
    error = outcome(200, body)
    assert ((type(error), error.reason), error.code) == (expected, "FAILED")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", OTHER), (400, {"ErrorMessage": "x"}, OTHER), (401, {"message": "unauthorized"}, KEY), (401, b"", KEY), (402, {}, QUOTA), (403, [], PERMISSION),
        (404, b"", ENDPOINT), (405, {}, ENDPOINT), (413, b"<html>", CONTENT), (415, b"", ENDPOINT), (429, {"StatusCode": 429, "ErrorMessage": "Too many requests"}, RATE),
        (500, b"<html>", UNKNOWN), (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (504, {}, UNKNOWN), (403, {"ErrorMessage": "Your account is blocked"}, STOPPED),
    ],
)  # fmt: skip
def test_what_has_no_code_goes_by_its_status(status, body, expected):
    """And a 5xx is unknown, whoever says it."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "minimal-200": Receipt, "node-all-fields": Receipt, "error-in-200": RECIPIENT, "error-400-per-message": RECIPIENT,
        "error-400-missing": CONTENT, "error-400-typed": RECIPIENT, "error-401": KEY, "error-429": RATE, "error-500": UNKNOWN, "error-502-html": UNKNOWN,
        "anymail-refused": RECIPIENT, "anymail-401": KEY, "node-error-in-200": RECIPIENT,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("mailjet/captures")["captures"]}
    for name, kind in expected.items():
        body = answers[name]["body"]
        result = outcome(answers[name]["status"], body.encode() if isinstance(body, str) else body)
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
    assert outcome(200, answers["node-all-fields"]["body"]).message_id == "70368744188491213"
