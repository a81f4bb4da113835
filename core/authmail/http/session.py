"""The HTTP session of a Mailer: kept connections, TLS, egress, no redirects, and every fault as the outcome it means.

What counts is how far the request got. Before the first byte of it went out, nothing can have been accepted; after
that, only an answer tells.
"""

import asyncio
import os
import ssl
import time
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.connector import Connection

from authmail.http.deadline import connect_limit, connect_share
from authmail.http.egress import Egress
from authmail.http.faults import unanswered, unsent
from authmail.http.forked import new_socket
from authmail.http.reply import REPLY_LIMIT, Reply, unpack
from authmail.http.ways import check_session
from authmail.words.text import say

# A sign-in mail every few seconds should not pay a TLS handshake each time (aiohttp's own default is 15).
_KEEP_ALIVE = 60.0
_MOST_CONNECTIONS = 256
_IDLE = 0.02
_SLICE = 64 * 1024


@cache
def _version() -> str:
    return version("authmail")  # reads a file, and a Mailer is made for each tenant


class Body(aiohttp.Payload):
    """A body that knows whether it began to go out; the head goes out just before it.

    Args:
        content: the bytes.

    Attributes:
        begun: whether it began to go out.
    """

    _autoclose = True

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._size = len(content)
        self.begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text; part of aiohttp's interface."""
        content: bytes = self._value
        return content.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it, and be done with the connection if whoever wanted it is gone."""
        self.begun = True
        transport = getattr(writer, "transport", None)
        # In slices, so that others get a turn while megabytes go out.
        content = memoryview(self._value)
        try:
            for start in range(0, len(content), _SLICE):
                await writer.write(content[start : start + _SLICE])
        except asyncio.CancelledError:
            # Closing would wait for a server that reads nothing to take the rest.
            if transport is not None:
                transport.abort()
            raise


class Pool(aiohttp.TCPConnector):
    """Gives away no kept connection on which the server has spoken unasked: that would be read as the next answer.

    Args:
        egress: checked on each address that is connected to, and kept to be asked for.
        proxied: a proxy makes the connections, so that only URLs can be judged.
        **options: of aiohttp's connector.
    """

    def __init__(self, egress: Egress, *, proxied: bool = False, **options: Any) -> None:
        super().__init__(
            limit=_MOST_CONNECTIONS,
            keepalive_timeout=_KEEP_ALIVE,
            socket_factory=new_socket if proxied else egress.open_socket,
            **options,
        )
        self.egress = egress
        self.proxied = proxied
        self._process = os.getpid()

    # In a forked child its connections are the parent's, so there is nothing to close, nor to complain of.

    @property
    def closed(self) -> bool:
        """Whether it can be used no more, as in a forked child."""
        return super().closed or self._process != os.getpid()

    def __del__(self, *warnings: Any) -> None:
        if self._process == os.getpid():
            super().__del__(*warnings)

    async def connect(self, *asked: Any, **options: Any) -> Connection:
        """Return a kept connection that is as it should be, or a new one."""
        while True:
            connection = await super().connect(*asked, **options)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


def guarded_session(egress: Egress, options: Mapping[str, Any]) -> aiohttp.ClientSession:
    """Return a session whose every connection keeps to a policy; see :meth:`Egress.session`.

    Raises:
        TypeError: an option would lead around the policy.
    """
    if refused := {"connector", "connector_owner", "trust_env"} & options.keys():
        names = ", ".join(sorted(refused))
        raise TypeError(say("a session that keeps to an egress policy takes no {names}", names=names))
    # Its answers are not unpacked: aiohttp would unpack more than we may hold.
    options = {"cookie_jar": aiohttp.DummyCookieJar(), "auto_decompress": False, **options}
    return aiohttp.ClientSession(connector=Pool(egress, proxied=options.get("proxy") is not None), **options)


class Transport:
    """The HTTP session of a :class:`~authmail.Mailer`, its own or the host's.

    Args:
        egress: where it may connect. None: the host vouches for its own session; what is no HTTP keeps to Egress.PUBLIC.
        session: the host's own session, made by ``egress.session()``; it is used and not closed.
        proxy: URL of an HTTP proxy. Egress then decides by the URL alone, since the proxy makes the connection.
        ca_file: PEM file of the authorities to trust instead of the system's.
        user_agent: further words for the ``User-Agent`` header.

    Attributes:
        egress: as given, or Egress.PUBLIC.

    Raises:
        ConfigError: the session keeps to no policy, or to another one.
    """

    def __init__(
        self,
        *,
        egress: Egress | None,
        session: aiohttp.ClientSession | None = None,
        proxy: str | None = None,
        ca_file: str | Path | None = None,
        user_agent: str = "",
    ) -> None:
        check_session(session, egress, proxy)
        self._vouched = egress is None
        self.egress = egress or Egress.PUBLIC
        self._session = session
        self._owned: aiohttp.ClientSession | None = None
        self._proxy = proxy
        self._ca_file = ca_file
        self._headers = {
            "User-Agent": f"authmail/{_version()} {user_agent}".strip(),
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "gzip",
        }
        self._last_used = 0.0

    async def __aenter__(self) -> Self:
        if self._session is None:
            context = self.tls_context() if self._ca_file else True
            connector = Pool(self.egress, proxied=self._proxy is not None, ssl=context)
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

    async def exchange(self, method: str, url: str, body: Body, headers: Mapping[str, str], seconds: float) -> Reply:
        """Send a request and read the answer; see :meth:`authmail.Http.post`."""
        session = self._session
        if session is None:
            raise RuntimeError("the transport is closed")
        if not self._vouched:
            self.egress.check_url(url)
        if time.monotonic() - self._last_used > _IDLE:
            # A provider closes idle connections. Two turns of the loop let a close that has already arrived be
            # noticed, so that a fresh connection is taken instead of one on which the mail would be lost.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        try:
            async with session.request(
                method,
                url,
                data=body,
                headers={**self._headers, **headers},
                allow_redirects=False,
                proxy=self._proxy,
                timeout=aiohttp.ClientTimeout(
                    total=seconds if isfinite(seconds) else None,
                    connect=connect_share(),
                    sock_connect=connect_limit(seconds),
                    ceil_threshold=3600,
                ),
            ) as response:
                content, complete = await _read(response)
                if complete and not session.auto_decompress:
                    content = unpack(content, response.headers.get("Content-Encoding", ""))
                    content, complete = content[:REPLY_LIMIT], len(content) <= REPLY_LIMIT
                reply = Reply(response.status, response.headers, content, complete)
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as error:
            failure = unanswered(error, url) if body.begun else unsent(error, url)
        else:
            if 300 <= reply.status < 400:  # noqa: PLR2004 (a redirect would carry the code to another place)
                raise reply.failure()
            return reply
        finally:
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
