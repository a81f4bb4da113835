"""Several attempts, one answer: which error speaks for all of them."""

import attrs

from authmail.outcomes import MessageRejected, NotSent, OutcomeUnknown, SendError, Throttled, UnknownThenRejected
from authmail.words.text import say


@attrs.define
class Trail:
    """What was tried for one message, in order."""

    errors: list[SendError] = attrs.field(factory=list)
    tried: list[str] = attrs.field(factory=list)

    def add(self, error: SendError, sender: str) -> None:
        """Remember an attempt that brought no Receipt; an error that speaks for several brings theirs."""
        self.errors.append(error)
        self.tried += error.tried or (_line(sender, error),)

    def verdict(self) -> SendError:
        """Return the one error for all attempts.

        Once an attempt may have been accepted, the outcome is unknown, whatever came later; a rejection is the last word
        all the same, and the answer says both. Otherwise a rejection is final; else the error that promises most decides, so
        that the host may try again as soon as that makes sense.
        """
        return self._speaker().afresh(tried=self.tried)

    def _speaker(self) -> SendError:
        last = self.errors[-1]
        unknown = [error for error in self.errors if isinstance(error, OutcomeUnknown)]
        if unknown and isinstance(last, MessageRejected):
            return _both(unknown[-1], last)
        if unknown:
            return unknown[-1]
        if isinstance(last, MessageRejected):
            return last
        return min((error for error in self.errors if isinstance(error, NotSent | Throttled)), key=_wait, default=last)


def _both(unknown: OutcomeUnknown, rejected: MessageRejected) -> SendError:
    hint = say("it may have been sent, and was then refused: {hint}", hint=rejected.hint)
    said = {name: value for name, value in unknown.to_dict().items() if name != "outcome"}
    return UnknownThenRejected(**said | {"hint": hint})


def _wait(error: SendError) -> float:
    return error.retry_after or 0.0


def _line(sender: str, error: SendError) -> str:
    facts = [str(error.reason)] + ([error.code] if error.code else [])
    asked = "" if error.phase != "before" else ", nothing went out"
    return f"{sender}: {error.outcome} ({', '.join(facts)}{asked})"
