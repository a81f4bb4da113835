import json

import pytest
from multidict import CIMultiDict

import authmail
from authmail import AccountError, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, Reply, SendError, Throttled
from authmail_resend.answers import ANSWERS


def outcome(status, body, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return ANSWERS.receipt(Reply(status, CIMultiDict(headers or {}), content))
    except SendError as error:
        return error


def test_success_needs_an_id():
    """A 2xx with it, and nothing less."""
    assert outcome(200, {"id": "49a3999c"}) == Receipt("49a3999c")


@pytest.mark.parametrize(
    "body",
    [{}, {"id": ""}, {"id": None}, {"id": 5}, {"name": "application_error"}, [], None, b"", b"<html>ok</html>", b"[" * 100_000],
)
def test_what_is_not_understood_is_unknown(body):
    """Never a success that was not read as one."""
    error = outcome(200, body)
    assert (type(error), error.status) == (OutcomeUnknown, 200)


# Every row of the table.

SENDER, CREDENTIALS, PERMISSION = (
    (AccountError, Reason.SENDER),
    (AccountError, Reason.CREDENTIALS),
    (AccountError, Reason.PERMISSION),
)
ACCOUNT, QUOTA, ENDPOINT, CONFIG = (
    (AccountError, reason) for reason in (Reason.ACCOUNT, Reason.QUOTA, Reason.ENDPOINT, Reason.CONFIG)
)
RECIPIENT, CONTENT, KEY, REFUSED = (
    (MessageRejected, reason) for reason in (Reason.RECIPIENT, Reason.CONTENT, Reason.MESSAGE, Reason.PROVIDER)
)
RATE, NOT_NOW, UNKNOWN = (Throttled, Reason.RATE), (NotSent, Reason.PROVIDER), (OutcomeUnknown, Reason.PROVIDER)
NAMES = {
    "validation_error": (422, REFUSED), "missing_required_field": (422, CONTENT), "missing_required_fields": (422, CONTENT),
    "invalid_parameter": (422, REFUSED), "invalid_attachment": (422, CONTENT), "invalid_idempotent_request": (409, KEY),
    "invalid_idempotency_key": (400, KEY), "invalid_from_address": (422, SENDER), "invalid_to_address": (403, SENDER), "invalid_region": (422, CONFIG),
    "invalid_access": (422, PERMISSION), "invalid_scope": (422, PERMISSION), "missing_api_key": (401, CREDENTIALS), "invalid_api_key": (403, CREDENTIALS),
    "invalid_api_Key": (403, CREDENTIALS), "restricted_api_key": (401, PERMISSION), "suspended_api_key": (403, ACCOUNT), "security_error": (451, ACCOUNT),
    "daily_quota_exceeded": (429, QUOTA), "monthly_quota_exceeded": (429, QUOTA), "rate_limit_exceeded": (429, RATE), "not_found": (404, ENDPOINT),
    "method_not_allowed": (405, ENDPOINT), "concurrent_idempotent_requests": (409, UNKNOWN), "application_error": (500, UNKNOWN),
    "internal_server_error": (500, UNKNOWN),
}  # fmt: skip


def test_the_table_is_tested_whole():
    """Every name of it."""
    assert {name for name, _ in ANSWERS.codes()} == set(NAMES)


@pytest.mark.parametrize("language", ["fr", "zh-CN"])
@pytest.mark.parametrize("name", NAMES)
def test_every_hint_is_translated(name, language):
    """Of every row."""
    authmail.get_connector("resend-mail")
    error = outcome(NAMES[name][0], {"name": name})
    assert error.hint_in(language) != error.hint


@pytest.mark.parametrize(
    ("name", "status", "expected"),
    [
        *((name, *row) for name, row in NAMES.items()),
        ("validation_error", 400, REFUSED), ("validation_error", 403, SENDER), ("validation_error", 401, CREDENTIALS),
        ("missing_api_key", 500, CREDENTIALS),
        # Nobody knows these: their names speak, else the status.
        ("account_suspended", 422, ACCOUNT), ("quota_exceeded", 400, QUOTA), ("domain_not_verified", 400, SENDER), ("revoked_api_key", 400, CREDENTIALS),
        ("brand_new", 500, UNKNOWN), ("brand_new", 503, NOT_NOW), ("brand_new", 422, REFUSED), ("brand_new", 429, RATE), ("brand_new", 403, PERMISSION),
        ("brand_new", 401, CREDENTIALS),
    ],
)  # fmt: skip
def test_the_name_decides(name, status, expected):
    """With the status, where it tells more; both are kept, and the words."""
    error = outcome(status, {"statusCode": status, "name": name, "message": "words"})
    assert (type(error), error.reason) == expected
    assert (error.code, error.status, error.detail) == (name, status, "words")
    assert error.hint


TEST_SENDER = (
    "You can only send testing emails to your own email address (zoe@example.com). To send emails to other recipients, please "
    "verify a domain at resend.com/domains, and change the `from` address to an email using this domain."
)
NO_TEST_ADDRESS = "Invalid `to` field. Please use our testing email address instead of domains like `example.com`."


@pytest.mark.parametrize("status", [400, 403, 422])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        # As Resend says it, then in our words.
        ("The associated domain with your API key is not verified. Please, create a new API key with full access or with a verified domain.", SENDER),
        ("Your key belongs to a domain which hasn't been verified", SENDER),
        ("The example.com domain is not verified. Please, add and verify your domain on https://resend.com/domains", SENDER),
        ("Verification of the sending domain is missing: it's unverified", SENDER),
        (TEST_SENDER, SENDER), ("While testing you can only reach your own address", SENDER),
        ("This API key is not authorized to send emails from example.com", SENDER), ("Not authorized to send emails from example.com", SENDER),
        ("You aren't allowed to send mails from this domain with that key", SENDER),
        ("Invalid `from` field. The email address needs to follow the `email@example.com` format.", SENDER),
        ("API key is invalid", CREDENTIALS), ("The API key was revoked", CREDENTIALS),
        ("You have reached your daily email sending quota", QUOTA), ("The month's credits are used up", QUOTA),
        ("Your account has been suspended.", ACCOUNT), ("This team is suspended because of its bounce rate", ACCOUNT),
        ("Too many requests. You can only make 2 requests per second.", RATE), ("You send too fast", RATE),
    ],
)  # fmt: skip
def test_the_accounts_trouble_is_never_the_messages(message, expected, status):
    """Whatever the status of a validation_error, and whether it has the words that Resend has today."""
    error = outcome(status, {"name": "validation_error", "message": message})
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Invalid `to` field. The email address needs to follow the `email@example.com` format.", RECIPIENT), (NO_TEST_ADDRESS, RECIPIENT),
        ("Invalid `to` field: api-key-is-invalid@account-suspended.example", RECIPIENT), ("The `to` domain is not verified", RECIPIENT),
        ("The recipient's mailbox is over quota", REFUSED), ("Invalid `subject` field: 'your account was suspended' is no subject", CONTENT),
        ("Invalid `reply_to` field.", SENDER), ("The `tags` are wrong", (AccountError, Reason.CONFIG)), ("Invalid `html` field.", CONTENT),
        ("Invalid `text` field.", CONTENT), ("Invalid `headers` field.", CONTENT), ("Something `else` is wrong", REFUSED),
    ],
)  # fmt: skip
def test_the_field_that_is_named_tells_whose_fault_it_is(message, expected, status):
    """A refused sender is the account's matter, a refused recipient the message's, also with words that look like the account's."""
    error = outcome(status, {"name": "validation_error", "message": message})
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(
    ("name", "status", "message", "expected"),
    [
        ("missing_required_field", 422, "Missing `from` field.", SENDER), ("missing_required_field", 422, "Missing `to` field.", RECIPIENT),
        ("missing_required_fields", 422, "Missing `html` or `text` field.", CONTENT), ("invalid_parameter", 422, "Invalid `from` field", SENDER),
        ("rate_limit_exceeded", 429, "Too many requests. You can only make 5 requests per second.", RATE),
        ("rate_limit_exceeded", 429, "You have reached your daily email sending quota", QUOTA),
        ("rate_limit_exceeded", 429, "All mails of the monthly quota are used up", QUOTA),
        ("security_error", 451, "We may have found a security issue with the request.", ACCOUNT),
        ("invalid_attachment", 422, "Your account has been suspended.", CONTENT),
    ],
)  # fmt: skip
def test_some_names_stand_for_several_causes(name, status, message, expected):
    """Their words tell; a name that stands for one is left alone."""
    error = outcome(status, {"name": name, "message": message})
    assert (type(error), error.reason) == expected


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, MessageRejected), (403, AccountError), (404, AccountError), (405, AccountError), (429, Throttled), (502, OutcomeUnknown), (503, OutcomeUnknown)],
)  # fmt: skip
@pytest.mark.parametrize("body", [b"<html>error code: 1010</html>", b"", {"name": 5}, []])
def test_an_answer_without_a_name_is_a_strangers(status, kind, body):
    """Something in between may have answered: a 4xx was accepted by nobody and goes by its status, a 5xx tells nothing."""
    error = outcome(status, body)
    assert (type(error), error.status, error.detail) == (kind, status, None)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "3", "ratelimit-reset": "9"}, 3),
        ({"ratelimit-reset": "1"}, 1),
        ({}, None),
        ({"ratelimit-reset": "soon"}, None),
    ],
)
def test_the_providers_delay_is_honoured(headers, seconds):
    """retry-after, else when the window ends."""
    assert outcome(429, {"name": "rate_limit_exceeded"}, headers).retry_after == seconds
