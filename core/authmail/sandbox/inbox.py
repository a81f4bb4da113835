"""The mails that emulators accepted."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import attrs

from authmail.mail.vital import find_anchor, find_code, find_link
from authmail.privacy import hide_fields
from authmail.sandbox.aims import Aims
from authmail.sandbox.changes import Changes
from authmail.sandbox.exchanges import Exchanges, served
from authmail.templates.plaintext import html_to_text


@attrs.frozen(kw_only=True, repr=False, field_transformer=hide_fields)
class ReceivedMail:
    """A mail that an emulator accepted.

    Args:
        id: counts from 1.
        received_at: when, UTC.
        connector: factory id of the connector whose provider it was sent to.
        sender: as a person sees it: ``Name <address>``.
        to: the recipients' addresses.
        subject: the subject.
        html: the HTML part, if there is one.
        text: the text part, if there is one.
        reply_to: where answers go, if it was set.
        extra: what else the provider was told, such as a tag.
        exchange: id of the exchange with the provider in which it was accepted, if there was one.
    """

    id: int
    received_at: datetime
    connector: str
    sender: str
    to: tuple[str, ...]
    subject: str
    html: str | None = None
    text: str | None = None
    reply_to: str | None = None
    extra: Mapping[str, str] = attrs.field(factory=dict)
    exchange: int | None = None

    # Found once: lists of many mails are asked for again and again.

    @cached_property
    def _html_text(self) -> str:
        return html_to_text(self.html or "")

    @property
    def readable(self) -> str:
        """The text a person reads: the text part, else the HTML part as text."""
        return self._html_text if self.text is None else self.text

    @cached_property
    def code(self) -> str | None:
        """The sign-in code in the mail, if one is found: six digits, other digits, or capitals with digits."""
        # HTML takes a while to read, and mostly says the same as the text.
        return find_code((self.readable, self.subject)) or find_code((self._html_text,))

    @cached_property
    def link(self) -> str | None:
        """The first http(s) link in the mail: of the text part, else an anchor of the HTML, else written out in it."""
        return find_link(self.text or "") or find_anchor(self.html or "") or find_link(self._html_text)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        mail = attrs.asdict(self) | {"received_at": self.received_at.isoformat(), "to": list(self.to), "extra": dict(self.extra)}
        return mail | {"code": self.code, "link": self.link}


class Inbox:
    """Accepted mails, newest last. For one event loop.

    Args:
        limit: how many are kept; the oldest goes first.

    Attributes:
        changes: told of every mail that comes and goes.
        exchanges: what the providers were asked and answered meanwhile; removed together with their mails.
        aims: faults that the next mails meet, whoever gets them.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.changes = Changes()
        self.exchanges = Exchanges(self.changes)
        self.aims = Aims()
        self._mails: deque[ReceivedMail] = deque(maxlen=limit)
        self._count = 0

    def add(self, **fields: Any) -> ReceivedMail:
        """Take a mail in; fields as of :class:`ReceivedMail`, without id, time, exchange, and connector where one is served."""
        self._count += 1
        fields.setdefault("connector", served())
        exchange = self.exchanges.current()
        if exchange is not None:
            exchange.mails.append(self._count)
            fields["exchange"] = exchange.id
        mail = ReceivedMail(id=self._count, received_at=datetime.now(UTC), **fields)
        self._mails.append(mail)
        self.changes.happened()
        return mail

    def messages(self, to: str | None = None) -> list[ReceivedMail]:
        """Return the mails, or those to one recipient, whatever the case."""
        return [mail for mail in self._mails if to is None or to.lower() in (address.lower() for address in mail.to)]

    def get(self, number: int) -> ReceivedMail | None:
        """Return the mail of an id."""
        return next((mail for mail in self._mails if mail.id == number), None)

    def delete(self, number: int) -> bool:
        """Remove one mail; whether it was there."""
        mail = self.get(number)
        if mail is not None:
            self._mails.remove(mail)
            if mail.exchange is not None:
                self.exchanges.delete(mail.exchange)
            self.changes.happened()
        return mail is not None

    def clear(self) -> None:
        """Remove all mails and exchanges; ids go on."""
        self._mails.clear()
        self.exchanges.clear()
        self.changes.happened()

    async def wait(self, *, to: str | None = None, after: int = 0, timeout: float = 10.0) -> ReceivedMail:
        """Wait for a mail.

        Args:
            to: only to this recipient.
            after: only with a greater id.
            timeout: seconds.

        Raises:
            TimeoutError: none came; says what was waited for.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    found = next((mail for mail in self.messages(to) if mail.id > after), None)
                    if found is not None:
                        return found
                    await self.changes.next()
        except TimeoutError:
            raise TimeoutError(f"no mail{f' to {to}' if to else ''} after id {after} within {timeout:g} seconds") from None

    def __iter__(self) -> Iterator[ReceivedMail]:
        return iter(list(self._mails))

    def __len__(self) -> int:
        return len(self._mails)
