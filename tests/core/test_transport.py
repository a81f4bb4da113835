import asyncio
import ssl
import time
from contextlib import asynccontextmanager

import pytest
import trustme

from authmail import AccountError, Egress, MessageRejected, NotSent, OutcomeUnknown, Phase, Reason, SendError, Throttled
from authmail.outcomes import ConnectionCut, NoAnswerInTime, NotConnected, NotSentInTime
from authmail.reply import REPLY_LIMIT, Reply
from authmail.transport import Http, Transport


@asynccontextmanager
async def server(script, tls=None):
    """A raw server: the script gets reader and writer of each connection."""
    tasks = set()

    async def handle(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    try:
        yield f"{'https' if tls else 'http'}://localhost:{listening.sockets[0].getsockname()[1]}/"
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


async def request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    return lines[0], headers, await reader.readexactly(int(headers["content-length"]))


def answer(status=200, body=b"{}", headers=""):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


def after_request(reply, *, wait=0.0):
    async def script(reader, writer):
        await request(reader)
        writer.write(reply)
        await writer.drain()
        await asyncio.sleep(wait)

    return script


@asynccontextmanager
async def posting(seconds=2.0, **options):
    async with Transport(**{"egress": Egress.ANY} | options) as transport:
        yield Http(transport, time.monotonic() + seconds)


async def outcome(script, *, seconds=2.0, **post):
    async with server(script) as url, posting(seconds) as http:
        with pytest.raises(SendError) as caught:
            await http.post(url, body=b"canary", **post)
        assert caught.value.__cause__ is None or "canary" not in repr(caught.value.__cause__)
        return caught.value, http.used


async def test_posts_and_reads():
    """Body, JSON and form go out as asked; the answer comes back whole."""
    seen = []

    async def script(reader, writer):
        for _ in range(3):
            seen.append(await request(reader))
            writer.write(answer(body=b'{"ok": "\xc3\xa9"}', headers="X-Id: 7\r\n"))

    async with server(script) as url, posting(user_agent="acme") as http:
        reply = await http.post(url, json={"a": "é"}, headers={"X-Y": "z"})
        await http.post(url, form={"a": "é b"})
        await http.post(url, body="é", headers={"content-type": "text/plain"})
    assert (reply.status, reply.headers["x-id"], reply.json()) == (200, "7", {"ok": "é"})
    assert [body for _, _, body in seen] == ['{"a":"é"}'.encode(), b"a=%C3%A9+b", "é".encode()]
    kinds = ["application/json", "application/x-www-form-urlencoded", "text/plain"]
    assert [headers["content-type"] for _, headers, _ in seen] == kinds
    assert seen[0][1]["x-y"] == "z"
    assert seen[0][1]["user-agent"].startswith("authmail/")
    assert seen[0][1]["user-agent"].endswith(" acme")
    assert http.used


async def test_nothing_listens():
    """A refused connection is not sent, in the phase before."""
    async with server(after_request(b"")) as url:
        pass
    async with posting() as http:
        with pytest.raises(NotConnected) as caught:
            await http.post(url)
    assert caught.value.phase is Phase.BEFORE
    assert not http.used


async def test_a_name_that_does_not_exist():
    """A name that nobody knows is not sent."""
    async with posting() as http:
        with pytest.raises(NotConnected, match="could not be resolved"):
            await http.post("https://nowhere.invalid/")


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def tls_for(authority, name, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


async def test_tls_is_verified(authority, tmp_path):
    """An unknown authority and a wrong name stop the request before it is sent; the right ones let it through."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with server(after_request(answer()), tls_for(authority, "localhost")) as url:
        async with posting() as http:
            with pytest.raises(NotConnected, match="certificate of localhost"):
                await http.post(url)
            assert not http.used
        async with posting(ca_file=str(tmp_path / "ca.pem")) as http:
            assert (await http.post(url)).status == 200
    async with (
        server(after_request(answer()), tls_for(authority, "other.example")) as url,
        posting(ca_file=str(tmp_path / "ca.pem")) as http,
    ):
        with pytest.raises(NotConnected, match="certificate of localhost"):
            await http.post(url)


async def test_no_tls_on_the_other_side():
    """A server that does not speak TLS gets nothing."""

    async def plain(_, writer):
        writer.write(answer(400))

    async with server(plain) as url, posting() as http:
        with pytest.raises(NotConnected, match="no TLS connection"):
            await http.post(url.replace("http:", "https:"))
        assert not http.used


CUTS = {
    "no answer": after_request(b""),
    "half a head": after_request(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": after_request(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    "half a chunk": after_request(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhalf"),
}


@pytest.mark.parametrize("name", CUTS)
async def test_a_cut_connection_leaves_the_outcome_unknown(name):
    """Wherever it is cut after the request went out, nobody knows."""
    error, used = await outcome(CUTS[name])
    assert isinstance(error, ConnectionCut)
    assert error.phase is Phase.DURING
    assert used


@pytest.mark.parametrize(
    "reply",
    [b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", b"HTTP/1.1 2000 X\r\n\r\n"],
)
async def test_an_answer_that_is_no_http_is_unknown(reply):
    """Garbage is no acceptance and no refusal."""
    error, _ = await outcome(after_request(reply))
    assert isinstance(error, OutcomeUnknown)


async def silent(reader, writer):
    await request(reader)
    await asyncio.sleep(60)


async def dripping(reader, writer):
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(1000):
        writer.write(b"x")
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("script", [silent, dripping])
async def test_no_answer_in_time_is_unknown(script):
    """Silence and a slow drip end at the limit."""
    begun = time.monotonic()
    error, used = await outcome(script, seconds=5, limit=0.3)
    assert isinstance(error, NoAnswerInTime)
    assert used
    assert time.monotonic() - begun < 4


async def test_no_time_left_sends_nothing():
    """With its deadline over, a message is not even begun."""
    error, used = await outcome(after_request(answer()), seconds=-1)
    assert isinstance(error, NotSentInTime)
    assert not used


async def test_a_redirect_is_not_followed():
    """A redirect would carry the code to another place: it is an account error with reason endpoint."""
    error, _ = await outcome(after_request(answer(307, headers="Location: http://localhost:1/\r\n")))
    assert isinstance(error, AccountError)
    assert error.reason is Reason.ENDPOINT


async def test_an_endless_answer_is_cut():
    """At 1 MiB reading stops; the rest is never read, and the answer cannot be understood."""

    async def script(reader, writer):
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" " * 100_000)
            await writer.drain()

    async with server(script) as url, posting() as http:
        reply = await http.post(url)
    assert len(reply.body) == REPLY_LIMIT
    assert not reply.complete
    with pytest.raises(OutcomeUnknown):
        reply.json()


async def test_a_connection_closed_while_idle_is_not_used_again():
    """A provider that closes idle connections costs a new connection, and never an unknown outcome."""
    connections = 0

    async def script(reader, writer):
        nonlocal connections
        connections += 1
        await request(reader)
        writer.write(answer())
        await writer.drain()
        await asyncio.sleep(0.01)

    async with server(script) as url, posting(seconds=10) as http:
        for _ in range(10):
            assert (await http.post(url)).status == 200
            await asyncio.sleep(0.05)
    assert connections == 10


async def test_connections_are_kept():
    """Requests one after the other share a connection."""
    connections = 0

    async def script(reader, writer):
        nonlocal connections
        connections += 1
        while True:
            await request(reader)
            writer.write(answer())

    async with server(script) as url, posting() as http:
        for _ in range(5):
            await http.post(url)
    assert connections == 1


async def test_many_at_once_get_their_own_answers():
    """200 requests at once: no cross-talk, and no socket or task is left."""

    async def script(reader, writer):
        while True:
            _, _, body = await request(reader)
            await asyncio.sleep(0.01)
            writer.write(answer(body=body))

    before = asyncio.all_tasks()
    async with server(script) as url, posting(seconds=20) as http:
        replies = await asyncio.gather(*(http.post(url, body=f"{number}") for number in range(200)))
    assert [reply.text for reply in replies] == [str(number) for number in range(200)]
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


async def test_cancelling_leaves_nothing_open():
    """A cancelled request closes its connection."""
    closed = asyncio.Event()

    async def script(reader, writer):
        await request(reader)
        assert await reader.read() == b""
        closed.set()

    async with server(script) as url, posting(seconds=20) as http:
        task = asyncio.create_task(http.post(url))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert http.used
        await asyncio.wait_for(closed.wait(), 5)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, MessageRejected), (404, MessageRejected), (422, MessageRejected), (429, Throttled), (503, NotSent), (500, OutcomeUnknown),
        (502, OutcomeUnknown), (200, OutcomeUnknown), (302, AccountError),
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
