"""What a reply of an SMTP server means: a Receipt, or which error. Pure."""

import re
from typing import Any

import attrs

from authmail import NotSent, OutcomeUnknown, Phase, Reason, Receipt, SendError, Throttled, hide_fields, say
from authmail_smtp.reply_codes import ROWS, Row
from authmail_smtp.reply_ids import queue_id
from authmail_smtp.reply_text import enhanced_code, one_line, seconds_to_wait, words_of
from authmail_smtp.steps import Step

_COMPLETED = 250


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Reply:
    """A reply: its code, and the lines of its text, without codes."""

    code: int
    text: str

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code, if there is one that fits the reply code."""
        return enhanced_code(self.text, self.code)


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
        text = one_line(reply.text)
        return Receipt(message_id, queue_id(text), text or None)
    raise failure(Step.CONTENT, reply, where)


def failure(step: Step, reply: Reply, where: str = "") -> SendError:
    """Return the error that a reply means.

    Its phase tells what it answers: ``after`` the recipient was named, so that it may be about this one message, or ``during``
    what comes before, which is the same for every message of the account.

    Args:
        step: what it answers.
        reply: the reply, not one that this step waits for.
        where: host and port, for people.
    """
    words = words_of(reply.text)
    row = row_for(step, reply, words)
    details: dict[str, Any] = {
        "code": reply.enhanced or str(reply.code),
        "status": reply.code,
        "detail": one_line(reply.text),
        "phase": Phase.AFTER if step.is_of_message else Phase.DURING,
    }
    if row is None:
        return _strange(step, where, details)
    waits = row.meaning.kind in (Throttled, NotSent)
    retry_after = (seconds_to_wait(words) or row.retry_after) if waits else None
    return row.meaning.error(hint=_at(step, where, row.meaning.hint), retry_after=retry_after, **details)


def row_for(step: Step, reply: Reply, words: str) -> Row | None:
    """Return the row of the table that decides."""
    return next((row for row in ROWS if _fits(row, step, reply, words)), None)


def _fits(row: Row, step: Step, reply: Reply, words: str) -> bool:
    return (
        step in row.steps
        and re.fullmatch(row.code, str(reply.code)) is not None
        and (row.enhanced is None or row.enhanced.fullmatch(reply.enhanced or "") is not None)
        and (row.words is None or row.words.search(words) is not None)
    )


def _strange(step: Step, where: str, details: dict[str, Any]) -> SendError:
    """Return what a reply means that is neither what the step waits for nor a refusal."""
    if step is Step.CONTENT:
        hint = _at(step, where, say("the reply tells neither that the mail was taken nor that it was refused"))
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, **details)
    hint = _at(step, where, say("the reply fits no SMTP server; check host and port"))
    return NotSent(hint, reason=Reason.PROVIDER, **details)


def _at(step: Step, where: str, what: str) -> str:
    return (
        say("{step} at {where}: {what}", step=step, where=where, what=what)
        if where
        else say("{step}: {what}", step=step, what=what)
    )
