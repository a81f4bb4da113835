"""Metrics through OpenTelemetry's API, when it is installed: the host's SDK decides where they go.

======================  =========  =========================================================
name                    kind       attributes
======================  =========  =========================================================
authmail.messages       counter    outcome, reason, type: one for each message
authmail.attempts       counter    sender, outcome, reason: one for each attempt
authmail.switches       counter    sender, to: messages that went on to another sender
authmail.breaker        counter    sender, state: breakers that opened, probed or closed
authmail.alerts         counter    alert, state, sender: what somebody was told, and that it was over
authmail.attempt.time   histogram  sender, outcome; seconds
======================  =========  =========================================================
"""

from collections.abc import Mapping
from typing import Any

from opentelemetry import metrics

from authmail.connect.contract import hookimpl
from authmail.mail.email import Mail
from authmail.mail.message import UsageType
from authmail.outcomes import SendError

_KNOWN_TYPES = frozenset(UsageType)


class Metrics:
    """Counts what a :class:`~authmail.delivery.Delivery` says."""

    def __init__(self) -> None:
        meter = metrics.get_meter("authmail")
        self._messages = meter.create_counter("authmail.messages", unit="{message}", description="Messages by their one answer")
        self._attempts = meter.create_counter("authmail.attempts", unit="{attempt}", description="Attempts of single senders")
        self._switches = meter.create_counter(
            "authmail.switches", unit="{message}", description="Messages that went to another sender"
        )
        self._breakers = meter.create_counter("authmail.breaker", unit="{change}", description="Changes of breakers")
        self._alerts = meter.create_counter("authmail.alerts", unit="{alert}", description="Alerts, on and over")
        self._time = meter.create_histogram("authmail.attempt.time", unit="s", description="Time that an attempt took")

    @hookimpl
    def message_sent(self, message: Mail) -> None:
        """Count an accepted message."""
        self._messages.add(1, {"outcome": "accepted", "type": _type(message)})

    @hookimpl
    def message_failed(self, message: Mail, error: SendError) -> None:
        """Count a message that was not accepted, or whose outcome is unknown."""
        self._messages.add(1, {**_outcome(error), "type": _type(message)})

    @hookimpl
    def attempt(self, sender: str, error: SendError | None, seconds: float) -> None:
        """Count an attempt and its time."""
        attributes = {"sender": sender, **({"outcome": "accepted"} if error is None else _outcome(error))}
        self._attempts.add(1, attributes)
        self._time.record(seconds, {"sender": sender, "outcome": attributes["outcome"]})

    @hookimpl
    def switched(self, sender: str, to: str) -> None:
        """Count a message that went on."""
        self._switches.add(1, {"sender": sender, "to": to})

    @hookimpl
    def breaker(self, sender: str, state: str) -> None:
        """Count a breaker's change."""
        self._breakers.add(1, {"sender": sender, "state": state})

    @hookimpl
    def alert(self, alert: Mapping[str, Any]) -> None:
        """Count an alert."""
        self._alerts.add(1, {name: alert[name] for name in ("alert", "state", "sender")})


def _outcome(error: SendError) -> dict[str, str]:
    return {"outcome": error.outcome, "reason": str(error.reason)}


def _type(message: Mail) -> str:
    """Return the type; what a caller made up is "other", since each value is a time series of its own."""
    return message.usage_type if message.usage_type in _KNOWN_TYPES else "other"
