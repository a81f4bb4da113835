"""What a page answers, by the outcome of a mail: docs/outcomes.md explains each line."""

from typing import NamedTuple

from authmail import AccountError, Limited, MessageRejected, OutcomeUnknown, Reason, Receipt, SendError, Throttled


class Answer(NamedTuple):
    """An HTTP answer.

    Args:
        status: HTTP status.
        text: a sentence for the page.
        retry_after: seconds for the Retry-After header, or None.
        alert: an admin must look at it.
    """

    status: int
    text: str
    retry_after: int | None = None
    alert: bool = False


ADDRESS = "We cannot send mail to this address. Check its spelling, or use another one."
LATER = "We cannot send mail right now. Please try again in a few minutes."
SENT = "We sent you a mail. Look into your mailbox, also among the junk mail."
MAYBE = "A mail should be on its way. If none comes within two minutes, ask for a new one."


def answer_for(outcome: Receipt | SendError) -> Answer:
    """Return what to tell the user; the words never depend on the provider's."""
    match outcome:
        case Receipt():
            return Answer(202, SENT)
        case OutcomeUnknown():  # the mail may arrive, so the code in it must stay valid
            return Answer(202, MAYBE)
        case MessageRejected(reason=Reason.RECIPIENT | Reason.SUPPRESSED):
            return Answer(422, ADDRESS)
        case MessageRejected():  # our template, our payload, or a refusal that nobody knows
            return Answer(500, LATER, alert=True)
        case Limited(retry_after=seconds):  # our own limit: this user asked too often
            return Answer(429, "You asked too often. Please wait a little.", _whole(seconds))
        case Throttled(retry_after=seconds):
            return Answer(503, LATER, _whole(seconds))
        case AccountError():  # nothing goes out until somebody acts
            return Answer(503, LATER, alert=True)
        case _:  # NotSent: the same request may simply be made again
            return Answer(503, LATER, _whole(outcome.retry_after))


def _whole(seconds: float | None) -> int:
    """Return whole seconds, at least one; 30 where the provider named none."""
    return 30 if seconds is None else max(1, round(seconds))
