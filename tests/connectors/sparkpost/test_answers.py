import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_sparkpost.answers import ANSWERS

ID, OURS = "11668787484950529", "0123456789abcdef0123456789abcdef"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", id=OURS))
    except SendError as error:
        return error


def results(accepted=1, rejected=0, **more):
    return {"results": {"total_accepted_recipients": accepted, "total_rejected_recipients": rejected, "id": ID} | more}


# What accepts, and what a 200 says besides.


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (results(), Receipt(ID)), (results(id=11668787484950529), Receipt(ID)), (results(id=None), Receipt(OURS)),
        (results(1, 1) | {"errors": [{"message": "of somebody else", "code": "2000"}]}, Receipt(ID)),
        ({"results": {"total_accepted_recipients": 1}}, Receipt(OURS)),
    ],
)  # fmt: skip
def test_who_counts_somebody_in_accepts(body, receipt):
    """By SparkPost's id, which has been a number, or by our own where there is none."""
    assert outcome(200, body) == receipt


@pytest.mark.parametrize(
    "body", [b"", b"<html>ok</html>", {}, [], {"results": {}}, {"results": []}, {"results": {"id": ID}}, results(None), results("1"), results(True), results([]),
             {"errors": []}, {"errors": ["x"]}, {"errors": [{"message": "odd"}]}, {"errors": [{"code": "9999"}]}, {"id": ID}, {"results": {"id": ID}, "errors": [{"code": "2000"}]}, b"[" * 100_000]
)  # fmt: skip
def test_a_success_that_counts_nobody_in_or_out_is_unknown(body):
    """An id alone tells of a transmission, not of a recipient; and something in between may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


SENDER, RECIPIENT, REFUSED = (
    (AccountError, Reason.SENDER),
    (MessageRejected, Reason.RECIPIENT),
    (MessageRejected, Reason.PROVIDER),
)
KEY, PERMISSION, QUOTA = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA)
CONTENT, RATE, UNKNOWN = (MessageRejected, Reason.CONTENT), (Throttled, Reason.RATE), (OutcomeUnknown, Reason.PROVIDER)
ENDPOINT, LATER, SUPPRESSED = (AccountError, Reason.ENDPOINT), (NotSent, Reason.PROVIDER), (MessageRejected, Reason.SUPPRESSED)
CONFIG, ACCOUNT, TEMPLATE = (AccountError, Reason.CONFIG), (AccountError, Reason.ACCOUNT), (AccountError, Reason.TEMPLATE)
CREATED = {"errors": [{"message": "transmission created, but with validation errors", "code": "2000"}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (results(0, 1), RECIPIENT), (results(0, 0), RECIPIENT), (results(0, 1) | CREATED, RECIPIENT),
        (results(0, 1, rcpt_to_errors=[{"message": "invalid data format/type", "description": "invalid recipient address.email: x", "code": "1300"}]) | CREATED, RECIPIENT),
        (results(0, 1, rcpt_to_errors=[{"message": "recipient was suppressed", "code": "1902"}]), SUPPRESSED),
        (results(0, 1, rcpt_to_errors=[5]), RECIPIENT),
        (results(0, 1) | {"errors": [{"message": "Your account has been suspended"}]}, ACCOUNT),
    ],
)  # fmt: skip
def test_a_200_that_accepted_nobody_is_a_refusal(body, expected):
    """The official SDK throws away what it says of it."""
    error = outcome(200, body)
    assert ((type(error), error.reason), error.code, error.status) == (expected, "2000", 200)
    assert error.hint


def test_an_error_in_place_of_results_is_seen_in_a_200():
    """If it is one of the table."""
    error = outcome(200, {"errors": [{"message": "Invalid domain", "code": "7001"}]})
    assert ((type(error), error.reason), error.code) == (SENDER, "7001")


# Every row of the table.

ERRORS = [
    (403, "1100", PERMISSION), (404, "1101", ENDPOINT), (405, "1102", ENDPOINT), (404, "1103", ENDPOINT), (400, "1200", REFUSED),
    (422, "1300", REFUSED), (422, "1301", REFUSED), (401, "1303", KEY), (401, "1304", KEY), (400, "1305", CONTENT), (422, "1400", REFUSED), (400, "1401", REFUSED),
    (500, "1500", UNKNOWN), (500, "1501", UNKNOWN), (400, "1502", LATER), (404, "1600", CONFIG), (403, "1601", ACCOUNT), (409, "1602", REFUSED),
    (422, "1603", TEMPLATE), (415, "1700", ENDPOINT), (406, "1800", ENDPOINT), (503, "1900", LATER), (400, "1901", CONTENT), (400, "1902", REFUSED),
    (400, "1910", ACCOUNT), (422, "2002", REFUSED), (422, "2004", TEMPLATE), (422, "2005", TEMPLATE), (422, "2007", REFUSED), (400, "2008", SENDER),
    (400, "2009", CONFIG), (400, "2010", CONFIG), (400, "2011", CONFIG), (400, "2012", CONFIG), (420, "2101", QUOTA), (420, "2102", QUOTA), (420, "2103", QUOTA),
    (422, "2106", SENDER), (422, "3000", CONTENT), (422, "3001", CONTENT), (422, "3002", CONTENT), (422, "3010", CONTENT), (422, "3020", CONTENT), (422, "3040", CONTENT),
    (422, "3050", CONTENT), (400, "5002", RECIPIENT), (400, "7000", SENDER), (400, "7001", SENDER), (400, "7004", SENDER),
    (400, "9999", REFUSED), (401, "9999", KEY), (403, "9999", PERMISSION), (404, "9999", ENDPOINT), (405, "9999", ENDPOINT), (406, "9999", ENDPOINT),
    (409, "9999", REFUSED), (413, "9999", CONTENT), (415, "9999", ENDPOINT), (420, "9999", QUOTA), (422, "9999", REFUSED), (429, "1920", RATE), (500, "9999", UNKNOWN),
    (502, "9999", UNKNOWN), (503, "9999", LATER), (504, "9999", UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize("number", [False, True])
@pytest.mark.parametrize(("status", "code", "expected"), ERRORS)
def test_code_and_status_decide(status, code, expected, number):
    """Whether the code is a text, or a number as it was in 2017 (laravel/framework 17277); words and a hint are kept."""
    error = outcome(status, {"errors": [{"message": "words", "description": "more", "code": int(code) if number else code}]})
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, "words. more")
    assert error.retry_after == (5 if status == 429 else None)
    assert error.hint


@pytest.mark.parametrize(("status", "code", "expected"), [row for row in ERRORS if row[1] in ("9999", "1920")])
def test_a_hint_of_a_status_is_sparkposts_own(status, code, expected):
    """And says more than that of any provider."""
    hint = outcome(status, {"errors": [{"message": "words", "code": code}]}).hint
    assert "SparkPost" in hint or "check apiKey and region" in hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "code", "expected"), ERRORS)
def test_every_hint_is_translated(status, code, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("sparkpost")
    error = outcome(status, {"errors": [{"message": "words", "code": code}]})
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it, with its status."""
    known = {code: status for status, code, _ in ERRORS if code not in ("9999", "1920")}
    assert dict(ANSWERS.codes()) == known | {"2000": 200}


WORDS = {
    ("422", "1300", "invalid data format/type/length", "content.from.email is not an address"): SENDER,
    ("422", "1300", "invalid data format/type", "Error validating domain name syntax for domain: 'from'"): SENDER,
    ("422", "1400", "required field is missing", "address.email is required for each recipient"): RECIPIENT,
    ("422", "1300", "invalid data format/type", "invalid recipient address.email: Peter"): RECIPIENT,
    ("422", "1400", "required field is missing", "'subject' is required"): CONTENT,
    ("422", "1300", "invalid data format/type", "content.headers must be an object"): CONTENT,
    ("422", "1300", "invalid data format/type", "content.reply_to is not valid"): SENDER,
    ("422", "1301", "Invalid combination of fields", "reply_to must contain one address"): SENDER,
    ("400", "1401", "Required parameter missing", "'from' must contain an address for the recipient"): SENDER,
    ("400", None, "invalid rcpt_to", None): RECIPIENT,
    ("400", None, "header X-Y is not allowed", None): CONTENT,
    ("400", "1200", "invalid params", "unknown ip_pool 'x'"): CONFIG,
    ("400", "1902", "Message generation rejected", "recipient address was suppressed due to system policy"): SUPPRESSED,
    ("400", "1902", "Message generation rejected", "Your account has exceeded its daily quota"): QUOTA,
    ("403", None, "Forbidden.", ""): PERMISSION,
    ("401", None, "Unauthorized.", None): KEY,
    ("403", None, "Your account has been suspended.", None): ACCOUNT,
    ("420", None, "Exceed Sending Limit (monthly)", None): QUOTA,
    ("400", None, "No sending domain specified", None): SENDER,
    # Of the account, although the message is spoken of.
    ("401", None, "Invalid Authorization header", None): KEY,
    ("403", None, "Not allowed for these recipients", None): PERMISSION,
    ("429", None, "Too many requests for one recipient", None): RATE,
    ("422", "1300", "An account on trial may only send to its own verified recipients", None): ACCOUNT,
}  # fmt: skip


@pytest.mark.parametrize(("status", "code", "message", "description"), WORDS)
def test_words_decide_where_code_and_status_leave_it_open(status, code, message, description):
    """They name the field, or the account's trouble."""
    told = {"message": message, "description": description, "code": code}
    error = outcome(int(status), {"errors": [{name: value for name, value in told.items() if value is not None}]})
    assert (type(error), error.reason) == WORDS[status, code, message, description]


def test_what_a_refusal_counts_decides_nothing():
    """Some count the recipients, too (seen with 1902)."""
    for count in (0, 1):
        error = outcome(400, results(count) | {"errors": [{"message": "Invalid domain", "code": "7001"}]})
        assert ((type(error), error.reason), error.code) == (SENDER, "7001")


@pytest.mark.parametrize(
    ("error", "code", "detail"),
    [({"message": "m", "code": ""}, None, "m"), ({"message": 5, "description": "d"}, None, "d"), ({"message": "", "code": [7001]}, None, None)],
)  # fmt: skip
def test_what_is_no_text_is_no_code_and_no_words(error, code, detail):
    """Nor is an empty one."""
    found = outcome(400, {"errors": [error]})
    assert (found.code, found.detail) == (code, detail)


def test_a_gateway_says_its_words_alone():
    """As django-anymail's tests have it."""
    assert outcome(401, {"message": "unauthorized"}).detail == "unauthorized"


def test_of_several_errors_the_accounts_is_told():
    """It must be put right before anything goes."""
    error = outcome(400, {"errors": [{"message": "m", "code": "5002"}, {"message": "n", "code": "7001"}, "odd"]})
    assert ((type(error), error.reason), error.code, error.detail) == (SENDER, "7001", "m. n")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", REFUSED), (401, b"", KEY), (401, {"message": "unauthorized"}, KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"", ENDPOINT),
        (413, b"", CONTENT), (420, b"", QUOTA), (422, b"x", REFUSED), (429, {}, RATE), (500, b"<html>", UNKNOWN), (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN),
        (503, {"message": "Service Unavailable"}, UNKNOWN), (503, {"errors": []}, UNKNOWN), (504, {}, UNKNOWN), (400, {"errors": {"code": "7001"}}, REFUSED),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """And a 5xx is unknown, whoever says it."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(("headers", "wait"), [({}, 5), ({"Retry-After": "2"}, 2)])
def test_who_is_too_fast_waits_some_seconds(headers, wait):
    """By SparkPost's page, unless a header tells."""
    assert outcome(429, {}, headers).retry_after == wait


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "minimal-200": Receipt, "rejected-in-200": RECIPIENT, "anymail-refused": RECIPIENT, "error-400-domain": SENDER,
        "error-401": KEY, "error-401-tenant": KEY, "anymail-401": KEY, "error-420-daily": QUOTA, "error-420-hourly": QUOTA, "error-422-invalid": REFUSED,
        "error-422-template": TEMPLATE, "error-429": RATE, "error-503": LATER,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("sparkpost/captures")["captures"]}
    for name, kind in expected.items():
        result = outcome(answers[name]["status"], answers[name]["body"])
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
