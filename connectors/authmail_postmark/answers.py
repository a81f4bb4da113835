"""Postmark's answers, as data (pages *API overview*, *Email API* and *Templates API*, 2026-11, and captures of its SDKs).

An error is ``{"ErrorCode": 406, "Message": "…"}``. The number decides; it looks like a status of HTTP and means something else:
401 is a sender that is not confirmed, and a wrong token is 10. Acceptances have 0, or none (a real one, django-anymail's issue 392).
Marked with *seen* is what only programs of others tell.
"""

import re
from typing import Any

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

#: The number of "the recipient is inactive".
INACTIVE = "406"
_MULTIPLE = "11"
_NO_ERROR = (None, 0, "0")
# What an acceptance says that leaves recipients out (captured); the addresses follow.
_LEFT_OUT = re.compile(r"inactive addresses: ")
# "Invalid 'To' address: 'x'.", "Error parsing 'From': …": the first word in quotes is the field.
_FIELD = re.compile(r"'([A-Za-z]+)'")

_BUG = Meaning(MessageRejected, Reason.PROVIDER, "Postmark cannot use the request; please report this", status=422)
_INVALID = Meaning(MessageRejected, Reason.PROVIDER, "Postmark refuses a field of the mail; its words tell which", status=422)
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_BODY = Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Postmark's; check endpoint")
_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Postmark had a fault; it is not known whether the mail went out")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Postmark does not tell for how long to wait", status=429)
_TOKEN = Meaning(
    AccountError, Reason.CREDENTIALS, "the server token is not valid; copy it from the server's API Tokens", status=401
)
_TEMPLATE_FIELDS = Meaning(
    AccountError, Reason.TEMPLATE, "Postmark cannot use its template; put it right in Postmark's template editor", status=422
)

#: Field that an invalid request names → meaning.
_BY_FIELD = {
    "To": _RECIPIENT,
    "From": Meaning(
        AccountError, Reason.SENDER, "the sender (fromEmail) is not accepted; confirm its domain or address at Postmark"
    ),
    "ReplyTo": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "Tag": Meaning(AccountError, Reason.CONFIG, "the tag is not accepted; check tag"),
    "Subject": Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; check the template"),
    "HtmlBody": _BODY,
    "TextBody": _BODY,
    "Headers": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
}


def _by_field(answer: Answer) -> Meaning:
    """Return what "invalid" means: whose field it is decides (*seen*: only ``To`` is about the recipient)."""
    field = _FIELD.search(_words(answer) or "")
    return _BY_FIELD.get(field[1], _INVALID) if field else _INVALID


def _first_error(answer: Answer) -> tuple[str | int, ...]:
    """Return where the error is: of several, the first one's place."""
    several = answer.text("ErrorCode", numbers=True) == _MULTIPLE and answer.text("Errors", 0, "ErrorCode", numbers=True)
    return ("Errors", 0) if several else ()


def _code(answer: Answer) -> str | None:
    code = answer.text(*_first_error(answer), "ErrorCode", numbers=True)
    if code in _NO_ERROR:
        return INACTIVE if _is_left_out(answer) else None
    return code


def _words(answer: Answer) -> str | None:
    return answer.text(*_first_error(answer), "Message")


def _is_left_out(answer: Answer) -> bool:
    """Whether an acceptance says that it will not deliver to the mail's only recipient."""
    named = _LEFT_OUT.search(answer.text("Message") or "")
    asked = answer.request.json if answer.request else None
    to = (asked.get("To") if isinstance(asked, dict) else answer.text("To")) or ""
    address = str(to).rpartition("<")[2].rstrip(">").lower()
    return bool(answer.succeeds and named and address and address in named.string[named.end() :].lower())


def _accepts(answer: Answer) -> bool:
    return answer.value("ErrorCode") in _NO_ERROR and not _is_left_out(answer)


_MEANINGS: dict[Any, Any] = {
    # Token and account.
    "10": _TOKEN,
    401: _TOKEN,
    "405": Meaning(
        AccountError,
        Reason.QUOTA,
        "Postmark does not let the account send: its credits are used up; upgrade the plan",
        status=422,
    ),
    "412": Meaning(
        AccountError,
        Reason.ACCOUNT,
        "the account waits for approval, and reaches its own domain alone; ask Postmark to approve it",
        status=422,
    ),
    "413": Meaning(AccountError, Reason.ACCOUNT, "the account may not send; ask Postmark's support", status=422),
    # Sender.
    "400": Meaning(
        AccountError, Reason.SENDER, "Postmark does not know the sender (fromEmail); add its domain or address there", status=422
    ),
    "401": Meaning(
        AccountError,
        Reason.SENDER,
        "the sender (fromEmail) is not confirmed at Postmark; follow the mail that it sent",
        status=422,
    ),
    # Settings.
    "1101": Meaning(
        AccountError, Reason.TEMPLATE, "Postmark has no such template on this server; check templateAlias", status=422
    ),
    "1235": Meaning(
        AccountError, Reason.CONFIG, "the message stream does not exist on this server; check messageStream", status=422
    ),
    "1236": Meaning(
        AccountError, Reason.CONFIG, "this message stream cannot send; use a transactional one in messageStream", status=422
    ),
    **dict.fromkeys(("1120", "1121", "1122", "1123"), _TEMPLATE_FIELDS),
    # Recipient and content.
    "300": _by_field,
    ("300", 422): _by_field,
    INACTIVE: Meaning(
        MessageRejected,
        Reason.SUPPRESSED,
        "the recipient bounced, complained or was suppressed; reactivate the address at Postmark",
        status=422,
    ),
    "411": Meaning(MessageRejected, Reason.CONTENT, "an attachment has a type that Postmark does not take", status=422),
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than the 10 MB that Postmark takes"),
    # The form of a request.
    **dict.fromkeys((_MULTIPLE, "402", "409"), _BUG),
    "403": _INVALID,
    415: _BUG,
    # The service itself.
    "429": _TOO_FAST,
    429: _TOO_FAST,
    "100": Meaning(NotSent, Reason.PROVIDER, "Postmark is under maintenance; try again later", status=503),
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    500: _FAULT,
}

ANSWERS = Answers(
    provider="Postmark",
    message_id=member("MessageID"),
    accepted=_accepts,
    code=_code,
    words=_words,
    request_id=header("X-Request-Id"),
    wide=("300", "403", _MULTIPLE),
    # Older and newer wordings of one error, of which not all name the field in quotes (support article, page).
    spoken=(Spoken("", r"\bsender signature", _BY_FIELD["From"]),),
    otherwise=Meaning(MessageRejected, Reason.PROVIDER, "Postmark refused the request; its words tell more"),
    meanings=_MEANINGS,
)
