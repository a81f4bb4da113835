"""Brevo's answers, as data (its API pages and the types of its official SDKs, 2026-11). Marked with *seen*: only public issues quote it.

An acceptance is a 201 with ``{"messageId": "<…@smtp-relay.mailin.fr>"}``. An error is ``{"code": "…", "message": "…"}``; most causes
have the code ``invalid_parameter``, ``unauthorized`` or ``permission_denied``, and its words tell them apart.
"""

import re

from authmail import (
    AccountError,
    Answer,
    Answers,
    Meaning,
    MessageRejected,
    OutcomeUnknown,
    Reason,
    Spoken,
    Throttled,
    member,
)

# The window of its send endpoint is a second, and the longest of all an hour (page *Rate limits*).
_LONGEST_WAIT = 3600
_SECONDS = re.compile(r"[0-9]{1,4}")
_NEVER = r"(?!)"

_ELSEWHERE = Meaning(
    AccountError, Reason.ENDPOINT, "this endpoint is not Brevo's, or its path is wrong; check endpoint", status=404
)
_KEY = Meaning(
    AccountError, Reason.CREDENTIALS, "the API key is not valid; make a new one at Brevo, and not one for SMTP", status=401
)
_ADDRESS = Meaning(
    AccountError,
    Reason.PERMISSION,
    "Brevo does not know this server's address; add it to the authorised IPs in its security settings",
)
_FORBIDDEN = Meaning(AccountError, Reason.PERMISSION, "Brevo forbids it; check the account's rights and plan", status=403)
_CREDITS = Meaning(AccountError, Reason.QUOTA, "the account's credits are used up; see the plan at Brevo", status=402)
NOT_OPEN = Meaning(
    AccountError,
    Reason.ACCOUNT,
    "Brevo has not opened the account for transactional mail, or stopped it; ask its support",
    status=402,
)
_SENDER = Meaning(AccountError, Reason.SENDER, "the sender is not accepted; authenticate its domain at Brevo, and check from")
_REPLY = Meaning(AccountError, Reason.SENDER, "the reply address is not accepted; check replyTo and the template's")
_TAGS = Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags")
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling")
_BLOCKED = Meaning(MessageRejected, Reason.SUPPRESSED, "the recipient is blocked at Brevo; see the blocked contacts there")
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Brevo refused the mail; its words tell more")
_REPEATED = Meaning(
    OutcomeUnknown, Reason.PROVIDER, "Brevo had a request with this key before, and most likely took that mail; see its logs"
)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Brevo asks to send slower", status=429)

#: Code or status → meaning. The codes are those of the SDKs' types, but for those that name another thing than a mail.
_MEANINGS: dict[str | int, Meaning] = {
    "invalid_parameter": _REFUSED,
    "missing_parameter": _REFUSED,
    "out_of_range": _REFUSED,
    "bad_request": _REFUSED,
    "unprocessable_entity": _REFUSED,
    "campaign_processing": _REFUSED,
    "campaign_sent": _REFUSED,
    "duplicate_parameter": _REPEATED,
    "duplicate_request": _REPEATED,
    "not_enough_credits": _CREDITS,
    # Seen, with a 402 and with a 400: an account that is new, or under review.
    "account_under_validation": NOT_OPEN,
    "unauthorized": _KEY,
    "permission_denied": _FORBIDDEN,
    "reseller_permission_denied": _FORBIDDEN,
    "document_not_found": _ELSEWHERE,
    "method_not_allowed": _ELSEWHERE,
    "not_acceptable": _ELSEWHERE,
    "too_many_requests": _TOO_FAST,
    400: _REFUSED,
    401: _KEY,
    402: _CREDITS,
    403: _FORBIDDEN,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    406: _ELSEWHERE,
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than Brevo takes"),
    415: _ELSEWHERE,
    422: _REFUSED,
    429: _TOO_FAST,
    500: Meaning(OutcomeUnknown, Reason.PROVIDER, "Brevo had a fault; it is not known whether the mail went out"),
}
# Codes of several causes.
_WIDE = frozenset(
    {"invalid_parameter", "missing_parameter", "out_of_range", "bad_request", "unprocessable_entity"}
    | {"unauthorized", "permission_denied", "not_acceptable"}
)

_WRONG = r"\bnot (?:valid|verified|found|authenticated)\b|\binvalid\b|\bmissing\b|\bvalidate\b|\bauthenticate\b|\brequired?\b|\bempty\b|\bshould\b"

#: What its words mean, in front of what they mean at any provider.
_SPOKEN = (
    # "We have detected you are using an unrecognised IP address …" (seen, with a 401).
    Spoken(r"\bip\b", r"\bunrecogni[sz]ed\b|\bunauthori[sz]ed\b|\bnot authori[sz]ed\b", _ADDRESS),
    # "Your SMTP account is not yet activated." (seen, with a 403).
    Spoken(r"\baccount\b", r"\bnot (?:yet )?(?:activated|validated)\b|\bunder (?:validation|review)\b|\bsuspended\b", NOT_OPEN),
    Spoken(
        r"\bcontact\b|\brecipient\b|\bemail\b|@",
        r"\bblocked\b|\bblacklisted\b|\bunsubscribed\b",
        _BLOCKED,
        unless=r"\baccount\b|\bsender\b",
    ),
    # The last two are codes of the SDKs' types that are sentences.
    Spoken(r"\brequest\b", r"\balready processed\b", _REPEATED),
    Spoken(r"\bdmarc\b|\bdns records\b", r"\brequires\b|\bnot properly\b", _SENDER),
    # "… the sender you used … is not valid. Validate your sender or authenticate your domain"; "email is not valid in to" (seen).
    Spoken(r"\breply-?to\b", _WRONG, _REPLY, unless=_NEVER),
    Spoken(r"\bsender\b|\byour domain\b", rf"{_WRONG}|\bblocked\b|\bblacklisted\b|\bnot allowed\b", _SENDER, unless=_NEVER),
    Spoken(r"\btags?\b", _WRONG, _TAGS),
    Spoken(r"\bin to\b|^to\b|\brecipients?\b", _WRONG, _RECIPIENT, unless=_NEVER),
    Spoken(r"\bsubject\b|\bhtml-?content\b|\btext-?content\b|\bheaders?\b", _WRONG, _CONTENT, unless=_NEVER),
)


def _wait(answer: Answer) -> float | None:
    """Return the seconds of ``x-sib-ratelimit-reset``, which count from now (page *Rate limits*); there is no ``Retry-After``."""
    told = answer.reply.headers.get("x-sib-ratelimit-reset", "")
    if answer.status != 429 or not _SECONDS.fullmatch(told):  # noqa: PLR2004
        return None
    return float(told) if int(told) <= _LONGEST_WAIT else None


def _message_id(answer: Answer) -> str | None:
    return answer.text("messageId") or answer.text("messageIds", 0)


ANSWERS = Answers(
    provider="Brevo",
    message_id=_message_id,
    accepted=lambda answer: answer.value("code") is None,
    code=member("code"),
    words=member("message"),
    retry_after=_wait,
    meanings=_MEANINGS,
    wide=_WIDE,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
