"""Mandrill's answers, as data (pages *Send new message* and *Errors*, API description 1.4, 2026-11, and captures of its SDK).

A 200 is a list with a state for each recipient, ``[{"status": "rejected", "reject_reason": "unsigned", "_id": "…"}]``: the mail can be
refused in it, or be queued for good, since the account is stopped. An error is ``{"status": "error", "code": -1, "name": "Invalid_Key",
"message": "…"}``, most of the time with a 500, whatever it is: its name decides, never status or number. Marked with *seen* is
what only public issues and programs of others quote.
"""

import re
from collections.abc import Callable
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
)

_SENT = frozenset({"sent", "scheduled"})
# Seen: Validation error: {"message":{"from_email":"An email address must contain a single @"}}
_FIELD = re.compile(r'"message":\{"([a-z_]{1,40})"')

_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "Mandrill had a fault; it is not known whether the mail went out", status=500)
_ELSEWHERE = Meaning(AccountError, Reason.ENDPOINT, "this endpoint is not Mandrill's; check endpoint")
_KEY = Meaning(
    AccountError,
    Reason.CREDENTIALS,
    "the API key is not valid at Mandrill; one of Mailchimp's marketing side is another, so make one under SMTP & API Info",
    status=500,
)
_PERMISSION = Meaning(AccountError, Reason.PERMISSION, "the API key may not send; see what it is allowed at Mandrill")
_SENDER = Meaning(
    AccountError,
    Reason.SENDER,
    "the sender (from) is not accepted; verify its domain at Mandrill, and set its DKIM record",
    status=200,
)
_RECIPIENT = Meaning(MessageRejected, Reason.RECIPIENT, "the recipient's address is not accepted; check its spelling", status=200)
_SUPPRESSED = Meaning(
    MessageRejected, Reason.SUPPRESSED, "the recipient is on the rejection list at Mandrill; remove it there", status=200
)
_CONTENT = Meaning(MessageRejected, Reason.CONTENT, "subject, body or a header is not accepted; check the template")
_REFUSED = Meaning(MessageRejected, Reason.PROVIDER, "Mandrill refused the mail; its words tell more", status=200)
_OURS = Meaning(MessageRejected, Reason.PROVIDER, "Mandrill cannot use the request; please report this", status=500)
_PAYMENT = Meaning(
    AccountError, Reason.QUOTA, "Mandrill asks for payment; it needs a paid plan of Mailchimp, and blocks of mails", status=500
)
_STOPPED = Meaning(
    AccountError,
    Reason.ACCOUNT,
    "Mandrill has stopped the account: it took the mail, but does not send it; see its notices, ask its support",
    status=200,
)
_USED_UP = Meaning(
    AccountError,
    Reason.QUOTA,
    "the trial or the month's mails are used up: Mandrill took the mail, but does not send it; see the plan",
    status=200,
)
_TOO_FAST = Meaning(Throttled, Reason.RATE, "too many requests; Mandrill asks to send slower", status=429)

#: ``reject_reason`` of a recipient, or ``status`` where it tells no more → meaning.
REJECTED = {
    **dict.fromkeys(("hard-bounce", "soft-bounce", "spam", "unsub", "custom"), _SUPPRESSED),
    "rule": Meaning(
        MessageRejected, Reason.SUPPRESSED, "a rule of the account at Mandrill rejects the mail; see Rules there", status=200
    ),
    "invalid": _RECIPIENT,
    "invalid-sender": _SENDER,
    "unsigned": _SENDER,
    "test-mode-limit": Meaning(
        AccountError, Reason.QUOTA, "the limit of test mode is reached; use a key that sends, and see the plan", status=200
    ),
    "rejected": _REFUSED,
}
#: ``queued_reason`` → meaning, where nothing goes out until somebody acts. Neither a Receipt, for nobody would learn that no code
#: arrives, nor unknown, for that waits for a mail. At worst the mail comes late, beside the one of another provider. With any other
#: reason, such as the hour's quota or a backlog, it goes out by itself, if later: that is accepted.
HELD = {
    **dict.fromkeys(("sending-paused", "sending-suspended", "account-suspended"), _STOPPED),
    **dict.fromkeys(("free-trial-sends-exhausted", "monthly-limit-reached"), _USED_UP),
}
#: First field that a ValidationError names → meaning.
_BY_FIELD = {
    "from_email": _SENDER,
    "from_name": _SENDER,
    "to": _RECIPIENT,
    "headers": _CONTENT,
    "subject": _CONTENT,
    "html": _CONTENT,
    "text": _CONTENT,
    "tags": Meaning(AccountError, Reason.CONFIG, "the tags are not accepted; check tags"),
    "subaccount": Meaning(AccountError, Reason.CONFIG, "there is no such subaccount; check subaccount", status=500),
}


def _by_field(answer: Answer) -> Meaning:
    """Return what a ValidationError means: its words hold JSON that names the field."""
    found = _FIELD.search(_words(answer) or "")
    return _BY_FIELD.get(found[1], _REFUSED) if found else _REFUSED


#: Name, or status → meaning.
_MEANINGS: dict[Any, Meaning | Callable[[Answer], Meaning]] = {
    **REJECTED,
    **HELD,
    # Page *Errors*, and that of each call.
    "Invalid_Key": _KEY,
    "PaymentRequired": _PAYMENT,
    "PoorReputation": Meaning(
        AccountError, Reason.ACCOUNT, "the account's reputation is too low to send; see it at Mandrill", status=500
    ),
    "Unknown_Subaccount": _BY_FIELD["subaccount"],
    "Unknown_Pool": Meaning(
        AccountError, Reason.CONFIG, "the account's pool of addresses is gone; see it at Mandrill", status=500
    ),
    "Unknown_Template": Meaning(
        AccountError, Reason.CONFIG, "a rule of the account names a template that is gone; see Rules at Mandrill", status=500
    ),
    "Unknown_Sender": _SENDER,
    # It stands for many causes, a missing key among them.
    ("ValidationError", 500): _by_field,
    "ValidationError": _by_field,
    "ServiceUnavailable": Meaning(NotSent, Reason.PROVIDER, "Mandrill is under maintenance; try again later", status=503),
    "GeneralError": _FAULT,
    # Captures have it; no page.
    "RateLimit": _TOO_FAST,
    # Messages, webhooks and more that authmail does not name.
    "Unknown_*": _OURS,
    "Invalid_*": _OURS,
    400: _REFUSED,
    401: _KEY,
    402: _PAYMENT,
    403: _PERMISSION,
    404: _ELSEWHERE,
    405: _ELSEWHERE,
    413: Meaning(MessageRejected, Reason.CONTENT, "the mail is larger than Mandrill takes"),
    415: _ELSEWHERE,
    429: _TOO_FAST,
    500: _FAULT,
}

#: What its words mean, in front of what they mean at any provider.
_SPOKEN = (Spoken(r"\bkey value\b", r"\bmust specify\b", _KEY),)  # seen: with ValidationError, for a key that is left out


def _accepts(answer: Answer) -> bool:
    """Whether the recipient's state says so; one that waits does, unless it waits for somebody to act."""
    status = answer.text(0, "status")
    return status in _SENT or (status == "queued" and answer.text(0, "queued_reason") not in HELD)


def _code(answer: Answer) -> str | None:
    """Return the error's name, or why the recipient gets no mail; within a success a new reason is a rejection like any other."""
    name = answer.text("name")
    if not answer.succeeds:
        return name
    if name and answer.text("status") == "error":
        return name if name in _MEANINGS or name.startswith(("Unknown_", "Invalid_")) else "rejected"
    status, reason = answer.text(0, "status"), answer.text(0, "reject_reason")
    if status in ("rejected", "invalid"):
        return reason if reason in REJECTED else status
    held = answer.text(0, "queued_reason")
    return held if status == "queued" and held in HELD else None


def _words(answer: Answer) -> str | None:
    return answer.text("message") or answer.text(0, "reject_reason") or answer.text(0, "queued_reason")


def _message_id(answer: Answer) -> str | None:
    """Return Mandrill's id; where it accepts without one, our own, which stands in the mail's metadata."""
    return answer.text(0, "_id") or (answer.request.id if answer.request else None)


ANSWERS = Answers(
    provider="Mandrill",
    message_id=_message_id,
    accepted=_accepts,
    code=_code,
    words=_words,
    wide=("ValidationError", "rejected"),
    meanings=_MEANINGS,
    spoken=_SPOKEN,
    otherwise=_REFUSED,
)
