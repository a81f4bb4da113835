"""SparkPost's answers, as data (pages *Extended error codes*, *API overview* and *Transmissions*, 2026-11, and captures of its SDK).

An acceptance is ``{"results": {"total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": "…"}}``. A 200 may have accepted
nobody; then ``errors`` or ``rcpt_to_errors`` say why. An error is ``{"errors": [{"message": "…", "description": "…", "code": "7001"}]}``; the
code is missing where the key is at fault, and was a number for a time. Marked with *seen* is what only public issues quote.
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
)

#: "Transmission created, but with validation errors": what a 200 says that accepted nobody.
NOBODY = "2000"
# After a 429 "wait 1 to 5 seconds" (page *API overview*).
_WAIT = 5.0
_NEVER = r"(?!)"

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "SparkPost had a fault; it is not known whether the mail went out")
_LATER = Meaning(NotSent, Reason.PROVIDER, "SparkPost is not available now; try again later")
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not SparkPost's; check endpoint")
_KEY = Meaning(
    AccountError, Reason.CREDENTIALS, "the API key is not valid, or belongs to the other region; check apiKey and region"
)
_FORBIDDEN = Meaning(AccountError, Reason.PERMISSION, "the API key may not send; give it Transmissions: Read/Write at SparkPost")
_SENDER = Meaning(AccountError, Reason.SENDER, "the sender's domain is not a verified sending domain; verify it at SparkPost")
_REPLY = Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's")
_SANDBOX = Meaning(
    AccountError, Reason.SENDER, "SparkPost's sandbox domain is for its own template alone; send from a domain of your own"
)
_TRACKING = Meaning(
    AccountError, Reason.CONFIG, "the account's tracking domain is not in order; see Tracking Domains at SparkPost"
)
_SETTING = Meaning(
    AccountError,
    Reason.CONFIG,
    "SparkPost does not know something that the settings name; check ipPool, subaccount and campaign",
)
_TEMPLATE = Meaning(
    AccountError, Reason.TEMPLATE, "SparkPost looks for a template that is not there, and authmail asks for none; see the account"
)
_UNABLE = Meaning(AccountError, Reason.ACCOUNT, "the account lacks what sending needs; ask SparkPost's support")
_QUOTA = Meaning(AccountError, Reason.QUOTA, "the account's sending limit is reached; see its plan at SparkPost")
_FIVE = Meaning(
    AccountError,
    Reason.QUOTA,
    "the sandbox domain takes five mails in the life of an account; send from a domain of your own",
)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; SparkPost asks to wait some seconds")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_SUPPRESSED = Meaning(
    MessageRejected, Reason.SUPPRESSED, "the recipient is on the suppression list at SparkPost; remove it there"
)
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_TOO_LARGE = Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than SparkPost takes")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "SparkPost refused the mail; its words tell more")


def _unavailable(answer: Answer) -> Meaning:
    """Return what a 503 means: SparkPost's own JSON says "not now", that of something in between says nothing."""
    return _LATER if any(_errors(answer)) else _FAULT


#: What the words of a refusal that stands for much mean of the message, where they mean nothing of the account.
_OF_THE_MESSAGE = (
    # Seen, with 1902; since 2018 such a mail is accepted, and bounces.
    (re.compile(r"\bsuppress", re.IGNORECASE), _SUPPRESSED),
    (re.compile(r"\brecipients?\b|\baddress\.|\brcpt", re.IGNORECASE), _RECIPIENT),
    (re.compile(r"\bcontent\.|[`'\"](?:subject|text|html|headers)[`'\"]|\bheaders?\b", re.IGNORECASE), _CONTENT),
)


def _by_words(answer: Answer) -> Meaning:
    """Return what a refusal means that has many causes: its words name the field."""
    words = _words(answer) or ""
    of_a_mail = _RECIPIENT if answer.succeeds else _REFUSED  # a mail has one recipient, and a success did not count it
    return next((meaning for pattern, meaning in _OF_THE_MESSAGE if pattern.search(words)), of_a_mail)


#: Page *Extended error codes*: meaning, status, codes. Codes of what no mail asks for (lists, webhooks, schedules) are left out.
_ROWS = (
    (_FORBIDDEN, 403, "1100"),
    (_ELSEWHERE, 404, "1101 1103"),
    (_ELSEWHERE, 405, "1102"),
    (_ELSEWHERE, 406, "1800"),
    (_ELSEWHERE, 415, "1700"),
    (_REFUSED, 409, "1602"),
    (_REFUSED, 422, "2002 2007"),
    (_KEY, 401, "1303 1304"),
    (_CONTENT, 400, "1305 1901"),
    # Of its template language, which reads every body unless told not to.
    (_CONTENT, 422, "3000 3001 3002 3010 3020 3040 3050"),
    (_FAULT, 500, "1500 1501"),
    # "Server resources unavailable, retry later", and "message generation module not available".
    (_LATER, 400, "1502"),
    (_LATER, 503, "1900"),
    (_SETTING, 404, "1600"),
    (_TEMPLATE, 422, "1603 2004 2005"),
    (_UNABLE, 403, "1601"),
    (_UNABLE, 400, "1910"),
    (_RECIPIENT, 400, "5002"),
    # No local part; then the domain: blacklisted, not configured or verified, of another account.
    (_SENDER, 400, "2008 7000 7001 7004"),
    (_TRACKING, 400, "2009 2010 2011 2012"),
    (_QUOTA, 420, "2101 2102"),
    (_FIVE, 420, "2103"),
    (_SANDBOX, 422, "2106"),
)
#: Codes that stand for much: code → status.
_WIDE = {"1200": 400, "1401": 400, "1902": 400, "1300": 422, "1301": 422, "1400": 422, NOBODY: 200}
#: Code, code and status, or status → meaning; statuses by page *API overview*.
_MEANINGS: dict[str | int | tuple[str, int], Meaning | Callable[[Answer], Meaning]] = {
    **dict.fromkeys([*_WIDE, *_WIDE.items()], _by_words),
    **{code: attrs.evolve(meaning, status=status) for meaning, status, codes in _ROWS for code in codes.split()},
    400: _by_words,
    401: _KEY,
    403: _FORBIDDEN,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    406: _ELSEWHERE,
    409: _REFUSED,
    413: _TOO_LARGE,
    415: _ELSEWHERE,
    420: _QUOTA,
    422: _by_words,
    429: _TOO_FAST,
    500: _FAULT,
    503: _unavailable,
}

#: What its words mean of the account, in front of what they mean at any provider. They name the field, as in "content.from".
_SPOKEN = (
    Spoken(
        "",
        r"\bcontent\.from\b|[`'\"]from[`'\"]|\bfrom\.(?:email|name)\b|\bfrom (?:address|domain|email|header)\b|\bsending domain",
        _SENDER,
        unless=_NEVER,
    ),
    Spoken("", r"\breply_to\b", _REPLY, unless=_NEVER),
    Spoken("", r"\bip[ _]pool|\bcampaign_id\b|\bsub-?account\b", _SETTING),
)


def _count(answer: Answer) -> int | None:
    value = answer.value("results", "total_accepted_recipients")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _errors(answer: Answer) -> Iterator[dict[str, Any]]:
    """Yield what is wrong, the recipients' first: that is closer than "with validation errors"."""
    for found in (answer.value("results", "rcpt_to_errors"), answer.value("errors")):
        yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _accepts(answer: Answer) -> bool:
    """Whether a success is one: unless it counts nobody, or has an error in place of results."""
    count = _count(answer)
    return answer.value("results") is not None if count is None else count > 0


def _code_of_errors(answer: Answer) -> str | None:
    """Return the code; of several one of the account's, since that must be put right before anything goes."""
    codes = [str(one["code"]) for one in _errors(answer) if isinstance(one.get("code"), str | int) and one["code"] != ""]
    return next((code for code in codes if _blames_account(code)), codes[0] if codes else None)


def _blames_account(code: str) -> bool:
    row = _MEANINGS.get(code)
    return isinstance(row, Meaning) and row.kind is AccountError


def _code(answer: Answer) -> str | None:
    return NOBODY if answer.succeeds and _count(answer) == 0 else _code_of_errors(answer)


def _words(answer: Answer) -> str | None:
    """Return message and description of each error; a gateway of SparkPost's says ``message`` alone."""
    told = [one.get(part) for one in _errors(answer) for part in ("message", "description")]
    return ". ".join(dict.fromkeys(text for text in told if isinstance(text, str) and text)) or answer.text("message")


def _message_id(answer: Answer) -> str | None:
    """Return the transmission's id, by which events know it; where a mail was accepted without one, our own."""
    if not _count(answer):
        return None  # the id alone says that there is a transmission, and not that it has a recipient
    return answer.text("results", "id", numbers=True) or (answer.request.id if answer.request else None)


ANSWERS = Answers(
    provider="SparkPost",
    message_id=_message_id,
    accepted=_accepts,
    code=_code,
    words=_words,
    retry_after=lambda answer: _WAIT if answer.status == 429 else None,  # noqa: PLR2004
    wide=_WIDE,
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
