"""Alerts: somebody is told of account errors, open breakers and messages in doubt, once an hour for each cause."""

import asyncio
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

import attrs

from authmail.connect.beside import Beside
from authmail.connect.contract import hookimpl
from authmail.delivery.alert import Alert, AlertCause, alert_of
from authmail.delivery.alert_ways import ALERT_TIMEOUT, AlertMail, AlertWay, why_not_told
from authmail.delivery.events import report
from authmail.delivery.sender import now
from authmail.delivery.stores import Claim, Limit, Store, StoreError, asked
from authmail.mail.email import Mail
from authmail.outcomes import AccountError, OutcomeUnknown, Reason, Receipt, SendError
from authmail.privacy import log_of, one_line, raise_afresh
from authmail.words.text import Text, say

_log = log_of("authmail.alerts")

#: Seconds within which a cause is told once.
HOUR = 3600.0
# The same for all who share a store; shorter, so that no alert of this process is held back by its own last one.
_ONCE = Limit(1, HOUR - 60)
# What a store may take, in seconds.
_PATIENCE = 2.0
# Closing waits so long for alerts on their way: what stops a server often kills it after ten seconds.
_CLOSING = 5.0
# Messages with an attempt in doubt whose one answer is still to come; a caller that went away leaves one behind.
_MOST_DOUBTS = 10_000
# One template's sender address or content may be refused while all else is accepted, which then is no sign of order.
_OF_SOME_MESSAGES = (Reason.SENDER, Reason.CONTENT)
# A breaker that another process closed is not heard of here; that its sender takes messages again, is.
_ENDED_BY_A_RECEIPT = (AlertCause.ACCOUNT_ERROR, AlertCause.BREAKER_OPEN, AlertCause.IN_DOUBT)


@attrs.define
class _Trouble:
    """One cause at one sender: what was counted, and whether somebody knows of it.

    Args:
        alert: as it stands.
        of_some: only some messages meet it, so that it is over when none did for an hour.
    """

    alert: Alert
    of_some: bool = False
    is_told: bool = False
    is_counted: bool = False
    told_at: float = -HOUR
    met_at: float = 0.0

    def meets(self, alert: Alert, at: float) -> bool:
        """Count a message that met it; whether somebody is to be told now."""
        if self.is_counted:
            alert = attrs.evolve(alert, count=self.alert.count + 1, since=self.alert.since)
        self.alert, self.met_at, self.is_counted = alert, at, True
        if at - self.told_at < HOUR:
            return False
        self.told_at, self.is_told = at, True
        return True

    def passes(self, at: float, begun: float) -> bool:
        """Note that the sender took a message; whether somebody is to be told that this is over.

        Args:
            at: now.
            begun: when the message was handed over; one that was on its way before the trouble says nothing.
        """
        # What came and went within the hour is told with what comes next.
        if not self.is_told or begun < self.met_at or (self.of_some and at - self.met_at < HOUR):
            return False
        self.is_told = self.is_counted = False
        self.alert = attrs.evolve(self.alert, state="over", time=datetime.now(UTC))
        return True


class Alerts:
    """A plugin of a :class:`~authmail.delivery.Delivery`, so that somebody hears of what nobody's program answers.

    Told is an :class:`~authmail.AccountError` (once for each reason), a breaker that opens for another error than that,
    messages that end as :class:`~authmail.OutcomeUnknown`, and a store that cannot be used: each cause at each sender at most once an hour, what comes
    meanwhile is counted; and once more when it is over. Each alert is a record of the logger ``authmail.alerts``, an
    ``alert`` of the host's plugins, and told by every way there is. No message waits for it.

    Args:
        ways: :class:`AlertWebhook`, :class:`AlertCommand`, :class:`AlertMail`, or the host's own.
        delivery: name of the delivery, for whoever has several.
        store: shared with other processes: of all that meet a cause, one tells it by its ways. The log and plugins of each
            hear of it.
    """

    @raise_afresh
    def __init__(self, ways: Iterable[AlertWay] = (), *, delivery: str = "", store: Store | None = None) -> None:
        self._ways = tuple(ways)
        self._delivery = delivery
        self._store = store
        self._elsewhere: set[tuple[str, ...]] = set()
        self._troubles: dict[tuple[str, ...], _Trouble] = {}
        self._doubts: dict[int, str] = {}
        self._beside = Beside()
        self._telling: dict[tuple[str, ...], asyncio.Task[None]] = {}

    @property
    def ways(self) -> tuple[AlertWay, ...]:
        """By which it tells somebody."""
        return self._ways

    @property
    def inside(self) -> tuple[Any, ...]:
        """The senders that mail alerts, the store if there is one, and this object itself: what its Delivery opens and closes."""
        senders = (way.sender for way in self._ways if isinstance(way, AlertMail))
        return (*senders, self) if self._store is None else (*senders, self._store, self)

    @hookimpl
    def attempt(self, message: Mail, sender: str, receipt: Receipt | None, error: SendError | None, seconds: float) -> None:
        """Learn from one attempt of one sender."""
        if isinstance(error, AccountError):
            self.on(AlertCause.ACCOUNT_ERROR, sender, error, of_some=error.reason in _OF_SOME_MESSAGES)
        elif isinstance(error, OutcomeUnknown) and len(self._doubts) < _MOST_DOUBTS:
            self._doubts[id(message)] = sender  # the message itself would keep its code
        elif receipt is not None and self._troubles:
            for cause in _ENDED_BY_A_RECEIPT:
                self.over(cause, sender, begun=now() - seconds)

    @hookimpl
    def breaker(self, sender: str, state: str, error: SendError | None) -> None:
        """Learn that a breaker opened or closed. An account error opens it too, and is told as such: one trouble, one alert."""
        if state == "open" and error is not None and not isinstance(error, AccountError):
            self.on(AlertCause.BREAKER_OPEN, sender, error)
        elif state == "closed":
            self.over(AlertCause.BREAKER_OPEN, sender)

    @hookimpl
    def store(self, store: str, error: SendError | None) -> None:
        """Learn that a store cannot be used, or can be again."""
        if error is None:
            self.over(AlertCause.STORE, store)
        else:
            self.on(AlertCause.STORE, store, error)

    @hookimpl
    def queue(self, trouble: str, error: SendError | None) -> None:
        """Learn that the queue is in trouble, or in order again."""
        if error is None:
            self.over(AlertCause(trouble), "queue")
        else:
            self.on(AlertCause(trouble), "queue", error)

    @hookimpl
    def message_sent(self, message: Mail) -> None:
        """Forget what an attempt left in doubt."""
        self._doubts.pop(id(message), None)

    @hookimpl
    def message_failed(self, message: Mail, error: SendError, repeated: bool) -> None:
        """Learn that a message ended in doubt, and no repeat of one."""
        sender = self._doubts.pop(id(message), error.connector)
        if isinstance(error, OutcomeUnknown) and not repeated:
            self.on(AlertCause.IN_DOUBT, sender, error, of_some=True)

    def on(self, cause: AlertCause, sender: str, error: SendError, *, of_some: bool = False) -> None:
        """Count a message that met a cause, and tell somebody if it is time.

        Args:
            cause: which.
            sender: name of the sender.
            error: what happened.
            of_some: only some messages meet it: it is over when none did for an hour, and not with the next one that is taken.
        """
        # Account errors want different acts by their reason; an outage has many, and is one trouble.
        key = (cause, sender, str(error.reason)) if cause is AlertCause.ACCOUNT_ERROR else (cause, sender)
        alert = alert_of(cause, sender, error, delivery=self._delivery)
        trouble = self._troubles.setdefault(key, _Trouble(alert, of_some))
        if trouble.meets(alert, now()):
            self._tell(key, trouble.alert)

    def over(self, cause: AlertCause, sender: str, *, begun: float | None = None) -> None:
        """Note that a sender is in order again, and tell somebody who was told that it is not.

        Args:
            cause: which.
            sender: name of the sender.
            begun: when, by the loop's clock, what shows it had begun; None for now.
        """
        at = now()
        for key, trouble in self._troubles.items():
            if key[:2] == (cause, sender) and trouble.passes(at, at if begun is None else begun):
                self._tell(key, trouble.alert)

    @raise_afresh
    async def test(self) -> list[tuple[AlertWay, Text | None]]:
        """Tell a test by every way; return what came of each: None, or why it did not arrive."""
        at = datetime.now(UTC)
        alert = Alert(
            alert=AlertCause.TEST, delivery=self._delivery, hint=say("this is a test; nothing is wrong"), since=at, time=at
        )
        return list(zip(self._ways, await asyncio.gather(*(_told(way, alert) for way in self._ways)), strict=True))

    def _tell(self, key: tuple[str, ...], alert: Alert) -> None:
        facts = alert.to_dict()
        level = logging.ERROR if alert.state == "on" else logging.INFO
        shown = ("delivery", "sender", "outcome", "reason", "code", "count", "since")
        words = " ".join(f"{name}={one_line(str(facts[name]))}" for name in shown if facts[name] not in (None, ""))
        _log.log(level, "alert %s is %s: %s %s", facts["alert"], alert.state, words, facts["hint"], extra={"authmail": facts})
        report("alert", alert=facts)
        # One after the other, so that nobody hears of the end before the beginning.
        telling = self._tell_after(self._telling.get(key), key, alert)
        self._telling[key] = self._beside.begin("an alert", telling, 3 * ALERT_TIMEOUT)

    async def _tell_after(self, before: "asyncio.Task[None] | None", key: tuple[str, ...], alert: Alert) -> None:
        if before is not None and before.get_loop() is asyncio.get_running_loop():
            await asyncio.wait({before})
        if self._ways and not await self._is_told_elsewhere(key, alert):
            await asyncio.gather(*(_told(way, alert) for way in self._ways))

    async def _is_told_elsewhere(self, key: tuple[str, ...], alert: Alert) -> bool:
        """Whether another process told it within the hour; that one tells its end too."""
        if self._store is None or alert.state == "over":
            return key in self._elsewhere
        self._elsewhere.discard(key)
        claim = Claim(counts=((self._store.digest("alert", self._delivery, *key), _ONCE),))
        with suppress(StoreError):  # rather twice than never
            begun = await asked(self._store.begin(claim, timeout=_PATIENCE), _PATIENCE)
            if begun.wait:
                self._elsewhere.add(key)
        return key in self._elsewhere

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Wait for alerts on their way, some seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING):
                await self._beside.end()
        for telling in self._telling.values():
            telling.cancel()
        await self._beside.end()
        self._telling.clear()

    def abandon(self) -> None:
        """In a forked child: alerts on their way are the parent's."""
        self._beside.abandon()
        self._telling.clear()


async def _told(way: AlertWay, alert: Alert) -> Text | None:
    """Tell an alert by one way within its time; return why it did not arrive."""
    try:
        async with asyncio.timeout(ALERT_TIMEOUT):
            await way.tell(alert)
    except Exception as error:  # noqa: BLE001 (a way may be the host's own, and no message fails over it)
        why = why_not_told(error)
        _log.warning("%s (%s) could not be told by %s: %s", str(alert.alert), alert.state, way.name, type(error).__name__)
        return why
    return None
