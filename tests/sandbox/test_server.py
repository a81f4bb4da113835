import asyncio
import contextlib
import socket

import aiohttp
import pytest

from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

ALIYUN = "aliyun-direct-mail"


@pytest.fixture
async def api(sandbox):
    """Ask the inbox's API; gives status and JSON."""
    async with aiohttp.ClientSession() as session:

        async def ask(method, path, **options):
            async with session.request(method, sandbox.url + path, **options) as reply:
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
                return reply.status, await reply.json() if "json" in reply.content_type else await reply.text()

        yield ask


def add(sandbox, to="zoe@example.com"):
    return sandbox.inbox.add(connector=ALIYUN, sender="x", to=(to,), subject="s", text="482913")


async def test_reads_and_deletes(sandbox, api):
    """List, one by id, by recipient, delete one and all."""
    add(sandbox)
    add(sandbox, "sam@example.com")
    status, mails = await api("GET", "/api/messages")
    assert (status, [mail["code"] for mail in mails]) == (200, ["482913", "482913"])
    assert [mail["id"] for mail in (await api("GET", "/api/messages", params={"to": "SAM@example.com"}))[1]] == [2]
    assert len((await api("GET", "/api/messages", params={"to": ""}))[1]) == 2
    assert (await api("GET", "/api/messages/1"))[1]["to"] == ["zoe@example.com"]
    assert await api("DELETE", "/api/messages/1") == (204, "")
    assert (await api("GET", "/api/messages/1"))[0] == 404
    assert (await api("DELETE", "/api/messages/1"))[0] == 404
    assert (await api("DELETE", "/api/messages"))[0] == 204
    assert (await api("GET", "/api/messages"))[1] == []


async def test_waits_for_the_next(sandbox, api):
    """A long poll that ends with the mail, or says that none came."""
    waiting = asyncio.create_task(api("GET", "/api/messages/next", params={"to": "zoe@example.com", "timeout": "5"}))
    await asyncio.sleep(0.1)
    add(sandbox)
    assert (await waiting)[1]["id"] == 1
    status, answer = await api("GET", "/api/messages/next", params={"after": "1", "timeout": "0.05"})
    assert status == 404
    assert "no mail after id 1" in answer["error"]


@pytest.mark.parametrize("query", [{"after": "x"}, {"timeout": "x"}, {"timeout": "61"}, {"timeout": "-1"}, {"timeout": "nan"}])
async def test_bad_queries_are_told(api, query):
    """With what would be right."""
    status, answer = await api("GET", "/api/messages/next", params=query)
    assert status == 400
    assert "seconds" in answer["error"]


async def test_web_pages_are_kept_out(sandbox, api):
    """A name that a foreign page made point here, and requests from its scripts."""
    port = sandbox.url.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example", ""):
        assert (await api("GET", "/api/messages", headers={"Host": host}))[0] in (400, 403)
    assert (await api("DELETE", "/api/messages", headers={"Origin": "http://evil.example"}))[0] == 403
    assert (await api("DELETE", "/api/messages", headers={"Origin": sandbox.url}))[0] == 204
    assert (await api("GET", "/api/messages", headers={"Host": f"localhost:{port}"}))[0] == 200


async def test_unknown_paths_are_json(api):
    """Also the wrong method."""
    assert (await api("GET", "/nothing"))[0] == 404
    assert (await api("POST", "/api/messages"))[0] == 405
    assert "DELETE /api/messages" in (await api("GET", "/api"))[1]


def two_free_ports():
    """Return the first of two neighbours."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first, contextlib.suppress(OSError, OverflowError):
            port = first.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 1)):
                return port


async def test_ports_follow_each_other():
    """The inbox has the port asked for, the provider the next; a taken port is told."""
    port = two_free_ports()
    async with Sandbox({ALIYUN: DirectMailEmulator()}, port=port) as sandbox:
        assert sandbox.url == f"http://127.0.0.1:{port}"
        assert sandbox.endpoint(ALIYUN) == f"http://127.0.0.1:{port + 1}"
        assert sandbox.config(ALIYUN)["endpoint"] == sandbox.endpoint(ALIYUN)
        with pytest.raises(OSError, match=f"port {port} of 127.0.0.1 cannot be used"):
            async with Sandbox({}, port=port):
                pass
    async with Sandbox({}, port=port):
        pass


async def test_what_cannot_be_served_leaves_nothing_open():
    """A provider without a port: the inbox's port is free again."""
    port = two_free_ports()
    with socket.create_server(("127.0.0.1", port + 1)), pytest.raises(OSError, match=f"port {port + 1} of"):
        async with Sandbox({ALIYUN: DirectMailEmulator()}, port=port):
            pass
    socket.create_server(("127.0.0.1", port)).close()


async def test_ports_end():
    """No emulator is left without a word."""
    with pytest.raises(OSError, match="65536 of 127.0.0.1 cannot be used: the highest is 65535"):
        async with Sandbox({"hang": Hanging()}, port=65535):
            pass


async def test_listening_everywhere_gives_an_address_to_use():
    """Nobody can connect to 0.0.0.0."""
    async with Sandbox({ALIYUN: DirectMailEmulator()}, host="0.0.0.0") as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")


async def test_closes_with_handlers_that_never_answer(sandbox):
    """A time-out fault does not keep the sandbox open."""
    async with Sandbox({"hang": Hanging()}) as hanging, aiohttp.ClientSession() as session:
        task = asyncio.create_task(session.post(hanging.endpoint("hang")))
        await asyncio.sleep(0.1)
    with pytest.raises(aiohttp.ClientError):
        await task


class Hanging:
    @property
    def config(self):
        return {}

    async def handle(self, request, inbox):
        await asyncio.Event().wait()
