"""A real server that does one thing wrong: on raw sockets, for an HTTP library would not send what a broken one does.

A script is a sequence of steps, each of them bytes to write or something to do with the connection. After its last
step the server ends its side, and then waits until the client has closed the connection.
"""

import asyncio
import gzip
import socket
import ssl
import struct
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Self

import attrs

#: Seconds within which a client must have closed its connections.
_PATIENCE = 10.0
_DRIP_EVERY = 0.02
_READ_SIZE = 65536
# So small that a large request does not vanish in the buffers of a server that reads nothing.
_RECEIVE_BUFFER = 4096


class Door(StrEnum):
    """How far a client gets before the first step."""

    OPEN = "open"
    REFUSED = "refused"
    FULL = "full"
    NO_NAME = "no name"


class Tls(StrEnum):
    """What the server shows to a client that wants TLS."""

    NONE = "none"
    TRUSTED = "trusted"
    UNKNOWN_AUTHORITY = "unknown authority"
    OTHER_NAME = "other name"
    EXPIRED = "expired"
    #: The client speaks TLS, the script gets the bare bytes.
    RAW = "raw"


def _read_only(headers: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(headers))


@attrs.frozen
class Answer:
    """A provider's answer, such as the one with which a connector accepts a mail; faults break it.

    Args:
        status: HTTP status.
        headers: without those about the body's length.
        body: the body.
    """

    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"Content-Type": "application/json"}, converter=_read_only)
    body: bytes = b"{}"

    def head(self, *more: str, version: str = "1.1") -> bytes:
        """Return status line and headers, more of them at the end."""
        lines = [f"HTTP/{version} {self.status} Fine", *(f"{name}: {value}" for name, value in self.headers.items()), *more]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()

    @property
    def plain(self) -> bytes:
        """The answer as it should be."""
        return self.head(f"Content-Length: {len(self.body)}") + self.body


class Connection:
    """One connection of a client.

    Attributes:
        reader: from the client.
        writer: to the client.
        answer: with which the connector accepts.
        requests: head and body of each request that came whole.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Answer,
        requests: list[bytes],
        over: asyncio.Event,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.answer = answer
        self.requests = requests
        self._over = over

    async def write(self, data: bytes) -> None:
        """Write at once."""
        self.writer.write(data)
        await self.writer.drain()

    async def run(self, steps: Iterable["Step"]) -> None:
        """Go through a script, end this side, and wait for the client to close."""
        # The client may be gone at any step.
        with suppress(OSError, asyncio.IncompleteReadError):
            for step in steps:
                await (self.write(step) if isinstance(step, bytes) else step(self))
            if self.writer.can_write_eof():
                self.writer.write_eof()
            else:
                self.writer.close()
            await silence(self)

    async def until_over(self) -> None:
        """Wait until whoever tests has had the answer, so that the client need not be listened to any more."""
        await self._over.wait()


_Action = Callable[[Connection], Awaitable[None]]
Step = bytes | _Action


async def head(connection: Connection) -> None:
    """Read the head of a request."""
    await connection.reader.readuntil(b"\r\n\r\n")


async def request(connection: Connection) -> None:
    """Read a whole request."""
    head = await connection.reader.readuntil(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    connection.requests.append(head + await connection.reader.readexactly(int(lengths[0]) if lengths else 0))


async def silence(connection: Connection) -> None:
    """Say nothing until the client closes the connection."""
    while await connection.reader.read(_READ_SIZE):
        pass


async def deafness(connection: Connection) -> None:
    """Read nothing, say nothing."""
    await connection.until_over()


async def reset(connection: Connection) -> None:
    """Break the connection off with a TCP reset, in the middle of whatever was said."""
    raw = connection.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.writer.transport.abort()


async def hang_up(connection: Connection) -> None:
    """End the TCP stream without the end of TLS."""
    connection.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)


def drip(data: bytes, *, every: float = _DRIP_EVERY) -> _Action:
    """Write byte by byte.

    Args:
        data: the bytes.
        every: seconds between two.
    """

    async def step(connection: Connection) -> None:
        for byte in data:
            await connection.write(bytes([byte]))
            await asyncio.sleep(every)

    return step


def endless(data: bytes) -> _Action:
    """Write the same again and again until the client closes the connection."""

    async def step(connection: Connection) -> None:
        while not connection.writer.is_closing():
            await connection.write(data)
            await asyncio.sleep(0)

    return step


def answered(framed: Callable[[Answer], bytes], *, every: float | None = None) -> _Action:
    """Write the provider's answer, framed in some way.

    Args:
        framed: makes the bytes of it.
        every: seconds between two bytes; None writes all at once.
    """

    async def step(connection: Connection) -> None:
        data = framed(connection.answer)
        await (connection.write(data) if every is None else drip(data, every=every)(connection))

    return step


def chunked(answer: Answer, *, end: bytes = b"0\r\n\r\n", extension: str = "") -> bytes:
    """Return the answer in two chunks."""
    middle = len(answer.body) // 2
    chunks = [chunk for chunk in (answer.body[:middle], answer.body[middle:]) if chunk]
    framed = b"".join(f"{len(chunk):x}{extension}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    return answer.head("Transfer-Encoding: chunked") + framed + end


def zipped(answer: Answer) -> bytes:
    """Return the answer compressed."""
    body = gzip.compress(answer.body)
    return answer.head("Content-Encoding: gzip", f"Content-Length: {len(body)}") + body


class FaultServer:
    """Serves one script on loopback, as long as the context is open.

    Args:
        steps: what is done with each connection.
        door: how far a client gets at all.
        tls: what it shows to a client that wants TLS. All but NONE and RAW need the extra ``testing``.
        answer: with which a connector accepts a mail.

    Attributes:
        requests: head and body of each request that came whole.
        ca_file: PEM file of the authority to trust, for ``Mailer(ca_file=…)``; None where there is none.
        connections: how many there were.
    """

    def __init__(
        self, steps: Iterable[Step] = (), *, door: Door = Door.OPEN, tls: Tls = Tls.NONE, answer: Answer | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.ca_file: str | None = None
        self.connections = 0
        self._steps = tuple(steps)
        self._door = door
        self._tls = tls
        self._answer = answer or Answer()
        self._port = 0
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            context = None if self._tls in (Tls.NONE, Tls.RAW) else self._certified(stack)
            listening = stack.enter_context(socket.socket())
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            listening.bind(("127.0.0.1", 0))
            self._port = listening.getsockname()[1]
            if self._door is Door.OPEN:
                server = await asyncio.start_server(self._accept, sock=listening, ssl=context)
                stack.push_async_callback(self._stop, server)
            elif self._door is Door.FULL:
                self._fill(listening, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where the server is, for a connector's ``endpoint`` setting."""
        host = "nothing.invalid" if self._door is Door.NO_NAME else "localhost"
        plain = self._tls is Tls.NONE and self._door is not Door.NO_NAME
        return f"{'http' if plain else 'https'}://{host}:{self._port}/"

    async def left(self) -> None:
        """Return when the client has closed every connection.

        Raises:
            TimeoutError: it has not, after seconds.
        """
        self._over.set()
        async with asyncio.timeout(_PATIENCE):
            while self._tasks:
                await asyncio.gather(*self._tasks)
                await asyncio.sleep(0)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Connection(reader, writer, self._answer, self.requests, self._over).run(self._steps)
        finally:
            writer.transport.abort()
            with suppress(OSError):  # how the client ended is heard, so that nobody complains that it was not
                await writer.wait_closed()

    async def _stop(self, server: asyncio.Server) -> None:
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await server.wait_closed()

    def _fill(self, listening: socket.socket, stack: AsyncExitStack) -> None:
        """Leave no room for a client: the system drops its attempts to connect, as a packet filter would."""
        listening.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())

    def _certified(self, stack: AsyncExitStack) -> ssl.SSLContext:
        import trustme  # an extra; imported here, since all but the faults of TLS do without

        authority = trustme.CA()
        name = "other.example" if self._tls is Tls.OTHER_NAME else "localhost"
        expiry = datetime.now(UTC) - timedelta(days=1) if self._tls is Tls.EXPIRED else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_before=expiry and expiry - timedelta(days=1), not_after=expiry).configure_cert(context)
        if self._tls is not Tls.UNKNOWN_AUTHORITY:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            authority.cert_pem.write_to_path(str(folder / "authority.pem"))
            self.ca_file = str(folder / "authority.pem")
        return context
