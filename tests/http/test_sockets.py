import asyncio
import socket
import time

import pytest

from authmail import AccountError, Egress, Reason
from authmail.http.client import Http
from authmail.http.session import Transport
from authmail.outcomes import NotConnected, NotSentInTime


@pytest.fixture
async def port():
    async def greet(_, writer):
        writer.write(b"220 hello\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def http(egress=Egress.ANY, seconds=5.0, **options):
    return Http(Transport(egress=egress, **options), time.monotonic() + seconds)


def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_connects_by_name_and_address(port, host):
    """The socket is connected and does not block; what goes over it counts as used."""
    connecting = http()
    opened = await connecting.connect(host, port)
    reader, writer = await asyncio.open_connection(sock=opened)
    assert await reader.readline() == b"220 hello\r\n"
    assert connecting.used
    writer.close()
    await writer.wait_closed()


async def test_a_local_address_is_bound(port):
    """From the address asked for; one of another machine is a fault of the config."""
    opened = await http().connect("127.0.0.1", port, local_address="127.0.0.2")
    assert opened.getsockname()[0] == "127.0.0.2"
    opened.close()
    for wrong in ("192.0.2.1", "not-an-address"):
        with pytest.raises(AccountError) as caught:
            await http().connect("127.0.0.1", port, local_address=wrong)
        assert caught.value.reason is Reason.CONFIG


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.1", "::ffff:127.0.0.1", "0x7f000001"])
async def test_the_policy_counts_for_the_address_connected_to(port, host):
    """However the address is spelt, also where the host's own session does HTTP."""
    async with Egress.PUBLIC.session() as session:
        for connecting in (http(Egress.PUBLIC), http(Egress.PUBLIC, session=session)):
            with pytest.raises(AccountError, match="egress policy refuses") as caught:
                await connecting.connect(host, port)
            assert (caught.value.reason, connecting.used) == (Reason.ENDPOINT, False)


async def test_metadata_addresses_are_never_connected_to():
    """Not even for operators."""
    with pytest.raises(AccountError):
        await http().connect("169.254.169.254", 25)


async def test_only_listed_hosts(port):
    """By name, before anything is resolved."""
    listed = Egress(hosts=["localhost"], private=True)
    (await http(listed).connect("LOCALHOST", port)).close()
    with pytest.raises(AccountError, match=r"does not list the host smtp\.invalid"):
        await http(listed).connect("smtp.invalid", port)


async def test_faults_are_outcomes():
    """A closed port, a name that does not exist, one that cannot, no time."""
    with pytest.raises(NotConnected, match="refused the connection"):
        await http().connect("127.0.0.1", unused_port())
    for name in ("smtp.invalid", "a" * 64 + ".example", "x..y"):
        with pytest.raises(NotConnected, match="could not be resolved"):
            await http().connect(name, 25)
    with pytest.raises(NotSentInTime, match="no time was left"):
        await http(seconds=-1).connect("127.0.0.1", 25)


async def test_a_silent_address_costs_no_more_than_the_limit():
    """A full backlog answers no connection."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", port))
        with pytest.raises(NotSentInTime, match="no connection to 127.0.0.1"):
            await http().connect("127.0.0.1", port, limit=0.3)
        for other in others:
            other.close()


@pytest.mark.parametrize(
    ("egress", "address", "allowed"),
    [
        (Egress.PUBLIC, "8.8.8.8", False), (Egress.PUBLIC, "127.0.0.1", False), (Egress.ANY, "127.0.0.1", True), (Egress.ANY, "::1", True),
        (Egress.ANY, "::ffff:127.0.0.1", True), (Egress.ANY, "10.0.0.1", False), (Egress.ANY, "8.8.8.8", False),
        (Egress(private=True, plain=True), "10.0.0.1", True), (Egress(private=True, plain=True), "169.254.169.254", False),
        (Egress(plain=True), "8.8.8.8", True), (Egress(plain=True), "10.0.0.1", False), (Egress(plain=True), "127.0.0.1", False), (Egress.ANY, "x", False),
    ],
)  # fmt: skip
def test_without_tls_only_where_the_operator_says_so(egress, address, allowed):
    """Loopback with Egress.ANY, anywhere else only with plain=True."""
    assert http(egress).allows_plain(address) is allowed
