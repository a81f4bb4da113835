"""Opening a connection: TCP, greeting, EHLO, TLS and login, each within its time."""

import asyncio
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
from aiosmtplib.esmtp import parse_esmtp_extensions

from authmail import AccountError, NotConnected, NotSentInTime, Phase, Reason, SendError, hide_fields, say
from authmail_smtp.config import SMTPConfig
from authmail_smtp.replies import Reply, failure
from authmail_smtp.session.login import LoginHistory, log_in
from authmail_smtp.session.trust import Trust
from authmail_smtp.session.wire import Wire
from authmail_smtp.steps import Step

if TYPE_CHECKING:
    from authmail import Http
    from authmail_smtp.oauth import Tokens

_FULL_NAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_READY = 220
_COMPLETED = 250
_PLAIN_REFUSED = say(
    "without TLS, mail and password would be readable on their way; use a port with TLS, or let the host's egress allow it: "
    "Egress.ANY for loopback, Egress(private=True, plain=True) beyond (--plain on the command line)"
)


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Opening:
    """One connection being opened.

    Args:
        config: the settings.
        http: gives the socket and says what egress allows.
        trust: TLS contexts.
        tokens: access tokens, where OAuth is used.
        history: of the logins before.
        until: when it must be done, on the clock of :func:`time.monotonic`.
        leave: ends a connection that was refused something, in order.
    """

    config: SMTPConfig
    http: "Http"
    trust: Trust
    tokens: "Tokens | None"
    history: LoginHistory
    until: float
    leave: Callable[[Wire], None] = Wire.leave
    facts: dict[str, str] = attrs.field(factory=dict, init=False)
    extensions: dict[str, str] = attrs.field(factory=dict, init=False)
    mechanisms: tuple[str, ...] = attrs.field(default=(), init=False)
    _plain_allowed: bool = attrs.field(default=False, init=False)
    _hello_name: bytes = attrs.field(default=b"", init=False)

    @property
    def where(self) -> str:
        """Host and port, for people."""
        return f"{self.config.host}:{self.config.port}"

    async def open(self) -> Wire:
        """Return a connection that is ready for a mail.

        Raises:
            SendError: the hint names the step.
        """
        wire = await self._connected()
        try:
            await self._greeted(wire)
            await self._encrypted(wire)
            if not wire.encrypted and not self._plain_allowed:
                hint = say(
                    "{step} at {where}: {value}; {plain_refused}",
                    step=Step.TLS,
                    where=self.where,
                    value=self._why_plain(),
                    plain_refused=_PLAIN_REFUSED,
                )
                raise AccountError(hint, reason=Reason.ENDPOINT, phase=Phase.BEFORE)
            self.facts["TLS"] = wire.tls_version or "none"
            if self.config.auth.user:
                self.facts["Login"] = await log_in(wire, self)
            else:
                self.facts["Login"] = "none, a relay"
        except SendError:
            self.leave(wire)
            raise
        except BaseException:
            wire.cut()
            raise
        return wire

    def limit(self, milliseconds: float | None) -> float:
        """Return the seconds for a step: what the config gives, within what is left.

        Raises:
            NotSentInTime: nothing is left.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise NotSentInTime(
                say("no time was left while opening a connection to {where}", where=self.where), phase=Phase.BEFORE
            )
        return min(left, milliseconds / 1000) if milliseconds else left

    async def _connected(self) -> Wire:
        config = self.config
        limit = self.limit(config.connection_timeout)
        opened = await self.http.connect(config.host, config.port, limit=limit, local_address=config.local_address)
        address = opened.getpeername()[0]
        self._plain_allowed = self.http.allows_plain(address)
        self._hello_name = (config.name or _own_name(opened.getsockname()[0])).encode("ascii")
        self.facts["Address"] = address
        wire = Wire(self.where)
        try:
            tls = self._context() if config.implicit_tls else None
            name = config.certificate_name if tls else None
            async with asyncio.timeout(self.limit(config.connection_timeout)):
                await asyncio.get_running_loop().create_connection(lambda: wire, sock=opened, ssl=tls, server_hostname=name)
        except TimeoutError:
            opened.close()
            raise NotSentInTime(say("{step} at {where}: not done in time", step=Step.TLS, where=self.where)) from None
        except ssl.SSLError as error:
            opened.close()
            raise self._no_tls(error) from None
        except OSError:
            opened.close()
            raise NotConnected(say("{step} at {where}: the connection broke", step=Step.TLS, where=self.where)) from None
        except BaseException:
            opened.close()
            raise
        return wire

    async def _greeted(self, wire: Wire) -> None:
        try:
            reply = await wire.greeting(self.limit(self.config.greeting_timeout))
        except NotSentInTime as error:
            if self.config.implicit_tls:
                raise
            hint = say(
                "{hint}; a port that expects TLS from the first byte is as silent: then set secure to true", hint=error.hint
            )
            raise error.afresh(hint=hint) from None
        if reply.code != _READY:
            raise self.refused(Step.GREETING, reply)
        self.facts["Server"] = reply.text.split("\n")[0][:100]
        await self._hello(wire)

    async def _hello(self, wire: Wire) -> None:
        reply = await wire.ask(Step.HELLO, b"EHLO", self._hello_name, limit=self.limit(self.config.socket_timeout))
        if reply.code in (500, 502, 504):  # a server of before 1995, RFC 5321 section 3.2
            reply = await wire.ask(Step.HELLO, b"HELO", self._hello_name, limit=self.limit(self.config.socket_timeout))
            self.extensions, self.mechanisms = {}, ()
        else:
            self.extensions, mechanisms = parse_esmtp_extensions(reply.text)
            self.mechanisms = tuple(mechanisms)
        if reply.code != _COMPLETED:
            raise self.refused(Step.HELLO, reply)

    async def _encrypted(self, wire: Wire) -> None:
        config = self.config
        if wire.encrypted or (config.ignore_tls and not config.require_tls):
            return
        if "starttls" not in self.extensions:
            if config.require_tls:
                hint = say(
                    "{step} at {where}: the server does not offer STARTTLS, which requireTLS asks for; somebody between may have taken the offer out. Nothing was sent",
                    step=Step.TLS,
                    where=self.where,
                )
                raise AccountError(hint, reason=Reason.ENDPOINT, phase=Phase.BEFORE)
            return
        reply = await wire.ask(Step.TLS, b"STARTTLS", limit=self.limit(config.socket_timeout))
        if reply.code != _READY:
            raise self.refused(Step.TLS, reply)
        try:
            await wire.encrypt(self._context(), config.certificate_name, self.limit(config.socket_timeout))
        except ssl.SSLError as error:
            raise self._no_tls(error) from None
        # What was said in clear counts no more (RFC 3207 section 4.2).
        await self._hello(wire)

    def _context(self) -> ssl.SSLContext:
        # Whoever may read on the way may also show a certificate of their own.
        verify = self.config.tls_settings.reject_unauthorized or not self._plain_allowed
        return self.trust.context(self.http, verify=verify)

    def _no_tls(self, error: ssl.SSLError) -> SendError:
        if isinstance(error, ssl.SSLCertVerificationError):
            what = say("the certificate is not trusted, expired, or not for {name}", name=self.config.certificate_name)
            if not self.config.tls_settings.reject_unauthorized:
                what = say(
                    "{what}; tls.rejectUnauthorized counts only where the host's egress policy allows connections without TLS",
                    what=what,
                )
        elif error.reason == "WRONG_VERSION_NUMBER" and self.config.implicit_tls:
            what = say("the server does not begin with TLS at this port; set secure to false, or use port 465")
        else:
            what = say("no TLS came about; server and client have no version in common, or something between them interferes")
        return AccountError(
            say("{step} at {where}: {what}", step=Step.TLS, where=self.where, what=what),
            reason=Reason.ENDPOINT,
            phase=Phase.BEFORE,
        )

    def _why_plain(self) -> str:
        return say("ignoreTLS is set") if self.config.ignore_tls else say("the server does not offer TLS")

    def refused(self, step: Step, reply: Reply) -> SendError:
        """Return the error of a reply."""
        return failure(step, reply, self.where)


def _own_name(local_address: str) -> str:
    """Return what EHLO says: this machine's full name, else the address as a literal (RFC 5321 section 4.1.3)."""
    name = socket.gethostname()
    if _FULL_NAME.fullmatch(name):
        return name
    address = local_address.partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
