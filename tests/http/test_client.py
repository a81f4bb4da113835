import asyncio
import socket
import time
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from authmail import AccountError, Egress, MessageRejected, NotSent, OutcomeUnknown, Phase, Throttled
from authmail.http.client import Http
from authmail.http.reply import REPLY_LIMIT, Reply
from authmail.http.session import Transport
from authmail.outcomes import ConnectionCut, NoAnswerInTime, NotConnected, NotSentInTime
from authmail.testing.fault_server import Answer, FaultServer, head, request, reset, silence
from authmail.testing.faults import FAULTS

# What holds for every connector is in the table of authmail.testing.faults, and tested there.

PLAIN = Answer().plain


@asynccontextmanager
async def posting(seconds=10.0, **options):
    async with Transport(**{"egress": Egress.ANY} | options) as transport:
        yield Http(transport, time.monotonic() + seconds)


def headers_of(sent):
    lines = sent.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


async def test_posts_and_reads():
    """Body, JSON and form go out as asked; the answer comes back whole."""
    good = Answer(headers={"X-Id": "7"}, body=b'{"ok": "\xc3\xa9"}').plain
    async with FaultServer((request, good) * 5) as server, posting(user_agent="acme") as http:
        reply = await http.post(server.url, json={"a": "é"}, headers={"X-Y": "z"})
        await http.post(server.url, form={"a": "é b"})
        await http.post(server.url, body="é", headers={"content-type": "text/plain"})
        await http.post(server.url)
        await http.post(server.url, form={"a": ("1", "2"), "b": ""})
    assert (reply.status, reply.headers["x-id"], reply.json()) == (200, "7", {"ok": "é"})
    bodies = [sent.partition(b"\r\n\r\n")[2] for sent in server.requests]
    assert bodies == ['{"a":"é"}'.encode(), b"a=%C3%A9+b", "é".encode(), b"", b"a=1&a=2&b="]
    headers = [headers_of(sent) for sent in server.requests]
    kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain", "application/octet-stream"]
    kinds.append("application/x-www-form-urlencoded")
    assert [each["content-type"] for each in headers] == kinds
    assert headers[0]["x-y"] == "z"
    assert headers[0]["user-agent"].startswith("authmail/")
    assert headers[0]["user-agent"].endswith(" acme")
    assert http.used


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 3_000_000])
async def test_a_body_arrives_whole(size):
    """Whatever its size, byte by byte."""
    body = bytes(number % 251 for number in range(size))
    async with FaultServer([request, PLAIN]) as server, posting() as http:
        await http.post(server.url, body=body)
    assert server.requests[0].partition(b"\r\n\r\n")[2] == body


async def test_no_time_left_sends_nothing():
    """With its deadline over, a message is not even begun."""
    async with FaultServer([request, PLAIN]) as server, posting(seconds=-1) as http:
        with pytest.raises(NotSentInTime):
            await http.post(server.url)
    assert not http.used
    assert server.connections == 0


async def test_an_exchange_may_have_less_time_than_the_message():
    """The shorter of the two limits counts."""
    async with FaultServer([request, silence]) as server, posting(seconds=60) as http:
        with pytest.raises(NoAnswerInTime):
            await http.post(server.url, limit=0.3)
        assert http.deadline - time.monotonic() > 30


async def test_a_name_server_that_does_not_answer(monkeypatch):
    """Time that runs out in the look-up is time before sending."""

    def unanswered(*_, **__):
        time.sleep(0.5)
        raise socket.gaierror

    async with posting(seconds=0.2) as http:
        with monkeypatch.context() as patched:
            patched.setattr(socket, "getaddrinfo", unanswered)
            with pytest.raises(NotSentInTime):
                await http.post("https://mail.example/")
    assert not http.used


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/", "https://[fe80::1]/", "http://mail.example/", "file:///etc/passwd", "https://"]
)
async def test_what_egress_refuses_is_an_account_error(url):
    """Nothing is connected to; the endpoint has to be put right."""
    async with posting() as http:
        with pytest.raises(AccountError) as caught:
            await http.post(url)
    assert (caught.value.reason, caught.value.phase) == ("endpoint", Phase.BEFORE)


async def test_a_name_that_leads_to_a_private_address_is_refused():
    """The address connected to counts, here that of localhost."""
    async with FaultServer([request, PLAIN]) as server, posting(egress=Egress.PUBLIC) as http:
        with pytest.raises(AccountError, match="egress policy refuses the address"):
            await http.post(server.url.replace("http:", "https:"))
    assert server.connections == 0


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.status == 200 and ("endless" in fault.name or "unpacks" in fault.name)], ids=str
)
async def test_a_long_answer_is_cut(fault):
    """At 1 MiB reading stops, also unpacking; the rest is never held, and the answer cannot be understood."""
    async with fault.server() as server, posting() as http:
        tracemalloc.start()
        reply = await http.post(server.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(reply.body) == REPLY_LIMIT
    assert not reply.complete
    assert peak < 6 * REPLY_LIMIT
    with pytest.raises(OutcomeUnknown):
        reply.json()


@pytest.mark.parametrize("ending", [(), (reset,), (silence,)])
async def test_an_early_answer_is_heard(ending):
    """A server that refuses a large request before it has it all is understood where the system still delivers its words."""
    early = (head, Answer(status=413).head("Content-Length: 0", "Connection: close"))
    async with FaultServer([*early, *ending]) as server:
        async with posting() as http:
            try:
                assert (await http.post(server.url, body=b"x" * 8_000_000)).status == 413
            except ConnectionCut:
                assert ending == (reset,)  # a reset may overtake it
        await server.left()


@pytest.mark.parametrize("late", [b"zz\r\n{}\r\n0\r\n\r\n", b"1\r\n{}\r\n0\r\n\r\n"])
async def test_a_bad_chunk_that_comes_late_is_unknown(late):
    """aiohttp tells nobody when it gives up within a body, so that it takes until the limit."""

    async def pause(_):
        await asyncio.sleep(0.1)

    steps = (request, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", pause, late, silence)
    async with FaultServer(steps) as server:
        async with posting(seconds=1) as http:
            with pytest.raises(OutcomeUnknown):
                await http.post(server.url)
        await server.left()


PROXY = {
    "refuses": ((head, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), NotConnected),
    "wants a login": ((head, b"HTTP/1.1 407 Login\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), NotConnected),
    "cannot reach it": ((head, b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"), NotConnected),
    "redirects": ((head, b"HTTP/1.1 302 Found\r\nLocation: https://login.example/\r\nContent-Length: 0\r\n\r\n"), NotConnected),
    "says nonsense": ((head, b"220 ready\r\n\r\n"), NotConnected),
    "closes": ((head,), NotConnected),
    "resets": ((head, reset), NotConnected),
    "connects and closes": ((head, b"HTTP/1.1 200 Connected\r\n\r\n"), NotConnected),
    "is silent": ((head, silence), NotSentInTime),
    "connects and is silent": ((head, b"HTTP/1.1 200 Connected\r\n\r\n", silence), NotSentInTime),
}


@pytest.mark.parametrize("name", PROXY)
async def test_a_faulty_proxy_is_before_sending(name):
    """Until TLS with the provider stands, nothing was sent, and the proxy has seen no more than the provider's name."""
    steps, kind = PROXY[name]
    async with FaultServer(steps) as server:
        async with posting(seconds=0.6 if kind is NotSentInTime else 10, proxy=server.url) as http:
            with pytest.raises(kind) as caught:
                await http.post("https://mail.example/", body=b"CANARY")
        await server.left()
    assert type(caught.value) is kind
    assert caught.value.phase is Phase.BEFORE
    assert not http.used


async def test_many_at_once_get_their_own_answers():
    """200 requests at once: no cross-talk, and no task is left."""

    async def echo(connection):
        while True:
            await request(connection)
            sent = connection.requests.pop()
            await asyncio.sleep(0.01)
            await connection.write(Answer(body=sent.partition(b"\r\n\r\n")[2]).plain)

    before = asyncio.all_tasks()
    async with FaultServer([echo]) as server:
        async with posting(seconds=20) as http:
            replies = await asyncio.gather(*(http.post(server.url, body=f"{number}") for number in range(200)))
        await server.left()
    assert [reply.text for reply in replies] == [str(number) for number in range(200)]
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, MessageRejected), (413, MessageRejected), (422, MessageRejected), (401, AccountError), (402, AccountError),
        (403, AccountError), (404, AccountError), (405, AccountError), (407, AccountError), (410, AccountError), (415, AccountError),
        (302, AccountError), (408, NotSent), (425, NotSent), (429, Throttled), (503, NotSent), (500, OutcomeUnknown),
        (502, OutcomeUnknown), (200, OutcomeUnknown),
    ],
)  # fmt: skip
def test_failure_by_status(status, kind):
    """What a status means when nothing else tells; details are added."""
    error = Reply(status, {"Retry-After": "7"}, b"x").failure(code="C", hint="because")
    assert isinstance(error, kind)
    assert (error.status, error.code, error.hint, error.retry_after, error.phase) == (status, "C", "because", 7.0, Phase.AFTER)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("٣", None),
        ("9" * 400, 999999999.0),
    ],
)
def test_retry_after(value, seconds):
    """Seconds or a date; nonsense is none."""
    assert Reply(429, {"Retry-After": value}, b"").failure().retry_after == seconds


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000, b"1" * 10_000])
def test_unreadable_json_is_an_outcome(body):
    """On a 2xx it is unknown, on a 4xx a rejection; never a JSON error."""
    with pytest.raises(OutcomeUnknown):
        Reply(200, {}, body).json()
    with pytest.raises(MessageRejected):
        Reply(400, {}, body).json()
