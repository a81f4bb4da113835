import asyncio
import smtplib
from email.message import EmailMessage

import pytest

from authmail.testing.dialogue import DialogueServer, accepted_answer, mail_differences, replying
from authmail.testing.exchange import Answer

DIALOGUE = (
    "S: 220 mx.example ESMTP", "C: ehlo <any>", "S: 250-mx.example", "S: 250 8BITMIME",
    "C: mail FROM:<a@example.com>", "S: 250 2.1.0 Ok", "C: rcpt TO:<zoe@example.com>", "S: 250 2.1.5 Ok",
    "C: data", "S: 354 Go on", "C: <mail>", "S: 250 2.0.0 Ok: queued as 4711", "C: quit", "S: 221 Bye",
)  # fmt: skip


def mail(text="Hello\n.\n..dots\n"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "zoe@example.com", "482913"
    message.set_content(text)
    return message


async def sent(server, message, to="zoe@example.com"):
    """Let the standard library's client send."""

    def send():
        host, port = server.url.removeprefix("smtp://").split(":")
        with smtplib.SMTP(host, int(port), timeout=5) as client:
            client.send_message(message, to_addrs=[to])

    await asyncio.to_thread(send)


async def test_a_client_that_says_what_was_recorded():
    """Nothing differs; the mail has come whole, its doubled dots made one."""
    async with DialogueServer(DIALOGUE, strict=True) as server:
        await sent(server, mail())
        assert await server.left()
    assert (server.differences, server.connections) == ([], 1)
    (request,) = server.requests
    assert [command.partition(" ")[0].upper() for command in server.commands] == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    assert request.headers["opening"] == server.commands[0]
    assert request.path == "mail FROM:<a@example.com> rcpt TO:<zoe@example.com>"
    assert list(mail_differences({"headers": {"Subject": "482913", "Bcc": None}, "text": "Hello\n.\n..dots"}, request)) == []
    assert list(mail_differences({"headers": {"Subject": "x"}, "html": "<p>"}, request)) == [
        "mail.headers.Subject: expected 'x', got '482913'",
        "mail.html: expected '<p>', got nothing",
    ]


async def test_what_differs_is_told():
    """Once, and the conversation goes on."""
    async with DialogueServer(DIALOGUE, strict=True) as server:
        await sent(server, mail(), to="wei@example.com")
        await server.left()
    assert server.differences == ["expected 'rcpt TO:<zoe@example.com>', the client said 'rcpt TO:<wei@example.com>'"]


async def test_what_was_not_said_is_told():
    """The first of it."""
    async with DialogueServer(DIALOGUE, strict=True) as server:
        host, port = server.url.removeprefix("smtp://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"ehlo me\r\n")
        writer.write_eof()
        assert await server.left()
        writer.close()
    assert server.differences == ["the client never said 'mail FROM:<a@example.com>'"]


async def test_as_a_pattern_it_takes_any_mail():
    """Several over one connection, to anybody, with an answer to each."""
    assert accepted_answer(DIALOGUE) == Answer(250, {}, b"2.0.0 Ok: queued as 4711")
    async with DialogueServer(DIALOGUE, lambda _, number: Answer(250 if number == 0 else 550, {}, b"number\r\n one")) as server:
        await sent(server, mail(), to="wei@example.com")
        with pytest.raises(smtplib.SMTPDataError, match="number one"):
            await sent(server, mail(), to="kim@example.com")
    assert (len(server.requests), server.differences) == (2, [])


async def test_a_cut_and_silence():
    """After the mail."""
    for mishap in ("cut", "silence"):
        async with DialogueServer(DIALOGUE, lambda *_, mishap=mishap: Answer(mishap=mishap)) as server:
            sending = asyncio.ensure_future(sent(server, mail()))
            await server.arrived.wait()
            if mishap == "cut":
                with pytest.raises(smtplib.SMTPServerDisconnected):
                    await sending
            else:
                assert not sending.done()
        if mishap == "silence":
            with pytest.raises(smtplib.SMTPServerDisconnected):
                await sending


async def test_the_rest_of_a_mail_that_ended_too_early_is_seen():
    """A client that does not double dots gives its mail's lines as commands."""
    async with DialogueServer(DIALOGUE) as server:
        host, port = server.url.removeprefix("smtp://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"ehlo me\r\nmail FROM:<a@example.com>\r\nrcpt TO:<zoe@example.com>\r\ndata\r\na\r\n.\r\nX-Injected: yes\r\nquit\r\n"
        )
        while await reader.readline():
            pass
        writer.close()
    assert [(request.method, request.shows("X-Injected: yes")) for request in server.requests] == [
        ("MAIL", False),
        ("COMMAND", True),
    ]


@pytest.mark.parametrize(("word", "refused"), [("RCPT", smtplib.SMTPRecipientsRefused), ("<mail>", smtplib.SMTPDataError)])
async def test_one_reply_may_be_another(word, refused):
    """The server says it at that step, and all else as recorded."""
    async with DialogueServer(replying(DIALOGUE, word, "550 No")) as server:
        with pytest.raises(refused, match="No"):
            await sent(server, mail())
    assert replying(DIALOGUE, "NOOP", "550 No") == DIALOGUE


def test_a_dialogue_has_two_sides():
    """A line without one is told."""
    with pytest.raises(ValueError, match="begins with S: or C:, not '220 mx'"):
        DialogueServer(["220 mx"])
