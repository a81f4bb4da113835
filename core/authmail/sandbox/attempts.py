"""Test messages that are sent from the inbox's page, by the very path of every message, and what became of them."""

import asyncio
import secrets
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from authmail import ConfigError, ConnectorNotFound, Egress, Mailbox, Mailer, Message, Receipt, SendError
from authmail.privacy import hide_fields
from authmail.sandbox.exchanges import Exchange
from authmail.sandbox.inbox import Inbox
from authmail.templates.samples import sample_payload, starter_templates

_TIMEOUT = 10.0


@attrs.define(kw_only=True, eq=False, repr=False, field_transformer=hide_fields)
class Attempt:
    """A test message, and its one answer as soon as there is one.

    Args:
        id: counts from 1.
        started_at: when, UTC.
        connector: factory id of the connector that sends it.
        type: usage type.
        locale: the reader's language, if one was chosen.
        to: the recipient as it was typed.
        answer: the Receipt or SendError; None while it is being sent.
        exchanges: ids of the exchanges with the provider that it caused.
        mark: its code, or what tells its link from all others; empty where it has neither.
    """

    id: int
    started_at: datetime
    connector: str
    type: str
    locale: str | None
    to: str
    answer: Receipt | SendError | ConfigError | ConnectorNotFound | None = None
    exchanges: list[int] = attrs.field(factory=list)
    mark: str = ""

    @property
    def outcome(self) -> str:
        """``sending``, ``accepted``, or what the error is called; ``config`` if the connector could not be used."""
        if self.answer is None:
            return "sending"
        if isinstance(self.answer, Receipt):
            return "accepted"
        return self.answer.outcome if isinstance(self.answer, SendError) else "config"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values; of the answer, its attributes in ``answer``."""
        names = ("id", "connector", "type", "locale", "to", "outcome")
        return {name: getattr(self, name) for name in names} | {
            "started_at": self.started_at.isoformat(),
            "answer": _facts(self.answer),
            "exchanges": list(self.exchanges),
        }


class Attempts:
    """The newest attempts, newest last. For one event loop.

    Args:
        inbox: where their mails arrive.
        limit: how many are kept; the oldest goes first.
    """

    def __init__(self, inbox: Inbox, limit: int = 500) -> None:
        self._inbox = inbox
        self._kept: deque[Attempt] = deque(maxlen=limit)
        self._count = 0
        self._running: set[asyncio.Task[None]] = set()
        inbox.exchanges.began = self._claim

    def start(self, connector: str, config: Mapping[str, Any], usage_type: str, locale: str | None, to: str) -> Attempt:
        """Begin to send a sample of a usage type from the starter templates, with a fresh code or link.

        Args:
            connector: factory id.
            config: settings for the sandbox.
            usage_type: any; a sample payload is made for it.
            locale: the reader's language.
            to: recipient.
        """
        self._count += 1
        now = datetime.now(UTC)
        attempt = Attempt(id=self._count, started_at=now, connector=connector, type=usage_type, locale=locale, to=to)
        payload = sample_payload(usage_type, locale)
        if "code" in payload:
            payload["code"] = attempt.mark = f"{secrets.randbelow(1_000_000):06}"
        elif "link" in payload:
            attempt.mark = secrets.token_urlsafe(16)
            payload["link"] += f"?token={attempt.mark}"
        self._kept.append(attempt)
        task = asyncio.create_task(self._send(attempt, config, payload))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        self._inbox.changes.happened()
        return attempt

    async def _send(self, attempt: Attempt, config: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        templates = starter_templates()
        try:
            async with Mailer(attempt.connector, config, templates=templates, egress=Egress.ANY, timeout=_TIMEOUT) as mailer:
                attempt.answer = await mailer.send(Message(attempt.to, attempt.type, payload))
        except (SendError, ConfigError, ConnectorNotFound) as error:
            attempt.answer = error
        self._inbox.changes.happened()

    def _claim(self, exchange: Exchange) -> None:
        """Link a new exchange to the attempt under way that it belongs to; others may be sending meanwhile."""
        running = [attempt for attempt in self._kept if attempt.answer is None and attempt.connector == exchange.connector]
        same = [attempt for attempt in running if _speaks_of(attempt.to, exchange)]
        # Of several to one address the mark decides; it cannot be seen where a provider is given encoded bodies.
        marked = [attempt for attempt in same if attempt.mark and exchange.holds(attempt.mark)]
        for attempt in (marked or same)[-1:]:
            attempt.exchanges.append(exchange.id)

    async def close(self) -> None:
        """End what is still being sent."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def get(self, number: int) -> Attempt | None:
        """Return the attempt of an id."""
        return next((attempt for attempt in self._kept if attempt.id == number), None)

    def clear(self) -> None:
        """Forget those that have their answer; ids go on."""
        running = [attempt for attempt in self._kept if attempt.answer is None]
        self._kept.clear()
        self._kept.extend(running)
        self._inbox.changes.happened()

    def __iter__(self) -> Iterator[Attempt]:
        return iter(list(self._kept))


def _speaks_of(recipient: str, exchange: Exchange) -> bool:
    try:
        address = Mailbox(recipient).address
    except ValueError:
        return False
    return exchange.holds(address)


def _facts(answer: Receipt | SendError | ConfigError | ConnectorNotFound | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    if isinstance(answer, Receipt):
        return attrs.asdict(answer)
    if isinstance(answer, SendError):
        return answer.to_dict() | {"consequence": answer.consequence}
    return {"hint": str(answer)}
