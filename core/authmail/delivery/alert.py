"""What somebody is told when mail is in trouble, and when it is in order again: an alert, as data."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs

from authmail.outcomes import SendError
from authmail.words.text import NOTHING, Text, say

_LONGEST_HINT = 500


class AlertCause(StrEnum):
    """What an alert is about."""

    ACCOUNT_ERROR = "account_error"
    BREAKER_OPEN = "breaker_open"
    IN_DOUBT = "in_doubt"
    STORE = "store"
    OLD_QUEUE = "old_queue"
    UNKNOWN_KEY = "unknown_key"
    TEST = "test"


#: AlertCause → what it is called where people read it.
TITLES: Mapping[AlertCause, Text] = MappingProxyType(
    {
        AlertCause.ACCOUNT_ERROR: say("the account or its settings are refused"),
        AlertCause.BREAKER_OPEN: say("the sender fails and is not asked for a while"),
        AlertCause.IN_DOUBT: say("messages may have been sent, or not"),
        AlertCause.STORE: say("the store of limits and repeats cannot be used"),
        AlertCause.OLD_QUEUE: say("queued messages wait for too long"),
        AlertCause.UNKNOWN_KEY: say("queued messages were sealed with a key that is not given"),
        AlertCause.TEST: say("a test"),
    }
)


@attrs.frozen(kw_only=True)
class Alert:
    """One alert. Never a recipient, code, link, body or secret: what came from outside was cleaned before it got here.

    Args:
        alert: the cause.
        state: ``on``, or ``over`` when it is in order again; that one says what is over.
        delivery: name of the delivery; may be empty.
        sender: name of the sender; of a store its kind.
        connector: factory id of the sender's connector.
        outcome: of the last message that met it, as of :attr:`authmail.SendError.outcome`.
        reason: likewise.
        code: the provider's error code, or None.
        hint: what happened and what to do.
        count: how often it was met since then.
        since: when it was first met.
        time: when it was last met, or was over.
    """

    alert: AlertCause
    state: str = "on"
    delivery: str = ""
    sender: str = ""
    connector: str = ""
    outcome: str = ""
    reason: str = ""
    code: str | None = None
    hint: Text = NOTHING
    count: int = 1
    since: datetime
    time: datetime

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values, the hint in English."""
        fields = attrs.asdict(self, recurse=False)
        return {
            **fields,
            "alert": str(self.alert),
            "hint": self.hint_in("en"),
            "since": rfc3339(self.since),
            "time": rfc3339(self.time),
        }

    def to_json(self) -> bytes:
        """Return it as a line of JSON, UTF-8."""
        return json.dumps(self.to_dict(), ensure_ascii=False).encode("utf-8", "replace")

    def hint_in(self, language: str) -> str:
        """Return the hint in the nearest language there is, cut to 500 characters."""
        return self.hint.in_language(language)[:_LONGEST_HINT]


def alert_of(cause: AlertCause, sender: str, error: SendError, *, delivery: str = "") -> Alert:
    """Return the alert that a message's error is, if it is the first."""
    now = datetime.now(UTC)
    return Alert(
        alert=cause,
        delivery=delivery,
        sender=sender,
        connector=error.connector,
        outcome=error.outcome,
        reason=str(error.reason),
        code=error.code,
        hint=error.hint,
        since=now,
        time=now,
    )


def rfc3339(time: datetime) -> str:
    """Return a time in UTC as ``2026-01-31T08:15:00Z`` (RFC 3339)."""
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
