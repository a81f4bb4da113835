"""Infobip's answers, as data (OpenAPI description 3.210, page *Response status and error codes*, 2026-07, and captures of its SDK).

A 200 has a status for the mail, whose group decides: ``{"messages": [{"messageId": "…", "status": {"groupId": 1, "groupName":
"PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "…"}}]}``. It is not accepted in the groups 2, 4 and 5. An error is
``{"errorCode": "E400", "description": "…", "violations": [{"property": "…", "violation": "…"}]}``, or of older make ``{"requestError":
{"serviceException": {"messageId": "BAD_REQUEST", "text": "…", "validationErrors": {"…": ["…"]}}}}``.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import attrs

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
    member,
)

_NEVER = r"(?!)"
_LEGACY = ("requestError", "serviceException")
_ACCEPTED = {0, 1, 3, "OK", "ACCEPTED", "PENDING", "DELIVERED"}
#: Groups that refuse, by number.
GROUPS = {2: "UNDELIVERABLE", 4: "EXPIRED", 5: "REJECTED"}

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Infobip had a fault; it is not known whether the mail went out")
_TWICE = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "Infobip has had this very request before, so the mail may have gone out; see its logs"
)
_LATER = Meaning(NotSent, Reason.PROVIDER, "Infobip could not take the mail for now; try again later")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Infobip's; check endpoint")
_KEY = Meaning(
    AccountError,
    Reason.CREDENTIALS,
    "the API key is wrong or has expired, or does not allow this server's address; check apiKey and endpoint",
)
_FORBIDDEN = Meaning(AccountError, Reason.PERMISSION, "the API key may not send; give it the scope email:message:send at Infobip")
_SENDER = Meaning(
    AccountError, Reason.SENDER, "the sender is not registered, verified or allowed; see the domains at Infobip, and check from"
)
_REPLY = Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's")
_CAMPAIGN = Meaning(AccountError, Reason.CONFIG, "the campaign is not accepted; check campaign")
_CREDIT = Meaning(
    AccountError, Reason.QUOTA, "the account's credit or free trial is used up, or has expired; top it up at Infobip"
)
_TRIAL = Meaning(
    AccountError, Reason.ACCOUNT, "the account is on trial, and reaches its owner's address alone; have Infobip open it"
)
_NO_ROUTE = Meaning(AccountError, Reason.ACCOUNT, "the account is not set up to send there; ask Infobip's support")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Infobip asks to send slower")
_FLOOD = Meaning(Throttled, Reason.RATE, "too many mails to this recipient within an hour; Infobip takes others later")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_SUPPRESSED = Meaning(
    MessageRejected, Reason.SUPPRESSED, "the recipient is on a blocklist or suppression list at Infobip; remove it there"
)
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than Infobip takes")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Infobip refused the mail; its words tell more")


def _unavailable(answer: Answer) -> Meaning:
    """Return what a 503 means: Infobip's own JSON says "not now", that of something in between says nothing."""
    return _FAULT if _code(answer) is None else _LATER


#: What the words of a refusal that stands for much mean of the message, where they mean nothing of the account.
_OF_THE_MESSAGE = (
    (re.compile(r"\btemporarily unavailable\b", re.IGNORECASE), _LATER),
    (re.compile(r"\bsuppress|\bblock ?list|\bunsubscribed\b", re.IGNORECASE), _SUPPRESSED),
    (re.compile(r"\bdestinations?\b|\brecipients?\b|\bto:", re.IGNORECASE), _RECIPIENT),
    (re.compile(r"\bcontent\b|\bsubject\b|\bhtml\b|\btext:|\bheaders?\b|\bplaceholders?\b", re.IGNORECASE), _CONTENT),
)


def _by_words(answer: Answer) -> Meaning:
    """Return what a refusal means that has many causes: its words name the property."""
    words = _words(answer) or ""
    return next((meaning for pattern, meaning in _OF_THE_MESSAGE if pattern.search(words)), _REFUSED)


#: Meaning, HTTP status, codes. Of the mail's statuses those of other channels (voice, push) are left out.
_ROWS = (
    # The mail's own, within a success: general status codes, then those of the channel email.
    (_SENDER, 200, "REJECTED_SOURCE REJECTED_SENDER"),
    (_CREDIT, 200, "REJECTED_NOT_ENOUGH_CREDITS REJECTED_PREPAID_PACKAGE_EXPIRED REJECTED_FREE_TRIAL_EXCEEDED"),
    (_TRIAL, 200, "REJECTED_DESTINATION_NOT_REGISTERED"),
    (_NO_ROUTE, 200, "REJECTED_NETWORK REJECTED_ROUTE_NOT_AVAILABLE"),
    (_SUPPRESSED, 200, "REJECTED_DND REJECTED_DESTINATION_BLOCKLISTED"),
    (_RECIPIENT, 200, "REJECTED_PREFIX_MISSING REJECTED_DESTINATION REJECTED_INVALID_DESTINATION MISSING_TO"),
    (_FLOOD, 200, "REJECTED_FLOODING_FILTER"),
    (_LATER, 200, "REJECTED_SYSTEM_ERROR REJECTED_INTERNAL_ERROR"),
    # The id is random, so the first request that had it was this one, made twice by something in between.
    (_TWICE, 200, "REJECTED_DUPLICATE_MESSAGE_ID"),
    (_CONTENT, 200, "REJECTED_MESSAGE_TOO_LONG REJECTED_DATA_TRANSFORMATION_FAILED"),
    (_REFUSED, 200, "SIGNALS_BLOCKED"),
    # What became of it the operator did not tell.
    (_FAULT, 200, "EXPIRED_DLR_UNKNOWN"),
    # Errors of both makes.
    (_KEY, 401, "UNAUTHORIZED E401"),
    (_FORBIDDEN, 403, "FORBIDDEN E403"),
    (_ELSEWHERE, 404, "NOT_FOUND E404"),
    (_TOO_FAST, 429, "TOO_MANY_REQUESTS E429"),
    (_FAULT, 500, "GENERAL_ERROR E500"),
)
#: Codes that stand for much: "an invalid sender, a missing template, and so on", "malformed, or temporarily unavailable".
_WIDE = {"REJECTED_VALIDATION_FAILED": 200, "UNDELIVERABLE_REJECTED_PLATFORM": 200, "BAD_REQUEST": 400, "E400": 400}
#: Code, beginning of codes, code and status, or status → meaning.
_MEANINGS: dict[str | int | tuple[str, int], Meaning | Callable[[Answer], Meaning]] = {
    **dict.fromkeys([*_WIDE, *_WIDE.items()], _by_words),
    **{code: attrs.evolve(meaning, status=status) for meaning, status, codes in _ROWS for code in codes.split()},
    **{f"{group}*": _by_words for group in GROUPS.values()},
    400: _by_words,
    401: _KEY,
    403: _FORBIDDEN,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    409: _REFUSED,
    413: _TOO_LARGE,
    415: _ELSEWHERE,
    422: _by_words,
    429: _TOO_FAST,
    500: _FAULT,
    503: _unavailable,
}

#: What its words mean of the account, in front of what they mean at any provider: they begin with the property that is wrong.
_SPOKEN = (
    Spoken("", r"\breplyTo\b", _REPLY, unless=_NEVER),
    Spoken("", r"\bcampaignReferenceId\b", _CAMPAIGN, unless=_NEVER),
    Spoken("", r"\bsender:|\bfrom:|[`'\"]from[`'\"]|\brejected sender\b", _SENDER, unless=_NEVER),
)


def _status(answer: Answer, *names: str) -> Any:
    return next((value for name in names if (value := answer.value("messages", 0, "status", name)) is not None), None)


def _group(answer: Answer) -> int | str | None:
    """Return the mail's group, by its number, or by its name where there is none."""
    group = _status(answer, "groupId", "groupName")
    return group if isinstance(group, int | str) and not isinstance(group, bool) else None


def _refusal(answer: Answer) -> str | None:
    """Return the group that refuses the mail; None where it is in none of these."""
    group = _group(answer)
    name = GROUPS.get(group) if isinstance(group, int) else group
    return name if name in GROUPS.values() else None


def _code(answer: Answer) -> str | None:
    """Return the code; of a mail that is refused its status, or the group's name where nobody knows the status."""
    group = _refusal(answer) if answer.succeeds else None
    if group is None:
        return answer.text("errorCode") or answer.text(*_LEGACY, "messageId")
    name = _status(answer, "name")
    return name if isinstance(name, str) and (name in _MEANINGS or name.startswith(group)) else group


def _told(answer: Answer) -> Iterator[Any]:
    yield from (_status(answer, "description"), answer.value("description"), answer.value(*_LEGACY, "text"))
    violations = answer.value("violations")
    for one in violations if isinstance(violations, list) else ():
        if isinstance(one, dict):
            yield f"{one.get('property') or ''}: {one.get('violation') or ''}"
    fields = answer.value(*_LEGACY, "validationErrors")
    for field, wrong in fields.items() if isinstance(fields, dict) else ():
        yield f"{field}: {', '.join(str(one) for one in wrong) if isinstance(wrong, list) else wrong}"


def _words(answer: Answer) -> str | None:
    return (
        ". ".join(text.strip().removesuffix(".") for text in _told(answer) if isinstance(text, str) and text.strip(" :")) or None
    )


def _message_id(answer: Answer) -> str | None:
    """Return the mail's id, which is the one that we chose; where it was accepted without one, ours."""
    if _group(answer) not in _ACCEPTED:
        return None
    return answer.text("messages", 0, "messageId") or (answer.request.id if answer.request else None)


ANSWERS = Answers(
    provider="Infobip",
    message_id=_message_id,
    accepted=lambda answer: _refusal(answer) is None,
    code=_code,
    words=_words,
    request_id=member("bulkId"),
    wide=_WIDE,
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
