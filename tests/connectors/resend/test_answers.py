import json

import pytest
from multidict import CIMultiDict

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


@pytest.mark.parametrize(
    ("name", "status", "kind", "reason"),
    [
        ("validation_error", 400, MessageRejected, Reason.PROVIDER), ("validation_error", 422, MessageRejected, Reason.PROVIDER),
        ("validation_error", 403, AccountError, Reason.SENDER), ("validation_error", 401, AccountError, Reason.CREDENTIALS),
        ("missing_required_field", 422, MessageRejected, Reason.CONTENT), ("invalid_parameter", 422, MessageRejected, Reason.PROVIDER),
        ("invalid_idempotency_key", 400, MessageRejected, Reason.MESSAGE), ("invalid_idempotent_request", 409, MessageRejected, Reason.MESSAGE),
        ("concurrent_idempotent_requests", 409, OutcomeUnknown, Reason.PROVIDER), ("missing_api_key", 401, AccountError, Reason.CREDENTIALS),
        ("restricted_api_key", 401, AccountError, Reason.PERMISSION), ("invalid_api_key", 403, AccountError, Reason.CREDENTIALS),
        ("suspended_api_key", 403, AccountError, Reason.ACCOUNT), ("invalid_from_address", 422, AccountError, Reason.SENDER),
        ("not_found", 404, AccountError, Reason.ENDPOINT), ("method_not_allowed", 405, AccountError, Reason.ENDPOINT),
        ("rate_limit_exceeded", 429, Throttled, Reason.RATE), ("daily_quota_exceeded", 429, AccountError, Reason.QUOTA),
        ("monthly_quota_exceeded", 429, AccountError, Reason.QUOTA), ("security_error", 451, AccountError, Reason.ACCOUNT),
        ("application_error", 500, OutcomeUnknown, Reason.PROVIDER), ("internal_server_error", 500, OutcomeUnknown, Reason.PROVIDER),
        ("missing_api_key", 500, AccountError, Reason.CREDENTIALS), ("brand_new", 500, OutcomeUnknown, Reason.PROVIDER),
        ("brand_new", 503, NotSent, Reason.PROVIDER),
        ("brand_new", 422, MessageRejected, Reason.PROVIDER), ("brand_new", 429, Throttled, Reason.RATE),
    ],
)  # fmt: skip
def test_the_name_decides(name, status, kind, reason):
    """With the status, where it tells more; both are kept, and the words."""
    error = outcome(status, {"statusCode": status, "name": name, "message": "words"})
    assert type(error) is kind
    assert (error.reason, error.code, error.status, error.detail) == (reason, name, status, "words")
    assert error.hint


@pytest.mark.parametrize(
    ("message", "kind", "reason"),
    [
        (
            "Invalid `to` field. The email address needs to follow the `email@example.com` format.",
            MessageRejected,
            Reason.RECIPIENT,
        ),
        ("Invalid `from` field. Needs to follow `Name <email@example.com>`.", AccountError, Reason.SENDER),
        ("Invalid `reply_to` field.", AccountError, Reason.SENDER),
        ("The `tags` are wrong", AccountError, Reason.CONFIG),
        ("Invalid `subject` field.", MessageRejected, Reason.CONTENT),
        ("Invalid `html` field.", MessageRejected, Reason.CONTENT),
        ("Something `else` is wrong", MessageRejected, Reason.PROVIDER),
    ],
)
def test_the_field_that_is_named_tells_whose_fault_it_is(message, kind, reason):
    """A refused sender is the account's matter, a refused recipient the message's."""
    error = outcome(422, {"name": "validation_error", "message": message})
    assert (type(error), error.reason) == (kind, reason)


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
