"""What a provider's error code means for a sender: the rows of a connector's error table."""

from typing import Any

import attrs

from authmail.outcomes import Reason, SendError


@attrs.frozen
class Meaning:
    """What a code means.

    Args:
        kind: the error to raise.
        reason: its cause.
        hint: what to do, in plain words.
    """

    kind: type[SendError]
    reason: Reason
    hint: str = ""

    def error(self, **details: Any) -> SendError:
        """Return the error. Details are attributes of the :class:`~authmail.SendError`; a ``hint`` among them wins."""
        return self.kind(**{"hint": self.hint, "reason": self.reason, **details})
