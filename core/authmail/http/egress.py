"""Where connectors may connect. A config may come from a tenant's admin, who must not reach the host's network."""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

import attrs

from authmail.http.addresses import (
    is_loopback,
    is_metadata_name,
    is_never_allowed,
    is_private_name,
    leads_to,
    read_address,
    read_host,
)
from authmail.http.forked import new_socket
from authmail.outcomes import AccountError, Phase, Reason
from authmail.words.text import Text, say

if TYPE_CHECKING:
    import aiohttp


class EgressRefused(OSError):
    """An address that may not be connected to. The text is always the same, so that several are reported as one."""

    def __init__(self) -> None:
        super().__init__("the egress policy refuses this address")


def refuse_address(host: str) -> AccountError:
    """Return the error of a host none of whose addresses may be connected to."""
    hint = say("the egress policy refuses the address of {host}; private addresses need Egress.ANY", host=host)
    return AccountError(hint, reason=Reason.ENDPOINT, phase=Phase.BEFORE)


def refuse_host(host: str) -> Text:
    """Return the words for a host that is not listed."""
    return say("the egress policy does not list the host {host}", host=host[:100])


def _host_patterns(hosts: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(hosts, str):
        raise TypeError("Egress(hosts=…) takes a list of host names")
    return None if hosts is None else tuple(host.lower().rstrip(".") for host in hosts)


@attrs.frozen(kw_only=True)
class Egress:
    """The host's decision where connectors may connect.

    ``Egress.PUBLIC`` is https to public addresses. ``Egress.ANY`` adds private addresses and, to loopback only, plain
    http: for an operator's own config, VPC endpoints, the sandbox and tests. Link-local and cloud metadata addresses
    are refused always. The address that is really connected to counts, whatever a name resolved to before.

    Args:
        hosts: only these names (``*.example.com`` for everything below); None allows every name.
        private: allow private addresses, and connections without TLS to loopback.
        plain: besides, allow SMTP without TLS to every address that may be connected to. Whoever is between reads
            codes, links and passwords.
    """

    PUBLIC: ClassVar["Egress"]
    ANY: ClassVar["Egress"]

    hosts: tuple[str, ...] | None = attrs.field(default=None, converter=_host_patterns)
    private: bool = False
    plain: bool = False

    def check_url(self, url: str) -> None:
        """Refuse a URL by its scheme and host, before its name is resolved.

        Raises:
            AccountError: reason endpoint; names the host and what would allow it.
        """
        _refuse(_url_refusal(self, url))

    def check_host(self, host: str) -> None:
        """Refuse a host by its name, before it is resolved.

        Raises:
            AccountError: reason endpoint.
        """
        _refuse(_host_refusal(self, host))

    def refusal(self, place: str) -> Text | None:
        """Return why a URL or a host would be refused before its name is resolved; None if it would not.

        Args:
            place: a URL, with its scheme; or a host.
        """
        return _url_refusal(self, place) if "://" in place else _host_refusal(self, place)

    def allows_plain(self, address: str) -> bool:
        """Whether mail and credentials may go to an IP address without TLS, or with a certificate nobody vouches for."""
        ip = read_address(address)
        return ip is not None and self.allows(address) and (self.plain or is_loopback(ip))

    def allows(self, address: str) -> bool:
        """Whether an IP address may be connected to; of an IPv6 one also each IPv4 address within it, whatever the form."""
        ip = read_address(address)
        return ip is not None and not is_never_allowed(ip) and all(self._allows(one) for one in leads_to(ip))

    def _allows(self, ip: IPv4Address | IPv6Address) -> bool:
        return ip.is_global or (self.private and (ip.is_loopback or not ip.is_reserved))

    def session(self, **options: Any) -> "aiohttp.ClientSession":
        """Return an aiohttp session that keeps to this policy, for several Mailers to share. Make and close it on a loop.

        Args:
            **options: as of ``aiohttp.ClientSession``, but its connector is the policy's own. With ``proxy=`` the proxy
                makes the connections, so that a URL is all that there is to judge.

        Raises:
            TypeError: an option would lead around the policy.
        """
        from authmail.http.session import guarded_session  # imported late: it loads aiohttp

        return guarded_session(self, options)

    def open_socket(self, address_info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]) -> socket.socket:
        """Make the socket for an address that is about to be connected to: aiohttp's ``socket_factory``.

        Raises:
            EgressRefused: it may not be.
        """
        if not self.allows(address_info[4][0]):
            raise EgressRefused
        return new_socket(address_info)

    def _names(self, host: str) -> bool:
        if self.hosts is None:
            return True
        return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in self.hosts)


Egress.PUBLIC = Egress()
Egress.ANY = Egress(private=True)


def _refuse(refusal: Text | None) -> None:
    if refusal is not None:
        raise AccountError(refusal, reason=Reason.ENDPOINT, phase=Phase.BEFORE)


def _url_refusal(egress: Egress, url: str) -> Text | None:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return say("the endpoint is not a URL")
    if parts.scheme not in ("http", "https") or not host or _is_ambiguous(parts.netloc, host):
        return say("the endpoint must begin with https:// and name a host")
    refusal = _host_refusal(egress, host)
    if refusal is not None:
        return refusal
    if parts.scheme == "http" and not (egress.private and _is_this_machine(host)):
        return say("plain http is refused; it needs Egress.ANY and a loopback address")
    return None


def _is_ambiguous(netloc: str, host: str) -> bool:
    # Readers differ on where a host begins after a backslash, and on what an encoded one is.
    return not netloc.isprintable() or bool(set(netloc) & set("\\ ")) or ("%" in host and ":" not in host)


def _is_this_machine(host: str) -> bool:
    address = read_address(host)
    return host == "localhost" or (address is not None and is_loopback(address))


@lru_cache(maxsize=512)
def _host_refusal(egress: Egress, host: str) -> Text | None:
    """Return why a host is refused whatever it resolves to; read as a proxy may read it."""
    if not egress._names(host.lower().rstrip(".")):  # noqa: SLF001 (same module)
        return refuse_host(host)
    try:
        address = read_host(host)
    except ValueError:
        return say("the host is a number that readers take differently; write its address with four numbers")
    refused = address is not None and not egress.allows(str(address))
    if refused or is_metadata_name(host) or (address is None and not egress.private and is_private_name(host)):
        return say(
            "the egress policy refuses the address {host}; private addresses need Egress.ANY, metadata addresses are never allowed",
            host=host[:100],
        )
    return None
