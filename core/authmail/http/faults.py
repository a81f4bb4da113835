"""What a fault of an HTTP exchange means for the mail, by whether the request had begun to go out."""

import zlib
from urllib.parse import urlsplit

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from authmail.http.egress import EgressRefused
from authmail.outcomes import (
    AccountError,
    ConnectionCut,
    NoAnswerInTime,
    NotConnected,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    SendError,
)


def unsent(error: Exception, url: str) -> SendError:
    """Return what a fault means from which nothing had been sent yet."""
    host = _host(url)
    if isinstance(error, TimeoutError):
        return NotSentInTime(f"no connection to {host} in time")
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, EgressRefused):
        hint = f"the egress policy refuses the address of {host}; private addresses need Egress.ANY"
        return AccountError(hint, reason=Reason.ENDPOINT, phase=Phase.BEFORE)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NotConnected(f"the name {host} could not be resolved; check the endpoint and the network")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NotConnected(f"the certificate of {host} is not trusted, expired or for another name")
    if isinstance(error, aiohttp.ClientSSLError):
        return NotConnected(f"no TLS connection to {host} came about")
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return NotConnected("the proxy could not be reached or refused the connection")
    # Last: aiohttp's certificate errors are ValueErrors too.
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        return AccountError("the endpoint is not a URL that can be connected to", reason=Reason.ENDPOINT, phase=Phase.BEFORE)
    if isinstance(error, ValueError):
        return NotSent("the connector made a request that is not valid HTTP", reason=Reason.CONNECTOR, phase=Phase.BEFORE)
    return NotConnected(f"no connection to {host}")


def unanswered(error: Exception, url: str) -> SendError:
    """Return what a fault means after the request began to go out."""
    host = _host(url)
    if isinstance(error, TimeoutError):
        return NoAnswerInTime(f"{host} did not answer in time")
    if isinstance(error, aiohttp.ClientResponseError | zlib.error) or isinstance(error.__cause__, ContentEncodingError):
        hint = f"the answer of {host} is not valid HTTP"
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.AFTER)
    return ConnectionCut(f"the connection to {host} broke before the answer was complete")


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "the endpoint")[:100]
    except ValueError:
        return "the endpoint"
