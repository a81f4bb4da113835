"""Open connections of one Mailer, kept for the next mails."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

from authmail import NotConnected, NotSent, NotSentInTime, Receipt, say
from authmail_smtp.config import SMTPConfig
from authmail_smtp.mail import Mail
from authmail_smtp.oauth import Tokens
from authmail_smtp.session.login import LoginHistory
from authmail_smtp.session.opening import Opening
from authmail_smtp.session.transaction import Session
from authmail_smtp.session.trust import Trust
from authmail_smtp.session.wire import Wire

if TYPE_CHECKING:
    from authmail import Http

#: Seconds after which a connection is asked whether it is alive before a mail goes over it. Amazon SES closes after 10.
ASK_AFTER = 5.0
#: Seconds without a mail after which a connection is ended.
IDLE = 60.0
#: Seconds after which a connection is ended, however busy.
OLDEST = 600.0
#: Mails after which a connection is ended; many servers end it themselves after a hundred or more.
MOST_MAILS = 100

# For the answer to reach the host, the last step ends a little before the mail's time does.
_SPARE = 0.1
_MOST_SPARE = 0.5
_QUIT_LIMIT = 1.0
_ALIVE_LIMIT = 2.0
_SERVICE_CLOSING = 421
_IDLE_TOO_LONG = "4.4.2"


class Pool:
    """The connections of one Mailer to one server, and the access tokens for it.

    Args:
        config: the settings.
    """

    def __init__(self, config: SMTPConfig) -> None:
        self._config = config
        self._places = asyncio.Semaphore(config.max_connections)
        self._idle: list[tuple[Session, asyncio.TimerHandle]] = []
        self._trust = Trust(config)
        self._tokens = Tokens(config.auth) if config.auth.is_oauth else None
        self._history = LoginHistory()
        self._leaving: set[Wire] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closed = True
        for _ in list(self._idle):
            self._leave(self._taken(0).wire)
        if self._leaving:
            await asyncio.wait([wire.closed for wire in self._leaving], timeout=_QUIT_LIMIT + 0.5)

    async def send(self, mail: Mail, http: "Http", deadline: float) -> Receipt:
        """Send one mail.

        A connection that turns out to be dead before the mail was handed over is replaced: nothing can have been
        accepted on it.

        Args:
            mail: the mail.
            http: of this mail.
            deadline: when its time is over.

        Raises:
            SendError: what happened, at which step.
        """
        http.mail_begun = False
        now = time.monotonic()
        until = deadline - min((deadline - now) * _SPARE, _MOST_SPARE)
        async with self._place(until):
            session = await self._kept(until)
            if session is not None:
                try:
                    return await self._over(session, mail, http, until)
                except NotSent as error:
                    if not isinstance(error, NotConnected) and error.status != _SERVICE_CLOSING and error.code != _IDLE_TOO_LONG:
                        raise
            return await self._over(await self.open(http, until), mail, http, until)

    @property
    def token_is_renewed(self) -> bool:
        """Whether there is a newer refresh token than the config's."""
        return self._tokens is not None and self._tokens.is_renewed

    async def open(self, http: "Http", until: float) -> Session:
        """Open a connection, whatever is kept."""
        opening = Opening(self._config, http, self._trust, self._tokens, self._history, until, self._leave)
        wire = await opening.open()
        patience = self._config.socket_timeout
        return Session(wire, opening.extensions, patience / 1000 if patience else None, opening.facts)

    @asynccontextmanager
    async def _place(self, until: float) -> AsyncIterator[None]:
        """Wait until there may be one more connection."""
        try:
            async with asyncio.timeout(until - time.monotonic()):
                await self._places.acquire()
        except TimeoutError:
            hint = say(
                "all {max_connections} connections were busy all the time; see maxConnections",
                max_connections=self._config.max_connections,
            )
            raise NotSentInTime(hint) from None
        try:
            yield
        finally:
            self._places.release()

    async def _kept(self, until: float) -> Session | None:
        """Return a connection that was kept and is fit for one more mail; the one used last, so that others can end."""
        while self._idle:
            session = self._taken(-1)
            now = time.monotonic()
            if not session.wire.usable:
                session.wire.cut()
            elif now - session.opened_at > OLDEST or session.mails >= MOST_MAILS:
                self._leave(session.wire)
            elif now - session.used_at < ASK_AFTER and not session.begun:
                return session
            else:
                try:
                    if await session.is_alive(min(until, now + _ALIVE_LIMIT)):
                        return session
                except NotSent:
                    continue
                self._leave(session.wire)
        return None

    async def _over(self, session: Session, mail: Mail, http: "Http", until: float) -> Receipt:
        try:
            return await session.send(mail, http, until)
        finally:
            self._keep(session)

    def _keep(self, session: Session) -> None:
        """Keep a connection for the next mail, if it is fit."""
        if self._closed or not session.wire.usable:
            self._leave(session.wire)
            return
        timer = asyncio.get_running_loop().call_later(IDLE, self._expired, session)
        self._idle.append((session, timer))

    def _expired(self, session: Session) -> None:
        self._idle = [entry for entry in self._idle if entry[0] is not session]
        self._leave(session.wire)

    def _leave(self, wire: Wire) -> None:
        """End a connection; closing waits for it."""
        wire.leave()
        if not wire.closed.done():
            self._leaving.add(wire)
            wire.closed.add_done_callback(lambda _: self._leaving.discard(wire))

    def _taken(self, index: int) -> Session:
        session, timer = self._idle.pop(index)
        timer.cancel()
        return session

    def __repr__(self) -> str:
        return f"Pool({len(self._idle)} idle)"
