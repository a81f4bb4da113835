"""The wire of one connection: aiosmtplib's protocol, made strict about whose answer an answer is.

aiosmtplib 5 keeps what follows a complete reply and takes it for the reply to the next command, and lets lines of one
reply have different codes. Here either makes the wire unfit for more, and a wire that was given up is cut and not
drained, so that nothing still goes out of a mail that was said not to be sent.
"""

import asyncio
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from aiosmtplib import SMTPException, SMTPResponse, SMTPTimeoutError
from aiosmtplib.protocol import SMTPProtocol

from authmail import (
    ConnectionCut,
    NoAnswerInTime,
    NotConnected,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    SendError,
    say,
)
from authmail_smtp.replies import Reply
from authmail_smtp.reply_text import readable
from authmail_smtp.steps import Step

# A reply: lines with a hyphen after the code, then one without; nothing is longer in practice than an EHLO's few KB.
_REPLY = re.compile(rb"(?P<code>[2-5][0-9]{2})(?:-[^\n]*\n(?P=code))*(?: [^\n]*)?\r?\n")
_LONGEST_REPLY = 32 * 1024
_EMPTY = b"\r\n"
_CONTINUED = re.compile(rb"[2-5][0-9]{2}-")
_UNREADABLE = b"000 unreadable\r\n"
_LEAVE = 1.0


class Wire(SMTPProtocol):
    """The protocol of one connection.

    Args:
        where: host and port, for people.
    """

    def __init__(self, where: str) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        self.where = where
        #: Done when the connection is gone.
        self.closed: asyncio.Future[None] = loop.create_future()
        #: Why nothing more may be asked here; empty while all is well.
        self.spoiled = ""
        self._expecting = True  # the greeting
        self._leaving = False
        self._seen = bytearray()

    def data_received(self, data: bytes) -> None:
        """Hand one complete reply to whoever waits for it, and nothing else.

        Empty lines before and between replies are read over: they answer nothing, and some servers send them
        (internetstandards/Internet.nl issue 560).
        """
        if not self._seen:
            data = data.lstrip(_EMPTY)
            if not data:
                return
        if not self._expecting:
            # A farewell to an idle connection, an answer that comes too late, or one to nothing.
            self.spoiled = self.spoiled or say("the server said something unasked")
            if self._leaving:
                self.cut()
            return
        self._seen += data
        reply = _REPLY.match(self._seen)
        if reply is not None:
            if self._seen[reply.end() :].strip(_EMPTY):
                self.spoiled = say("the server said more than was asked")
            self._deliver(reply[0])
        elif not _may_become_a_reply(self._seen):
            self.spoiled = say("the server's reply is not SMTP")
            self._deliver(_UNREADABLE)

    def _deliver(self, reply: bytes) -> None:
        self._expecting = False
        self._seen.clear()
        super().data_received(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits."""
        self.spoiled = self.spoiled or say("the server closed the connection")
        super().connection_lost(exc)
        if not self.closed.done():
            self.closed.set_result(None)

    @property
    def usable(self) -> bool:
        """Whether another command may be asked."""
        return self.is_connected and not self.spoiled

    @property
    def encrypted(self) -> bool:
        """Whether TLS is spoken."""
        return self._info("sslcontext") is not None

    @property
    def tls_version(self) -> str:
        """Version of TLS, such as ``TLSv1.3``; empty without."""
        tls = self._info("ssl_object")
        return (tls.version() or "") if tls else ""

    def _info(self, name: str) -> Any:
        return self.transport.get_extra_info(name) if self.transport else None

    async def greeting(self, limit: float) -> Reply:
        """Return the first reply; as :meth:`ask`."""
        with self._faults(Step.GREETING):
            return self._readable(Step.GREETING, await self.read_response(limit))

    async def ask(self, step: Step, *words: bytes, limit: float) -> Reply:
        """Send a command and return the reply.

        Args:
            step: for errors.
            *words: the command.
            limit: seconds; the connection is cut after them.

        Raises:
            NotSent: no reply that can be relied on.
        """
        self._check(step)
        with self._faults(step):
            self._expecting = True
            return self._readable(step, await self.execute_command(*words, timeout=limit))

    async def encrypt(self, context: ssl.SSLContext, name: str, limit: float) -> None:
        """Go on over TLS, after STARTTLS was granted.

        Raises:
            ssl.SSLError: no TLS came about, or the certificate is not in order.
            NotSent: the connection broke, time ran out, or words came in clear behind the grant: whoever put them there
                wants them read as if they were encrypted (RFC 3207 section 6).
        """
        self._check(Step.TLS)
        with self._faults(Step.TLS):
            loop = asyncio.get_running_loop()
            plain = cast("asyncio.Transport", self.transport)
            async with asyncio.timeout(limit):
                self.transport = await loop.start_tls(plain, self, context, server_hostname=name)

    async def hand_over(self, data: bytes, limit: float) -> Reply:
        """Send the mail's data after DATA was granted, its final dot included, and return the reply.

        Raises:
            NotSent: the final dot did not leave this process.
            OutcomeUnknown: no reply that can be relied on came after it.
        """
        self._check(Step.CONTENT)
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        self._expecting = True
        try:
            self.write((b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n")
            code, text = await self.read_response(limit)
        except (SMTPTimeoutError, TimeoutError):
            unsent = cast("asyncio.Transport", self.transport).get_write_buffer_size() if self.transport else 0
            self.cut()
            if unsent:
                raise NotSentInTime(self._hint(Step.CONTENT, say("time ran out while it went out")), phase=Phase.DURING) from None
            raise NoAnswerInTime(self._hint(Step.CONTENT, say("no reply came in time"))) from None
        except (SMTPException, OSError):
            self.cut()
            raise ConnectionCut(self._hint(Step.CONTENT, say("the connection broke before the reply came"))) from None
        except BaseException:
            self.cut()
            raise
        if code == 0:
            self.cut()
            raise OutcomeUnknown(self._hint(Step.CONTENT, self.spoiled), reason=Reason.PROVIDER, phase=Phase.AFTER)
        return self._noted(Reply(code, _whole(text)))

    def cut(self) -> None:
        """End the connection at once; what has not gone out stays here."""
        self.spoiled = self.spoiled or say("the connection was given up")
        if self.transport is not None:
            cast("asyncio.Transport", self.transport).abort()

    def leave(self) -> None:
        """Say QUIT, and end the connection when the server answers, or soon after."""
        if not self.usable:
            self.cut()
            return
        self._leaving = True
        self.spoiled = say("the connection was ended")
        self.write(b"QUIT\r\n")
        timer = asyncio.get_running_loop().call_later(_LEAVE, self.cut)
        self.closed.add_done_callback(lambda _: timer.cancel())

    def _check(self, step: Step) -> None:
        """Refuse to say anything on a connection that is unfit for it."""
        if not self.usable:
            self.cut()
            raise NotConnected(self._hint(step, self.spoiled), phase=Phase.DURING)

    def _readable(self, step: Step, response: SMTPResponse) -> Reply:
        if response.code == 0:
            self.cut()
            raise NotSent(
                self._hint(step, say("{spoiled}; check host and port", spoiled=self.spoiled)),
                reason=Reason.PROVIDER,
                phase=Phase.DURING,
            )
        return self._noted(Reply(response.code, _whole(response.message)))

    def _noted(self, reply: Reply) -> Reply:
        if reply.code == 421:  # noqa: PLR2004 (RFC 5321 section 3.8: the server closes after it)
            self.spoiled = self.spoiled or say("the server is closing the connection")
        return reply

    @contextmanager
    def _faults(self, step: Step) -> Iterator[None]:
        """Turn what goes wrong before a mail was handed over into NotSent, and cut the connection."""
        failure: SendError
        try:
            yield
        except (SMTPTimeoutError, TimeoutError):
            failure = NotSentInTime(self._hint(step, say("no reply came in time")), phase=Phase.DURING)
        except ssl.SSLError:
            self.cut()
            raise
        except (SMTPException, OSError):
            failure = NotConnected(self._hint(step, say("the connection broke")), phase=Phase.DURING)
        except BaseException:
            self.cut()
            raise
        else:
            return
        self.cut()
        raise failure

    def _hint(self, step: Step, what: str) -> str:
        return say("{step} at {where}: {what}", step=step, where=self.where, what=what)


def _may_become_a_reply(seen: bytearray) -> bool:
    """Whether what came so far may be the beginning of a reply: lines to be continued, of one code."""
    complete = bytes(seen).split(b"\n")[:-1]
    return len(seen) <= _LONGEST_REPLY and all(_CONTINUED.match(line) and line[:3] == complete[0][:3] for line in complete)


def _whole(text: str) -> str:
    """Return aiosmtplib's text, in which halves of surrogate pairs stand for bytes that are not UTF-8, as people read it."""
    return readable(text.encode("utf-8", "surrogateescape"))
