import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_mailersend.answers import ANSWERS

ID = "5e42957d51f1d94a1070a733"
NOW = {"Date": "Wed, 25 Nov 2026 23:00:00 GMT"}


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


def error_of(*codes, field="to.0.email", status=422):
    """An error in MailerSend's form."""
    texts = [f"Words. #{code}" for code in codes]
    return outcome(status, {"message": texts[0], "errors": {field: texts}})


# 202: what sends, and what does not.


@pytest.mark.parametrize(
    "body", [b"", b"<p></p>", {"message": "m", "warnings": [{"type": "SOME_SUPPRESSED"}]}, {"warnings": 5}, []]
)
def test_the_id_in_the_header_is_the_acceptance(body):
    """Whatever the body says beside it."""
    assert outcome(202, body, {"X-Message-Id": ID}) == Receipt(ID)


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"", {}), (b"", {"x-message-id": ""}), ({"id": ID}, {}), (b"<html>ok</html>", {}), (b"[" * 100_000, {}), ({"warnings": [{}, 5]}, {}),
     ({"message": "m #MS42207"}, {})],
)  # fmt: skip
def test_a_success_without_an_id_is_unknown(body, headers):
    """Something in between may have answered."""
    error = outcome(202, body, headers)
    assert (type(error), error.status) == (OutcomeUnknown, 202)


@pytest.mark.parametrize("headers", [{}, {"x-message-id": ID, "x-send-paused": "true"}])
@pytest.mark.parametrize("key", ["reasons", "reason"])
def test_a_suppressed_recipient_is_rejected(headers, key):
    """Surely nothing goes out, so it counts before the pause; the reasons are told."""
    told = {"type": "ALL_SUPPRESSED", "recipients": [{"email": "zoe@example.net", key: ["hard_bounced", "blocklisted"]}]}
    error = outcome(202, {"message": "Warnings.", "warnings": [told]}, headers)
    assert (type(error), error.reason, error.code) == (MessageRejected, Reason.SUPPRESSED, "ALL_SUPPRESSED")
    assert error.detail == "Warnings. hard_bounced blocklisted"


@pytest.mark.parametrize(("value", "kind"), [("true", AccountError), ("True", AccountError), ("false", Receipt), ("", Receipt)])
def test_a_paused_account_is_no_acceptance(value, kind):
    """Although there is an id: somebody must act before mail goes out."""
    result = outcome(202, b"", {"x-message-id": ID, "x-send-paused": value})
    assert type(result) is kind
    assert kind is Receipt or (result.reason, result.status) == (Reason.ACCOUNT, 202)


# Every row of the table.

PERMISSION, QUOTA, INVALID = (AccountError, Reason.PERMISSION), (AccountError, Reason.QUOTA), (MessageRejected, Reason.PROVIDER)
RECIPIENT, CONTENT, SENDER = (MessageRejected, Reason.RECIPIENT), (MessageRejected, Reason.CONTENT), (AccountError, Reason.SENDER)
SUSPENDED, RATE = (AccountError, Reason.ACCOUNT), (Throttled, Reason.RATE)
CODES = {
    "MS40001": (400, INVALID),
    "MS40301": (403, PERMISSION), "MS40302": (403, PERMISSION), "MS40303": (403, PERMISSION), "MS40304": (403, SUSPENDED), "MS40305": (403, PERMISSION),
    "MS42207": (422, SENDER), "MS42224": (422, SENDER), "MS42226": (422, SENDER),
    "MS42204": (422, QUOTA), "MS42216": (422, QUOTA), "MS42222": (422, QUOTA), "MS42225": (422, QUOTA), "MS42235": (422, QUOTA),
    "MS42212": (422, SUSPENDED), "MS42201": (422, RECIPIENT), "MS42205": (422, RECIPIENT), "MS42208": (422, RECIPIENT),
    "MS42209": (422, CONTENT), "MS42211": (422, CONTENT), "MS42202": (422, INVALID), "MS42206": (422, INVALID), "MS42210": (422, INVALID),
    "MS42213": (422, INVALID), "MS42214": (422, INVALID), "MS42215": (422, INVALID), "MS42217": (422, INVALID), "MS42218": (422, INVALID),
    "MS42219": (422, INVALID), "MS42220": (422, INVALID), "MS42221": (422, INVALID), "MS42227": (422, INVALID), "MS42228": (422, INVALID),
    "MS42901": (429, QUOTA), "MS42903": (429, RATE), "MS42299": (422, INVALID),
}  # fmt: skip


@pytest.mark.parametrize("code", CODES)
def test_the_code_decides(code):
    """At the end of a text, whatever the status has besides; code, words and a hint are kept."""
    status, expected = CODES[code]
    error = error_of(code, status=status)
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, f"Words. #{code}")
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize("code", CODES)
def test_every_hint_is_translated(code, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("mailersend-mail")
    error = error_of(code, status=CODES[code][0])
    assert error.hint_in(language) != error.hint


def test_the_table_is_tested_whole():
    """Every code of it, but the two words of a 202."""
    assert {code for code, _ in ANSWERS.codes()} - {"ALL_SUPPRESSED", "x-send-paused"} == set(CODES) - {"MS42299"}


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, MessageRejected, Reason.PROVIDER), (401, AccountError, Reason.CREDENTIALS), (403, AccountError, Reason.PERMISSION),
        (404, AccountError, Reason.ENDPOINT), (405, AccountError, Reason.ENDPOINT), (408, OutcomeUnknown, Reason.PROVIDER),
        (421, NotSent, Reason.PROVIDER), (422, MessageRejected, Reason.PROVIDER), (429, Throttled, Reason.RATE),
        (500, OutcomeUnknown, Reason.PROVIDER), (502, OutcomeUnknown, Reason.PROVIDER), (503, NotSent, Reason.PROVIDER),
        (504, OutcomeUnknown, Reason.PROVIDER),
    ],
)  # fmt: skip
def test_an_error_without_a_code_goes_by_its_status(status, kind, reason):
    """401, maintenance and faults have none."""
    error = outcome(status, {"message": "Words."})
    assert (type(error), error.reason, error.code, error.detail) == (kind, reason, None, "Words.")


@pytest.mark.parametrize("body", [b"<html>Service Unavailable</html>", b"", [], {"message": 5}])
def test_a_503_that_is_not_mailersends_tells_nothing(body):
    """A proxy says so too, also where the provider had the mail."""
    assert type(outcome(503, body)) is OutcomeUnknown


# Where the code is, and which of several counts.


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": "Words. #MS42211"}, "MS42211"), ({"message": "Words. #MS42211 "}, "MS42211"),
        ({"message": "The given data was invalid.", "errors": {"text": ["Words. #MS42211"]}}, "MS42211"),
        ({"message": "Words. #MS42209 (and 1 more error)"}, "MS42209"), ({"message": "Words. #MS42209 (and 3 more errors)"}, "MS42209"),
        ({"message": "m", "errors": {"subject": "Words. #MS42209"}}, "MS42209"),
        ({"message": "Not for a#MS42204 recipient. #MS42205"}, "MS42205"), ({"message": "Not for a#MS42204 recipient."}, None),
        ({"message": "m", "errors": [["#MS42209"]]}, None), ({"message": None, "errors": {"a": None, "b": [5, {}]}}, None), ([], None),
    ],
)  # fmt: skip
def test_the_code_is_the_end_of_any_text(body, code):
    """The message's or a field's; nothing else in a text counts, as what strangers typed."""
    assert outcome(422, body).code == code


@pytest.mark.parametrize(
    ("codes", "expected"),
    [(["MS42209", "MS42207"], "MS42207"), (["MS42208", "MS42209", "MS42204"], "MS42204"), (["MS42211", "MS42209"], "MS42211")],
)
def test_of_several_codes_the_accounts_counts(codes, expected):
    """It must be put right before any mail goes; else the first one."""
    assert error_of(*codes).code == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("to.0.email", RECIPIENT), ("from.email", SENDER), ("reply_to.email", SENDER), ("tags.0", (AccountError, Reason.CONFIG)),
        ("subject", CONTENT), ("html", CONTENT), ("text", CONTENT), ("headers.0.name", CONTENT), ("send_at", INVALID),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_whose_field_it_is(field, expected):
    """MS42208 stands for any field."""
    error = error_of("MS42208", field=field)
    assert (type(error), error.reason) == expected


def test_of_several_fields_the_accounts_counts():
    """As with codes."""
    text = "Not valid. #MS42208"
    error = outcome(422, {"message": text, "errors": {"to.0.email": [text], "from.email": [text]}})
    assert (type(error), error.reason) == SENDER


# What the words tell where the code tells little.


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        # A code that nobody knows, and none at all: the account's trouble first, as MailerSend says it and in our words.
        (422, "The from.email domain must be verified in your account to send emails. #MS42299", SENDER), (422, "Sending domain unconfirmed. #MS42299", SENDER),
        (422, "Your account reached its email quota limit. Contact support to increase it. #MS42299", QUOTA), (400, "No credits are left.", QUOTA),
        (422, "Your account has been suspended.", SUSPENDED), (400, "This account is under review. #MS40001", SUSPENDED),
        (400, "Your account reached its rate limit of 120 requests/min.", RATE),
        # The message's stays the message's, and a code that stands for one cause is left alone.
        (422, "The to.0.email must be a valid email address. #MS42299", INVALID), (400, "The given data was invalid. #MS40001", INVALID),
        (422, "The recipient's account is suspended. #MS42299", INVALID), (422, "The recipient domain is not verified. #MS42205", RECIPIENT),
        (422, "Your account has been suspended. #MS42209", CONTENT), (401, "Unauthenticated.", (AccountError, Reason.CREDENTIALS)),
    ],
)  # fmt: skip
def test_the_words_tell_where_the_code_does_not(status, message, expected):
    """Codes are added from year to year."""
    error = outcome(status, {"message": message})
    assert (type(error), error.reason) == expected


def test_a_rows_own_hint_stays():
    """What is said of any provider tells less of what to do."""
    assert outcome(401, {"message": "Unauthenticated."}).hint == "the API token is not valid; make a new one at MailerSend"


# Two units in one answer.


@pytest.mark.parametrize(
    ("code", "headers", "seconds"),
    [
        ("MS42903", {"retry-after": "7", "x-ratelimit-reset": "1800000000"}, 7),
        ("MS42903", {"x-ratelimit-reset": "1795647630", "x-apiquota-reset": "2026-11-26T00:00:00Z"}, 30),
        ("MS42903", {"x-ratelimit-reset": "1"}, 0), ("MS42903", {"x-ratelimit-reset": "soon"}, None), ("MS42903", {}, None),
        ("MS42901", {"x-ratelimit-reset": "1795647630", "x-apiquota-reset": "2026-11-26T00:00:00Z"}, 3600),
        ("MS42901", {"x-apiquota-reset": "2026-11-26T00:00:00.000000Z"}, 3600), ("MS42901", {"x-apiquota-reset": "2026-11-26T00:00:00"}, 3600),
        ("MS42901", {"x-apiquota-reset": "2026-11-26T02:00:00+02:00"}, 3600), ("MS42901", {"x-apiquota-reset": "tomorrow"}, None),
        ("MS42901", {"x-ratelimit-reset": "1795647630"}, None), ("MS42901", {"x-apiquota-reset": "9" * 400}, None),
    ],
)  # fmt: skip
def test_the_delay_is_that_of_the_limit_that_is_reached(code, headers, seconds):
    """A rate ends at a second of Unix time, a quota at a time of ISO 8601, both by the clock that wrote the answer."""
    error = outcome(429, {"message": f"Words. #{code}"}, headers | NOW)
    assert error.retry_after == seconds


def test_an_answer_without_a_date_goes_by_our_clock():
    """A time that is long past asks for no delay."""
    assert outcome(429, {"message": "#MS42901"}, {"x-apiquota-reset": "2020-01-01T00:00:00Z"}).retry_after == 0


def test_other_errors_ask_for_no_delay():
    """Every answer has the headers of the rate."""
    assert outcome(500, {"message": "Server Error"}, {"x-ratelimit-reset": "1795647630"} | NOW).retry_after is None


# Captured answers: what the libraries made of them, and what authmail does.

JUDGED = {
    "all-fields-202": Receipt(ID), "minimal-202": Receipt(ID), "anymail-all-fields": Receipt(ID),
    "paused-202": SUSPENDED, "anymail-refused": (MessageRejected, Reason.SUPPRESSED),
    "error-401": (AccountError, Reason.CREDENTIALS), "anymail-401": (AccountError, Reason.CREDENTIALS),
    "error-403-scope": PERMISSION, "error-422-from": SENDER, "error-422-to": RECIPIENT, "error-422-quota": QUOTA,
    "error-429-rate": RATE, "error-500": (OutcomeUnknown, Reason.PROVIDER),
    "api-quota-200": (OutcomeUnknown, Reason.PROVIDER),  # no answer about a mail
}  # fmt: skip


def test_each_captured_answer_is_judged(vectors):
    """All of them, headers and body as they came."""
    captures = vectors("mailersend/captures")["captures"]
    assert {capture["name"] for capture in captures} == set(JUDGED)
    for capture in captures:
        reply = capture["server_replies"][0]
        got = outcome(reply["status"], reply["body"] or b"", reply.get("headers"))
        assert (got if isinstance(got, Receipt) else (type(got), got.reason)) == JUDGED[capture["name"]], capture["name"]
