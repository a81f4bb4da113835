"""D2: what a web page of somebody else's can send to a port on this machine is not taken for mail."""

import asyncio

import pytest
from attacks import CODE, SMTP, TEMPLATES

import authmail
from authmail import Egress, Mailer
from authmail.sandbox import Sandbox

MAIL = "EHLO x\r\nMAIL FROM:<a@b.co>\r\nRCPT TO:<zoe@example.com>\r\nDATA\r\nSubject: forged\r\n\r\n123456\r\n.\r\nQUIT\r\n"


@pytest.fixture
async def sandbox():
    """A sandbox with an SMTP server that asks for no login."""
    async with Sandbox({SMTP: authmail.get_connector(SMTP).get_emulator()}) as running:
        yield running


@pytest.mark.parametrize(
    "first",
    [
        "POST / HTTP/1.1", "GET / HTTP/1.1", "OPTIONS / HTTP/1.1", "PUT /x HTTP/1.1", "Host: 127.0.0.1", "PRI * HTTP/2.0", "post / HTTP/1.1",
        "CONNECT 127.0.0.1:25 HTTP/1.1", "Content-Type: text/plain",
    ],
)  # fmt: skip
async def test_a_request_of_a_browser_ends_the_conversation(sandbox, first):
    """At its first line, so that commands in its body are never reached."""
    port = sandbox.config(SMTP)["port"]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{first}\r\nHost: 127.0.0.1:{port}\r\nOrigin: https://evil.example\r\n\r\n{MAIL}".encode())
    said = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    assert said.splitlines()[1:] == [b"421 4.7.0 this is SMTP, not HTTP"]
    assert len(sandbox.inbox) == 0


async def test_mail_goes_on_as_before(sandbox):
    """A client of SMTP notices nothing."""
    async with Mailer(SMTP, sandbox.config(SMTP), templates=TEMPLATES, egress=Egress.ANY) as mailer:
        await mailer.send(CODE)
    assert len(sandbox.inbox) == 1
