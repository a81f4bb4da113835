"""What providers were asked and what they answered: a record for people, without secrets, of any protocol."""

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import attrs

from authmail.privacy import hide_fields, names_secret
from authmail.sandbox.changes import Changes
from authmail.words.striking import MARK, Spellings

_LONGEST_TEXT = 20_000
# Of "Bearer key" the key may be repeated alone.
_LONGEST_SCHEME = 8
_RECIPIENT_NAMES = {"to", "toaddress", "recipient", "recipients", "rcptto"}

_current: ContextVar["Exchange | None"] = ContextVar("exchange", default=None)
_serving: ContextVar[str] = ContextVar("serving", default="")


@contextmanager
def serving(connector: str) -> Iterator[None]:
    """Within this block a connector's provider is served: so no emulator need say whose it is."""
    token = _serving.set(connector)
    try:
        yield
    finally:
        _serving.reset(token)


def served() -> str:
    """Return factory id of the connector whose provider is served in this task; empty outside."""
    return _serving.get()


class Ending(StrEnum):
    """How an exchange ended."""

    OPEN = "open"
    ANSWERED = "answered"
    CUT = "cut"
    UNANSWERED = "unanswered"
    FAILED = "failed"


@attrs.define(kw_only=True, eq=False, repr=False, field_transformer=hide_fields)
class Exchange:
    """One request to an emulated provider, and its answer.

    Args:
        id: counts from 1.
        started_at: when, UTC.
        connector: factory id of the connector whose provider was asked.
        request: what was asked for, in a few words: ``POST /``, or an SMTP command.
        parameters: what the provider was told, secrets and signatures struck out; long texts are cut.
        headers: the same of the request's headers, where there are any.
        ending: how it ended; ``failed`` is a fault of the emulator.
        status: of the answer: of HTTP, or SMTP's reply code.
        answer: the answer's text.
        seconds: how long it took.
        mails: ids of the mails that were accepted.
    """

    id: int
    started_at: datetime
    connector: str
    request: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    ending: Ending = Ending.OPEN
    status: int | None = None
    answer: str = ""
    seconds: float | None = None
    mails: list[int] = attrs.field(factory=list)
    _confidential: Spellings = attrs.field(factory=lambda: Spellings(()), repr=False)

    def answered(self, status: int, text: str) -> None:
        """Take the answer in."""
        self.ending, self.status, self.answer = Ending.ANSWERED, status, _shown(text, self._confidential)

    def cut(self) -> None:
        """Say that the connection was cut instead of an answer."""
        self.ending = Ending.CUT

    def holds(self, text: str) -> bool:
        """Whether a text is in any parameter."""
        return any(text in value for value in self.parameters.values())

    @property
    def recipients(self) -> str | None:
        """To whom, if a parameter says so by its name."""
        plain = ((re.sub(r"[^a-z]", "", name.lower()), value) for name, value in self.parameters.items())
        return next((value for name, value in plain if name in _RECIPIENT_NAMES), None)

    @property
    def subject(self) -> str | None:
        """The subject, if a parameter says so by its name."""
        return next((value for name, value in self.parameters.items() if name.lower() == "subject"), None)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        fields = {"started_at": self.started_at.isoformat(), "parameters": dict(self.parameters), "headers": dict(self.headers)}
        names = ("id", "connector", "request", "ending", "status", "answer", "seconds")
        return {name: getattr(self, name) for name in names} | fields | {"mails": list(self.mails)}


class Exchanges:
    """The newest exchanges, newest last. For one event loop.

    Args:
        changes: told of every beginning and end.
        limit: how many are kept; the oldest goes first.

    Attributes:
        began: called with every new exchange.
    """

    def __init__(self, changes: Changes, limit: int = 500) -> None:
        self._changes = changes
        self._kept: deque[Exchange] = deque(maxlen=limit)
        self._count = 0
        self.began: Callable[[Exchange], None] | None = None

    @contextmanager
    def record(
        self,
        connector: str,
        request: str,
        parameters: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
        *,
        confidential: Iterable[str] = (),
    ) -> Iterator[Exchange]:
        """Record an exchange; mails put into the inbox within are linked to it.

        The sandbox does this around every HTTP request. An emulator of another protocol does it itself, around one
        message. Call :meth:`Exchange.answered` within.

        Args:
            connector: factory id of the connector.
            request: what is asked for, in a few words.
            parameters: what the provider is told; values with the name of a secret or signature are struck out, also
                inside of objects and lists.
            headers: the request's headers, treated likewise.
            confidential: texts to strike out wherever they are.
        """
        found = list(confidential)
        shown, shown_headers = _hidden_by_name(parameters, found), _hidden_by_name(headers or {}, found)
        spelled = Spellings(found)
        self._count += 1
        exchange = Exchange(
            id=self._count,
            started_at=datetime.now(UTC),
            connector=connector,
            request=_shown(request, spelled),
            parameters={name: _shown(_as_text(value), spelled) for name, value in shown.items()},
            headers={name: _shown(value, spelled) for name, value in shown_headers.items()},
            confidential=spelled,
        )
        self._kept.append(exchange)
        if self.began is not None:
            self.began(exchange)
        self._changes.happened()
        started, token = time.monotonic(), _current.set(exchange)
        try:
            yield exchange
        except asyncio.CancelledError:
            exchange.ending = Ending.UNANSWERED  # the client went, or the sandbox ends
            raise
        finally:
            if exchange.ending is Ending.OPEN:
                exchange.ending = Ending.FAILED
            exchange.seconds = round(time.monotonic() - started, 4)
            _current.reset(token)
            self._changes.happened()

    @staticmethod
    def current() -> Exchange | None:
        """Return the exchange that is being recorded in this task."""
        return _current.get()

    def get(self, number: int) -> Exchange | None:
        """Return the exchange of an id."""
        return next((exchange for exchange in self._kept if exchange.id == number), None)

    def delete(self, number: int) -> None:
        """Remove one, if it is there."""
        found = self.get(number)
        if found is not None:
            self._kept.remove(found)

    def clear(self) -> None:
        """Remove all; ids go on."""
        self._kept.clear()

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._kept))


def _hidden_by_name(value: Any, found: list[str]) -> Any:
    """Return JSON-like values with those hidden that have the name of a secret; they are added to ``found``."""
    if isinstance(value, Mapping):
        return {
            str(name): _hidden(inner, found) if names_secret(str(name)) else _hidden_by_name(inner, found)
            for name, inner in value.items()
        }
    return [_hidden_by_name(inner, found) for inner in value] if isinstance(value, list | tuple) else value


def _hidden(value: Any, found: list[str]) -> str:
    text = _as_text(value)
    found += [text, *(part for part in text.split() if len(part) > _LONGEST_SCHEME)]
    return MARK if text else ""


def _shown(text: str, confidential: Spellings) -> str:
    return confidential.strike(text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
