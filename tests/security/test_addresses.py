"""C7: metadata services and addresses within addresses."""

import asyncio
import socket

import pytest
from attacks import CODE, HTTP

from authmail import AccountError, Egress, Mailer

# Clouds' documentation, cloud-init's data sources, and the providers' own SDKs.
METADATA = [
    "169.254.169.254", "169.254.170.2", "169.254.42.42", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23",
    "fd20:ce::254", "fd00:42::42", "fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:100::100:200", "fe80::a9fe:a9fe",
]  # fmt: skip
FORMS = {
    "compatible": "::{}", "mapped": "::ffff:{}", "translated": "::ffff:0:{}", "NAT64": "64:ff9b::{}", "NAT64 of a site": "64:ff9b:1::{}",
    "ISATAP": "2001:db8:1::5efe:{}", "ISATAP, unique": "2001:db8:1::200:5efe:{}", "ISATAP in a public net": "2606:4700::5efe:{}",
}  # fmt: skip


def within(form, address):
    """Return the IPv6 address that holds an IPv4 one in a form."""
    groups = socket.inet_aton(address).hex()
    return form.format(f"{groups[:4]}:{groups[4:]}")


@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_for_nobody(address):
    """Not for an operator either, who may go to every other private address."""
    assert not Egress.PUBLIC.allows(address)
    assert not Egress.ANY.allows(address)
    assert not Egress(private=True, plain=True).allows_plain(address)


@pytest.mark.parametrize("address", [address for address in METADATA if ":" not in address])
@pytest.mark.parametrize("form", FORMS)
def test_nor_within_another_address(form, address):
    """Whatever form leads to it."""
    assert not Egress.PUBLIC.allows(within(FORMS[form], address))
    assert not Egress.ANY.allows(within(FORMS[form], address))


@pytest.mark.parametrize("address", ["2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:808:808::5601:5601"])
def test_nor_through_a_tunnel(address):
    """6to4, and Teredo with it as server or as client."""
    assert not Egress.ANY.allows(address)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "NAT64 of a site"])
def test_a_private_address_within_another_is_private(form):
    """Only an operator gets there; and what is public within stays public, where the outer one is."""
    assert not Egress.PUBLIC.allows(within(FORMS[form], "10.0.0.1"))
    assert Egress.ANY.allows(within(FORMS[form], "10.0.0.1"))
    assert Egress.PUBLIC.allows(within(FORMS["mapped"], "8.8.8.8"))


@pytest.mark.parametrize("address", ["2606:4700:4700::1111", "fd12::1", "10.0.0.1", "fd00:42::43"])
def test_neighbours_are_left_alone(address):
    """A list that refuses more than it names would break networks."""
    assert Egress.ANY.allows(address)


@pytest.mark.parametrize("leads_to", ["::ffff:127.0.0.1", "127.0.0.1"])
async def test_a_name_that_leads_there_reaches_nothing(metadata, monkeypatch, leads_to):
    """The address that is connected to is the one that counts: the service is not asked."""
    family = socket.AF_INET6 if ":" in leads_to else socket.AF_INET

    async def look_up(_, host, port, **__):
        return [(family, socket.SOCK_STREAM, 6, "", (leads_to, port, 0, 0) if ":" in leads_to else (leads_to, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    async with Mailer(HTTP, {"endpoint": f"https://rebind.example:{metadata.port}/"}) as mailer:
        with pytest.raises(AccountError, match="egress policy refuses the address"):
            await mailer.send(CODE)
    assert metadata.asked == []
