"""What a reply of an SMTP server means: a Receipt, or which error. Pure."""

import re
from typing import Any

import attrs

from authmail import NotSent, OutcomeUnknown, Phase, Reason, Receipt, SendError, Throttled, hide_fields, say
from authmail_smtp.reply_codes import ROWS, Row
from authmail_smtp.steps import Step

_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")
_WAIT = re.compile(r"([0-9]{1,5})\s*(s|sec|second|m|min|minute)s?\b", re.IGNORECASE)
_LONGEST_WAIT = 24 * 3600
# Postfix, Exim, Exchange and Microsoft 365, then Gmail, Amazon SES and others, whose ids have a digit in them.
_QUEUED = (
    re.compile(r"queued(?: as|:) <?([\w.@+-]{3,128})", re.IGNORECASE),
    re.compile(r"\b(?:internal)?id[=:] ?<?([\w.@+-]{3,128})", re.IGNORECASE),
    re.compile(r"\bok:? +<?((?=[\w.@+-]*[0-9])[\w.@+-]{6,128})", re.IGNORECASE),
)
_COMPLETED = 250


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Reply:
    """A reply: its code, and the lines of its text, without codes."""

    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code, if the text begins with one that fits the reply code."""
        match = _ENHANCED.match(self.text)
        return match[0] if match and match[0][0] == str(self.code)[:1] else None


def receipt(reply: Reply, message_id: str, where: str = "") -> Receipt:
    """Return the Receipt of an accepted mail.

    Args:
        reply: the reply to the mail's final dot.
        message_id: value of the ``Message-ID`` header that was sent.
        where: host and port, for people.

    Raises:
        SendError: what the reply means otherwise.
    """
    if reply.code == _COMPLETED:
        text = _one_line(reply.text)
        queued = next((match[1] for pattern in _QUEUED if (match := pattern.search(text))), None)
        return Receipt(message_id, queued, text or None)
    raise failure(Step.CONTENT, reply, where)


def failure(step: Step, reply: Reply, where: str = "") -> SendError:
    """Return the error that a reply means.

    Args:
        step: what it answers.
        reply: the reply, not one that this step waits for.
        where: host and port, for people.
    """
    row = next((row for row in ROWS if _fits(row, step, reply)), None)
    text = _one_line(reply.text)
    details: dict[str, Any] = {
        "code": reply.enhanced or str(reply.code),
        "status": reply.code,
        "detail": text,
    }
    if row is None:
        return _strange(step, where, details)
    waits = row.meaning.kind in (Throttled, NotSent)
    retry_after = (_wait(text) or row.retry_after) if waits else None
    hint = _at(step, where, row.meaning.hint)
    return row.meaning.error(hint=hint, retry_after=retry_after, phase=Phase.AFTER, **details)


def _fits(row: Row, step: Step, reply: Reply) -> bool:
    return (
        step in row.steps
        and re.fullmatch(row.code, str(reply.code)) is not None
        and (row.enhanced is None or re.fullmatch(row.enhanced, reply.enhanced or "") is not None)
        and (row.words is None or row.words.search(reply.text) is not None)
    )


def _strange(step: Step, where: str, details: dict[str, Any]) -> SendError:
    """Return what a reply means that is neither what the step waits for nor a refusal."""
    if step is Step.CONTENT:
        hint = _at(step, where, say("the reply tells neither that the mail was taken nor that it was refused"))
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.AFTER, **details)
    hint = _at(step, where, say("the reply fits no SMTP server; check host and port"))
    return NotSent(hint, reason=Reason.PROVIDER, phase=Phase.DURING, **details)


def _at(step: Step, where: str, what: str) -> str:
    return (
        say("{step} at {where}: {what}", step=step, where=where, what=what)
        if where
        else say("{step}: {what}", step=step, what=what)
    )


def _wait(text: str) -> float | None:
    """Return the seconds that a server asks to wait, in words."""
    match = _WAIT.search(text)
    seconds = int(match[1]) * (60 if match[2][0] in "mM" else 1) if match else 0
    return float(seconds) if 0 < seconds <= _LONGEST_WAIT else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
