import asyncio
import socket

import pytest

from authmail import AccountError, Egress, Mailer, Message, Phase, Reason

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"]
PRIVATE = ["10.0.0.1", "172.16.5.4", "192.168.1.1", "127.0.0.1", "127.255.255.254", "::1", "fd12::1", "100.64.0.1", "198.18.0.1"]
MAPPED = ["::ffff:10.0.0.1", "::ffff:127.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:808:808::f5ff:fffe"]
NEVER = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "0.0.0.0", "::",
    "224.0.0.1", "255.255.255.255", "240.0.0.1", "ff02::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "x",
    "2001:0:808:808::5601:5601", "0.0.0.2", "::2", "8.8.8.8%x",
    "",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address):
    """The default allows the public internet."""
    assert Egress.PUBLIC.allows(address)
    assert Egress.ANY.allows(address)


@pytest.mark.parametrize("address", [*PRIVATE, *MAPPED])
def test_private_addresses_need_any(address):
    """Private, loopback and shared addresses, also within IPv6 ones, are for operators alone."""
    assert not Egress.PUBLIC.allows(address)
    assert Egress.ANY.allows(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_allowed(address):
    """Link-local, metadata, unspecified, multicast and reserved addresses, in every spelling."""
    assert not Egress.PUBLIC.allows(address)
    assert not Egress.ANY.allows(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://dm.aliyuncs.com/", "ftp://dm.aliyuncs.com/", "file:///etc/passwd", "dm.aliyuncs.com", "", "https://", "https:///x", "https://[::1",
        "https://10.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://127.0.0.1:8443/", "https://169.254.169.254/latest", "https://[fe80::1%25eth0]/", "https://user@10.0.0.1/",
        "https://a:99999/", "http://127.0.0.1/", "http://localhost/",
    ],
)  # fmt: skip
def test_public_refuses_a_url_before_anything_is_resolved(url):
    """Plain http, other schemes and literal private addresses; an AccountError with reason endpoint."""
    with pytest.raises(AccountError) as caught:
        Egress.PUBLIC.check_url(url)
    assert (caught.value.reason, caught.value.phase) == (Reason.ENDPOINT, Phase.BEFORE)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:80/", "http://localhost:80/", "http://[::1]/", "https://10.0.0.1/", "https://dm.aliyuncs.com/"]
)
def test_any_allows_private_https_and_loopback_http(url):
    """An operator's own network, and http where nobody can listen."""
    Egress.ANY.check_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1/", "http://mail.internal/", "http://2130706433/", "https://169.254.169.254/", "http://127.0.0.1.nip.io/"],
)
def test_any_refuses_plain_http_elsewhere(url):
    """http only to a loopback address that is written as one."""
    with pytest.raises(AccountError):
        Egress.ANY.check_url(url)


def test_hosts_are_the_only_ones():
    """A list of hosts narrows; *.x is everything below x and not x itself."""
    egress = Egress(hosts=["dm.aliyuncs.com", "*.example.com"])
    egress.check_url("https://DM.aliyuncs.com./")
    egress.check_url("https://a.b.example.com/")
    for host in ("example.com", "evilexample.com", "dm.aliyuncs.com.evil.example", "x.dm.aliyuncs.com"):
        with pytest.raises(AccountError, match="does not list"):
            egress.check_url(f"https://{host}/")
    for check in (egress.check_host, lambda host: egress.check_url(f"https://{host}/")):
        with pytest.raises(AccountError, match="does not list the host x{100}$"):
            check("x" * 200)
    with pytest.raises(TypeError):
        Egress(hosts="dm.aliyuncs.com")


def test_a_host_is_checked_by_its_name_too():
    """For connectors without URLs: the same list, the same error."""
    egress = Egress(hosts=["smtp.example.com"])
    egress.check_host("SMTP.example.com.")
    Egress.PUBLIC.check_host("anything.example")
    with pytest.raises(AccountError, match="does not list the host evil.example") as caught:
        egress.check_host("evil.example")
    assert (caught.value.reason, caught.value.phase) == (Reason.ENDPOINT, Phase.BEFORE)


@pytest.mark.parametrize(
    ("egress", "addresses"),
    [
        (Egress.PUBLIC, []), (Egress.ANY, ["127.0.0.1", "::ffff:127.0.0.1"]), (Egress(plain=True), ["8.8.8.8"]),
        (Egress(plain=True, private=True), ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "8.8.8.8"]),
    ],
)  # fmt: skip
def test_plain_only_where_it_is_allowed(egress, addresses):
    """Without TLS: on loopback with ANY, elsewhere only where the host said so, and never where nobody may connect."""
    every = ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "8.8.8.8", "169.254.169.254", "x"]
    assert [address for address in every if egress.allows_plain(address)] == addresses


class Names:
    """A name server that answers look-ups in turn; stands before the real one of the loop."""

    def __init__(self, monkeypatch, *answers):
        self.asked = 0
        self.answers = answers

        async def getaddrinfo(_, host, port, **__):
            answer = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)


@pytest.fixture
async def listener():
    """A server on loopback that must never be reached."""
    reached = []
    server = await asyncio.start_server(lambda _, writer: (reached.append(1), writer.close()), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], reached
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("answers", [[["127.0.0.1"]], [["127.0.0.1", "127.0.0.2"]], [["127.0.0.1"], ["127.0.0.1"]]])
async def test_a_name_that_leads_inside_is_refused(monkeypatch, raw, listener, answers):
    """What counts is the address that is connected to, not the name."""
    port, reached = listener
    Names(monkeypatch, *answers)
    async with Mailer("aliyun-dm", raw | {"endpoint": f"https://rebind.example:{port}"}) as mailer:
        with pytest.raises(AccountError, match="egress policy refuses the address of rebind.example") as caught:
            await mailer.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert caught.value.reason is Reason.ENDPOINT
    assert reached == []


async def test_a_second_look_up_that_differs_gains_nothing(monkeypatch, raw, listener):
    """DNS rebinding: whichever look-up gives the private address, it is the connected address that is checked."""
    port, reached = listener
    # The first answer is public and closed here, so that nothing outside is ever contacted: 0.0.0.0 is refused too.
    Names(monkeypatch, ["0.0.0.0"], ["127.0.0.1"])
    async with Mailer("aliyun-dm", raw | {"endpoint": f"https://rebind.example:{port}"}) as mailer:
        for _ in range(2):
            with pytest.raises(AccountError, match="egress policy"):
                await mailer.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert reached == []


async def test_the_socket_is_where_it_is_decided():
    """open_socket, which aiohttp calls for each address it is about to connect to, refuses by that address."""
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443))
    with pytest.raises(OSError, match="egress policy"):
        Egress.PUBLIC.open_socket(info)
    Egress.ANY.open_socket(info).close()
