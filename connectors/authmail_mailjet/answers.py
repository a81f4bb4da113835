"""Mailjet's answers, as data (guide *Send API v3.1*, page *Status codes*, 2026-11, and captures of its SDKs).

Each mail of a request has an answer of its own, also in a 200: ``{"Messages": [{"Status": "error", "Errors": [{"ErrorCode":
"mj-0013", "StatusCode": 400, "ErrorMessage": "…", "ErrorRelatedTo": ["To[0].Email"]}]}]}``. What is wrong with the whole request
has the same members at the top. ``ErrorRelatedTo`` tells whose fault a field is; the inner status decides where the code is new.
"""

from collections.abc import Callable, Mapping
from typing import Any

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    OutcomeUnknown,
    Reason,
    Throttled,
)

#: In place of a code: a mail that failed without one.
FAILED = "FAILED"

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Mailjet had a fault; it is not known whether the mail went out")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Mailjet's; check endpoint")
_KEY = Meaning(
    AccountError,
    Reason.CREDENTIALS,
    "the API key or the secret key is not valid, or they belong to the other region; check apiKey, secretKey and region",
    status=401,
)
_SUSPENDED = Meaning(AccountError, Reason.ACCOUNT, "Mailjet has suspended the API key; ask its support", status=401)
_FORBIDDEN = Meaning(
    AccountError, Reason.PERMISSION, "the keys may not do this, or Mailjet has blocked the account; see it at Mailjet"
)
_SENDER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender (from) is not accepted; validate its address or domain at Mailjet, for this pair of keys",
    status=403,
)
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than Mailjet takes")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Mailjet refused the mail; its words tell more")
_OURS = Meaning(MessageRejected, Reason.PROVIDER, "Mailjet cannot use the request; please report this")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many calls in this minute; Mailjet asks to send slower")

#: Beginning of the field that is refused → meaning; those of the account first.
_BY_FIELD = {
    "From": _SENDER,
    "ReplyTo": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "To": _RECIPIENT,
    "Subject": _CONTENT,
    "TextPart": _CONTENT,
    "HTMLPart": _CONTENT,
    "Headers": _CONTENT,
}


def _errors(answer: Answer) -> list[Mapping[str, Any]]:
    """Return what is wrong: with the mail, or with the whole request."""
    listed = answer.value("Messages", 0, "Errors")
    found: list[Mapping[str, Any]] = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if found or not isinstance(answer.members, dict):
        return found
    return [answer.members] if {"ErrorCode", "ErrorMessage", "StatusCode"} & answer.members.keys() else []


def _text(error: Mapping[str, Any], name: str) -> str | None:
    value = error.get(name)
    return value if isinstance(value, str) and value else None


def _of_error(error: Mapping[str, Any], answer: Answer) -> Meaning:
    """Return what an error means by its field, or else by its own status; that of HTTP counts where it has none."""
    fields = error.get("ErrorRelatedTo")
    names = [field for field in fields if isinstance(field, str)] if isinstance(fields, list) else []
    for beginning, meaning in _BY_FIELD.items():
        if any(name.startswith(beginning) for name in names):
            return meaning
    status = error.get("StatusCode", answer.status)
    if not isinstance(status, int):
        return _REFUSED
    row = _FAULT if status >= 500 else _MEANINGS.get(status)  # noqa: PLR2004
    return row if isinstance(row, Meaning) else _REFUSED


def _chosen(answer: Answer) -> Mapping[str, Any]:
    """Return one error of several: one of the account's, since that must be put right before anything goes."""
    errors = _errors(answer)
    return next((error for error in errors if _blames_account(error, answer)), errors[0] if errors else {})


def _blames_account(error: Mapping[str, Any], answer: Answer) -> bool:
    row = _MEANINGS.get(_text(error, "ErrorCode") or "")
    return (row if isinstance(row, Meaning) else _of_error(error, answer)).kind is AccountError


def _by_field(answer: Answer) -> Meaning:
    return _of_error(_chosen(answer), answer)


def _with_401(meaning: Meaning) -> Callable[[Answer], Meaning]:
    """Return what finds the meaning of a code that pages have for a body that is no JSON, and with a 401 for the keys."""

    def found(answer: Answer) -> Meaning:
        return meaning if _chosen(answer).get("StatusCode", answer.status) == 401 else _OURS  # noqa: PLR2004

    return found


#: Code, code and status, or status → meaning.
_MEANINGS: dict[Any, Meaning | Callable[[Answer], Meaning]] = {
    # Guide *Send API v3.1*, errors. Key and account first.
    ("mj-0001", 401): _SUSPENDED,
    "mj-0001": _with_401(_SUSPENDED),
    "mj-0002": _with_401(_KEY),  # captures have it with a 401
    "mj-0015": _KEY,
    "send-0006": Meaning(
        AccountError, Reason.PERMISSION, "the API key may not use another sender's name; ask Mailjet's support", status=403
    ),
    "send-0007": _SENDER,
    "send-0008": _SENDER,
    # A field: whose it is decides.
    **dict.fromkeys(("mj-0003", "mj-0004", "mj-0005", "mj-0006", "mj-0007", "mj-0008", "mj-0012", "mj-0013"), _by_field),
    "mj-0011": _TOO_LARGE,
    "send-0003": Meaning(MessageRejected, Reason.CONTENT, "the mail has no body; check the template"),
    "send-0011": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
    "send-0010": Meaning(AccountError, Reason.CONFIG, "the API key may not use a template; see its owner at Mailjet"),
    # Templates, campaigns and lists, none of which authmail sends.
    **dict.fromkeys(("send-0004", "send-0012", "send-0015", "send-0016"), _OURS),
    # New ones, and a mail that failed without any.
    "mj-*": _by_field,
    "send-*": _by_field,
    FAILED: _by_field,
    # Page *Status codes*.
    400: _REFUSED,
    401: _KEY,
    402: Meaning(AccountError, Reason.QUOTA, "Mailjet asks for payment; see plan and bill there"),
    403: _FORBIDDEN,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    413: _TOO_LARGE,
    415: _ELSEWHERE,
    429: _TOO_FAST,
    500: _FAULT,
}


def _accepts(answer: Answer) -> bool:
    """Whether the mail's own status says so; that of HTTP only says that the request was read."""
    return answer.text("Messages", 0, "Status") == "success" and not answer.text("ErrorCode")


def _code(answer: Answer) -> str | None:
    """Return the code; within a success one that nobody knows is a failure like any other."""
    code = _text(_chosen(answer), "ErrorCode")
    if not answer.succeeds or (code or "").startswith(("mj-", "send-")):
        return code
    return FAILED if code or answer.text("Messages", 0, "Status") == "error" else None


def _words(answer: Answer) -> str | None:
    texts = [_text(error, "ErrorMessage") for error in _errors(answer)]
    return " ".join(dict.fromkeys(text for text in texts if text)) or answer.text("message")


def _message_id(answer: Answer) -> str | None:
    """Return Mailjet's number of the mail, beyond what a float holds; where it succeeded without one, its UUID or our own id.

    The number 0 without a UUID is sandbox mode's, which sends nothing (guide, *Sandbox mode*).
    """
    path = ("Messages", 0, "To", 0)
    number, uuid = answer.text(*path, "MessageID", numbers=True), answer.text(*path, "MessageUUID")
    if number == "0":
        return uuid
    return number or uuid or (answer.request.id if answer.request else None)


def _request_id(answer: Answer) -> str | None:
    """Return what Mailjet's support asks for: the error's identifier, or the UUID of an accepted mail."""
    return _text(_chosen(answer), "ErrorIdentifier") or answer.text("Messages", 0, "To", 0, "MessageUUID")


ANSWERS = Answers(
    provider="Mailjet",
    message_id=_message_id,
    accepted=_accepts,
    code=_code,
    words=_words,
    request_id=_request_id,
    wide=(FAILED,),
    meanings=_MEANINGS,
    otherwise=_REFUSED,
)
