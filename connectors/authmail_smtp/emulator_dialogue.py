"""One conversation of the emulated server (RFC 5321, 4954, 3207, 1870, 6531)."""

import asyncio
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from authmail import Mailbox, checks
from authmail.sandbox import Exchange, Fault, Inbox, served
from authmail_smtp.emulator_faults import fault_for
from authmail_smtp.emulator_mail import put, subject_of

if TYPE_CHECKING:
    from authmail_smtp.emulator import SMTPEmulator

_PATH = re.compile(r"(?i)(FROM|TO):\s*<([^<>]*)>((?: [!-~]+)*)")
_MAIL_PARAMETERS = {"SIZE", "BODY", "SMTPUTF8", "AUTH"}
# First words of a request of HTTP; a header's ends with a colon, which no command does.
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"}
_MOST_RECIPIENTS = 100
_MOST_ERRORS = 20


class _Over(Exception):
    """The conversation is over."""


class Dialogue:
    """One conversation.

    Args:
        server: what it accepts.
        reader: the client's words.
        writer: the server's.
        inbox: gets the mails.
    """

    def __init__(self, server: "SMTPEmulator", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inbox: Inbox) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._inbox = inbox
        self._greeted = self._logged_in = self._encrypted = False
        self._errors = 0
        self._exchange: Exchange | None = None
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []
        self._fault: Fault | None = None

    async def hold(self) -> None:
        """Hold it until the client quits or goes."""
        try:
            await self._say(220, "", "authmail sandbox ESMTP")
            while True:
                await self._command(await self._line())
        except (_Over, ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass

    async def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        commands: dict[str, Callable[[str], Awaitable[None]]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "STARTTLS": self._starttls, "AUTH": self._auth, "MAIL": self._mail, "RCPT": self._rcpt,
            "DATA": self._data, "RSET": self._rset, "NOOP": self._noop, "VRFY": self._vrfy, "QUIT": self._quit,
        }  # fmt: skip
        if verb.upper() in _METHODS or verb.endswith(":"):
            # A browser: what it posts from a page of somebody else's must not be taken for mail.
            await self._say(421, "4.7.0", "this is SMTP, not HTTP")
            raise _Over
        command = commands.get(verb.upper())
        if command is None:
            await self._refuse(500, "5.5.2", "command not recognized")
        else:
            await command(rest.strip())

    async def _ehlo(self, name: str) -> None:
        if not name:
            await self._refuse(501, "5.5.4", "EHLO needs a name")
            return
        self._forget()
        self._greeted = True
        offers = [*self._server.extensions, f"SIZE {self._server.largest}", "AUTH PLAIN LOGIN XOAUTH2"]
        offers += ["STARTTLS"] if self._server.tls and not self._encrypted else []
        lines = ["authmail sandbox", *offers]
        text = "".join(f"250{'-' if line is not lines[-1] else ' '}{line}\r\n" for line in lines)
        await self._write(text.encode("ascii"))

    async def _helo(self, name: str) -> None:
        self._greeted = bool(name)
        await (self._say(250, "", "authmail sandbox") if name else self._refuse(501, "5.5.4", "HELO needs a name"))

    async def _starttls(self, rest: str) -> None:
        if self._server.tls is None or self._encrypted or rest:
            await self._refuse(502, "5.5.1", "TLS not available")
            return
        await self._say(220, "2.0.0", "go ahead")
        await self._writer.start_tls(self._server.tls)
        self._encrypted, self._greeted, self._logged_in = True, False, False
        self._forget()

    async def _auth(self, rest: str) -> None:
        mechanism, _, first = rest.partition(" ")
        if not self._greeted or self._logged_in:
            await self._refuse(503, "5.5.1", "not now")
        elif mechanism.upper() not in ("PLAIN", "LOGIN", "XOAUTH2"):
            await self._refuse(504, "5.5.4", "unknown kind of login")
        elif await self._credentials_fit(mechanism.upper(), first):
            self._logged_in = True
            await self._say(235, "2.7.0", "accepted")
        else:
            with self._recorded(f"AUTH {mechanism.upper()}", {}) as self._exchange:
                await self._refuse(535, "5.7.8", "user or password is wrong")

    async def _credentials_fit(self, mechanism: str, first: str) -> bool:
        users, tokens = self._server.users, self._server.tokens
        if mechanism == "LOGIN":
            user = _decoded(first or await self._asked("VXNlcm5hbWU6"))
            return users.get(user) == _decoded(await self._asked("UGFzc3dvcmQ6"))
        words = _decoded(first or await self._asked(""))
        if mechanism == "PLAIN":
            _, user, password = [*words.split("\0"), "", "", ""][:3]
            return bool(user) and users.get(user) == password
        match = re.fullmatch(r"user=([^\x01]*)\x01auth=Bearer ([^\x01]*)\x01\x01", words)
        if match is not None and tokens.get(match[1]) == match[2]:
            return True
        await self._asked("eyJzdGF0dXMiOiI0MDAifQ==")
        return False

    async def _asked(self, challenge: str) -> str:
        await self._write(f"334 {challenge}\r\n".encode("ascii"))
        return await self._line()

    async def _mail(self, rest: str) -> None:
        command = _mail_command(rest)
        if not self._greeted or self._sender is not None:
            await self._refuse(503, "5.5.1", "not now")
        elif self._server.login_required and not self._logged_in:
            await self._refuse(530, "5.7.0", "authentication required")
        elif command is None:
            await self._refuse(501, "5.5.4", "syntax: MAIL FROM:<address>")
        else:
            await self._begin_mail(*command)

    async def _begin_mail(self, sender: str, parameters: Mapping[str, str]) -> None:
        size, utf8 = parameters.get("SIZE", "0"), "SMTPUTF8" in parameters
        if sender and not self._fits(sender, utf8):
            await self._refuse(553, "5.1.7", "the sender's address is not valid")
        elif (announced := checks.read_number(size)) is None:
            await self._refuse(501, "5.5.4", "SIZE takes a number of bytes")
        elif announced > self._server.largest:
            await self._refuse(552, "5.3.4", "message size exceeds fixed limit")
        else:
            self._sender, self._utf8 = sender, utf8
            await self._say(250, "2.1.0", "ok")

    async def _rcpt(self, rest: str) -> None:
        match = _PATH.fullmatch(rest)
        if self._sender is None:
            await self._refuse(503, "5.5.1", "MAIL first")
        elif match is None or match[1].upper() != "TO":
            await self._refuse(501, "5.5.4", "syntax: RCPT TO:<address>")
        elif not self._fits(match[2], self._utf8):
            await self._refuse(553, "5.1.3", "the recipient's address is not valid")
        elif len(self._recipients) >= _MOST_RECIPIENTS:
            await self._refuse(452, "4.5.3", "too many recipients")
        else:
            fault = fault_for(match[2])
            if fault is not None and fault.action in ("refuse", "goodbye"):
                with self._recorded("RCPT TO", {"from": self._sender, "to": match[2]}) as self._exchange:
                    await self._say(fault.status, fault.code or "", fault.help)
                if fault.action == "goodbye":
                    raise _Over
                return
            self._fault = fault or self._fault
            self._recipients.append(match[2])
            await self._say(250, "2.1.5", "ok")

    @staticmethod
    def _fits(address: str, utf8: bool) -> bool:
        try:
            return bool(Mailbox(address)) and (utf8 or address.isascii())
        except ValueError:
            return False

    async def _data(self, rest: str) -> None:
        if not self._recipients or rest:
            await self._refuse(503, "5.5.1", "RCPT first")
            return
        await self._say(354, "", "end with a dot")
        data, size = bytearray(), 0
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            size += len(line)
            if size <= self._server.largest:
                data += line.removeprefix(b".")
        recipients, fault = tuple(self._recipients), self._fault
        facts = {"from": self._sender or "<>", "to": ", ".join(recipients), "subject": subject_of(bytes(data))}
        with self._recorded("DATA", {**facts, "data": data.decode("utf-8", "replace")}) as self._exchange:
            if size > self._server.largest:
                await self._refuse(552, "5.3.4", "message size exceeds fixed limit")
            elif fault is None:
                await self._say(250, "2.0.0", f"ok: queued as {self._take(bytes(data), recipients)}")
            else:
                await self._show(fault, bytes(data), recipients)
        self._forget()

    async def _show(self, fault: Fault, data: bytes, recipients: tuple[str, ...]) -> None:
        if fault.action == "content":
            await self._say(fault.status, fault.code or "", fault.help)
            return
        if fault.action == "slow":
            await asyncio.sleep(self._server.slowness)
        queued = "" if fault.action in ("cut", "garbage") else self._take(data, recipients)
        if fault.action == "hang":
            await self._reader.read()  # until the client goes
        if fault.action in ("cut", "cut-after", "hang"):
            if self._exchange is not None and fault.action != "hang":
                self._exchange.cut()
            self._writer.transport.abort()
            raise _Over
        if fault.action == "garbage":
            if self._exchange is not None:
                self._exchange.answered(0, "<html>ok</html>")
            await self._write(b"<html>ok</html>\r\n")
        else:
            await self._say(250, "2.0.0", f"ok: queued as {queued}")

    def _take(self, data: bytes, recipients: tuple[str, ...]) -> str:
        queue_id = uuid4().hex[:12].upper()
        facts = {"Envelope-From": self._sender or "", "Queue-ID": queue_id}
        put(self._inbox, data, recipients, sender=self._sender or "", facts=facts)
        return queue_id

    async def _rset(self, _: str) -> None:
        self._forget()
        await self._say(250, "2.0.0", "ok")

    async def _noop(self, _: str) -> None:
        await self._say(250, "2.0.0", "ok")

    async def _vrfy(self, _: str) -> None:
        await self._say(252, "2.1.5", "send some mail and see")

    async def _quit(self, _: str) -> None:
        await self._say(221, "2.0.0", "bye")
        raise _Over

    @contextmanager
    def _recorded(self, request: str, parameters: Mapping[str, str]) -> Iterator[Exchange]:
        """Record one message or login for the inbox's page, with the reply that is given within."""
        try:
            with self._inbox.exchanges.record(served(), request, parameters, confidential=self._server.confidential) as exchange:
                yield exchange
        finally:
            self._exchange = None

    # The wire.

    async def _line(self) -> str:
        line = await self._reader.readuntil(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r\n")

    async def _refuse(self, code: int, enhanced: str, text: str) -> None:
        self._errors += 1
        if self._errors > _MOST_ERRORS:
            await self._say(421, "4.7.0", "too many errors")
            raise _Over
        await self._say(code, enhanced, text)

    async def _say(self, code: int, enhanced: str, text: str) -> None:
        if self._exchange is not None:
            self._exchange.answered(code, f"{enhanced} {text}".strip())
        await self._write(f"{code} {enhanced}{' ' if enhanced else ''}{text}\r\n".encode("ascii"))

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _mail_command(rest: str) -> tuple[str, dict[str, str]] | None:
    """Return sender and parameters of a MAIL command; None if it is not one."""
    match = _PATH.fullmatch(rest)
    if match is None or match[1].upper() != "FROM":
        return None
    parameters = dict(part.upper().partition("=")[::2] for part in match[3].split())
    return None if set(parameters) - _MAIL_PARAMETERS else (match[2], parameters)


def _decoded(text: str) -> str:
    try:
        return b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""
