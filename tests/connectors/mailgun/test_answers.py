import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail.http.reply import meaning_of_status
from authmail_mailgun.answers import ANSWERS, GREETING, LIMIT

ID = "<20261125131500.1.FAKE0123456789AB@mg.example.com>"
NOT_ALLOWED = "Domain mg.example.com is not allowed to send: "
UNTIL = f"{NOT_ALLOWED}recipient limit exceeded, try again after Mon, 25 Aug 2025 07:00:31 UTC"


def outcome(status, body=b"", headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


# What accepts.


@pytest.mark.parametrize(
    "body", [{"id": ID, "message": "Queued. Thank you."}, {"id": ID}, {"id": ID, "message": "Queued", "new": 1}]
)
def test_an_id_is_the_acceptance(body):
    """Whatever is said beside it."""
    assert outcome(200, body) == Receipt(ID)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>ok</html>", b"OK", [], {}, {"message": "Queued. Thank you."}, {"id": ""}, {"id": 5}, b"[" * 100_000],
)
def test_a_success_without_an_id_is_unknown(body):
    """Somebody else may have answered."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


@pytest.mark.parametrize("body", [b"Mailgun Magnificent API", b"Mailgun Magnificent API\n", b'"Mailgun Magnificent API"'])
def test_a_greeting_is_no_acceptance(body):
    """A wrong URL gets it, and takes no mail; as JSON it is somebody else's."""
    error = outcome(200, body)
    is_greeting = not body.startswith(b'"')
    assert isinstance(error, AccountError) is is_greeting
    assert (error.reason, error.code) == ((Reason.ENDPOINT, GREETING) if is_greeting else (Reason.PROVIDER, None))


# Every row of the table, and what public issues quote.

SENDER, CONTENT, OTHER = (AccountError, Reason.SENDER), (MessageRejected, Reason.CONTENT), (MessageRejected, Reason.PROVIDER)
KEY, QUOTA, PERMISSION = (AccountError, Reason.CREDENTIALS), (AccountError, Reason.QUOTA), (AccountError, Reason.PERMISSION)
RECIPIENT, ENDPOINT, CONFIG = (MessageRejected, Reason.RECIPIENT), (AccountError, Reason.ENDPOINT), (AccountError, Reason.CONFIG)
ACCOUNT, UNKNOWN, TEMPLATE = (AccountError, Reason.ACCOUNT), (OutcomeUnknown, Reason.PROVIDER), (AccountError, Reason.TEMPLATE)
TOO_FAST = (Throttled, Reason.RATE)
ERRORS = [
    (400, "'to' parameter is not a valid address. please check documentation", "to", RECIPIENT),
    (400, "to parameter is missing", "to", RECIPIENT),
    (400, "'from' parameter is not a valid address. please check documentation", "from", SENDER),
    (400, "from parameter is missing", "from", SENDER),
    (400, "'h:Reply-To' parameter is not a valid address. please check documentation", "h:Reply-To", SENDER),
    (400, "'h:X-Flow' parameter is not valid", "h:X-Flow", CONTENT),
    (400, "'subject' parameter is not valid", "subject", CONTENT),
    (400, "'html' parameter is not valid", "html", CONTENT),
    (400, "'text' parameter is not valid", "text", CONTENT),
    (400, "'o:tag' parameter is not valid", "o:tag", CONFIG),
    (400, "'template' parameter is not valid", "template", TEMPLATE),
    (400, "template with name 'sign-in' not found", "template", TEMPLATE),
    (404, "Template not found", "template", TEMPLATE),
    (400, "template version is too long", None, OTHER),
    (400, "'o:deliverytime' parameter is not valid", "o:deliverytime", OTHER),
    (400, "Need at least one of 'text' or 'html' parameters specified", None, OTHER),
    (400, "Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings.", None, ACCOUNT),
    (403, "Free accounts are for test purposes only. Please upgrade or add the address to authorized recipients in Account Settings.", None, ACCOUNT),
    (400, f"{NOT_ALLOWED}Please activate your Mailgun account. Check your inbox or log in to your control panel to resend the activation email.", None, ACCOUNT),
    (403, f"{NOT_ALLOWED}Business Verification", None, ACCOUNT),
    (403, f"{NOT_ALLOWED}The domain is disabled", None, ACCOUNT),
    (403, f"{NOT_ALLOWED}The domain is unverified and requires DNS configuration. Log in to your control panel to view required DNS records.", None, SENDER),
    (403, f"{NOT_ALLOWED}something new", None, SENDER),
    (401, "Invalid private key", None, KEY),
    (400, "Invalid private key", None, KEY),
    (401, "unauthorized", None, KEY),
    (402, "Payment required", None, QUOTA),
    (403, "Forbidden", None, PERMISSION),
    (404, "Domain not found: mg.example.com", None, CONFIG),
    (405, "Method not allowed", None, ENDPOINT),
    (406, "Message is too large", None, CONTENT),
    (413, "Message is too large", None, CONTENT),
    (415, "Unsupported media type", None, ENDPOINT),
    (420, UNTIL, LIMIT, QUOTA),
    (403, f"{NOT_ALLOWED}recipient limit exceeded", LIMIT, QUOTA),
    (400, "The hourly limit has been reached", LIMIT, QUOTA),
    (420, "Enhance your calm", None, QUOTA),
    (429, "Too many requests", None, TOO_FAST),
    (429, "Rate limit exceeded", LIMIT, TOO_FAST),
    (500, "Internal Server Error", None, UNKNOWN),
    (502, "Bad gateway", None, UNKNOWN),
    (503, "Service Unavailable", None, (NotSent, Reason.PROVIDER)),
    (504, "Gateway timeout", None, UNKNOWN),
]  # fmt: skip


@pytest.mark.parametrize(("status", "words", "code", "expected"), ERRORS)
def test_words_and_status_decide(status, words, code, expected):
    """The parameter that the words name first; the words and a hint are kept."""
    error = outcome(status, {"message": words}, {"Date": "Mon, 25 Aug 2025 05:00:00 GMT"})
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (code, status, words)
    assert error.hint


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize(("status", "words", "code", "expected"), ERRORS)
def test_every_hint_is_translated(status, words, code, expected, language):
    """As soon as the connector is installed and looked at."""
    authmail.get_connector("mailgun-email")
    error = outcome(status, {"message": words})
    assert error.hint_in(language) != error.hint


@pytest.mark.parametrize(
    ("status", "body", "expected", "detail"),
    [
        (401, b"Forbidden", KEY, "Forbidden"), (401, b"<html>", KEY, None), (401, b"x" * 400, KEY, None), (401, b"", KEY, None),
        (404, b"", ENDPOINT, None), (404, b"Not Found", ENDPOINT, "Not Found"), (403, b"Forbidden", PERMISSION, "Forbidden"),
        (403, b"<p>The account is suspended</p>", PERMISSION, None),
        (400, [], OTHER, None), (400, {"message": 5}, OTHER, None), (429, b"", TOO_FAST, None),
        (503, b"Service Unavailable", UNKNOWN, "Service Unavailable"), (503, {}, UNKNOWN, None), (500, b"<html>", UNKNOWN, None), (502, b"", UNKNOWN, None),
    ],
)  # fmt: skip
def test_other_forms_are_read_too(status, body, expected, detail):
    """Some answers are plain text; what cannot be read goes by its status, and a 5xx of something in between is unknown."""
    error = outcome(status, body)
    assert ((type(error), error.reason), error.detail) == (expected, detail)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 413, 415, 420, 429, 500])
def test_each_status_has_a_hint_of_its_own(status):
    """What it means at Mailgun, and not what it means anywhere."""
    assert outcome(status).hint not in ("", meaning_of_status(status).hint)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error-400-to", RECIPIENT), ("error-401-plain", KEY), ("error-403-business", SENDER), ("error-404-domain", CONFIG), ("error-429", TOO_FAST),
        ("error-500", UNKNOWN), ("magnificent-200-wrong-base", ENDPOINT), ("anymail-magnificent", ENDPOINT), ("anymail-refused", RECIPIENT),
        ("anymail-401", KEY), ("node-401-plain", KEY), ("node-500", UNKNOWN),
    ],
)  # fmt: skip
def test_captured_answers_are_understood(vectors, name, expected):
    """The same as in the rows above."""
    [answer] = [one["server_replies"][0] for one in vectors("mailgun/captures")["captures"] if one["name"] == name]
    body = answer["body"].encode() if isinstance(answer["body"], str) else answer["body"]
    error = outcome(answer["status"], body, answer.get("headers"))
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(
    ("status", "now", "expected", "wait"),
    [
        (420, "Mon, 25 Aug 2025 07:00:11 GMT", TOO_FAST, 20), (420, "Mon, 25 Aug 2025 06:59:31 GMT", TOO_FAST, 60), (420, "Mon, 25 Aug 2025 07:05:00 GMT", TOO_FAST, 0),
        (420, "Mon, 25 Aug 2025 06:59:30 GMT", QUOTA, None), (429, "Mon, 25 Aug 2025 06:00:00 GMT", QUOTA, None), (403, "Mon, 25 Aug 2025 07:00:11 GMT", TOO_FAST, 20),
        (420, "soon", TOO_FAST, 0), (420, None, TOO_FAST, 0),
    ],
)  # fmt: skip
def test_a_limit_that_ends_soon_is_too_fast(status, now, expected, wait):
    """By the clock of the answer, else by ours; a code cannot wait for a later end, so somebody must hear of it."""
    error = outcome(status, {"message": UNTIL}, {} if now is None else {"Date": now})
    assert ((type(error), error.reason), error.retry_after) == (expected, wait)


def test_a_limit_may_end_a_sentence():
    """With a full stop after the date."""
    error = outcome(420, {"message": f"{UNTIL}."}, {"Date": "Mon, 25 Aug 2025 07:00:11 GMT"})
    assert error.retry_after == 20


@pytest.mark.parametrize("end", ["", "soon", "Mon, 99 Aug 2025 07:00:31 UTC", "9" * 5000])
def test_a_limit_without_an_end_is_a_quota(end):
    """Nobody can tell when it is over."""
    error = outcome(420, {"message": f"recipient limit exceeded, try again after {end}"})
    assert ((type(error), error.reason), error.retry_after) == (QUOTA, None)
