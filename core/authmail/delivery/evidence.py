"""What a failed attempt says about the provider: of whom it speaks, and whether it is enough to stop asking. Pure.

Two rules. What concerns the account, whoever the mail is for (no connection, no login, a cut or a time-out, an answer that is not the
provider's), counts by itself. What was answered once the recipient was named may be about that recipient, whose address is anybody's, so it
counts only for several recipients in several domains; see :class:`Doubts`.
"""

from enum import Enum

import attrs

from authmail.outcomes import (
    AccountError,
    Limited,
    MessageRejected,
    NotSent,
    Phase,
    Reason,
    SendError,
    Throttled,
)
from authmail.privacy import hide_fields

# An attempt that was given less says less; in seconds.
_FAIR_TIME = 1.0
# A refused sender may be one template's, doubtful content one message's: whoever can have such a message sent must not stop
# everybody's mail.
_OF_ONE_MESSAGE = frozenset((Reason.SENDER, Reason.CONTENT, Reason.TEMPLATE, Reason.MESSAGE, Reason.RECIPIENT, Reason.SUPPRESSED))
# What failed here, before the provider was asked: our own limit or store, a connector that stumbles over a message.
_OF_OURS = frozenset((Reason.CONNECTOR, Reason.CONFIG))
# A receiver of one's own answers by rules of its own, also about single recipients, with any 4xx but those of HTTP itself.
_RECEIVERS = frozenset(("http-email",))
_OF_THE_ACCOUNT = frozenset((401, 402, 407, 429))
_REFUSED, _FAILED = 400, 500
# So many recipients in so many domains are no longer one person's slip.
_RECIPIENTS, _DOMAINS = 3, 2


class Speaks(Enum):
    """Of what an error speaks."""

    NOTHING = "nothing"
    PROVIDER_WORKS = "the provider works"
    ACCOUNT = "the whole account: nobody is to be asked"
    PACE = "too fast: nobody is to be asked for a while"
    FAILURE = "the provider fails, whoever the mail is for"
    RECIPIENT = "maybe the recipient alone"


def speaks_of(error: SendError) -> Speaks:
    """Return of what an error speaks."""
    if isinstance(error, MessageRejected):
        return Speaks.NOTHING if error.phase is Phase.BEFORE else Speaks.PROVIDER_WORKS
    if isinstance(error, Limited) or (isinstance(error, NotSent) and error.reason in _OF_OURS and error.phase is Phase.BEFORE):
        return Speaks.NOTHING
    if _may_be_of_a_receiver(error) or error.reason in _OF_ONE_MESSAGE:
        return Speaks.RECIPIENT
    if isinstance(error, Throttled):
        return Speaks.PACE
    if isinstance(error, AccountError):
        return Speaks.ACCOUNT
    return Speaks.RECIPIENT if error.code and error.phase is Phase.AFTER else Speaks.FAILURE


def weight(seconds: float) -> float:
    """Return how much a failure counts, from 0 to 1: that of an attempt which had little time says little.

    Args:
        seconds: how long the attempt was given.
    """
    return min(1.0, seconds / _FAIR_TIME)


def _may_be_of_a_receiver(error: SendError) -> bool:
    status = error.status
    return error.connector in _RECEIVERS and status is not None and _REFUSED <= status < _FAILED and status not in _OF_THE_ACCOUNT


# Of a row of failures that never ends.
_MOST_DOMAINS = 1000


@attrs.define(field_transformer=hide_fields)
class Doubts:
    """Failures that may be single recipients' own, since the last success. Bounded, whoever writes to whom."""

    failures: int = 0
    recipients: set[str] = attrs.field(factory=set)
    domains: set[str] = attrs.field(factory=set)

    def add(self, address: str) -> None:
        """Note a failure for a recipient."""
        self.failures += 1
        if len(self.recipients) < _RECIPIENTS:
            self.recipients.add(address)
        if len(self.domains) < _MOST_DOMAINS:
            self.domains.add(domain_of(address))

    def are_many(self, failures: int) -> bool:
        """Whether so many in a row are no longer one person's slip."""
        return self.failures >= failures and len(self.recipients) >= _RECIPIENTS and len(self.domains) >= _DOMAINS


def domain_of(address: str) -> str:
    """Return the domain of an address."""
    return address.rpartition("@")[2].lower()
