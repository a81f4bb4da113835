"""One HTTP exchange: time limits, egress, no redirects, and every fault as the outcome it means.

What counts is how far the request got. Before the first byte of it went out, nothing can have been accepted; after
that, only an answer tells.
"""

import asyncio
import json as json_codec
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from math import isfinite
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from authmail.http.body import Body
from authmail.http.egress import Egress
from authmail.http.faults import unanswered, unsent
from authmail.http.pool import Pool
from authmail.http.reply import REPLY_LIMIT, Reply, unpacked
from authmail.http.sockets import connect
from authmail.outcomes import NotSentInTime, SendError

_CONNECT_LIMIT = 5.0
# A sign-in mail every few seconds should not pay a TLS handshake each time (aiohttp's own default is 15).
_KEEP_ALIVE = 60.0
_MOST_CONNECTIONS = 256
_IDLE = 0.02


@cache
def _version() -> str:
    return version("authmail")  # reads a file, and a Mailer is made for each tenant


class Transport:
    """The HTTP session of a :class:`~authmail.Mailer`, its own or the host's.

    Args:
        egress: where it may connect; with the host's session the host takes this over for HTTP.
        session: the host's own session; it is used and not closed.
        proxy: URL of an HTTP proxy. Egress then decides by the URL alone, since the proxy makes the connection.
        ca_file: PEM file of the authorities to trust instead of the system's.
        user_agent: further words for the ``User-Agent`` header.
    """

    def __init__(
        self,
        *,
        egress: Egress,
        session: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        ca_file: str | None = None,
        user_agent: str = "",
    ) -> None:
        #: Where sockets may connect.
        self.egress = egress
        self._egress = None if session is not None else egress
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._proxy = proxy
        self._ca_file = ca_file
        self._headers = {
            "User-Agent": f"authmail/{_version()} {user_agent}".strip(),
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "gzip",
        }
        self._allowed_url = ""
        self._last_used = 0.0

    async def __aenter__(self) -> Self:
        if self._session is None:
            tls = self.tls_context() if self._ca_file else True
            connector = Pool(
                ssl=tls,
                limit=_MOST_CONNECTIONS,
                keepalive_timeout=_KEEP_ALIVE,
                socket_factory=self._egress.open_socket if self._egress and not self._proxy else None,
            )
            self._owned = self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # aiohttp unpacks more than we may hold
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        owned, self._owned = self._owned, None
        if owned is not None:
            self._session = None
            await owned.close()

    def tls_context(self) -> ssl.SSLContext:
        """Return a new TLS context with the authorities that this Mailer trusts."""
        return ssl.create_default_context(cafile=self._ca_file)

    async def exchange(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], seconds: float, mark: "Http"
    ) -> Reply:
        """Send a request and read the answer; see :meth:`Http.post`."""
        if self._session is None:
            raise RuntimeError("the transport is closed")
        if self._egress is not None and url != self._allowed_url:
            self._egress.check_url(url)
            self._allowed_url = url
        now = time.monotonic()
        if now - self._last_used > _IDLE:
            # A provider closes idle connections. Two turns of the loop let a close that has already arrived be
            # noticed, so that a fresh connection is taken instead of one on which the mail would be lost.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        payload = Body(body)
        failure: SendError
        try:
            async with self._session.request(
                method,
                url,
                data=payload,
                headers={**self._headers, **headers},
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(
                    total=seconds if isfinite(seconds) else None, sock_connect=min(_CONNECT_LIMIT, seconds), ceil_threshold=3600
                ),
            ) as response:
                content, complete = await _read(response)
                if complete and self._owned is not None:
                    content = unpacked(content, response.headers.get("Content-Encoding", ""))
                    content, complete = content[:REPLY_LIMIT], len(content) <= REPLY_LIMIT
                reply = Reply(response.status, response.headers, content, complete)
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            failure = unanswered(error, url) if payload.begun else unsent(error, url)
        else:
            if 300 <= reply.status < 400:  # noqa: PLR2004 (a redirect would carry the code to another place)
                raise reply.failure()
            return reply
        finally:
            mark.used = mark.used or payload.begun
            self._last_used = time.monotonic()
        raise failure


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > REPLY_LIMIT:
            response.close()
            return bytes(content[:REPLY_LIMIT]), False
    return bytes(content), True


class Http:
    """What a connector sends requests with. One per message, so that its time limit is the message's.

    Args:
        transport: the shared session.
        deadline: a time of :func:`time.monotonic`.
    """

    __slots__ = ("_transport", "deadline", "mail_begun", "used")

    def __init__(self, transport: Transport, deadline: float) -> None:
        self._transport = transport
        self.deadline = deadline
        #: Whether any request began to go out.
        self.used = False
        #: For connectors with a client of their own, whose requests core does not see: they set False at first, and
        #: True when the mail itself begins to go out. Should their time end meanwhile, the outcome is told by it.
        self.mail_begun: bool | None = None

    async def post(
        self,
        url: str,
        *,
        body: bytes | str | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> Reply:
        """Post a request and return the answer, whatever its status, except a redirect.

        Args:
            url: where to; https, unless the host's egress policy allows more.
            body: the exact body. Or give one of:
            json: a value, sent as compact UTF-8 JSON.
            form: fields, sent form-encoded.
            headers: further headers; a Content-Type here wins.
            limit: seconds for this exchange; never more than the message has left.

        Returns:
            The answer.

        Raises:
            NotSent: no connection came about, or no time is left.
            OutcomeUnknown: the connection was cut, or time ran out, after the request began to go out.
            AccountError: reason endpoint: refused by the egress policy, not a URL, or a redirect.
        """
        kind = "application/octet-stream"
        if json is not None:
            body, kind = json_codec.dumps(json, ensure_ascii=False, separators=(",", ":")), "application/json"
        elif form is not None:
            body, kind = urlencode(form), "application/x-www-form-urlencoded"
        content = body.encode() if isinstance(body, str) else body or b""
        return await self._exchange("POST", url, content, {"Content-Type": kind, **(headers or {})}, limit)

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, limit: float | None = None) -> Reply:
        """Ask for something without changing it, as account checks do; all as for :meth:`post`."""
        return await self._exchange("GET", url, b"", headers or {}, limit)

    async def connect(
        self, host: str, port: int, *, limit: float | None = None, local_address: str | None = None
    ) -> socket.socket:
        """Connect without HTTP, for connectors of other protocols; no proxy is asked. The caller closes the socket.

        Args:
            host: a name or an IP address.
            port: 1 to 65535.
            limit: seconds for look-up and connection; never more than the message has left.
            local_address: IP address of this machine to connect from.

        Returns:
            A connected socket that does not block.

        Raises:
            NotSent: no connection came about, or no time is left.
            AccountError: reason endpoint: refused by the egress policy, also where the host gave its own session.
        """
        opened = await connect(self._transport.egress, host, port, self._seconds(limit), local_address)
        self.used = True  # what goes out there cannot be seen from here
        return opened

    def tls_context(self) -> ssl.SSLContext:
        """Return a new TLS context for :meth:`connect`, with the authorities that the Mailer trusts. Slow: keep it."""
        return self._transport.tls_context()

    def allows_plain(self, address: str) -> bool:
        """Whether the egress policy lets mail and credentials go to an IP address without verified TLS."""
        return self._transport.egress.allows_plain(address)

    async def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str], limit: float | None) -> Reply:
        return await self._transport.exchange(method, url, body, headers, self._seconds(limit), self)

    def _seconds(self, limit: float | None) -> float:
        seconds = self.deadline - time.monotonic()
        seconds = seconds if limit is None else min(limit, seconds)
        if seconds <= 0:
            raise NotSentInTime("no time was left to send the request")
        return seconds

    def __repr__(self) -> str:
        return "Http()"
