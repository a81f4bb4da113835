import asyncio
import time

import pytest

from authmail import Egress
from authmail.http.client import Http
from authmail.http.session import Transport
from authmail.testing.fault_server import Answer, FaultServer, request, silence


def answer(text):
    return Answer(body=text).plain


async def pause(_):
    await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "unasked",
    [
        answer(b"another's"), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n", b"garbage", b"garbage\r\n\r\n",
    ],
)  # fmt: skip
async def test_words_that_nobody_asked_for_are_no_answer(unasked):
    """What comes on a kept connection before the next request is not taken for its answer."""
    steps = (request, answer(b"own"), pause, unasked, request, answer(b"of the same connection"), silence)
    async with FaultServer(steps) as server:
        async with Transport(egress=Egress.ANY) as transport:
            for _ in range(3):
                assert (await Http(transport, time.monotonic() + 10).post(server.url)).body == b"own"
                await asyncio.sleep(0.2)
        await server.left()
    assert server.connections == 3


@pytest.mark.parametrize("surplus", [answer(b"another's"), b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_surplus_of_an_answer_is_not_the_next_one(surplus):
    """Two messages, the second at once: the rest that came with the first answer is not read as the second."""
    async with FaultServer((request, answer(b"own") + surplus, silence)) as server:
        async with Transport(egress=Egress.ANY) as transport:
            for _ in range(2):
                assert (await Http(transport, time.monotonic() + 10).post(server.url)).body == b"own"
        await server.left()
    assert server.connections == 2


async def test_a_connection_closed_while_idle_is_not_used_again():
    """A provider that closes idle connections costs a new connection, and never an unknown outcome."""
    async with FaultServer((request, answer(b"{}"), pause)) as server:
        async with Transport(egress=Egress.ANY) as transport:
            for _ in range(10):
                assert (await Http(transport, time.monotonic() + 10).post(server.url)).status == 200
                await asyncio.sleep(0.1)
        await server.left()
    assert server.connections == 10


async def test_connections_are_kept():
    """Requests one after the other share a connection; a blank line between answers is nothing."""
    async with FaultServer((request, answer(b"{}"), b"\r\n") * 5) as server:
        async with Transport(egress=Egress.ANY) as transport:
            for _ in range(5):
                await Http(transport, time.monotonic() + 10).post(server.url)
        await server.left()
    assert server.connections == 1
