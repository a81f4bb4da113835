"""SMTP2GO's answers, as data (pages *Send a standard email* and *Response codes*, 2026-11, and captures of its SDK).

A 200 may say that the mail failed: ``{"data": {"succeeded": 0, "failed": 1, "failures": ["…"], "email_id": ""}}``. An error is
``{"data": {"error_code": "E_ApiResponseCodes.NAME", "error": "…"}}``, or the same without ``data``; rights are a 400, and
``API_EXCEPTION`` stands for anything. Marked with *seen* is what only public issues and programs of others quote.
"""

from collections.abc import Callable
from typing import Any

from authmail import (
    AccountError,
    Answer,
    Answers,
    Mailbox,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Spoken,
    Throttled,
    member,
)

#: In place of a code: a 200 that failed has only words.
FAILED = "FAILED"
_PREFIX = "E_ApiResponseCodes."
# Whoever is shut out is so for at least a minute (page *Rate limiting*); no header tells.
_SHUT_OUT = 60.0
_NEVER = r"(?!)"

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "SMTP2GO had a fault; it is not known whether the mail went out")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not SMTP2GO's; check endpoint")
_KEY = Meaning(AccountError, Reason.CREDENTIALS, "the API key is not valid, or switched off; see it at SMTP2GO", status=401)
_SENDER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender is not verified, or its domain takes no mail; see Verified Senders at SMTP2GO",
    status=400,
)
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "SMTP2GO refused the mail; its words tell more", status=400)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; SMTP2GO shuts this server out for at least a minute", status=429)

#: Field that is not valid → meaning.
_BY_FIELD = {
    "sender": _SENDER,
    "api_key": _KEY,
    "to": _RECIPIENT,
    "subject": _CONTENT,
    "text_body": _CONTENT,
    "html_body": _CONTENT,
    "custom_headers": _CONTENT,
}


def _by_field(answer: Answer) -> Meaning:
    """Return what "not valid" means: whose field it is decides."""
    errors = _data(answer, "field_validation_errors")
    found = errors if isinstance(errors, list) else [errors]
    names = [
        name.partition(".")[0].partition("[")[0]
        for one in found
        if isinstance(one, dict) and isinstance(name := one.get("fieldname"), str)
    ]
    return next((meaning for field, meaning in _BY_FIELD.items() if field in names), _REFUSED)


def _by_address(answer: Answer) -> Meaning:
    """Return what a failure means: the words of the SMTP dialogue name the address that was refused."""
    words, sent = (_words(answer) or "").lower(), answer.request.json if answer.request else None
    if isinstance(sent, dict):
        for text, meaning in ((sent["sender"], _SENDER), (sent["to"][0], _RECIPIENT)):
            if Mailbox.parse(text).address.lower() in words:
                return meaning
    return _REFUSED


#: Code, code and status, or status → meaning.
_MEANINGS: dict[str | int | tuple[str, int], Meaning | Callable[[Answer], Meaning]] = {
    ("NON_VALIDATING_IN_PAYLOAD", 400): _by_field,
    "NON_VALIDATING_IN_PAYLOAD": _by_field,
    "ENDPOINT_PERMISSION_DENIED": Meaning(
        AccountError, Reason.PERMISSION, "the API key may not send; give it permission for /email/send at SMTP2GO", status=400
    ),
    "API_KEY_INVALID": _KEY,
    # Seen.
    "SENDER_NOT_VERIFIED": _SENDER,
    # Says nothing by itself; on a 5xx it is a fault.
    ("API_EXCEPTION", 400): _REFUSED,
    ("API_EXCEPTION", 200): _REFUSED,
    ("API_EXCEPTION", 429): _TOO_FAST,
    (FAILED, 200): _by_address,
    401: _KEY,
    402: Meaning(AccountError, Reason.QUOTA, "SMTP2GO takes the request and does not send; see plan, quota and senders there"),
    403: Meaning(AccountError, Reason.PERMISSION, "the API key may not do this; see its permissions at SMTP2GO"),
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than SMTP2GO takes"),
    415: _ELSEWHERE,
    429: _TOO_FAST,
    500: _FAULT,
    503: _FAULT,
}

#: What its words mean, in front of what they mean at any provider.
_SPOKEN = (
    # The SMTP dialogue's own "not now" (RFC 5321 section 4.2.1).
    Spoken(
        "",
        r"(?:^|\W)4[0-9]{2}[ -]|\b4\.[0-9]{1,3}\.[0-9]{1,3}\b|\btry again\b|\btemporar",
        Meaning(NotSent, Reason.PROVIDER, "SMTP2GO could not take the mail for now; try again later"),
        unless=_NEVER,
    ),
    Spoken(
        "",
        r"\bsuppress|\bblocked list\b|\bunsubscribed\b|\bpreviously bounced\b",
        Meaning(MessageRejected, Reason.SUPPRESSED, "the recipient is on the suppression list at SMTP2GO; remove it there"),
        unless=_NEVER,
    ),
    # Seen: the first by a plugin of SMTP2GO's own, the second in an answer to Logto's connector.
    Spoken(r"\bsender\b", r"\bunable to verify\b|\bnot verified\b|\bunverified\b", _SENDER),
    Spoken(r"\bapi key\b", r"\bbad\b|\binvalid\b|\bnot in the correct format\b|\bdisabled\b", _KEY),
)


def _data(answer: Answer, name: str) -> Any:
    """Return a member; pages show it within ``data``, and without."""
    within = answer.value("data", name)
    return answer.value(name) if within is None else within


def _count(answer: Answer, name: str) -> int:
    value = _data(answer, name)
    return value if isinstance(value, int) else 0


def _failures(answer: Answer) -> list[str]:
    failures = _data(answer, "failures")
    return [text for text in failures if isinstance(text, str)] if isinstance(failures, list) else []


def _accepts(answer: Answer) -> bool:
    """Whether a success is one: nothing failed, or something went out; what is not told, as with ``fastaccept``, is no failure."""
    if _data(answer, "error_code") is not None:
        return False
    return _count(answer, "succeeded") > 0 or not (_count(answer, "failed") or _failures(answer))


def _code(answer: Answer) -> str | None:
    """Return the code without its prefix; within a success an unknown one is a failure like any other."""
    given = _data(answer, "error_code")
    code = given.removeprefix(_PREFIX) if isinstance(given, str) and given else None
    if answer.succeeds and not _accepts(answer):
        return code if code in _MEANINGS or (code, answer.status) in _MEANINGS else FAILED
    return code


def _words(answer: Answer) -> str | None:
    errors = _data(answer, "field_validation_errors")
    found = errors if isinstance(errors, list) else [errors]
    texts = [_data(answer, "error"), *(one.get("message") for one in found if isinstance(one, dict)), *_failures(answer)]
    return " ".join(text for text in texts if isinstance(text, str) and text) or None


def _message_id(answer: Answer) -> str | None:
    """Return the mail's id; where it succeeded without one, that of the request, or else our own."""
    given = answer.text("data", "email_id")
    if given or _count(answer, "succeeded") < 1:
        return given
    return answer.text("request_id") or (answer.request.id if answer.request else None)


ANSWERS = Answers(
    provider="SMTP2GO",
    message_id=_message_id,
    accepted=_accepts,
    code=_code,
    words=_words,
    request_id=member("request_id"),
    retry_after=lambda answer: _SHUT_OUT if answer.status == 429 else None,  # noqa: PLR2004
    wide=("API_EXCEPTION", "NON_VALIDATING_IN_PAYLOAD", FAILED),
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
