"""Faults that the emulator shows on demand, chosen by the recipient's part before the ``@``, as data."""

from collections.abc import Mapping

from authmail.sandbox import HTTP_FAULTS, Fault

# Resend's error page (2026-11) and the SDKs' tables, with the status that each has there.
_NAMES = {
    400: "invalid_idempotency_key",
    401: "missing_api_key restricted_api_key",
    403: "invalid_api_key suspended_api_key",
    404: "not_found",
    405: "method_not_allowed",
    409: "invalid_idempotent_request concurrent_idempotent_requests",
    422: (
        "validation_error missing_required_field invalid_attachment invalid_from_address invalid_access invalid_parameter "
        "invalid_region"
    ),
    429: "rate_limit_exceeded daily_quota_exceeded monthly_quota_exceeded",
    451: "security_error",
    500: "application_error internal_server_error",
}

#: Recipient's part before the ``@`` (also before a ``+``), lower case → what happens.
FAULTS: Mapping[str, Fault] = (
    {name: Fault(f"answers {name}", status, name) for status, names in _NAMES.items() for name in names.split()}
    | {
        "throttled": Fault("too many requests, try again in 3 s", 429, "rate_limit_exceeded", 3),
        "quota": Fault("the daily quota is used up", 429, "daily_quota_exceeded"),
        "unverified": Fault("the sender's domain is not verified", 403, "validation_error"),
        "crash": Fault("a fault inside the provider", 500, "application_error"),
        "crash-after": Fault("the mail is accepted, then a fault; the same request again gets its id", action="crash-after"),
        "in-flight": Fault(
            "the first request is still being worked on; soon after, the same one gets the id", action="in-flight"
        ),
        "no-id": Fault("a success without an id", 200, action="no-id"),
        "lost": Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
    }
    | HTTP_FAULTS
)
