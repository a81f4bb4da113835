"""Servers that the tests script line by line, and configs for them."""

import asyncio
import ssl
from contextlib import asynccontextmanager

import attrs
import pytest
import trustme

import authmail
from authmail import Egress, Mailer, Message, Template

SMTP = "simple-mail-transfer-protocol"
TEMPLATES = [Template("Generic", "{{code}} is your code", "<p>Hello, your code is <b>{{code}}</b>.</p>")]
CODE = Message("zoe@example.com", "SignIn", {"code": "482913"})


@pytest.fixture
def smtp():
    """The installed SMTP connector."""
    return authmail.get_connector(SMTP)


@pytest.fixture
def raw():
    """A valid config, as an admin wrote it; templates are the host's."""
    return {
        "host": "127.0.0.1",
        "port": 587,
        "auth": {"user": "sandbox", "pass": "sandbox-password"},
        "fromEmail": "Acme <noreply@example.com>",
    }


@pytest.fixture(scope="session")
def authority():
    """A certificate authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority):
    """TLS of a server called localhost."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def mailer_to(raw):
    """Make a Mailer to a port: ``mailer_to(port, requireTLS=True)``."""

    def make(port, *, egress=Egress.ANY, timeout=5.0, plugins=(), **change):
        return Mailer(SMTP, raw | {"port": port} | change, templates=TEMPLATES, egress=egress, timeout=timeout, plugins=plugins)

    return make


@attrs.define
class Scripted:
    """A server that answers by a table, and everything it heard.

    ``answers`` maps a command's first word to an answer, or to a list of answers taken in turn; ``DOT`` is the answer
    to the mail. None says nothing; ``b"!"`` at the end cuts the connection after the answer.
    """

    answers: dict
    tls: object = None
    implicit: object = None
    extensions: tuple = ("AUTH PLAIN LOGIN XOAUTH2", "8BITMIME", "ENHANCEDSTATUSCODES")
    port: int = 0
    heard: list = attrs.field(factory=list)
    mails: list = attrs.field(factory=list)
    writers: list = attrs.field(factory=list)
    tasks: set = attrs.field(factory=set)

    @property
    def connections(self):
        return len(self.writers)

    async def converse(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        self.writers.append(writer)
        try:
            await self._answer(writer, "GREETING", "220 scripted ESMTP")
            while line := (await reader.readline()).decode():
                line = line.rstrip("\r\n")
                self.heard.append(line)
                word = line.split(" ")[0].upper()
                if word == "EHLO":
                    offers = [*self.extensions, *(["STARTTLS"] if self.tls and not writer.get_extra_info("ssl_object") else [])]
                    default = "\r\n".join(["250-scripted", *(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"])
                else:
                    default = {
                        "AUTH": "235 2.7.0 ok", "DATA": "354 go on", "QUIT": "221 bye!", "STARTTLS": "220 go on" if self.tls else "502 no",
                    }.get(word, "250 2.0.0 ok")  # fmt: skip
                said = await self._answer(writer, word, default)
                if word == "STARTTLS" and said.startswith("220") and self.tls:
                    await writer.start_tls(self.tls)
                if word == "DATA" and said.strip().startswith("354"):
                    data = b""
                    while (part := await reader.readline()) not in (b".\r\n", b""):
                        data += part
                    if part:
                        self.mails.append(data.replace(b"\r\n..", b"\r\n."))
                        await self._answer(writer, "DOT", "250 2.0.0 Ok: queued as 4bXyZ1")
        except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer, word, default):
        given = self.answers.get(word, default)
        if isinstance(given, list):
            given = given.pop(0) if given else default
        if given is None:
            await asyncio.Event().wait()
        if callable(given):
            given = await given()
        writer.write(given.removesuffix("!").encode("utf-8", "surrogateescape") + (b"\r\n" if given not in ("", "!") else b""))
        await writer.drain()
        if given.endswith("!"):
            writer.transport.abort() if given == "!" else writer.close()
            raise ConnectionResetError
        return given


@pytest.fixture
def scripted():
    """Serve a script: ``async with scripted({"RCPT": "550 no"}) as server``."""

    @asynccontextmanager
    async def serve(answers=None, **options):
        server = Scripted(answers or {}, **options)
        listening = await asyncio.start_server(server.converse, "127.0.0.1", 0, ssl=server.implicit)
        server.port = listening.sockets[0].getsockname()[1]
        try:
            yield server
        finally:
            listening.close()
            for task in server.tasks:
                task.cancel()
            await asyncio.gather(*server.tasks, return_exceptions=True)
            await listening.wait_closed()

    return serve
