import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_postmark.answers import ANSWERS

ID = "b7bc2f4a-e38e-4336-af7d-e6c392c2f817"
REQUEST = Request(url="https://api.postmarkapp.com/email", json={"To": "Zoé <Zoe@example.net>"})


def outcome(status, body=b"", headers=None, request=REQUEST):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), request)
    except SendError as error:
        return error


# 200: what accepts, and what does not.


@pytest.mark.parametrize(
    "more",
    [
        {"ErrorCode": 0, "Message": "OK"}, {"ErrorCode": "0"}, {"ErrorCode": None}, {"Message": 5},
        {"Message": "Message accepted, but delivery may be delayed."}, {"ErrorCode": 0, "Message": "Test job accepted"},
        {"ErrorCode": 0, "Message": "Message OK, but will not deliver to these inactive addresses: sam@example.net. Inactive …"},
    ],
)  # fmt: skip
def test_an_id_and_no_error_are_the_acceptance(more):
    """The number may be missing, and words decide nothing but whether it is our recipient who is left out."""
    assert outcome(200, {"MessageID": ID, **more}, {"X-Request-Id": "r-1"}) == Receipt(ID, "r-1")


@pytest.mark.parametrize("request_", [REQUEST, None])
def test_an_acceptance_that_leaves_the_recipient_out_is_none(request_):
    """It has an id, and nothing goes out."""
    said = "Message OK, but will not deliver to these inactive addresses: sam@example.net, zoe@example.net."
    error = outcome(200, {"To": "zoe@example.net", "MessageID": ID, "ErrorCode": 0, "Message": said}, request=request_)
    assert (type(error), error.reason, error.code) == (MessageRejected, Reason.SUPPRESSED, "406")


@pytest.mark.parametrize(
    "body", [b"", b"<html>ok</html>", {}, [], {"ErrorCode": 0, "Message": "OK"}, {"MessageID": ""}, {"MessageID": 5, "ErrorCode": 0},
             {"MessageID": ID, "ErrorCode": {}}, {"MessageID": ID, "ErrorCode": 9999, "Message": "x"}, b"[" * 100_000],
)  # fmt: skip
def test_a_success_without_its_proof_is_unknown(body):
    """Something in between may have answered, or Postmark says what nobody knows."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


# Every row of the table.

RECIPIENT, CONTENT, SENDER = (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.CONTENT), (AccountError, Reason.SENDER)
INVALID, SUPPRESSED, RATE = (MessageRejected, Reason.PROVIDER), (MessageRejected, Reason.SUPPRESSED), (Throttled, Reason.RATE)
QUOTA, ACCOUNT, CONFIG = (AccountError, Reason.QUOTA), (AccountError, Reason.ACCOUNT), (AccountError, Reason.CONFIG)
TEMPLATE, CREDENTIALS, MAINTENANCE = (
    (AccountError, Reason.TEMPLATE),
    (AccountError, Reason.CREDENTIALS),
    (NotSent, Reason.PROVIDER),
)
CODES = {
    10: (401, CREDENTIALS), 11: (422, INVALID), 100: (503, MAINTENANCE), 300: (422, INVALID), 400: (422, SENDER), 401: (422, SENDER),
    402: (422, INVALID), 403: (422, INVALID), 405: (422, QUOTA), 406: (422, SUPPRESSED), 409: (422, INVALID), 411: (422, CONTENT),
    412: (422, ACCOUNT), 413: (422, ACCOUNT), 429: (429, RATE), 1101: (422, TEMPLATE), 1120: (422, TEMPLATE), 1121: (422, TEMPLATE),
    1122: (422, TEMPLATE), 1123: (422, TEMPLATE), 1235: (422, CONFIG), 1236: (422, CONFIG), 9999: (422, INVALID),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("spelt", [int, str])
def test_the_number_decides(code, spelt):
    """That of the body, although it looks like a status; words and a hint are kept."""
    status, expected = CODES[code]
    error = outcome(status, {"ErrorCode": spelt(code), "Message": "Words."})
    assert (type(error), error.reason, error.code, error.status) == (*expected, str(code), status)
    assert (error.detail, bool(error.hint)) == ("Words.", True)


@pytest.mark.parametrize("code", sorted(set(CODES) - {10, 11, 100, 429, 300, 9999}))
def test_a_refusal_within_a_success_is_seen(code):
    """Logto's connector takes it for success."""
    error = outcome(200, {"ErrorCode": code, "Message": "Words.", "MessageID": ID})
    assert (type(error), error.reason) == CODES[code][1]


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize("code", CODES)
def test_every_hint_is_translated(code, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("postmark-mail")
    error = outcome(CODES[code][0], {"ErrorCode": code, "Message": "Words."})
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it."""
    assert {int(code) for code, _ in ANSWERS.codes()} == set(CODES) - {9999}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, INVALID), (401, CREDENTIALS), (403, (AccountError, Reason.PERMISSION)), (404, (AccountError, Reason.ENDPOINT)),
        (405, (AccountError, Reason.ENDPOINT)), (413, CONTENT), (415, INVALID), (422, INVALID), (429, RATE),
        (500, (OutcomeUnknown, Reason.PROVIDER)), (502, (OutcomeUnknown, Reason.PROVIDER)), (503, (OutcomeUnknown, Reason.PROVIDER)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("body", [b"<html>x</html>", {"ErrorCode": 0, "Message": "Words."}, {"message": "words"}])
def test_an_error_without_a_number_goes_by_its_status(status, expected, body):
    """A page of something in between, and Postmark's own 0."""
    error = outcome(status, body)
    assert (type(error), error.reason, error.code) == (*expected, None)


# Whose fault 300 is.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Invalid 'To' address: 'zoe@'.", RECIPIENT), ("Error parsing 'To': Illegal email domain 'From' in address.", RECIPIENT),
        ("Invalid 'From' address: 'sender@example.com' is not a verified sender signature.", SENDER), ("Error parsing 'From'.", SENDER),
        ("The 'From' address you supplied (a@b.c) is not a Sender Signature on your account.", SENDER),
        ("Sender signature not found.", SENDER), ("Error parsing 'ReplyTo': x.", SENDER), ("Invalid 'Tag'.", CONFIG),
        ("'Subject' is too long.", CONTENT), ("Provide either email 'TextBody' or 'HtmlBody' or both.", CONTENT), ("Invalid 'Headers'.", CONTENT),
        ("Zero recipients specified", INVALID), ("Something 'else' is wrong.", INVALID), (None, INVALID), (5, INVALID),
    ],
)  # fmt: skip
def test_an_invalid_request_is_whose_field_it_is(words, expected):
    """The first word in quotes is Postmark's, later ones are what somebody typed."""
    error = outcome(422, {"ErrorCode": 300, "Message": words})
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(
    ("errors", "code", "expected"),
    [
        ([{"ErrorCode": 406, "Message": "Inactive."}, {"ErrorCode": 10}], "406", SUPPRESSED), ([], "11", INVALID), ("x", "11", INVALID),
        ([{"ErrorCode": 300, "Message": "Invalid 'From' address."}], "300", SENDER), ([{"Message": "x"}], "11", INVALID),
    ],
)  # fmt: skip
def test_of_several_errors_the_first_counts(errors, code, expected):
    """Number and words."""
    error = outcome(422, {"ErrorCode": 11, "Message": "Several.", "Errors": errors})
    assert (type(error), error.reason, error.code) == (*expected, code)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Your account has been suspended.", ACCOUNT),
        ("You ran out of credits.", QUOTA),
        ("Sender domain is not verified.", SENDER),
        ("The recipient's account is suspended.", INVALID),
    ],
)
def test_the_words_tell_where_the_number_does_not(words, expected):
    """A number that nobody knows yet, and none at all."""
    for body in ({"ErrorCode": 9999, "Message": words}, {"Message": words}):
        error = outcome(422, body)
        assert (type(error), error.reason) == expected


# Captured answers: what the libraries made of them, and what authmail does.

UNKNOWN = (OutcomeUnknown, Reason.PROVIDER)
JUDGED = {
    "anymail-all-fields": Receipt, "node-all-fields": Receipt, "all-fields-200": Receipt, "minimal-200": Receipt,
    "partially-inactive-200": Receipt,
    "service-delay-200-without-errorcode": Receipt,  # the official SDK fails with an error of its own
    "200-with-nonzero-errorcode": SUPPRESSED, "anymail-refused": SUPPRESSED, "node-406": SUPPRESSED, "error-422-406-inactive": SUPPRESSED,
    "anymail-401": CREDENTIALS, "error-401-10": CREDENTIALS, "error-422-300-from": SENDER, "error-422-400-sender": SENDER,
    "error-422-405-credits": QUOTA, "error-422-1235-stream": CONFIG, "error-429": RATE, "error-413-size": CONTENT,
    "node-500": UNKNOWN, "error-500": UNKNOWN, "error-502-html": UNKNOWN,
    "node-server-check": UNKNOWN, "server-check-200": UNKNOWN, "suppressions-dump-200": UNKNOWN,  # no answers about a mail
}  # fmt: skip


def test_each_captured_answer_is_judged(vectors):
    """All of them, headers and body as they came; a closed connection has none."""
    captures = {one["name"]: one["server_replies"][0] for one in vectors("postmark/captures")["captures"]}
    assert captures.pop("drop-after-body") == "close"
    assert set(captures) == set(JUDGED)
    for name, reply in captures.items():
        body = reply["body"].encode() if isinstance(reply["body"], str) else reply["body"]
        got = outcome(reply["status"], body, reply.get("headers"))
        assert (Receipt if isinstance(got, Receipt) else (type(got), got.reason)) == JUDGED[name], name
