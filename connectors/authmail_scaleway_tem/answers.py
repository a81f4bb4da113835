"""Scaleway's answers, as data (page *Transactional Email API*, error types of its official SDKs, 2026-11, and captures).

An acceptance is a 200 with one entry per recipient: ``{"emails": [{"id": "…", "status": "new", "flags": []}]}``. An error is
``{"type": "invalid_arguments", "message": "…", "details": [{"argument_name": "from.email", "help_message": "…"}]}``.
"""

from collections.abc import Callable, Iterator

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Spoken,
    Throttled,
    header,
    member,
)

#: States of a mail that will never go out, in place of a code (page *Transactional Email API*, the status of an email).
_ENDED = ("failed", "canceled")
_NEVER = r"(?!)"

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Scaleway had a fault; it is not known whether the mail went out", status=500)
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Scaleway's; check endpoint")
_KEY = Meaning(
    AccountError, Reason.CREDENTIALS, "the secret key is not valid, or has expired; make a new one at Scaleway", status=401
)
_PERMISSION = Meaning(
    AccountError,
    Reason.PERMISSION,
    "the key may not send for this project; check projectId, and the policy of the key's application (IAM)",
    status=403,
)
_QUOTA = Meaning(AccountError, Reason.QUOTA, "the project's quota is used up; ask Scaleway's support to raise it", status=403)
_SENDER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender's domain is not a checked domain of this project; see Transactional Email > Domains at Scaleway",
    status=412,
)
_SETTINGS = Meaning(AccountError, Reason.CONFIG, "Scaleway does not know the project or region; check projectId and region")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_SUPPRESSED = Meaning(
    MessageRejected, Reason.SUPPRESSED, "the recipient is on the domain's blocklist at Scaleway; remove it there"
)
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_TOO_SHORT = Meaning(
    MessageRejected, Reason.CONTENT, "Scaleway wants at least 10 characters of subject, text and HTML each; write more"
)
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than the 2 MB that Scaleway takes")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Scaleway refused the mail; its words tell more")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Scaleway does not tell for how long to wait", status=429)

#: Beginning of the argument that is refused → meaning; the account's first.
_BY_ARGUMENT = {
    "from": _SENDER,
    "project_id": _SETTINGS,
    "region": _SETTINGS,
    "to": _RECIPIENT,
    "subject": _CONTENT,
    "text": _CONTENT,
    "html": _CONTENT,
    "additional_headers": _CONTENT,
}
_BY_RESOURCE = {"domain": _SENDER, "project": _SETTINGS}


def _by_argument(answer: Answer) -> Meaning:
    """Return what "invalid arguments" means: whose argument it is decides; of several, the account's."""
    names = [name.partition(".")[0].partition("[")[0] for name in _details(answer, "argument_name")]
    return next((meaning for argument, meaning in _BY_ARGUMENT.items() if argument in names), _REFUSED)


def _by_resource(answer: Answer) -> Meaning:
    return _BY_RESOURCE.get(answer.text("resource") or "", _ELSEWHERE)


def _by_flag(answer: Answer) -> Meaning:
    flags = answer.value("emails", 0, "flags")
    return _SUPPRESSED if isinstance(flags, list) and "blocklisted" in flags else _REFUSED


#: Type, type and status, or status → meaning.
_MEANINGS: dict[str | int | tuple[str, int], Meaning | Callable[[Answer], Meaning]] = {
    "denied_authentication": _KEY,
    "permissions_denied": _PERMISSION,
    "quotas_exceeded": _QUOTA,
    # The domain is not checked yet, or was blocked.
    "precondition_failed": _SENDER,
    "locked": _SENDER,
    "not_found": _by_resource,
    ("not_found", 404): _by_resource,
    "invalid_arguments": _by_argument,
    ("invalid_arguments", 400): _by_argument,
    "too_many_requests": _TOO_FAST,
    # Something of the account is being made or changed.
    "transient_state": Meaning(NotSent, Reason.PROVIDER, "Scaleway is changing something of the account; try again", status=409),
    ("transient_state", 503): _FAULT,
    "failed": _by_flag,
    ("failed", 200): _by_flag,
    "canceled": _by_flag,
    ("canceled", 200): _by_flag,
    401: _KEY,
    403: _PERMISSION,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    413: _TOO_LARGE,
    415: _ELSEWHERE,
    429: _TOO_FAST,
    500: _FAULT,
}

#: What its words mean, in front of what they mean at any provider.
_SPOKEN = (
    # Page *Capabilities and limits* until 2026, and what its SMTP server says (jellyfin-newsletter 129).
    Spoken("", r"\bat least 10 characters\b", _TOO_SHORT, unless=_NEVER),
    Spoken("", r"\bblocklist", _SUPPRESSED, unless=_NEVER),
    Spoken(r"\bdomain\b", r"\b(?:un|not (?:been )?)(?:checked|validated)\b|\blocked\b|\brevoked\b|\bblocked\b", _SENDER),
)


def _details(answer: Answer, *names: str) -> Iterator[str]:
    details = answer.value("details")
    for at in range(len(details) if isinstance(details, list) else 0):
        yield from (text for name in names if (text := answer.text("details", at, name, numbers=True)))


def _code(answer: Answer) -> str | None:
    if answer.succeeds:
        status = answer.text("emails", 0, "status")
        return status if status in _ENDED else None
    return answer.text("type")


def _words(answer: Answer) -> str | None:
    """Return the message, and what its details add: an argument and help for it, a resource and its quota."""
    ended = answer.text("emails", 0, "status_details") if answer.succeeds else answer.text("message")
    added = _details(answer, "argument_name", "help_message", "resource", "action", "quota", "current")
    return " ".join(text for text in (ended, *added, answer.text("help_message")) if text) or None


ANSWERS = Answers(
    provider="Scaleway",
    message_id=member("emails", 0, "id"),
    accepted=lambda answer: answer.text("emails", 0, "status") not in _ENDED,
    code=_code,
    words=_words,
    request_id=header("X-Request-Id"),
    wide=("invalid_arguments", "precondition_failed"),
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
