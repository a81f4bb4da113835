import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, Request, SendError, Throttled
from authmail_infobip.answers import ANSWERS

ID, BULK, OURS = "a28dd97c-1ffb-4fcf-99f1-0b557ed381da", "a28dd97c-2222", "0123456789abcdef0123456789abcdef"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content), Request(url="https://x.example", id=OURS))
    except SendError as error:
        return error


def told(message_id=ID, **status):
    return {"bulkId": BULK, "messages": [{"messageId": message_id, "status": status, "destination": "zoe@example.net"}]}


# What accepts, and what a 200 says besides.


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (told(groupId=1, groupName="PENDING", name="PENDING_ACCEPTED"), Receipt(ID, BULK)), (told(groupId=0), Receipt(ID, BULK)), (told(groupId=3), Receipt(ID, BULK)),
        (told(groupName="PENDING"), Receipt(ID, BULK)), *((told(groupName=name), Receipt(ID, BULK)) for name in ("ACCEPTED", "OK", "DELIVERED")), (told(None, groupId=1), Receipt(OURS, BULK)),
        ({"messages": [{"status": {"groupId": 1}}]}, Receipt(OURS)),
    ],
)  # fmt: skip
def test_the_group_accepts(body, receipt):
    """By its number, or its name; the id is ours, also where the answer lacks it."""
    assert outcome(200, body) == receipt


@pytest.mark.parametrize(
    "body", [b"", b"<html>ok</html>", {}, [], {"messages": []}, {"messages": 5}, told(), told(groupId="1"), told(groupId=True), told(groupId=9), told(groupName="NEW"),
             told(groupId=[1]), told(name="PENDING_ACCEPTED"), {"bulkId": BULK}, b"[" * 100_000]
)  # fmt: skip
def test_a_success_without_a_known_group_is_unknown(body):
    """Something in between may have answered."""
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
CONFIG, ACCOUNT = (AccountError, Reason.CONFIG), (AccountError, Reason.ACCOUNT)

#: Status of a mail → group, outcome.
STATUSES = {
    "REJECTED_SOURCE": (5, SENDER), "REJECTED_SENDER": (5, SENDER), "REJECTED_NOT_ENOUGH_CREDITS": (5, QUOTA), "REJECTED_PREPAID_PACKAGE_EXPIRED": (5, QUOTA),
    "REJECTED_FREE_TRIAL_EXCEEDED": (5, QUOTA), "REJECTED_DESTINATION_NOT_REGISTERED": (5, ACCOUNT), "REJECTED_NETWORK": (5, ACCOUNT), "REJECTED_ROUTE_NOT_AVAILABLE": (5, ACCOUNT),
    "REJECTED_DND": (5, SUPPRESSED), "REJECTED_DESTINATION_BLOCKLISTED": (5, SUPPRESSED), "REJECTED_PREFIX_MISSING": (5, RECIPIENT), "REJECTED_DESTINATION": (5, RECIPIENT),
    "REJECTED_INVALID_DESTINATION": (5, RECIPIENT), "MISSING_TO": (5, RECIPIENT), "REJECTED_FLOODING_FILTER": (5, RATE), "REJECTED_SYSTEM_ERROR": (5, LATER),
    "REJECTED_INTERNAL_ERROR": (5, LATER), "REJECTED_DUPLICATE_MESSAGE_ID": (5, UNKNOWN), "REJECTED_MESSAGE_TOO_LONG": (5, CONTENT),
    "REJECTED_DATA_TRANSFORMATION_FAILED": (5, CONTENT), "REJECTED_VALIDATION_FAILED": (5, REFUSED), "UNDELIVERABLE_REJECTED_PLATFORM": (2, REFUSED),
    "SIGNALS_BLOCKED": (5, REFUSED), "EXPIRED_DLR_UNKNOWN": (4, UNKNOWN),
}  # fmt: skip
#: Those that no row of its own has.
OTHERS = {
    "REJECTED_NEW": (5, REFUSED), "UNDELIVERABLE_NOT_SENT": (2, REFUSED), "UNDELIVERABLE_NOT_DELIVERED": (2, REFUSED), "EXPIRED_EXPIRED": (4, REFUSED),
    "REJECTED_SENDER_NEW": (5, SENDER),
}  # fmt: skip


@pytest.mark.parametrize("name", STATUSES | OTHERS)
def test_a_200_that_refuses_goes_by_the_mails_status(name):
    """The code is its name, the words are its description."""
    group, expected = (STATUSES | OTHERS)[name]
    error = outcome(200, told(groupId=group, name=name, description="words"))
    assert ((type(error), error.reason), error.code, error.status) == (expected, name, 200)
    assert (error.detail, error.request_id, bool(error.hint)) == ("words", BULK, True)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ({"groupId": 5}, "REJECTED"), ({"groupName": "REJECTED"}, "REJECTED"), ({"groupId": 5, "name": "SOMETHING_NEW"}, "REJECTED"), ({"groupId": 2, "name": 5}, "UNDELIVERABLE"),
        ({"groupName": "EXPIRED", "name": None}, "EXPIRED"),
    ],
)  # fmt: skip
def test_a_200_that_refuses_is_seen_whatever_its_status_is_called(status, code):
    """By its group, with its number or its name."""
    error = outcome(200, told(**status))
    assert ((type(error), error.reason), error.code) == (REFUSED, code)


@pytest.mark.parametrize(
    ("name", "description", "expected"),
    [
        ("REJECTED_VALIDATION_FAILED", "Invalid sender", SENDER), ("REJECTED_VALIDATION_FAILED", "Recipient is suppressed", SUPPRESSED),
        ("REJECTED_VALIDATION_FAILED", "Missing template", REFUSED), ("UNDELIVERABLE_REJECTED_PLATFORM", "The destination's service is temporarily unavailable", LATER),
        ("REJECTED_VALIDATION_FAILED", "Placeholders are too large", CONTENT), ("REJECTED_VALIDATION_FAILED", "'from' is not valid", SENDER),
        ("REJECTED_NEW", "Your account has been suspended", ACCOUNT), ("REJECTED_NEW", "Not enough credits", QUOTA),
    ],
)  # fmt: skip
def test_words_decide_where_the_status_leaves_it_open(name, description, expected):
    """Where it stands for several causes, or nobody knows it."""
    error = outcome(200, told(groupId=2 if name.startswith("UN") else 5, name=name, description=description))
    assert (type(error), error.reason) == expected


# Errors, of both makes.

ERRORS = [
    (400, "E400", REFUSED), (400, "BAD_REQUEST", REFUSED), (401, "E401", KEY), (401, "UNAUTHORIZED", KEY), (403, "E403", PERMISSION), (403, "FORBIDDEN", PERMISSION),
    (404, "E404", ENDPOINT), (404, "NOT_FOUND", ENDPOINT), (429, "E429", RATE), (429, "TOO_MANY_REQUESTS", RATE), (500, "E500", UNKNOWN), (500, "GENERAL_ERROR", UNKNOWN),
    (400, "NEW", REFUSED), (401, "NEW", KEY), (402, "NEW", QUOTA), (403, "NEW", PERMISSION), (404, "NEW", ENDPOINT), (405, "NEW", ENDPOINT), (409, "NEW", REFUSED),
    (413, "NEW", CONTENT), (415, "NEW", ENDPOINT), (422, "NEW", REFUSED), (429, "NEW", RATE), (500, "NEW", UNKNOWN), (502, "NEW", UNKNOWN), (503, "E503", LATER), (504, "NEW", UNKNOWN),
]  # fmt: skip


def legacy(code, text, **fields):
    return {"requestError": {"serviceException": {"messageId": code, "text": text, "validationErrors": fields or None}}}


def platform(code, description, *violations):
    return {"errorCode": code, "description": description, "action": "a", "violations": list(violations), "resources": []}


@pytest.mark.parametrize("make", [legacy, platform])
@pytest.mark.parametrize(("status", "code", "expected"), ERRORS)
def test_code_and_status_decide(status, code, expected, make):
    """Code, words and a hint are kept."""
    error = outcome(status, make(code, "words."))
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, "words")
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
def test_every_hint_is_translated(language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("infobip")
    errors = [outcome(status, platform(code, "words")) for status, code, _ in ERRORS]
    errors += [outcome(200, told(groupId=group, name=name)) for name, (group, _) in (STATUSES | OTHERS).items()]
    assert [error.code for error in errors if error.hint_in(language) == error.hint] == []


def test_the_table_is_tested_whole():
    """Every code of it, with its status."""
    errors = {code: status for status, code, _ in ERRORS if code not in ("NEW", "E503")}
    assert dict(ANSWERS.codes()) == dict.fromkeys(STATUSES, 200) | errors


@pytest.mark.parametrize(("status", "code", "expected"), [row for row in ERRORS if row[1] == "NEW" and row[0] != 402])
def test_a_hint_of_a_status_is_infobips_own(status, code, expected):
    """And says more than that of any provider."""
    hint = outcome(status, platform(code, "words")).hint
    assert "Infobip" in hint or "check apiKey and endpoint" in hint


FIELDS = {
    "messages[0].sender": SENDER, "messages[0].destinations[0].replyTo": SENDER, "messages[0].destinations[0].to[0].destination": RECIPIENT,
    "messages[0].destinations": RECIPIENT, "messages[0].content.subject": CONTENT, "messages[0].content.headers": CONTENT, "from": SENDER, "to": RECIPIENT,
    "messages[0].options.campaignReferenceId": CONFIG, "messages": REFUSED,
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_the_field_decides_what_is_not_accepted(field):
    """In both makes; its words are told."""
    bodies = (
        platform("E400", "Request cannot be processed.", {"property": field, "violation": "must contain a value"}),
        legacy("BAD_REQUEST", "Bad request", **{field: ["must contain a value"]}),
    )
    for body in bodies:
        error = outcome(400, body)
        assert (type(error), error.reason) == FIELDS[field]
        assert error.detail.endswith(f"{field}: must contain a value")


def test_what_is_not_accepted_may_be_one_text():
    """In place of a list."""
    error = outcome(400, legacy("BAD_REQUEST", "Bad request", sender="must not be null"))
    assert ((type(error), error.reason), error.detail) == (SENDER, "Bad request. sender: must not be null")


def test_a_status_within_an_error_is_none_of_the_mails():
    """The error's own code is told."""
    error = outcome(403, told(groupId=5, name="REJECTED_SENDER") | platform("E403", "words"))
    assert ((type(error), error.reason), error.code) == (PERMISSION, "E403")


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (401, "The content of the header Authorization is not valid", KEY), (403, "The destination is not allowed", PERMISSION), (429, "Too many to this recipient", RATE),
        (400, "The recipient has blocked this sender", RECIPIENT), (400, "The domain of the sender is not verified", SENDER),
    ],
)  # fmt: skip
def test_of_whom_words_speak_does_not_win_over_status_and_account(status, words, expected):
    """What is of the message decides last."""
    error = outcome(status, platform("NEW", words))
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize("violations", [5, [5], [{}], [{"property": None}]])
def test_violations_of_another_form_are_no_words(violations):
    """And do no harm."""
    error = outcome(
        400, {"errorCode": "E400", "violations": violations, "requestError": {"serviceException": {"validationErrors": [1]}}}
    )
    assert ((type(error), error.reason), error.detail) == (REFUSED, None)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b"<html>", REFUSED), (401, b"", KEY), (402, {}, QUOTA), (403, [], PERMISSION), (404, b"", ENDPOINT), (413, b"", CONTENT), (429, {}, RATE), (500, b"<html>", UNKNOWN),
        (502, b"<html/>", UNKNOWN), (503, b"<html>", UNKNOWN), (503, {"message": "Service Unavailable"}, UNKNOWN), (504, {}, UNKNOWN),
    ],
)  # fmt: skip
def test_what_cannot_be_read_goes_by_its_status(status, body, expected):
    """And a 5xx is unknown, whoever says it."""
    error = outcome(status, body)
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(("headers", "wait"), [({}, None), ({"Retry-After": "2"}, 2)])
def test_how_long_to_wait_is_told_by_a_header(headers, wait):
    """Or by nothing."""
    assert outcome(429, platform("E429", "Too many requests sent."), headers).retry_after == wait


def test_captured_answers_are_understood(vectors):
    """The same as in the rows above."""
    expected = {
        "all-fields-200": Receipt, "rejected-in-200": QUOTA, "error-400-legacy": REFUSED, "error-401-legacy": KEY, "error-401-platform": KEY, "error-429": RATE,
        "error-500": UNKNOWN,
    }  # fmt: skip
    answers = {one["name"]: one["server_replies"][0] for one in vectors("infobip/captures")["captures"]}
    for name, kind in expected.items():
        result = outcome(answers[name]["status"], answers[name]["body"], answers[name].get("headers"))
        assert (type(result) if isinstance(result, Receipt) else (type(result), result.reason)) == kind, name
