"""Resend's answers, as data (API reference, Errors, 2026-11; the official SDKs' tables).

Errors are ``{"statusCode", "name", "message"}``; the name decides. Resend joins requests by their key, remembered for 24
hours: the second gets the first one's id, and no second mail goes out.
"""

import re
from collections.abc import Callable

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    OutcomeUnknown,
    Reason,
    Repeat,
    Spoken,
    Throttled,
    header,
    member,
)

_BUG = "the request has the wrong form; please report this"
_ELSEWHERE = "this endpoint is not Resend's; check endpoint"
_DOMAIN = "the domain of the sender is not verified at Resend; verify it, or use an address of one that is"
_TEST_SENDER = "Resend's test sender reaches your own address alone; verify a domain at Resend, and send from it"
_KEY_DOMAIN = "the API key may not send for this domain, or its domain is not verified at Resend; verify it, or make another key"
_FIELD_REFUSED = "Resend refuses a field of the mail; its words tell which"
_LACKING = "the mail lacks something; check the template"
_MAY_NOT_SEND = "the API key may not send; make one with sending access"
_WRONG_KEY = Meaning(AccountError, Reason.CREDENTIALS, "the API key is not valid; make a new one at Resend", status=403)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Resend takes a few a second per team", status=429)
_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Resend had a fault; it is not known whether the mail went out", status=500)
_CONTENT_REFUSED = "the body is not accepted; check the template"

#: Field that a validation_error names in backticks → meaning.
_BY_FIELD: dict[str, Meaning] = {
    "to": Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
    "from": Meaning(AccountError, Reason.SENDER, "the sender (from) is not accepted; check its form"),
    "reply_to": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "tags": Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags"),
    "subject": Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; check the template"),
    "html": Meaning(MessageRejected, Reason.CONTENT, _CONTENT_REFUSED),
    "text": Meaning(MessageRejected, Reason.CONTENT, _CONTENT_REFUSED),
    "headers": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
}
_FIELD = re.compile(r"`(?P<name>[a-z_]+)`")


def _by_field(otherwise: Meaning) -> Callable[[Answer], Meaning]:
    """Return what finds whose fault it is: by the field that is named."""

    def row(answer: Answer) -> Meaning:
        fields = (match["name"] for match in _FIELD.finditer(answer.text("message") or ""))
        return next((_BY_FIELD[field] for field in fields if field in _BY_FIELD), otherwise)

    return row


_FIELD_INVALID = _by_field(Meaning(MessageRejected, Reason.PROVIDER, _FIELD_REFUSED))
_FIELD_LACKING = _by_field(Meaning(MessageRejected, Reason.CONTENT, _LACKING))

#: What Resend's words speak of besides what they do at any provider: the test sender (page Errors); a key whose domain is not
#: verified (400, supabase/supabase#20739); a key that is not for the sender's domain (403, as programs of others quote it).
_SPOKEN = (
    Spoken(
        r"\btest(?:ing|s)?\b|resend\.dev",
        r"\bonly\b|\byour own\b",
        Meaning(AccountError, Reason.SENDER, _TEST_SENDER),
        unless=r"\binstead\b",  # "Please use our testing email address instead": the recipient's domain is a made-up one
    ),
    Spoken(r"\bkey\b", r"\bdomain\b", Meaning(AccountError, Reason.SENDER, _KEY_DOMAIN)),
    Spoken(
        "",
        r"(?:\bnot|n't) (?:\w+ ){0,2}(?:authori[sz]ed|allowed|permitted) to send (?:\w+ ){0,3}from\b",
        Meaning(AccountError, Reason.SENDER, _KEY_DOMAIN),
    ),
)

ANSWERS = Answers(
    provider="Resend",
    message_id=member("id"),
    code=member("name"),
    words=member("message"),
    retry_after=header("ratelimit-reset"),
    repeat=Repeat.JOINED,
    in_flight="concurrent_idempotent_requests",
    # The plan's quota has come as a rate, too: "You have reached your daily email sending quota" (the Python SDK's).
    wide=("validation_error", "invalid_parameter", "rate_limit_exceeded", "invalid_access", "security_error"),
    spoken=_SPOKEN,
    otherwise=Meaning(MessageRejected, Reason.PROVIDER, "Resend refused the request; its name tells more"),
    meanings={
        # The message.
        "validation_error": _FIELD_INVALID,
        ("validation_error", 422): _FIELD_INVALID,
        "missing_required_field": _FIELD_LACKING,
        ("missing_required_field", 422): _FIELD_LACKING,
        "missing_required_fields": _FIELD_LACKING,
        ("missing_required_fields", 422): _FIELD_LACKING,
        "invalid_parameter": _FIELD_INVALID,
        ("invalid_parameter", 422): _FIELD_INVALID,
        "invalid_attachment": Meaning(MessageRejected, Reason.CONTENT, _BUG, status=422),
        "invalid_idempotent_request": Meaning(
            MessageRejected,
            Reason.MESSAGE,
            "the idempotency key was used for another mail within 24 hours; give every message a key of its own",
            status=409,
        ),
        "invalid_idempotency_key": Meaning(MessageRejected, Reason.MESSAGE, _BUG),
        # The sender and the account.
        ("validation_error", 403): Meaning(AccountError, Reason.SENDER, _DOMAIN),
        ("validation_error", 401): _WRONG_KEY,  # seen in place of invalid_api_key
        "invalid_from_address": Meaning(
            AccountError, Reason.SENDER, "the sender (from) is not accepted; see your domains at Resend", status=422
        ),
        "invalid_to_address": Meaning(AccountError, Reason.SENDER, _TEST_SENDER, status=403),  # the older name of it
        "invalid_region": Meaning(AccountError, Reason.CONFIG, _BUG, status=422),
        "invalid_access": Meaning(AccountError, Reason.PERMISSION, _MAY_NOT_SEND, status=422),
        "invalid_scope": Meaning(AccountError, Reason.PERMISSION, _MAY_NOT_SEND, status=422),
        "missing_api_key": Meaning(
            AccountError, Reason.CREDENTIALS, "the API key did not arrive; check apiKey and proxies in between", status=401
        ),
        "invalid_api_key": _WRONG_KEY,
        "invalid_api_Key": _WRONG_KEY,
        "restricted_api_key": Meaning(AccountError, Reason.PERMISSION, "the API key may only send", status=401),
        "suspended_api_key": Meaning(
            AccountError, Reason.ACCOUNT, "the API key is suspended; see the account at Resend", status=403
        ),
        "security_error": Meaning(
            AccountError, Reason.ACCOUNT, "Resend found a security issue with the request; ask its support", status=451
        ),
        "daily_quota_exceeded": Meaning(
            AccountError, Reason.QUOTA, "the daily quota is used up; wait a day or upgrade the plan", status=429
        ),
        "monthly_quota_exceeded": Meaning(
            AccountError, Reason.QUOTA, "the monthly quota is used up; upgrade the plan", status=429
        ),
        "rate_limit_exceeded": _TOO_FAST,
        429: _TOO_FAST,
        # The endpoint.
        "not_found": Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE, status=404),
        "method_not_allowed": Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE, status=405),
        404: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        405: Meaning(AccountError, Reason.ENDPOINT, _ELSEWHERE),
        # Never known. The same request again would be joined by its key.
        "concurrent_idempotent_requests": Meaning(
            OutcomeUnknown,
            Reason.PROVIDER,
            "Resend is still working on the first request of this key; whether it takes the mail is not known",
            status=409,
        ),
        "application_error": _FAULT,
        "internal_server_error": _FAULT,
    },
)
