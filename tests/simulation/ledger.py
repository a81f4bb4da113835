"""What really happened, written down by the providers and the callers themselves. It knows of no policy."""

import attrs


@attrs.frozen
class Asked:
    """A provider was asked to take a message.

    Args:
        time: when.
        provider: by name.
        message: number of the message.
    """

    time: float
    provider: str
    message: int


@attrs.define
class Ended:
    """How an asking ended.

    Args:
        asked: the asking.
        accepted: whether the provider took the mail, whatever it said.
        answer: what the asker learned: accepted, rejected, throttled, account, not sent, unknown; or cancelled.
        time: when.
    """

    asked: Asked
    accepted: bool
    answer: str
    time: float = 0.0


@attrs.define
class Call:
    """A caller wanted a message sent.

    Args:
        message: number of the message; a double click has the same.
        recipient: to whom.
        began: when.
        deadline: when its time is over.
        resends: whether a second mail is harmless.
        answers: what the caller got; one, or none if it was cancelled.
        ended: when.
    """

    message: int
    recipient: str
    began: float
    deadline: float
    resends: bool
    answers: list[str] = attrs.field(factory=list)
    cancelled: bool = False
    ended: float = 0.0


@attrs.define
class Ledger:
    """Everything, in the order in which it happened."""

    asked: list[Asked] = attrs.field(factory=list)
    ended: list[Ended] = attrs.field(factory=list)
    calls: list[Call] = attrs.field(factory=list)
    breakers: list[tuple[float, str, str, float]] = attrs.field(factory=list)
