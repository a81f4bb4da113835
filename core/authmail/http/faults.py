"""What a fault of the network means for the mail, by whether the request had begun to go out."""

import socket
import zlib
from urllib.parse import urlsplit

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from authmail.http.egress import EgressRefused, refuse_address
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
from authmail.words.text import say


def unconnected(error: BaseException, host: str) -> SendError:
    """Return what it means that no connection to a host came about, whatever is spoken over it.

    Args:
        error: what the look-up, the socket or its time limit raised.
        host: name or address, with a port where that helps.
    """
    if isinstance(error, TimeoutError):
        return NotSentInTime(say("no connection to {host} in time; check host, port and firewalls", host=host))
    if isinstance(error, socket.gaierror | UnicodeError | aiohttp.ClientConnectorDNSError):
        return NotConnected(say("the name {host} could not be resolved; check its spelling and the network", host=host))
    if isinstance(error, ConnectionRefusedError) or isinstance(getattr(error, "os_error", None), ConnectionRefusedError):
        return NotConnected(say("{host} refused the connection; check host and port", host=host))
    return NotConnected(say("no connection to {host}; check host, port and firewalls", host=host))


def unsent(error: Exception, url: str) -> SendError:
    """Return what a fault of an HTTP exchange means from which nothing had been sent yet."""
    host = _host(url)
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, EgressRefused):
        return refuse_address(host)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NotConnected(say("the certificate of {host} is not trusted, expired or for another name", host=host))
    if isinstance(error, aiohttp.ClientSSLError):
        return NotConnected(say("no TLS connection to {host} came about", host=host))
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return NotConnected(say("the proxy could not be reached or refused the connection"))
    # After aiohttp's certificate errors, which are ValueErrors too.
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        hint = say("the endpoint is not a URL that can be connected to")
        return AccountError(hint, reason=Reason.ENDPOINT, phase=Phase.BEFORE)
    if isinstance(error, ValueError):
        hint = say("the connector made a request that is not valid HTTP")
        return NotSent(hint, reason=Reason.CONNECTOR, phase=Phase.BEFORE)
    return unconnected(error, host)


def unanswered(error: Exception, url: str) -> SendError:
    """Return what a fault of an HTTP exchange means after the request began to go out."""
    host = _host(url)
    if isinstance(error, TimeoutError):
        return NoAnswerInTime(say("{host} did not answer in time", host=host))
    if isinstance(error, aiohttp.ClientResponseError | zlib.error) or isinstance(error.__cause__, ContentEncodingError):
        hint = say("the answer of {host} is not valid HTTP", host=host)
        return OutcomeUnknown(hint, reason=Reason.PROVIDER, phase=Phase.AFTER)
    return ConnectionCut(say("the connection to {host} broke before the answer was complete", host=host))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "the endpoint")[:100]
    except ValueError:
        return "the endpoint"
