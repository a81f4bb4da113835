"""Where connectors may connect. A config may come from a tenant's admin, who must not reach the host's network."""

import socket
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ClassVar
from urllib.parse import urlsplit

import attrs

from authmail.outcomes import AccountError, Phase, Reason
from authmail.words.text import Text, say

# This host itself; metadata and services of clouds on addresses that nothing else gives away: Alibaba Cloud and Tencent
# (in the carrier-grade NAT range), Azure's wire server, Oracle, AWS over IPv6.
_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.0/24",
        "169.254.0.0/16",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fe80::/10",
        "fec0::/10",
        "64:ff9b:1::/48",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE = ip_network("::/96")


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
        refusal = _url_refusal(self, url)
        if refusal is not None:
            raise AccountError(refusal, reason=Reason.ENDPOINT, phase=Phase.BEFORE)

    def check_host(self, host: str) -> None:
        """Refuse a host by its name, before it is resolved.

        Raises:
            AccountError: reason endpoint.
        """
        if not self._names(host.lower().rstrip(".")):
            raise AccountError(refuse_host(host), reason=Reason.ENDPOINT, phase=Phase.BEFORE)

    def allows_plain(self, address: str) -> bool:
        """Whether mail and credentials may go to an IP address without TLS, or with a certificate nobody vouches for."""
        literal = _literal(address)
        is_loopback = literal is not None and _embedded(literal).is_loopback
        return self.allows(address) and (self.plain or is_loopback)

    def allows(self, address: str) -> bool:
        """Whether an IP address may be connected to."""
        try:
            ip = _embedded(ip_address(address))
        except ValueError:
            return False
        if ip.is_unspecified or ip.is_multicast or any(ip in network for network in _NEVER):
            return False
        return ip.is_global or (self.private and (ip.is_loopback or not ip.is_reserved))

    def open_socket(self, address_info: tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]) -> socket.socket:
        """Make the socket for an address that is about to be connected to: aiohttp's ``socket_factory``.

        Raises:
            EgressRefused: it may not be.
        """
        family, kind, protocol, _, address = address_info
        if not self.allows(address[0]):
            raise EgressRefused
        return socket.socket(family, kind, protocol)

    def _names(self, host: str) -> bool:
        if self.hosts is None:
            return True
        return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in self.hosts)


Egress.PUBLIC = Egress()
Egress.ANY = Egress(private=True)


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one leads to: mapped, compatible, 6to4, NAT64, Teredo."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64 or (ip in _IPV4_COMPATIBLE and int(ip) > 1):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)


@lru_cache(maxsize=512)
def _url_refusal(egress: Egress, url: str) -> Text | None:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return say("the endpoint is not a URL")
    if parts.scheme not in ("http", "https") or not host:
        return say("the endpoint must begin with https:// and name a host")
    if not egress._names(host):  # noqa: SLF001 (same module)
        return refuse_host(host)
    literal = _literal(host)
    if literal is not None and not egress.allows(host):
        return say(
            "the egress policy refuses the address {host}; private addresses need Egress.ANY, metadata addresses are never allowed",
            host=host,
        )
    is_loopback = host == "localhost" or (literal is not None and _embedded(literal).is_loopback)
    if parts.scheme == "http" and not (egress.private and is_loopback):
        return say("plain http is refused; it needs Egress.ANY and a loopback address")
    return None


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
