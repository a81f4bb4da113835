"""SendGrid's answers, as data (pages *Mail Send errors*, *Responses* and *Rate limits*, 2026-11, and captures of its SDK).

An acceptance is a 202 without a body. An error is ``{"errors": [{"message": "…", "field": "from.email", "help": "…"}]}``: it has
no code, so the field that it names is taken for one, and its words tell apart what comes with one status: a 401 is a wrong key or
credits that are used up. Marked with *seen* is what only public issues quote.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

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
)

_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")
# Windows of its rate are minutes; a later end is no hint, but a mistake of somebody's clock.
_LONGEST_WAIT = 3600.0

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "SendGrid had a fault; it is not known whether the mail went out")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not SendGrid's; check endpoint")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "SendGrid refused the request; its words tell more")
_OURS = Meaning(MessageRejected, Reason.PROVIDER, "SendGrid cannot use the request; please report this")


def _unavailable(answer: Answer) -> Meaning:
    """Return what a 503 means: SendGrid's own JSON says "not available", a page of something in between says nothing."""
    return _FAULT if _words(answer) is None else Meaning(NotSent, Reason.PROVIDER, "SendGrid is not available now")


#: Beginning of the field that is refused, or status → what it means.
_MEANINGS: dict[str | int, Meaning | Callable[[Answer], Meaning]] = {
    # Page *Mail Send errors*: each names its field; those of the account first. The 403 for a sender that is not verified has one too.
    "from*": Meaning(
        AccountError, Reason.SENDER, "the sender is not accepted; verify its domain or address at SendGrid, and check fromEmail"
    ),
    "reply_to*": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "categories*": Meaning(AccountError, Reason.CONFIG, "the categories are not accepted; check categories"),
    "mail_settings*": Meaning(
        AccountError, Reason.CONFIG, "SendGrid does not allow it to send to suppressed addresses; turn bypassListManagement off"
    ),
    "personalizations*": _RECIPIENT,
    # Seen in 2016: a field of this name for a subject of more than 78 characters.
    "subject*": Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; check the template, and keep it short"),
    "content*": Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template"),
    "headers*": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
    "custom_args*": _OURS,
    "tracking_settings*": _OURS,
    # Page *Responses*.
    400: _REFUSED,
    401: Meaning(
        AccountError,
        Reason.CREDENTIALS,
        "the API key is not valid, or belongs to the other region; check apiKey and region",
    ),
    403: Meaning(
        AccountError,
        Reason.PERMISSION,
        "the API key may not send, or SendGrid blocks the account for a while after many bad requests; give the key Mail Send",
    ),
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    406: _ELSEWHERE,
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than SendGrid takes"),
    415: _ELSEWHERE,
    429: Meaning(Throttled, Reason.RATE, "too many requests; SendGrid asks to send slower"),
    500: _FAULT,
    503: _unavailable,
}

_STOPPED = Meaning(
    AccountError, Reason.ACCOUNT, "SendGrid has stopped the account, or reviews it; see your mail, ask its support"
)

#: What its words mean, in front of what they mean at any provider; all seen.
_SPOKEN = (
    Spoken(
        r"\bcredits?\b",
        r"exceed|\bused up\b|exhaust|\bno\b|\bout of\b",
        Meaning(AccountError, Reason.QUOTA, "the account's credits are used up, or its trial is over; see the plan at SendGrid"),
    ),
    Spoken(r"\baccess sendgrid\b", r"\bnot authorized\b", _STOPPED),
    Spoken(r"\baccount\b|\buser\b", r"\bsuspend|\bunder review\b|\bdeactivated\b|\bbanned\b|\bdisabled\b|\bfrozen\b", _STOPPED),
    Spoken(
        r"\bsend mail\b",
        r"\bnot authorized\b",
        Meaning(AccountError, Reason.PERMISSION, "the API key may not send; give it Mail Send at SendGrid"),
    ),
)


def _errors(answer: Answer) -> Iterator[tuple[str | None, str]]:
    """Yield field and words of each error; a gateway of SendGrid's says ``message`` alone (seen)."""
    errors = answer.value("errors")
    for at in range(len(errors) if isinstance(errors, list) else 0):
        yield answer.text("errors", at, "field"), answer.text("errors", at, "message") or answer.text("errors", at) or ""
    yield None, answer.text("message") or ""


def _field(answer: Answer) -> str | None:
    """Return the field that is refused: of several one of the account's, since that must be put right before anything goes."""
    if answer.succeeds:
        return None
    fields = [field for field, _ in _errors(answer) if field]
    return next((field for field in fields if _blames_account(field)), fields[0] if fields else None)


def _blames_account(field: str) -> bool:
    rows = (row for start, row in _MEANINGS.items() if isinstance(start, str) and field.startswith(start[:-1]))
    return any(isinstance(row, Meaning) and row.kind is AccountError for row in rows)


def _words(answer: Answer) -> str | None:
    return " ".join(dict.fromkeys(words for _, words in _errors(answer) if words)) or None


def _message_id(answer: Answer) -> str | None:
    """Return SendGrid's id, or our own where a 202 without a body has none: its page names the header, but never as the proof."""
    given = answer.reply.headers.get("X-Message-Id")
    is_acceptance = answer.status == 202 and not answer.reply.body  # noqa: PLR2004
    return given or (answer.request.id if is_acceptance and answer.request else None)


def _wait(answer: Answer) -> float | None:
    """Return the seconds until the second of Unix time that ``X-RateLimit-Reset`` names, by the clock that wrote the answer.

    Mail Send has no such headers, whatever the page says (seen, sendgrid-go 105); what stands before it may.
    """
    end = answer.reply.headers.get("X-RateLimit-Reset", "")
    if answer.status != 429 or not _UNIX_SECONDS.fullmatch(end):  # noqa: PLR2004
        return None
    try:
        now = parsedate_to_datetime(answer.reply.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        now = datetime.now(UTC).timestamp()
    return left if 0 <= (left := int(end) - now) <= _LONGEST_WAIT else None


ANSWERS = Answers(
    provider="SendGrid",
    message_id=_message_id,
    code=_field,
    words=_words,
    retry_after=_wait,
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
