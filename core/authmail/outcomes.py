"""The one answer to a message: a Receipt, or one kind of SendError.

The kinds are what a program decides by: whether the same provider may be asked again, and whether another one may.
"""

import math
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, Self, TypeVar

import attrs

from authmail.errors import AuthmailError
from authmail.words.text import NOTHING, Text, as_text, say

__all__ = [
    "AccountError",
    "ConnectionCut",
    "Limited",
    "Meaning",
    "MessageRejected",
    "NoAnswerInTime",
    "NotConnected",
    "NotSent",
    "NotSentInTime",
    "OutcomeUnknown",
    "Phase",
    "Reason",
    "Receipt",
    "SendError",
    "TemplateError",
    "Throttled",
]

_DETAIL_LIMIT = 500
_LONGEST_WAIT = 1e9
_STATUSES = 100_000
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)

_Error = TypeVar("_Error", bound="SendError")


def _fixed(hint: str) -> Text:
    return hint if isinstance(hint, Text) else say(hint)


def _seconds(value: object) -> float | None:
    """Return seconds to wait as anybody may have given them; None where they are none."""
    try:
        seconds = float(value)  # type: ignore[arg-type]  # whatever it is
    except (TypeError, ValueError, OverflowError):
        return None
    return min(seconds, _LONGEST_WAIT) if 0 <= seconds < math.inf else None


class Reason(StrEnum):
    """Why a message was not accepted, or why nobody can tell."""

    RECIPIENT = "recipient"
    SUPPRESSED = "suppressed"
    CONTENT = "content"
    TEMPLATE = "template"
    MESSAGE = "message"
    CREDENTIALS = "credentials"
    PERMISSION = "permission"
    SENDER = "sender"
    QUOTA = "quota"
    RATE = "rate"
    CLOCK = "clock"
    ACCOUNT = "account"
    ENDPOINT = "endpoint"
    CONFIG = "config"
    NETWORK = "network"
    TIMEOUT = "timeout"
    PROVIDER = "provider"
    CONNECTOR = "connector"


class Phase(StrEnum):
    """How far the request had got."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


@attrs.frozen
class Receipt:
    """The provider took responsibility for the message. Accepted is not yet delivered.

    Args:
        message_id: the provider's id of the mail.
        request_id: the provider's id of the request, for its support.
        detail: more of the provider's words, where there are any.
        connector: factory id of the connector; filled in by core.
    """

    message_id: str
    request_id: str | None = None
    detail: str | None = None
    connector: str = ""


class SendError(AuthmailError):
    """Base of everything that sending raises. Decide by the type and :attr:`reason`; show :attr:`hint` to people.

    Args:
        hint: what happened and what to do, in plain words; made with :func:`authmail.say` where it can be translated.
        reason: the cause, a :class:`Reason` or its text.
        phase: how far the request had got, a :class:`Phase` or its text.
        code: the provider's error code.
        status: the HTTP status or SMTP reply code.
        request_id: the provider's id of the request.
        retry_after: seconds after which the provider wants to be asked again, at most 10⁹; what is no such number is left out.
        detail: the provider's own words; cut to 500 characters, and left out where they are a whole page of markup.
        connector: factory id of the connector; filled in by core.
        tried: the attempts behind this answer, where there were several: ``smtp: not sent (network)``.
    """

    #: What it is called where people read it.
    outcome: ClassVar[str] = "failed"
    _consequence: ClassVar[str] = ""
    _default_reason: ClassVar[Reason] = Reason.PROVIDER
    _default_phase: ClassVar[Phase] = Phase.AFTER

    def __init__(
        self,
        hint: str = "",
        *,
        reason: Reason | str | None = None,
        phase: Phase | str | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        detail: str | None = None,
        connector: str = "",
        tried: Iterable[str] = (),
    ) -> None:
        super().__init__(hint)
        self.hint: Text = as_text(hint)
        self.reason = Reason(reason or self._default_reason)
        self.phase = Phase(phase or self._default_phase)
        self.code = code
        self.status = status if isinstance(status, int) and abs(status) < _STATUSES else None
        self.request_id = request_id
        self.retry_after = _seconds(retry_after)
        if detail is not None and _MARKUP.match(detail):
            detail = None
        self.detail = detail if detail is None or len(detail) <= _DETAIL_LIMIT else detail[:_DETAIL_LIMIT] + "…"
        self.connector = connector
        self.tried = tuple(tried)

    def hint_in(self, language: str) -> str:
        """Return the hint in the nearest language there is, ``fr`` or ``zh-CN``; else in English."""
        return self.hint.in_language(language)

    @classmethod
    def outcome_in(cls, language: str) -> str:
        """Return what the outcome is called, likewise; programs decide by the type."""
        return say(cls.outcome).in_language(language)

    @property
    def consequence(self) -> Text:
        """What certainly did not happen, or may have."""
        return say(self._consequence)

    def consequence_in(self, language: str) -> str:
        """Return the consequence in the nearest language there is, likewise."""
        return self.consequence.in_language(language)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome and every attribute as JSON-ready values; what it lacks is None."""
        return {"outcome": self.outcome, **self._attributes(), "tried": list(self.tried)}

    def _attributes(self) -> dict[str, Any]:
        names = ("hint", "reason", "phase", "code", "status", "request_id", "retry_after", "detail", "connector", "tried")
        return {name: getattr(self, name) for name in names}

    def afresh(self, **changes: Any) -> Self:
        """Return a copy without traceback, cause and context, with some attributes changed."""
        return _rebuilt(type(self), {**self._attributes(), **changes})

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (type(self), self._attributes())

    def __str__(self) -> str:
        facts = [str(self.reason)]
        facts += [self.code] if self.code else []
        facts += [f"status {self.status}"] if self.status is not None else []
        facts += [f"retry after {round(self.retry_after, 1):g} s"] if self.retry_after is not None else []
        text = f"{self.outcome} ({', '.join(facts)})"
        if self.connector:
            text = f"{self.connector}: {text}"
        if self.hint:
            text = f"{text}: {self.hint}"
        return f"{text} [the provider said: {self.detail}]" if self.detail else text


def _rebuilt(kind: type[_Error], attributes: dict[str, Any]) -> _Error:
    return kind(**attributes)


class MessageRejected(SendError, ValueError):
    """This message or recipient is refused, by the provider or before it was asked. No provider would take it."""

    outcome = "rejected"
    _consequence = "The mail was not sent. Sending it again as it is will not help."


class TemplateError(MessageRejected):
    """No template fits, or the payload cannot fill it."""

    _default_reason = Reason.TEMPLATE
    _default_phase = Phase.BEFORE


def refused(hint: str, reason: Reason = Reason.CONTENT) -> MessageRejected:
    """Return the error of a mail that a connector does not send, since its provider would not take it.

    Args:
        hint: what the provider does not take, and what to do; made with :func:`authmail.say`.
        reason: the cause.
    """
    return MessageRejected(hint, reason=reason, phase=Phase.BEFORE)


class Throttled(SendError):
    """Too fast for the provider. Ask it again after :attr:`retry_after` seconds, or another one now."""

    outcome = "throttled"
    _consequence = "The mail was not sent. It can be sent again after a while."
    _default_reason = Reason.RATE


class Limited(Throttled):
    """Our own limit, set by the host; the provider was not asked."""

    _default_phase = Phase.BEFORE


class AccountError(SendError):
    """The provider account or its settings: credentials, rights, quota, sender, endpoint. Somebody must act."""

    outcome = "account"
    _consequence = "The mail was not sent. No mail of this account will be until its settings are put right."
    _default_reason = Reason.ACCOUNT

    @property
    def consequence(self) -> Text:
        """What certainly did not happen; a filter's refusal of one mail says nothing of the account's other mails."""
        if self.reason is Reason.CONTENT:
            return say("The mail was not sent. This one was refused for its content; other mails of the account may go out.")
        return super().consequence


class NotSent(SendError):
    """It cannot have been accepted: no connection, or the provider said "not now". It is safe to try again."""

    outcome = "not sent"
    _consequence = "The mail was not sent. It is safe to try again."


class NotConnected(NotSent, ConnectionError):
    """No connection came about: the name, the network or TLS failed."""

    _default_reason = Reason.NETWORK
    _default_phase = Phase.BEFORE


class NotSentInTime(NotSent, TimeoutError):
    """Time ran out before anything was sent."""

    _default_reason = Reason.TIMEOUT
    _default_phase = Phase.BEFORE


class OutcomeUnknown(SendError):
    """The provider may have accepted the message, or not; sending again may send a second mail."""

    outcome = "unknown"
    _consequence = "The mail may have been sent, or not. Sending it again may send it twice."


class ConnectionCut(OutcomeUnknown, ConnectionError):
    """The connection broke after the message began to go out."""

    _default_reason = Reason.NETWORK
    _default_phase = Phase.DURING


class NoAnswerInTime(OutcomeUnknown, TimeoutError):
    """Time ran out after the message began to go out."""

    _default_reason = Reason.TIMEOUT
    _default_phase = Phase.DURING


class UnknownThenRejected(OutcomeUnknown):
    """One provider may have accepted the message, and another one refused it for good: it is not to be sent again."""


@attrs.frozen
class Meaning:
    """What a provider's error code means: a row of a connector's table.

    Args:
        kind: the error to raise.
        reason: its cause.
        hint: what to do, in plain words.
        status: HTTP status that the code comes with, most of the time; the emulator answers with it.
    """

    kind: type[SendError]
    reason: Reason
    hint: Text = attrs.field(default=NOTHING, converter=_fixed)
    status: int = 400

    def error(self, **details: Any) -> SendError:
        """Return the error. Details are attributes of the :class:`SendError`; a ``hint`` among them wins."""
        return self.kind(**{"hint": self.hint, "reason": self.reason, **details})
