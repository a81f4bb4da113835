"""Several attempts, one answer: which error speaks for all of them."""

import attrs

from authmail.outcomes import MessageRejected, NotSent, OutcomeUnknown, SendError, Throttled


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

        Once an attempt may have been accepted, the outcome is unknown, whatever came later. Otherwise a rejection is
        final; else the error that promises most decides, so that the host may try again as soon as that makes sense.
        """
        return self._speaker().afresh(tried=self.tried)

    def _speaker(self) -> SendError:
        last = self.errors[-1]
        unknown = [error for error in self.errors if isinstance(error, OutcomeUnknown)]
        if unknown:
            return unknown[-1]
        if isinstance(last, MessageRejected):
            return last
        return min((error for error in self.errors if isinstance(error, NotSent | Throttled)), key=_wait, default=last)


def _wait(error: SendError) -> float:
    return error.retry_after or 0.0


def _line(sender: str, error: SendError) -> str:
    facts = [str(error.reason)] + ([error.code] if error.code else [])
    asked = "" if error.phase != "before" else ", nothing went out"
    return f"{sender}: {error.outcome} ({', '.join(facts)}{asked})"
