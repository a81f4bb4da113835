"""What a connector sends requests with: one object per message, so that its time limit is the message's."""

import json as json_codec
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from authmail.http.deadline import connect_share
from authmail.http.reply import Reply
from authmail.http.session import Body, Transport
from authmail.http.sockets import connect
from authmail.outcomes import NotSentInTime
from authmail.words.text import say

if TYPE_CHECKING:
    from authmail.config.secret import Secret

TokenListener = Callable[[str, "Secret", "Secret"], None]


class Http:
    """What a connector sends requests with. One per message, so that its time limit is the message's.

    Args:
        transport: the shared session.
        deadline: a time of :func:`time.monotonic`.
        listener: hears of new tokens; None where nobody does.
    """

    __slots__ = ("_listener", "_transport", "deadline", "mail_begun", "used")

    def __init__(self, transport: Transport, deadline: float, listener: TokenListener | None = None) -> None:
        self._transport = transport
        self._listener = listener
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
        form: Mapping[str, str | Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        limit: float | None = None,
    ) -> Reply:
        """Post a request and return the answer, whatever its status, except a redirect.

        Args:
            url: where to; https, unless the host's egress policy allows more.
            body: the exact body. Or give one of:
            json: a value, sent as compact UTF-8 JSON.
            form: fields, sent form-encoded; one with several values is sent as often.
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
            body, kind = urlencode(form, doseq=True), "application/x-www-form-urlencoded"
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
        opened = await connect(self._transport.egress, host, port, self._connect_seconds(limit), local_address)
        self.used = True  # what goes out there cannot be seen from here
        return opened

    def token_refreshed(self, setting: str, token: "Secret", replaces: "Secret") -> None:
        """Tell the host's plugins that a provider gave a new token in place of one of the config.

        They hear it beside the message, which does not wait for them; closing the Mailer does.

        Args:
            setting: path of the setting, such as ``auth.refreshToken``.
            token: the new one.
            replaces: the one before: what the config has, or what was told last.
        """
        if self._listener is not None:
            self._listener(setting, token, replaces)

    def tls_context(self) -> ssl.SSLContext:
        """Return a new TLS context for :meth:`connect`, with the authorities that the Mailer trusts. Slow: keep it."""
        return self._transport.tls_context()

    def allows_plain(self, address: str) -> bool:
        """Whether the egress policy lets mail and credentials go to an IP address without verified TLS."""
        return self._transport.egress.allows_plain(address)

    async def _exchange(self, method: str, url: str, body: bytes, headers: Mapping[str, str], limit: float | None) -> Reply:
        payload = Body(body)
        try:
            return await self._transport.exchange(method, url, payload, headers, self._seconds(limit))
        finally:
            self.used = self.used or payload.begun

    def _seconds(self, limit: float | None) -> float:
        seconds = self.deadline - time.monotonic()
        seconds = seconds if limit is None else min(limit, seconds)
        if seconds <= 0:
            raise NotSentInTime(say("no time was left to send the request"))
        return seconds

    def _connect_seconds(self, limit: float | None) -> float:
        seconds, share = self._seconds(limit), connect_share()
        return seconds if share is None else min(seconds, share)

    def __repr__(self) -> str:
        return "Http()"
