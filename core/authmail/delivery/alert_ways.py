"""Ways by which an alert reaches somebody: a signed webhook, a command, a mail."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from authmail.config.secret import Secret
from authmail.config.webhook_key import WebhookKey
from authmail.delivery.alert import TITLES, Alert, rfc3339
from authmail.delivery.sender import MessageSender, name_of
from authmail.errors import AuthmailError
from authmail.http.client import Http
from authmail.http.egress import Egress
from authmail.http.reply import Reply
from authmail.http.session import Transport
from authmail.mail.email import Email
from authmail.outcomes import NotSent, OutcomeUnknown, SendError
from authmail.privacy import make_afresh, masked, one_line
from authmail.words.text import Text, as_text, say

#: Seconds that telling an alert may take by each way.
ALERT_TIMEOUT = 10.0

# Before a webhook is posted again, with the same id, so that its receiver can tell.
_WAITS = (1.0, 3.0)
# All that a command learns of our environment, which holds secrets.
_ENVIRONMENT = ("PATH", "HOME", "LANG")


class NotTold(AuthmailError):
    """An alert did not arrive. The text is fit for the log: it holds nothing that came from outside."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def why_not_told(error: Exception) -> Text:
    """Return why an alert did not arrive, for people; of what is not our own error its type alone."""
    if isinstance(error, NotTold):
        return error.why
    if isinstance(error, SendError):
        return error.hint
    if isinstance(error, TimeoutError):
        return say("not done after {seconds:g} seconds", seconds=ALERT_TIMEOUT)
    return Text(type(error).__name__)


class AlertWay(Protocol):
    """One way to tell somebody. A host may write its own."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def place(self) -> str:
        """Whom or what it reaches, for people; nothing confidential."""

    async def tell(self, alert: Alert) -> None:
        """Tell an alert, or raise. Whoever calls it sets a time limit."""


@make_afresh
class AlertWebhook:
    """Posts alerts as JSON, signed as Standard Webhooks.

    After no answer or a fault of the receiver's it is posted again, with the same ``webhook-id``.

    Args:
        url: where to; https, or http to this machine with :attr:`authmail.Egress.ANY`.
        secret: ``whsec_`` and Base64, the same at the receiver.
        egress: where it may connect.

    Raises:
        ValueError: the secret is not Base64.
    """

    name = "webhook"

    def __init__(self, url: str, secret: Secret, *, egress: Egress = Egress.PUBLIC) -> None:
        self._url = url
        self._key = WebhookKey(secret)
        self._egress = egress

    @property
    def place(self) -> str:
        """The host: a path may be known to few."""
        return urlsplit(self._url).hostname or ""

    async def tell(self, alert: Alert) -> None:
        """Post an alert.

        Raises:
            NotTold: the receiver did not answer with a 2xx.
            SendError: it could not be reached.
        """
        identifier, body = f"alert_{uuid4().hex}", alert.to_json()
        for wait in _WAITS:
            with suppress(NotSent, OutcomeUnknown):
                reply = await self._post(identifier, body)
                if reply.status < 500:  # noqa: PLR2004 (the receiver's last word)
                    return _check(reply)
            await asyncio.sleep(wait)
        return _check(await self._post(identifier, body))

    async def _post(self, identifier: str, body: bytes) -> Reply:
        headers = {"Content-Type": "application/json", **self._key.headers(identifier, int(time.time()), body)}
        # A session of its own: alerts are few, and nothing is kept open for them.
        async with Transport(egress=self._egress, user_agent="alerts") as transport:
            return await Http(transport, time.monotonic() + ALERT_TIMEOUT).post(self._url, body=body, headers=headers)


def _check(reply: Reply) -> None:
    if reply.status >= 300:  # noqa: PLR2004 (2xx alone is "taken", by Standard Webhooks too)
        raise NotTold(say("the receiver answered {status}", status=reply.status))


@make_afresh
class AlertCommand:
    """Runs a command, without a shell, with the alert as JSON on its standard input.

    Its environment is ``PATH``, ``HOME`` and ``LANG``; what it prints is dropped. After its time it is killed, with all that it
    started.

    Args:
        command: the program and its arguments.
    """

    name = "command"

    def __init__(self, command: Sequence[str]) -> None:
        if isinstance(command, str) or not command or not all(isinstance(part, str) for part in command):
            raise TypeError("a command is a list of texts: the program and its arguments")
        self._command = tuple(command)

    @property
    def place(self) -> str:
        """The program; an argument may be a secret."""
        return self._command[0]

    async def tell(self, alert: Alert) -> None:
        """Run the command and wait for its end.

        Raises:
            NotTold: it could not be started, or failed.
        """
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=nothing, stderr=nothing, env=environment, start_new_session=True
            )
        except (OSError, ValueError) as error:  # a ValueError: a NUL in it
            why = getattr(error, "strerror", None) or type(error).__name__
            failure = NotTold(say("the command could not be started: {why}", why=why))
        else:
            await self._wait(process, alert)
            return
        raise failure

    async def _wait(self, process: asyncio.subprocess.Process, alert: Alert) -> None:
        try:
            await process.communicate(alert.to_json() + b"\n")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # a session of its own, so its children too
                await process.wait()
        if process.returncode:
            raise NotTold(say("the command ended with {code}", code=process.returncode))


@make_afresh
class AlertMail:
    """Mails alerts through another sender. An alert about that very sender is not mailed.

    Args:
        to: an address of the operator's.
        sender: who sends it; open it, or give it to the same :class:`~authmail.delivery.Delivery`.
        locale: language of the mail; English where authmail does not speak it.
    """

    name = "mail"

    def __init__(self, to: str, sender: MessageSender, *, locale: str | None = None) -> None:
        self._to = to
        self._sender = sender
        self._locale = locale or "en"

    @property
    def sender(self) -> MessageSender:
        """Who sends it."""
        return self._sender

    @property
    def place(self) -> str:
        """Sender and recipient, masked."""
        return f"{name_of(self._sender)}, {masked(self._to)}"

    async def tell(self, alert: Alert) -> None:
        """Mail an alert.

        Raises:
            SendError: as of the sender.
        """
        if alert.sender != name_of(self._sender):
            await self._sender.send(alert_mail(alert, self._to, self._locale), timeout=ALERT_TIMEOUT)


def alert_mail(alert: Alert, to: str, language: str) -> Email:
    """Return an alert as a mail in plain text."""

    def told(text: str) -> str:
        return as_text(text).in_language(language)

    title, who = TITLES[alert.alert], alert.sender or alert.delivery or "authmail"
    head = say("Mail alert, {who}: {what}", who=who, what=title)
    if alert.state == "over":
        head = say("Mail alert over, {who}: {what}", who=who, what=title)
    facts = {
        say("delivery"): alert.delivery,
        say("sender"): alert.sender,
        say("connector"): alert.connector,
        say("outcome"): told(alert.outcome),
        say("reason"): alert.reason,
        say("code"): alert.code,
        say("messages"): alert.count,
        say("since"): rfc3339(alert.since),
        say("time"): rfc3339(alert.time),
    }
    lines = [f"{told(name)}: {value}" for name, value in facts.items() if value not in (None, "")]
    hint = [alert.hint_in(language), ""] if alert.hint else []
    return Email(to, told(head), text="\n".join(map(one_line, [told(head), "", *hint, *lines, ""])))
