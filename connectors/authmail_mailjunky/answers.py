"""MailJunky's answers, as data (its documentation and the source of its official SDKs, 2026-11).

An acceptance is ``{"id": "email_…", "message_id": "<…>", "status": "sent"}``, or ``queued``; the SDK for Node also names ``failed``, which is a
refusal within a success. An error is ``{"message": "…", "code": "…"}``. No list of codes is published, so status and words decide; the
SDKs tell 401, 404, 422, 429 and 5xx apart.
"""

from typing import Any

from authmail import AccountError, Answer, Answers, Meaning, MessageRejected, OutcomeUnknown, Reason, Spoken, Throttled

#: In place of a code: a success that failed has none.
FAILED = "FAILED"
_ACCEPTED = (None, "sent", "queued")
_NEVER = r"(?!)"

_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not MailJunky's; check endpoint")
_SENDER = Meaning(AccountError, Reason.SENDER, "the sender is not accepted; verify its domain at MailJunky, and check fromEmail")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "MailJunky refused the mail; its words tell more")

#: Code and status, or status → meaning.
_MEANINGS: dict[int | tuple[str, int], Meaning] = {
    **{(FAILED, status): _REFUSED for status in (200, 201, 202)},
    400: _REFUSED,
    401: Meaning(AccountError, Reason.CREDENTIALS, "the API key is not valid, or was revoked; make a new one at MailJunky"),
    402: Meaning(AccountError, Reason.QUOTA, "the account's quota is used up, or a bill is open; see the plan at MailJunky"),
    403: Meaning(
        AccountError,
        Reason.PERMISSION,
        "the API key may not send, or the domain of fromEmail is not verified; see keys and domains at MailJunky",
    ),
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    # Nobody says what is in conflict; it may be with the very same mail.
    409: Meaning(OutcomeUnknown, Reason.PROVIDER, "MailJunky speaks of a conflict; it is not known whether the mail went out"),
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than MailJunky takes"),
    415: _ELSEWHERE,
    422: _REFUSED,
    429: Meaning(Throttled, Reason.RATE, "too many requests; MailJunky asks to send slower"),
    500: Meaning(OutcomeUnknown, Reason.PROVIDER, "MailJunky had a fault; it is not known whether the mail went out"),
}

#: What its words mean, in front of what they mean at any provider: whose field is not accepted.
_SPOKEN = (
    Spoken(
        r"[`'\"]from[`'\"]|\bfrom\b(?: (?:is|must|field|address|domain))|\b(?:invalid|missing|unverified) from\b",
        r"\binvalid\b|\bnot (?:valid|verified|allowed)\b|\bmissing\b|\bunverified\b|\bmust\b|\brequired\b",
        _SENDER,
    ),
    Spoken(
        r"\brecipient|[`'\"]to[`'\"]|\bto (?:is|must be|field|address)\b|\b(?:invalid|missing) to\b",
        r"\binvalid\b|\bnot (?:valid|a valid)\b|\bmissing\b|\bmust\b|\brequired\b",
        Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling"),
        unless=_NEVER,
    ),
)


def _error(answer: Answer, name: str) -> str | None:
    """Return a member of an error; the SDKs read it at the top, others of this make put it into ``error``."""
    return answer.text(name) or answer.text("error", name)


def _words(answer: Answer) -> str | None:
    return _error(answer, "message") or answer.text("error")


def _code(answer: Answer) -> str | None:
    if not answer.succeeds:
        return _error(answer, "code")
    refuses = _status(answer) == "failed" or bool(answer.value("error")) or answer.value("success") is False
    return FAILED if refuses else None


def _status(answer: Answer) -> Any:
    status = answer.value("status")
    return status.lower() if isinstance(status, str) else status


def _accepts(answer: Answer) -> bool:
    """Whether a success accepts: one without a status does, one with a status that nobody knows proves nothing."""
    return _code(answer) is None and _status(answer) in _ACCEPTED


ANSWERS = Answers(
    provider="MailJunky",
    message_id=lambda answer: answer.text("id"),
    accepted=_accepts,
    code=_code,
    words=_words,
    meanings=_MEANINGS,
    wide={FAILED},
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
