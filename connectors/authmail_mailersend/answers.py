"""MailerSend's answers, as data (pages *General API resources* and *Send an email*, 2026-11, and captures of its SDK).

An error is ``{"message": "…", "errors": {"from.email": ["… #MS42207"]}}``: the code is the end of a text, the message's or
that of any field, and one status, 422, is for faults of the account and of the message. Marked with *seen* is what only
programs of others quote.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Throttled,
    header,
)

if TYPE_CHECKING:
    from authmail import Reply

#: The 202 that sends nothing, since its recipient is on a suppression list: ``type`` of a warning in its body.
SUPPRESSED = "ALL_SUPPRESSED"
#: The other 202 that sends nothing: a header of it, here in place of a code.
PAUSED = "x-send-paused"

# Of several errors the message tells the first, and counts on behind it: "… #MS42209 (and 3 more errors)" (seen).
_CODE = re.compile(r"#(MS[0-9]{5})(?: \(and [0-9]+ more errors?\))?\s*\Z")
_UNIX_SECONDS = re.compile(r"[0-9]{1,12}")

_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not MailerSend's; check endpoint")
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; MailerSend takes 120 a minute, fewer on small plans", status=429)
_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "MailerSend had a fault; it is not known whether the mail went out")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling", status=422)
_INVALID = Meaning(MessageRejected, Reason.PROVIDER, "MailerSend refuses a field of the mail; its words tell which", status=422)
_TRIAL = Meaning(
    AccountError,
    Reason.QUOTA,
    "a limit of trial accounts is reached; ask MailerSend to approve the account",
    status=422,
)
_PLAN = Meaning(AccountError, Reason.QUOTA, "the plan does not include this; upgrade it at MailerSend", status=422)

#: First word of a field that is not valid → meaning; those of the account first.
_BY_FIELD = {
    "from": Meaning(AccountError, Reason.SENDER, "the sender (from) is not accepted; check its form"),
    "reply_to": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "tags": Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags"),
    "to": _RECIPIENT,
    "subject": Meaning(MessageRejected, Reason.CONTENT, "the subject is not accepted; check the template"),
    "html": Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template"),
    "text": Meaning(MessageRejected, Reason.CONTENT, "the body is not accepted; check the template"),
    "headers": Meaning(MessageRejected, Reason.CONTENT, "a header of the mail is not accepted"),
}


def _texts(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield field and text of everything that an error says: its message first, then what is wrong with each field."""
    errors = answer.value("errors")
    fields = errors.items() if isinstance(errors, dict) else ()
    for field, texts in [("", answer.value("message")), *fields]:
        yield from ((field, text) for text in (texts if isinstance(texts, list) else [texts]) if isinstance(text, str))


def _codes(answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield field and code of each text that ends with one."""
    yield from ((field, match[1]) for field, text in _texts(answer) if (match := _CODE.search(text)))


def _by_field(answer: Answer) -> Meaning:
    """Return what "not valid" means: whose field it is decides."""
    fields = {field.partition(".")[0] for field, code in _codes(answer) if code == "MS42208"}
    return next((meaning for field, meaning in _BY_FIELD.items() if field in fields), _INVALID)


def _unavailable(answer: Answer) -> Meaning:
    """Return what a 503 means: MailerSend's own JSON says "not now", a page of something in between says nothing."""
    if answer.text("message") is None:
        return _FAULT
    return Meaning(NotSent, Reason.PROVIDER, "MailerSend is not available now")


_MEANINGS: dict[Any, Meaning | Callable[[Answer], Meaning]] = {
    # The two 202 that send nothing. The suppressed one has no id (help page *REST API response codes*, SDKs of others).
    SUPPRESSED: Meaning(
        MessageRejected, Reason.SUPPRESSED, "the recipient is on a suppression list at MailerSend; remove it there", status=202
    ),
    # The paused one has an id, and not a word in its body. That it exists is sure (page *Send an email*); what becomes of the mail
    # is not: the page is silent, programs of others say that it does not go out. It is no Receipt, since nobody would learn that
    # no code arrives; and no OutcomeUnknown, since that waits for a mail which somebody must act for. At worst MailerSend keeps
    # it and sends it when the pause ends, late and beside the one of another provider.
    PAUSED: Meaning(
        AccountError,
        Reason.ACCOUNT,
        "MailerSend has paused sending: it took the mail, but does not send it; see its notices",
        status=202,
    ),
    # Key and account. 401 has no code.
    401: Meaning(AccountError, Reason.CREDENTIALS, "the API token is not valid; make a new one at MailerSend"),
    "MS40301": Meaning(
        AccountError, Reason.PERMISSION, "the API token may not send; make one with full access to Email", status=403
    ),
    "MS40302": Meaning(
        AccountError, Reason.PERMISSION, "the API is switched off for this account; see it at MailerSend", status=403
    ),
    "MS40303": Meaning(AccountError, Reason.PERMISSION, "the account may not do this; see it at MailerSend", status=403),
    "MS40304": Meaning(AccountError, Reason.ACCOUNT, "the account is suspended; ask MailerSend's support", status=403),
    "MS40305": Meaning(
        AccountError,
        Reason.PERMISSION,
        "this server's address is not on the allow list of the token or account; add it",
        status=403,
    ),
    # Sender.
    "MS42207": Meaning(
        AccountError,
        Reason.SENDER,
        "the domain of the sender (from) is not verified, or not the domain of the API token",
        status=422,
    ),
    "MS42224": Meaning(
        AccountError, Reason.SENDER, "the API token may not send for this sender; check from and the token's domain", status=422
    ),
    "MS42226": Meaning(
        AccountError, Reason.SENDER, "a template belongs to another domain than the sender (from); check from", status=422
    ),
    # Quota and plan.
    "MS42204": Meaning(
        AccountError,
        Reason.QUOTA,
        "the account's quota of mails is used up; upgrade the plan, or ask MailerSend's support",
        status=422,
    ),
    "MS42216": _PLAN,
    "MS42222": _TRIAL,
    "MS42225": _TRIAL,
    # Seen: a trial account reaches recipients of verified domains alone.
    "MS42212": Meaning(
        AccountError, Reason.ACCOUNT, "a trial account sends to its own domains alone; ask MailerSend to approve it", status=422
    ),
    # Seen. That headers of one's own are for larger plans is on the page.
    "MS42235": Meaning(
        AccountError, Reason.QUOTA, "the plan does not include headers of one's own; upgrade it, or leave them out", status=422
    ),
    "MS42901": Meaning(
        AccountError,
        Reason.QUOTA,
        "the quota of requests a day is used up; wait until it is counted anew, or upgrade the plan",
        status=429,
    ),
    "MS42903": _TOO_FAST,
    429: _TOO_FAST,
    # Recipient and content.
    "MS42208": _by_field,
    ("MS42208", 422): _by_field,
    "MS42205": _RECIPIENT,
    "MS42201": Meaning(
        MessageRejected, Reason.RECIPIENT, "a recipient is named twice, or not accepted; check the address", status=422
    ),
    # Seen: subject, body.
    "MS42209": Meaning(MessageRejected, Reason.CONTENT, "the mail has no subject; check the template", status=422),
    "MS42211": Meaning(MessageRejected, Reason.CONTENT, "the mail has no body; check the template", status=422),
    "MS40001": Meaning(MessageRejected, Reason.PROVIDER, "MailerSend cannot use the request; please report this"),
    # Attachments, templates, times and more, none of which authmail sends.
    **{f"MS422{number:02}": _INVALID for number in (2, 6, 10, 13, 14, 15, 17, 18, 19, 20, 21, 27, 28)},
    # The service itself. Its page calls 408 a fault of its own, so it may have begun; 421 is maintenance.
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    408: _FAULT,
    421: Meaning(NotSent, Reason.PROVIDER, "MailerSend is under maintenance; try again later"),
    500: _FAULT,
    502: _FAULT,
    503: _unavailable,
    504: _FAULT,
}


def _code(answer: Answer) -> str | None:
    """Return the code: of several the one that blames the account, since that must be put right before anything goes."""
    if answer.succeeds:
        return _why_nothing_goes(answer)
    codes = [code for _, code in _codes(answer)]
    return next((code for code in codes if _blames_account(code, answer)), codes[0] if codes else None)


def _blames_account(code: str, answer: Answer) -> bool:
    row = _MEANINGS.get(code)
    meaning = row(answer) if callable(row) else row
    return meaning is not None and meaning.kind is AccountError


def _why_nothing_goes(answer: Answer) -> str | None:
    """Return which of the two 202 it is that send nothing; None for one that sends."""
    warnings = answer.value("warnings")
    if isinstance(warnings, list) and any(answer.text("warnings", at, "type") == SUPPRESSED for at in range(len(warnings))):
        return SUPPRESSED
    return PAUSED if answer.reply.headers.get(PAUSED, "").strip().lower() == "true" else None


def _words(answer: Answer) -> str | None:
    """Return message and errors, each text once; and why a recipient is suppressed, such as ``hard_bounced``."""
    recipient = ("warnings", 0, "recipients", 0)
    reasons = answer.value(*recipient, "reasons") or answer.value(*recipient, "reason")  # the page's name, and that of captures
    texts = [text for _, text in _texts(answer)]
    texts += [text for text in reasons if isinstance(text, str)] if isinstance(reasons, list) else []
    return " ".join(dict.fromkeys(texts)) or None


def _wait(answer: Answer) -> float | None:
    """Return the seconds to wait: a quota ends at a time of ISO 8601, a rate at a second of Unix time."""
    if answer.status != 429:  # noqa: PLR2004
        return None
    name = "x-apiquota-reset" if _code(answer) == "MS42901" else "x-ratelimit-reset"
    return seconds_until(answer.reply.headers.get(name), answer.reply)


def seconds_until(moment: str | None, reply: "Reply") -> float | None:
    """Return the seconds until a moment that an answer names, by the clock that wrote the answer; None where it names none.

    Args:
        moment: ISO 8601, in UTC unless it says otherwise, or seconds of Unix time.
        reply: the answer; its ``Date`` is taken for now, since the clock of this server may be wrong.
    """
    try:
        end = float(moment or "") if _UNIX_SECONDS.fullmatch(moment or "") else _unix(datetime.fromisoformat(moment or ""))
    except (ValueError, OverflowError):
        return None
    try:
        now = _unix(parsedate_to_datetime(reply.headers.get("Date", "")))
    except (ValueError, OverflowError):
        now = datetime.now(UTC).timestamp()
    return max(0.0, end - now)


def _unix(when: datetime) -> float:
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


ANSWERS = Answers(
    provider="MailerSend",
    message_id=header("x-message-id"),
    accepted=lambda answer: _why_nothing_goes(answer) is None,
    code=_code,
    words=_words,
    retry_after=_wait,
    wide=("MS40001",),
    otherwise=Meaning(MessageRejected, Reason.PROVIDER, "MailerSend refused the request; its words tell more"),
    meanings=_MEANINGS,
)
