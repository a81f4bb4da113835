"""What goes wrong between a connector and its provider, as a table: what the server does, and what must come of it.

Each fault holds for every connector that speaks HTTP. Run them with :class:`~authmail.testing.fault_server.FaultServer`::

    async with fault.server() as server, Mailer(connector, {**config, "endpoint": server.url}, …) as mailer:
        with pytest.raises(fault.outcome) as caught:
            await mailer.send(message, timeout=fault.limit)
"""

import gzip
import zlib
from functools import partial

import attrs

from authmail.outcomes import (
    AccountError,
    ConnectionCut,
    NoAnswerInTime,
    NotConnected,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    SendError,
)
from authmail.testing.fault_server import (
    Answer,
    Door,
    FaultServer,
    Step,
    Tls,
    answered,
    chunked,
    deafness,
    drip,
    endless,
    hang_up,
    head,
    request,
    reset,
    silence,
    zipped,
)

# Enough to connect and send on a busy machine; signing megabytes takes time, too.
_SHORT = 1.5
_SHORT_IF_LARGE = 3.0
_LONG = 20.0


@attrs.frozen(kw_only=True)
class Fault:
    """One fault, and the one answer to a message that meets it.

    Args:
        name: what goes wrong, in words.
        steps: what the server does with each connection.
        outcome: type of the error; None if the mail must be accepted all the same.
        phase: of the error.
        reason: of the error.
        status: of the answer that a connector gets to read; None if the transport lets it get none.
        door: how far a client gets at all.
        tls: what the server shows to a client that wants TLS.
        large: whether it needs a request of megabytes, which does not fit into the buffers of sockets.
    """

    name: str
    steps: tuple[Step, ...] = ()
    outcome: type[SendError] | None
    phase: Phase | None = None
    reason: Reason | None = None
    status: int | None = None
    door: Door = Door.OPEN
    tls: Tls = Tls.NONE
    large: bool = False

    @property
    def waits(self) -> bool:
        """Whether time running out is the fault. Such faults are best run side by side."""
        return self.outcome is not None and issubclass(self.outcome, TimeoutError)

    @property
    def limit(self) -> float:
        """Seconds to give to the message: few where it waits in vain, else more than are needed."""
        if not self.waits:
            return _LONG
        return _SHORT_IF_LARGE if self.large else _SHORT

    def server(self, answer: Answer | None = None) -> FaultServer:
        """Return a server with this fault.

        Args:
            answer: with which the connector accepts a mail; only faults that break it need it.
        """
        return FaultServer(self.steps, door=self.door, tls=self.tls, answer=answer)

    def __str__(self) -> str:
        return self.name


_not_connected = partial(Fault, outcome=NotConnected, phase=Phase.BEFORE, reason=Reason.NETWORK)
_not_in_time = partial(Fault, outcome=NotSentInTime, phase=Phase.BEFORE, reason=Reason.TIMEOUT)
_cut = partial(Fault, outcome=ConnectionCut, phase=Phase.DURING, reason=Reason.NETWORK)
_no_answer = partial(Fault, outcome=NoAnswerInTime, phase=Phase.DURING, reason=Reason.TIMEOUT)
_unreadable = partial(Fault, outcome=OutcomeUnknown, phase=Phase.AFTER, reason=Reason.PROVIDER)
_accepted = partial(Fault, outcome=None)

_OK = b"HTTP/1.1 200 OK\r\n"
_good = answered(lambda answer: answer.plain)
_ZEROS = bytes(16 * 1024 * 1024)


def _redirect(status: int, location: str) -> Fault:
    steps = (request, f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
    name = f"redirect {status} to {location}"
    return Fault(name=name, steps=steps, outcome=AccountError, phase=Phase.AFTER, reason=Reason.ENDPOINT)


def _body(data: bytes, *headers: str) -> bytes:
    return Answer(headers={}, body=data).head(f"Content-Length: {len(data)}", *headers) + data


#: No connection comes about: nothing was sent, and sending again is safe.
BEFORE = (
    _not_connected(name="name that does not exist", door=Door.NO_NAME),
    _not_connected(name="connection refused", door=Door.REFUSED),
    _not_connected(name="certificate of an unknown authority", tls=Tls.UNKNOWN_AUTHORITY),
    _not_connected(name="certificate for another name", tls=Tls.OTHER_NAME),
    _not_connected(name="certificate that has expired", tls=Tls.EXPIRED),
    _not_connected(name="no TLS on the other side", steps=(b"HTTP/1.1 400 Bad Request\r\n\r\n",), tls=Tls.RAW),
    _not_connected(name="TLS refused with an alert", steps=(b"\x15\x03\x03\x00\x02\x02\x28",), tls=Tls.RAW),
    _not_connected(name="cut in the TLS handshake", steps=(), tls=Tls.RAW),
    _not_connected(name="reset in the TLS handshake", steps=(reset,), tls=Tls.RAW),
    _not_in_time(name="connection neither accepted nor refused", door=Door.FULL),
    _not_in_time(name="silence in the TLS handshake", steps=(silence,), tls=Tls.RAW),
)

#: The request began to go out and no answer came whole: nobody knows.
DURING = (
    _cut(name="closed at once"),
    _cut(name="reset at once", steps=(reset,)),
    _cut(name="closed within a large request", steps=(head,), large=True),
    _cut(name="reset within a large request", steps=(head, reset), large=True),
    _cut(name="closed after the request", steps=(request,)),
    _cut(name="reset after the request", steps=(request, reset)),
    _cut(name="TLS closed after the request", steps=(request,), tls=Tls.TRUSTED),
    _cut(name="TLS hung up after the request", steps=(request, hang_up), tls=Tls.TRUSTED),
    _cut(name="closed within the status line", steps=(request, b"HTTP/1.1 20")),
    _cut(name="closed within the headers", steps=(request, _OK + b"Content-")),
    _cut(name="reset within the headers", steps=(request, _OK + b"Content-", reset)),
    _cut(name="closed after a 100", steps=(request, b"HTTP/1.1 100 Continue\r\n\r\n")),
    _cut(name="closed within the body", steps=(request, _OK + b"Content-Length: 100\r\n\r\n{}")),
    _cut(name="reset within the body", steps=(request, _OK + b"Content-Length: 100\r\n\r\n{}", reset)),
    _cut(name="TLS hung up within the body", steps=(request, _OK + b"Content-Length: 100\r\n\r\n{}", hang_up), tls=Tls.TRUSTED),
    _cut(name="length longer than the body", steps=(request, answered(lambda good: good.head(f"Content-Length: {len(good.body) + 1}") + good.body))),
    _cut(name="closed within a chunk", steps=(request, _OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{}")),
    _cut(name="closed before the last chunk", steps=(request, answered(partial(chunked, end=b"")))),
    _cut(name="closed within the compressed body", steps=(request, answered(lambda good: zipped(good)[:-9]))),
    _no_answer(name="request never read", steps=(deafness,), large=True),
    _no_answer(name="silence within a large request", steps=(head, deafness), large=True),
    _no_answer(name="silence after the request", steps=(request, silence)),
    _no_answer(name="TLS silence after the request", steps=(request, silence), tls=Tls.TRUSTED),
    _no_answer(name="silence within the headers", steps=(request, _OK + b"Content-", silence)),
    _no_answer(name="silence within the body", steps=(request, _OK + b"Content-Length: 100\r\n\r\n{}", silence)),
    _no_answer(name="silence before the last chunk", steps=(request, answered(partial(chunked, end=b"")), silence)),
    _no_answer(name="headers that drip", steps=(request, drip(_OK + b"X-Long: " + b"x" * 1000))),
    _no_answer(name="body that drips", steps=(request, _OK + b"Content-Length: 1000\r\n\r\n", drip(b" " * 1000))),
    _no_answer(name="endless 100s", steps=(request, endless(b"HTTP/1.1 100 Continue\r\n\r\n"))),
)  # fmt: skip

#: There was an answer and it cannot be understood: nobody knows.
AFTER = (
    _unreadable(name="garbage", steps=(request, b"220 mail.example ESMTP\r\n\r\n")),
    _unreadable(name="status that is none", steps=(request, b"HTTP/1.1 2000 OK\r\n\r\n")),
    _unreadable(name="HTTP of another world", steps=(request, b"HTTP/7.7 200 OK\r\n\r\n")),
    _unreadable(name="header without a colon", steps=(request, _OK + b"Content-Length 2\r\n\r\n{}")),
    _unreadable(name="headers of a megabyte", steps=(request, _OK + b"X-Long: " + b"x" * 1024 * 1024 + b"\r\n\r\n")),
    _unreadable(name="thousands of headers", steps=(request, _OK + b"X: y\r\n" * 100_000 + b"\r\n")),
    _unreadable(name="length that is none", steps=(request, _OK + b"Content-Length: -1\r\n\r\n{}")),
    _unreadable(name="two lengths", steps=(request, _OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}\n")),
    _unreadable(name="length and chunks", steps=(request, _OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
    _unreadable(name="chunk size that is none", steps=(request, _OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")),
    _unreadable(name="chunk longer than it says", steps=(request, _OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n")),
    _unreadable(name="more than the length says", steps=(request, answered(lambda good: good.plain + b"surplus"))),
    _unreadable(name="body that is not compressed as it says", steps=(request, _body(b"{}", "Content-Encoding: gzip"))),
    _unreadable(name="body whose compression breaks off", steps=(request, _body(gzip.compress(b"{}")[:-9], "Content-Encoding: gzip"))),
    _unreadable(name="body compressed in an unknown way", steps=(request, _body(b"{}", "Content-Encoding: x-own"))),
    _unreadable(name="switch of protocols", steps=(request, b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"), status=101),
    _unreadable(name="204 without a body", steps=(request, b"HTTP/1.1 204 No Content\r\n\r\n"), status=204),
    _unreadable(name="empty body", steps=(request, _body(b"")), status=200),
    _unreadable(name="a page of a proxy", steps=(request, _body(b"<html>Please log in</html>", "Content-Type: text/html")), status=200),
    _unreadable(name="endless body", steps=(request, _OK + b"\r\n", endless(b" " * 65536)), status=200),
    _unreadable(name="endless body in chunks", steps=(request, _OK + b"Transfer-Encoding: chunked\r\n\r\n", endless(b"8000\r\n" + b" " * 32768 + b"\r\n")), status=200),
    _unreadable(name="body that unpacks to 16 MiB", steps=(request, _body(gzip.compress(_ZEROS), "Content-Encoding: gzip")), status=200),
    _unreadable(name="body that unpacks to 16 MiB by deflate", steps=(request, _body(zlib.compress(_ZEROS), "Content-Encoding: deflate")), status=200),
)  # fmt: skip

#: A redirect would carry code and credentials to another place: it is never followed.
REDIRECTS = (
    *(_redirect(status, "https://elsewhere.example/") for status in (300, 301, 302, 303, 307, 308)),
    _redirect(307, "/"),
    _redirect(307, "file:///etc/passwd"),
    _redirect(307, "http://169.254.169.254/latest/meta-data/"),
)

#: Unusual, and valid or harmless: the mail is accepted.
HARMLESS = (
    _accepted(name="as it should be", steps=(request, _good)),
    _accepted(name="over TLS", steps=(request, _good), tls=Tls.TRUSTED),
    _accepted(name="100 that was not asked for", steps=(request, b"HTTP/1.1 100 Continue\r\n\r\n", _good)),
    _accepted(name="early hints", steps=(request, b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", _good)),
    _accepted(name="HTTP/1.0", steps=(request, answered(lambda good: good.head(version="1.0") + good.body))),
    _accepted(name="HTTP/1.0 that keeps the connection", steps=(request, answered(lambda good: good.head("Connection: keep-alive", f"Content-Length: {len(good.body)}", version="1.0") + good.body), silence)),
    _accepted(name="no length, closed at the end", steps=(request, answered(lambda good: good.head() + good.body))),
    _accepted(name="chunks", steps=(request, answered(chunked))),
    _accepted(name="chunks with extensions and a trailer", steps=(request, answered(partial(chunked, extension=";a=b", end=b"0\r\nX-Sum: 1\r\n\r\n")))),
    _accepted(name="compressed", steps=(request, answered(zipped))),
    _accepted(name="said not to be compressed", steps=(request, answered(lambda good: good.head("Content-Encoding: identity", f"Content-Length: {len(good.body)}") + good.body))),
    _accepted(name="byte by byte", steps=(request, answered(lambda good: good.plain, every=0.001))),
    _accepted(name="two answers", steps=(request, answered(lambda good: good.plain + good.plain))),
    _accepted(name="answer, then reset", steps=(request, _good, reset)),
)  # fmt: skip

#: All faults.
FAULTS: tuple[Fault, ...] = (*BEFORE, *DURING, *AFTER, *REDIRECTS, *HARMLESS)
