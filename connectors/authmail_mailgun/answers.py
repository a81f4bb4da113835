"""Mailgun's answers, as data (pages *API Response Codes* and *Messages*, 2026-11, and captures of its SDKs).

An acceptance is a 200 with an id. An error is ``{"message": "…"}``, or a plain text; it has no code, so the parameter that it names is
taken for one, and so are two that its words tell: a limit, and the greeting of a wrong URL. Marked with *seen* is what only public
issues quote.
"""

import re
from collections.abc import Callable
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
    member,
)

#: In place of a code: some limit is reached, and the words may tell until when.
LIMIT = "LIMIT_EXCEEDED"
#: In place of a code: a 200 that greets, which is what a wrong URL gets (captured, and seen).
GREETING = "MAGNIFICENT_API"
_TEMPLATE = "template"
_GREETS = "Mailgun Magnificent API"
# "'to' parameter is not a valid address", "from parameter is missing".
_PARAMETER = re.compile(r"'?([a-z][A-Za-z0-9:_-]{0,40})'? parameter\b")
_REACHED = re.compile(r"\blimit (?:(?:has been|is|was) )?(?:exceeded|reached)", re.IGNORECASE)
_LONGEST_TEXT = 300
# Who waits for a code waits no longer.
_LONGEST_WAIT = 60.0

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Mailgun had a fault; it is not known whether the mail went out")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Mailgun's; check endpoint")
_KEY = Meaning(
    AccountError, Reason.CREDENTIALS, "the API key is not valid, or belongs to the other region; check apiKey and region"
)
_DOMAIN = Meaning(
    AccountError, Reason.SENDER, "the domain may not send: it is not verified, or disabled; see Sending > Domains at Mailgun"
)
_UNKNOWN_DOMAIN = Meaning(
    AccountError, Reason.CONFIG, "Mailgun does not know the domain in this region; check domain and region, or wait if it is new"
)
_STOPPED = Meaning(
    AccountError, Reason.ACCOUNT, "Mailgun has stopped the account, or not opened it yet; see your mail, ask its support"
)
_AUTHORIZED_ALONE = Meaning(
    AccountError,
    Reason.ACCOUNT,
    "a sandbox domain, or a free account, reaches its authorized recipients alone; add a domain of your own, or a plan",
)
_CAPPED = Meaning(
    AccountError, Reason.QUOTA, "the domain has reached a limit of its own for some time; ask Mailgun's support to raise it"
)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Mailgun asks to send slower")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than the 25 MB that Mailgun takes")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Mailgun refused the request; its words tell more")


def _unavailable(answer: Answer) -> Meaning:
    """Return what a 503 means: Mailgun's own JSON says "not available", a page of something in between says nothing."""
    return _FAULT if answer.text("message") is None else Meaning(NotSent, Reason.PROVIDER, "Mailgun is not available now")


def _not_found(answer: Answer) -> Meaning:
    """Return what a 404 means: without JSON there is no such place (page *API Response Codes*)."""
    return _ELSEWHERE if answer.text("message") is None else _UNKNOWN_DOMAIN


def _limited(answer: Answer) -> Meaning:
    """Return what a limit means: too fast if it ends soon, else a quota, since no code can wait for it."""
    wait = _seconds_left(answer)
    is_short = answer.status == 429 if wait is None else wait <= _LONGEST_WAIT  # noqa: PLR2004
    return _TOO_FAST if is_short else _CAPPED


#: Code (one with ``*`` is the beginning of a parameter), or status → meaning.
_MEANINGS: dict[str | int | tuple[str, int], Meaning | Callable[[Answer], Meaning]] = {
    GREETING: Meaning(AccountError, Reason.ENDPOINT, "nothing takes mail at this URL of Mailgun; check endpoint", status=200),
    # Seen with 420, of a domain that is new or was flagged (mailgun-java 50): a cap of recipients in a window of time.
    LIMIT: _limited,
    (LIMIT, 420): _limited,
    420: _limited,
    # Parameters of the account's first.
    "from*": Meaning(AccountError, Reason.SENDER, "the sender is not accepted; check from and the template's sendFrom"),
    "h:Reply-To*": Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's"),
    "template*": Meaning(AccountError, Reason.TEMPLATE, "Mailgun has no such template for this domain; check its name"),
    "o:tag*": Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags"),
    "to*": _RECIPIENT,
    **dict.fromkeys(("subject*", "html*", "text*", "h:*"), _CONTENT),
    # Page *API Response Codes*.
    400: _REFUSED,
    401: _KEY,
    402: Meaning(AccountError, Reason.QUOTA, "Mailgun asks for payment; see the plan and its bill"),
    403: Meaning(AccountError, Reason.PERMISSION, "the API key may not send for this domain; check apiKey, domain and region"),
    404: _not_found,
    405: _ELSEWHERE,
    406: _TOO_LARGE,
    413: _TOO_LARGE,
    415: _ELSEWHERE,
    429: _TOO_FAST,
    500: _FAULT,
    503: _unavailable,
}

#: What its words mean, in front of what they mean at any provider; all but the second seen.
_SPOKEN = (
    Spoken("", r"\bbusiness verification\b|\bactivate your\b|\bprobation", _STOPPED),
    Spoken(r"\bnot allowed to send\b", r"\bdisabled\b|\bsuspend|\bblocked\b|\bclosed\b", _STOPPED),
    Spoken(r"\bsandbox|\bfree account", r"\btest purposes\b", _AUTHORIZED_ALONE),
    Spoken(r"\bdomain\b", r"\bunverified\b|\bnot verified\b|\bnot allowed to send\b", _DOMAIN),
    Spoken(r"\bprivate key\b", r"\binvalid\b", _KEY),
)


def _words(answer: Answer) -> str | None:
    """Return the message, or a plain text; what is longer, or a page, is somebody else's."""
    plain = answer.reply.text.strip() if answer.members is None else ""
    is_short = len(plain) <= _LONGEST_TEXT and not plain.startswith("<")
    return answer.text("message") or (plain if is_short else "") or None


def _code(answer: Answer) -> str | None:
    words = _words(answer) or ""
    if answer.succeeds:
        return GREETING if _GREETS in words else None
    if _REACHED.search(words):
        return LIMIT
    named = _PARAMETER.match(words)
    is_missing_template = words.lower().startswith(_TEMPLATE) and "not found" in words
    return named[1] if named else _TEMPLATE if is_missing_template else None


def _seconds_left(answer: Answer) -> float | None:
    """Return the seconds until the date that the words end with, "…, try again after Mon, 25 Aug 2025 07:00:31 UTC" (seen).

    By the clock that wrote the answer.
    """
    try:
        until = parsedate_to_datetime((_words(answer) or "").rpartition(" after ")[2].rstrip("."))
    except (ValueError, OverflowError):
        return None
    try:
        now = parsedate_to_datetime(answer.reply.headers.get("Date", ""))
    except (ValueError, OverflowError):
        now = datetime.now(UTC)
    return max(0.0, until.timestamp() - now.timestamp())


def _wait(answer: Answer) -> float | None:
    wait = _seconds_left(answer)
    return wait if wait is not None and wait <= _LONGEST_WAIT else None


ANSWERS = Answers(
    provider="Mailgun",
    message_id=member("id"),
    accepted=lambda answer: _code(answer) != GREETING,
    code=_code,
    words=_words,
    retry_after=_wait,
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
