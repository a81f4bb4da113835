"""Resend's errors and what each means for the sender, as data (API reference, Errors, 2026-11; the official SDKs' tables)."""

from authmail import AccountError, Meaning, MessageRejected, OutcomeUnknown, Reason, SendError, Throttled

_BUG = "the request has the wrong form; please report this"
_ELSEWHERE = "this endpoint is not Resend's; check endpoint"
_DOMAIN = "the domain of the sender is not verified at Resend; verify it, or use an address of one that is"

_TABLE: list[tuple[str, type[SendError], Reason, str]] = [
    # The message.
    ("validation_error", MessageRejected, Reason.PROVIDER, "Resend refuses a field of the mail; its words tell which"),
    ("missing_required_field", MessageRejected, Reason.CONTENT, "the mail lacks something; check the template"),
    ("missing_required_fields", MessageRejected, Reason.CONTENT, "the mail lacks something; check the template"),
    ("invalid_parameter", MessageRejected, Reason.PROVIDER, "Resend refuses a field of the mail; its words tell which"),
    ("invalid_attachment", MessageRejected, Reason.CONTENT, _BUG),
    (
        "invalid_idempotent_request",
        MessageRejected,
        Reason.MESSAGE,
        "the idempotency key was used for another mail within 24 hours; give every message a key of its own",
    ),
    ("invalid_idempotency_key", MessageRejected, Reason.MESSAGE, _BUG),
    # The sender and the account.
    ("invalid_from_address", AccountError, Reason.SENDER, "the sender (from) is not accepted; see your domains at Resend"),
    ("invalid_to_address", AccountError, Reason.SENDER, _DOMAIN),
    ("invalid_region", AccountError, Reason.CONFIG, _BUG),
    ("invalid_access", AccountError, Reason.PERMISSION, "the API key may not send; make one with sending access"),
    ("invalid_scope", AccountError, Reason.PERMISSION, "the API key may not send; make one with sending access"),
    ("missing_api_key", AccountError, Reason.CREDENTIALS, "the API key did not arrive; check apiKey and proxies in between"),
    ("invalid_api_key", AccountError, Reason.CREDENTIALS, "the API key is not valid; make a new one at Resend"),
    ("invalid_api_Key", AccountError, Reason.CREDENTIALS, "the API key is not valid; make a new one at Resend"),
    ("restricted_api_key", AccountError, Reason.PERMISSION, "the API key may only send"),
    ("suspended_api_key", AccountError, Reason.ACCOUNT, "the API key is suspended; see the account at Resend"),
    ("security_error", AccountError, Reason.ACCOUNT, "Resend found a security issue with the request; ask its support"),
    ("daily_quota_exceeded", AccountError, Reason.QUOTA, "the daily quota is used up; wait a day or upgrade the plan"),
    ("monthly_quota_exceeded", AccountError, Reason.QUOTA, "the monthly quota is used up; upgrade the plan"),
    ("rate_limit_exceeded", Throttled, Reason.RATE, "too many requests; Resend takes a few a second per team"),
    # The endpoint.
    ("not_found", AccountError, Reason.ENDPOINT, _ELSEWHERE),
    ("method_not_allowed", AccountError, Reason.ENDPOINT, _ELSEWHERE),
    # Never known. The same request again would be joined by its key.
    (
        "concurrent_idempotent_requests",
        OutcomeUnknown,
        Reason.PROVIDER,
        "Resend is still working on the first request of this key; whether it takes the mail is not known",
    ),
    ("application_error", OutcomeUnknown, Reason.PROVIDER, "Resend had a fault; it is not known whether the mail went out"),
    ("internal_server_error", OutcomeUnknown, Reason.PROVIDER, "Resend had a fault; it is not known whether the mail went out"),
]

#: Name → meaning.
ERRORS: dict[str, Meaning] = {name: Meaning(kind, reason, hint) for name, kind, reason, hint in _TABLE}

#: Name and status → meaning, where the status tells more.
BY_STATUS: dict[tuple[str, int], Meaning] = {
    # The test sender reaches one's own address alone; any other domain must be verified.
    ("validation_error", 403): Meaning(AccountError, Reason.SENDER, _DOMAIN),
    # Seen in place of invalid_api_key.
    ("validation_error", 401): ERRORS["invalid_api_key"],
}

#: Field that a validation_error names → meaning.
BY_FIELD: dict[str, Meaning] = {
    "to": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    "from": Meaning(AccountError, Reason.SENDER, "the sender (from) is not accepted; check its form"),
    "reply_to": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "tags": Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags"),
    "subject": Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; check the template"),
    "html": Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template"),
    "text": Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template"),
    "headers": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
}

#: Status → meaning, where an answer names no error of Resend's.
STATUSES: dict[int, Meaning] = {
    404: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    405: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
    429: ERRORS["rate_limit_exceeded"],
}
