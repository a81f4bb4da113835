import asyncio
import smtplib

import pytest

from authmail import Egress, Mailer
from authmail.sandbox import Sandbox
from authmail_smtp.emulator import SMTPEmulator

from .conftest import CODE, SMTP, TEMPLATES


@pytest.fixture
async def sandbox():
    async with Sandbox({SMTP: SMTPEmulator()}) as running:
        yield running


async def talk(sandbox, *lines):
    """Say lines as they are, and return what came back to each."""
    config = sandbox.config(SMTP)
    reader, writer = await asyncio.open_connection(config["host"], config["port"])
    heard = [(await reader.readline()).decode().strip()]
    for line in lines:
        writer.write(line.encode() + b"\r\n")
        reply = (await reader.readline()).decode()
        while reply[3:4] == "-":
            reply = (await reader.readline()).decode()
        heard.append(reply.strip())
    writer.close()
    await writer.wait_closed()
    return heard


async def test_pythons_own_client_may_send(sandbox):
    """Any program may: login, several recipients, attachments and all; the inbox shows the code."""
    config = sandbox.config(SMTP)

    def send():
        with smtplib.SMTP(config["host"], config["port"]) as client:
            client.login("sandbox", "sandbox-password")
            return client.sendmail(
                "app@example.com",
                ["a@example.com", "b@example.com"],
                "Subject: =?utf-8?q?Voil=C3=A0?=\n\nYour code is 482913.\n.\n",
            )

    assert await asyncio.to_thread(send) == {}
    mail = await sandbox.inbox.wait()
    assert (mail.to, mail.subject, mail.code, mail.text) == (
        ("a@example.com", "b@example.com"),
        "Voilà",
        "482913",
        "Your code is 482913.\n.",
    )
    assert mail.sender == "app@example.com"


async def test_order_and_syntax_are_checked(sandbox):
    """As servers do."""
    replies = await talk(
        sandbox, "MAIL FROM:<a@b.c>", "EHLO", "EHLO x", "RCPT TO:<a@b.c>", "MAIL FROM:a@b.c", "MAIL FROM:<a b>", "MAIL FROM:<a@b.c> X=1", "MAIL FROM:<zoë@b.c>",
        "MAIL FROM:<a@b.c> SIZE=99999999999", "MAIL FROM:<a@b.c>", "MAIL FROM:<a@b.c>", "DATA", "RCPT TO:<x>", "RCPT TO:<a@b.c>", "WHAT", "VRFY a", "NOOP", "RSET", "STARTTLS",
        "AUTH NTLM", "HELO", "HELO x", "QUIT",
    )  # fmt: skip
    codes = [reply[:3] for reply in replies]
    assert " ".join(codes) == "220 503 501 250 503 501 553 501 553 552 250 503 503 553 250 500 252 250 250 502 504 501 250 221"


async def test_too_many_errors_end_it(sandbox):
    """With 421."""
    replies = await talk(sandbox, *["WHAT"] * 21)
    assert replies[-1].startswith("421")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["AUTH PLAIN AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA=="], "235"), (["AUTH PLAIN", "AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA=="], "235"),
        (["AUTH LOGIN", "c2FuZGJveA==", "c2FuZGJveC1wYXNzd29yZA=="], "235"), (["AUTH LOGIN c2FuZGJveA==", "d3Jvbmc="], "535"), (["AUTH PLAIN !!"], "535"),
        (["AUTH PLAIN AHgA"], "535"), (["AUTH XOAUTH2 dXNlcj1zYW5kYm94AWF1dGg9QmVhcmVyIHNhbmRib3gtdG9rZW4BAQ=="], "235"), (["AUTH XOAUTH2 eA==", ""], "535"),
    ],
)  # fmt: skip
async def test_logins_are_checked(sandbox, lines, code):
    """PLAIN, LOGIN, XOAUTH2, with and without an initial word."""
    replies = await talk(sandbox, "EHLO x", *lines)
    assert replies[-1][:3] == code


async def test_login_may_be_required():
    """And the size of a mail is."""
    async with Sandbox({SMTP: SMTPEmulator(login_required=True, largest=100)}) as sandbox:
        assert (await talk(sandbox, "EHLO x", "MAIL FROM:<a@b.c>"))[-1].startswith("530 5.7.0")
        replies = await talk(
            sandbox, "EHLO x", "AUTH PLAIN AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA==", "MAIL FROM:<a@b.c>", "RCPT TO:<a@b.c>", "DATA", f"{'x' * 200}\r\n."
        )  # fmt: skip
        assert replies[-1].startswith("552 5.3.4")
        assert len(sandbox.inbox) == 0


async def test_tls_where_it_has_a_certificate(server_tls, authority):
    """STARTTLS is offered, and what was said before it forgotten."""
    pem = authority.cert_pem.bytes().decode()
    async with Sandbox({SMTP: SMTPEmulator(tls=server_tls)}) as sandbox:
        config = sandbox.config(SMTP) | {"host": "localhost", "requireTLS": True, "tls": {"ca": pem}}
        async with Mailer(SMTP, config, templates=TEMPLATES, egress=Egress.ANY) as mailer:
            await mailer.send(CODE)
    assert len(sandbox.inbox) == 1


async def test_the_page_sees_each_message(sandbox):
    """With the reply that was given, refused ones too; no password in it."""
    async with Mailer(SMTP, sandbox.config(SMTP), templates=TEMPLATES, egress=Egress.ANY) as mailer:
        await mailer.send(CODE)
    await talk(sandbox, "EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<unknown@example.com>")
    await talk(sandbox, "EHLO x", "AUTH PLAIN AHgA")
    accepted, refused, login = list(sandbox.inbox.exchanges)
    assert (login.request, login.status) == ("AUTH PLAIN", 535)
    assert (accepted.request, accepted.status, accepted.mails, accepted.subject) == ("DATA", 250, [1], "482913 is your code")
    assert (refused.request, refused.status, refused.recipients) == ("RCPT TO", 550, "unknown@example.com")
    assert "sandbox-password" not in str([exchange.to_dict() for exchange in sandbox.inbox.exchanges])


async def test_strange_mail_is_taken(sandbox):
    """Whatever its headers and parts; nothing of it stops the server."""
    for number, data in enumerate(
        (
            "no headers",
            "Subject: =?x?q?=ZZ?=\nFrom: <\nContent-Type: text/html; charset=no\n\n\xff",
            "From: a\x00b\n\n",
            "Content-Type: multipart/x\n\n--",
            "",
        )
    ):
        replies = await talk(sandbox, "EHLO x", "MAIL FROM:<>", "RCPT TO:<a@b.c>", "DATA", data.replace("\n", "\r\n") + "\r\n.")
        assert replies[-1].startswith("250"), data
        assert len(sandbox.inbox) == number + 1
        assert sandbox.inbox.messages()[-1].to_dict()


async def test_the_sandbox_ends_with_conversations_open(sandbox):
    """Within a moment, also where a client says nothing."""
    config = sandbox.config(SMTP)
    reader, writer = await asyncio.open_connection(config["host"], config["port"])
    await reader.readline()
    await sandbox._stack.aclose()
    assert await reader.read() == b""
    writer.close()
