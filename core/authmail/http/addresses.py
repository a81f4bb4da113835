"""What an address or the name of a host leads to, however it is spelt: also as a proxy or a lenient resolver reads it."""

import re
import unicodedata
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# This host itself; metadata and services of clouds on addresses that nothing else gives away: Alibaba Cloud and Tencent
# (in the carrier-grade NAT range), Azure's wire server, Oracle; over IPv6 AWS, Google (cloud.google.com/compute/docs/metadata),
# Scaleway and Akamai (cloud-init's data sources), Oracle (its own SDK), Alibaba Cloud.
_NEVER = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "100.100.100.0/24",
        "169.254.0.0/16",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "fd00:42::42/128",
        "fd00:c1::a9fe:a9fe/128",
        "fd00:a9fe:a9fe::1/128",
        "fd00:100::100:200/128",
        "fe80::/10",
        "fec0::/10",
        "64:ff9b:1::/48",
    )
)
#: Names of metadata services, which a proxy would resolve in its own network.
METADATA_NAMES = frozenset(
    [
        "metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal", "metadata.tencentyun.com",
        "metadata.packet.net", "metadata.platformequinix.com", "metadata.azure.internal", "metadata.azure.com", "metadata.oraclecloud.com",
        "api.metadata.cloud.ibm.com",
    ]
)  # fmt: skip
# Top-level names that the internet does not have: RFC 6761, 6762 (with its appendix G), 8375, ICANN's "internal".
_PRIVATE_ENDINGS = (
    "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa",
)  # fmt: skip
# Where the last 32 bits are an IPv4 address: compatible, mapped, translated (RFC 2765), NAT64.
_LAST_BITS = tuple(ip_network(network) for network in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
# RFC 5214: the interface's half of the address; two of its bits may be set or not.
_ISATAP, _ISATAP_MASK = 0x00005EFE, 0xFCFFFFFF
_LAST_32 = 0xFFFFFFFF
_LARGEST_BYTE = 0xFF
_MOST_PARTS = 4
_NUMERIC = re.compile(r"[0-9]{1,12}|0x[0-9a-f]{0,12}")
_OTHER_DOTS = str.maketrans("\u3002\uff61\uff0e", "...")


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a text is; None if it is none."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def leads_to(ip: IPv4Address | IPv6Address) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return every address that a packet to an address may go to: itself, and the IPv4 addresses within it.

    Mapped, compatible, translated, 6to4 and NAT64 addresses stand for the one within them, Teredo ones for both of theirs;
    with ISATAP the address itself counts too.
    """
    if isinstance(ip, IPv4Address):
        return (ip,)
    number = int(ip)
    if number > 1 and any(ip in network for network in _LAST_BITS):
        return (IPv4Address(number & _LAST_32),)
    if ip.sixtofour is not None:
        return (ip.sixtofour,)
    if ip.teredo is not None:
        return ip.teredo
    if (number >> 32) & _ISATAP_MASK == _ISATAP:
        return (ip, IPv4Address(number & _LAST_32))
    return (ip,)


def is_never_allowed(ip: IPv4Address | IPv6Address) -> bool:
    """Whether nobody may connect to an address: this host's wildcard, link-local and metadata ones, groups."""
    return any(
        one.is_unspecified or one.is_multicast or any(one in network for network in _NEVER)
        for one in dict.fromkeys((ip, *leads_to(ip)))
    )


def is_loopback(ip: IPv4Address | IPv6Address) -> bool:
    """Whether an address leads to this machine and nowhere else."""
    return all(one.is_loopback for one in leads_to(ip))


def plain_host(host: str) -> str:
    """Return a host as the most lenient reader takes it: other scripts' digits, full-width letters, invisible characters."""
    folded = unicodedata.normalize("NFKC", host.translate(_OTHER_DOTS)).lower()
    visible = (character for character in folded if unicodedata.category(character) != "Cf")
    return "".join(str(int(one)) if one.isdecimal() else one for one in visible).translate(_OTHER_DOTS).rstrip(".")


def read_host(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host means to whoever resolves it: ``2130706433``, ``127.1`` and ``0x7f.1`` are 127.0.0.1.

    Raises:
        ValueError: its last part is a number, and readers differ on what it means, as of ``010.0.0.1``.
    """
    plain = plain_host(host)
    address = read_address(plain)
    if address is not None:
        return address
    *first, last = plain.split(".")
    if not _NUMERIC.fullmatch(last):
        return None
    *leading, end = [_number(part) for part in (*first, last)]
    places = _MOST_PARTS - len(leading)
    if places < 1 or end >= 1 << 8 * places or any(part > _LARGEST_BYTE for part in leading):
        raise ValueError("no IPv4 address")
    return IPv4Address(sum(part << 8 * (3 - index) for index, part in enumerate(leading)) + end)


def _number(part: str) -> int:
    """Return what a part of a numeric host is to a C library; raise ValueError where others take it for something else."""
    if not _NUMERIC.fullmatch(part) or (part.startswith("0") and part[1:].isdecimal()):
        raise ValueError("no number, or octal to some and decimal to others")
    return int(part[2:] or "0", 16) if part.startswith("0x") else int(part)


def is_private_name(host: str) -> bool:
    """Whether a name can only mean something within a network: a single label, ``localhost``, ``.internal``, ``.local``."""
    name = plain_host(host)
    return "." not in name or name.endswith(tuple(f".{ending}" for ending in _PRIVATE_ENDINGS)) or name in _PRIVATE_ENDINGS


def is_metadata_name(host: str) -> bool:
    """Whether a name is that of a cloud's metadata service."""
    return plain_host(host) in METADATA_NAMES
