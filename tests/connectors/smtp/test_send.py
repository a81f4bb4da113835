import asyncio
import base64
import hmac
import socket
import time

import pytest

from authmail import (
    AccountError,
    ConnectionCut,
    Egress,
    Email,
    Mailer,
    Message,
    MessageRejected,
    NoAnswerInTime,
    NotConnected,
    NotSent,
    NotSentInTime,
    OutcomeUnknown,
    Phase,
    Reason,
    SendError,
    Throttled,
)  # fmt: skip
from authmail.sandbox import Sandbox
from authmail_smtp.emulator_faults import FAULTS

from .conftest import CODE, SMTP, TEMPLATES


async def failed(scripted, mailer_to, answers, *, timeout=3.0, **config):
    """Send one mail to a script that fails; return error and server."""
    async with scripted(answers) as server, mailer_to(server.port, timeout=timeout, **config) as mailer:
        with pytest.raises(SendError) as caught:
            await mailer.send(CODE)
    return caught.value, server


# What goes out.


async def test_the_dialogue(scripted, mailer_to):
    """EHLO, AUTH PLAIN, MAIL, RCPT, DATA, QUIT; dots doubled; the receipt has the mail's own id."""
    async with scripted() as server, mailer_to(server.port, name="app.example.com") as mailer:
        receipt = await mailer.send(Email("zoe@example.com", "s", text=".\n..x\nend"))
    assert server.heard == [
        "EHLO app.example.com",
        "AUTH PLAIN AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA==",
        "MAIL FROM:<noreply@example.com>",
        "RCPT TO:<zoe@example.com>",
        "DATA",
        "QUIT",
    ]
    assert server.mails[0].endswith(b"\r\n\r\n.\r\n..x\r\nend\r\n")
    assert f"Message-ID: {receipt.message_id}\r\n".encode() in server.mails[0]
    assert (receipt.request_id, receipt.connector) == ("4bXyZ1", SMTP)


async def test_this_machine_has_a_name(scripted, mailer_to):
    """Its full name, or its address as a literal; never looked up in DNS."""
    async with scripted() as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
    name = server.heard[0].removeprefix("EHLO ")
    assert name == "[127.0.0.1]" or "." in name


@pytest.mark.parametrize("auth", [{}, {"user": "", "pass": ""}, {"type": "login"}])
async def test_without_a_user_it_is_a_relay(scripted, mailer_to, auth):
    """No AUTH."""
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        await mailer.send(CODE)
    assert not [line for line in server.heard if line.startswith("AUTH")]


def cram_md5(user, password, challenge):
    """RFC 2195, by hand."""
    digest = hmac.new(password, base64.b64decode(challenge), "md5").hexdigest()
    return base64.b64encode(user + b" " + digest.encode()).decode()


@pytest.mark.parametrize(
    ("offers", "heard"),
    [
        ("AUTH LOGIN", ["AUTH LOGIN", "c2FuZGJveA==", "c2FuZGJveC1wYXNzd29yZA=="]),
        ("AUTH=LOGIN PLAIN", ["AUTH PLAIN AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA=="]),
        ("AUTH CRAM-MD5 GSSAPI", ["AUTH CRAM-MD5", cram_md5(b"sandbox", b"sandbox-password", "VGVsbCBtZQ==")]),
    ],
)
async def test_kinds_of_login(scripted, mailer_to, offers, heard):
    """PLAIN where offered, else LOGIN, else CRAM-MD5."""
    answers = {line.split(" ")[0].upper(): "334 VGVsbCBtZQ==" for line in heard} | {heard[-1].split(" ")[0].upper(): "235 ok"}
    async with scripted(answers, extensions=(offers,)) as server, mailer_to(server.port) as mailer:
        await mailer.send(CODE)
    assert server.heard[1 : 1 + len(heard)] == heard


async def test_smtputf8_only_where_it_is_needed_and_offered(scripted, mailer_to):
    """Else the mail is refused with a clear word, before the server hears of it."""
    mail = Email("zoë@example.com", "s", text="t")
    async with scripted(extensions=("SMTPUTF8", "8BITMIME")) as server, mailer_to(server.port, auth={}) as mailer:
        await mailer.send(mail)
        await mailer.send(CODE)
    assert [line for line in server.heard if line.startswith(("MAIL", "RCPT"))] == [
        "MAIL FROM:<noreply@example.com> BODY=8BITMIME SMTPUTF8",
        "RCPT TO:<zoë@example.com>",
        "MAIL FROM:<noreply@example.com>",
        "RCPT TO:<zoe@example.com>",
    ]
    async with scripted() as server, mailer_to(server.port) as mailer:
        with pytest.raises(MessageRejected, match="SMTPUTF8") as caught:
            await mailer.send(mail)
        await mailer.send(CODE)
    assert caught.value.reason is Reason.RECIPIENT
    assert server.connections == 1


async def test_size_is_told_and_kept(scripted, mailer_to):
    """A mail that is too large goes nowhere."""
    async with scripted(extensions=("SIZE 1000",)) as server, mailer_to(server.port, auth={}) as mailer:
        await mailer.send(CODE)
        with pytest.raises(MessageRejected, match="takes at most 1000"):
            await mailer.send(Email("zoe@example.com", "s", text="x" * 2000))
    assert server.heard[1].startswith("MAIL FROM:<noreply@example.com> SIZE=")


@pytest.mark.parametrize(
    "address",
    [
        "a@example.com\r\nRCPT TO:<evil@example.com>",
        "a@example.com> SIZE=1",
        "a@b.c, evil@example.com",
        '"a> RCPT"@example.com',
        "<a@b.c>",
        '"a\r\nDATA"@x.y',
        "a@b.c\n",
    ],
)
async def test_no_address_can_hold_a_command(scripted, mailer_to, address):
    """It is refused, or quoted within its brackets; one mail has one recipient."""
    async with scripted() as server, mailer_to(server.port) as mailer:
        try:
            await mailer.send(Message(address, "SignIn", {"code": "482913"}))
        except MessageRejected:
            assert not [line for line in server.heard if line.startswith("RCPT")]
        else:
            assert [line for line in server.heard if line.startswith("RCPT")] == [f"RCPT TO:<{address.strip('<>')}>"]
    assert not [line for line in server.heard if "evil" in line and line.startswith(("RCPT", "MAIL"))]


async def test_an_old_server_that_knows_helo_alone(scripted, mailer_to):
    """RFC 5321 section 3.2."""
    async with scripted({"EHLO": "502 what"}) as server, mailer_to(server.port, auth={}) as mailer:
        await mailer.send(CODE)
    assert [line.split(" ")[0] for line in server.heard[:2]] == ["EHLO", "HELO"]


# Refusals.


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ({"GREETING": "421 busy!"}, NotSent, Reason.PROVIDER), ({"GREETING": "554 no!"}, AccountError, Reason.PERMISSION),
        ({"EHLO": "550 5.7.1 bad helo"}, AccountError, Reason.CONFIG), ({"AUTH": "535 5.7.8 bad"}, AccountError, Reason.CREDENTIALS),
        ({"AUTH": "454 4.7.0 later"}, NotSent, Reason.PROVIDER), ({"MAIL": "553 5.7.1 not yours"}, AccountError, Reason.SENDER),
        ({"MAIL": "451 4.3.0 later"}, NotSent, Reason.PROVIDER), ({"RCPT": "550 5.1.1 unknown"}, MessageRejected, Reason.RECIPIENT),
        ({"RCPT": "450-4.2.0 two\r\n450 4.2.0 lines"}, NotSent, Reason.PROVIDER), ({"RCPT": "554 5.7.1 Relay access denied"}, AccountError, Reason.PERMISSION),
        ({"RCPT": "451 4.7.1 too many messages"}, Throttled, Reason.RATE), ({"DATA": "451 4.3.0 later"}, NotSent, Reason.PROVIDER),
        ({"DOT": "554 5.7.1 spam"}, MessageRejected, Reason.CONTENT), ({"DOT": "451 4.3.0 later"}, NotSent, Reason.PROVIDER),
        ({"DOT": "421 4.3.2 closing!"}, NotSent, Reason.PROVIDER), ({"DOT": "552 5.3.4 big"}, MessageRejected, Reason.CONTENT),
    ],
)  # fmt: skip
async def test_refusals_by_step(scripted, mailer_to, answers, kind, reason):
    """Each with code, status and the server's words."""
    error, server = await failed(scripted, mailer_to, answers)
    assert (type(error), error.reason) == (kind, reason)
    (said,) = answers.values()
    assert str(error.status) == said[:3]
    assert f"127.0.0.1:{server.port}" in error.hint


async def test_no_way_to_log_in(scripted, mailer_to):
    """The server offers none, or none that fits; the password is not tried."""
    async with scripted(extensions=("8BITMIME",)) as server, mailer_to(server.port) as mailer:
        with pytest.raises(AccountError, match="offers none") as caught:
            await mailer.send(CODE)
    assert caught.value.reason is Reason.CREDENTIALS
    async with scripted(extensions=("AUTH GSSAPI NTLM",)) as server, mailer_to(server.port) as mailer:
        with pytest.raises(AccountError, match="offers GSSAPI, NTLM"):
            await mailer.send(CODE)
    async with scripted() as server, mailer_to(server.port, auth={"user": "u"}) as mailer:
        with pytest.raises(AccountError, match=r"auth\.pass is missing"):
            await mailer.send(CODE)


async def test_a_repeated_password_is_struck_out(scripted, mailer_to):
    """Some servers quote the command that they did not like, in whole or in part."""

    for quoted in (
        "AHNhbmRib3gAc2FuZGJveC1wYXNzd29yZA==",
        "ahnhbmrib3gac2fuzgjvec1wyxnzd29yza",
        "c2FuZGJveC1wYXNz",
        "sandbox-password",
    ):
        error, _ = await failed(
            scripted, mailer_to, {"AUTH": f"535 5.7.8 bad command AUTH PLAIN {quoted} Authentication unsuccessful"}
        )
        assert quoted not in str(error)
        assert "Authentication unsuccessful" in error.detail


# Silence, cuts and nonsense, by step.

BEFORE = ["GREETING", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("step", BEFORE)
async def test_silence_before_the_mail_is_not_sent(scripted, mailer_to, step):
    """Nothing can have been accepted, and the answer comes within the time."""
    begun = time.monotonic()
    error, server = await failed(scripted, mailer_to, {step: None}, timeout=0.5)
    assert (type(error), error.reason) == (NotSentInTime, Reason.TIMEOUT)
    assert time.monotonic() - begun < 3
    assert server.mails == []


@pytest.mark.parametrize("step", BEFORE)
async def test_a_cut_before_the_mail_is_not_sent(scripted, mailer_to, step):
    """The same."""
    error, server = await failed(scripted, mailer_to, {step: "!"})
    assert isinstance(error, NotConnected)
    assert server.mails == []


@pytest.mark.parametrize("step", BEFORE)
@pytest.mark.parametrize(
    "nonsense",
    [
        "<html>hi</html>",
        "250-a\r\n550 b",
        "25",
        "2500 ok",
        "\x00\xff",
        "HTTP/1.1 400 Bad Request",
        "250 ok\r\n250 ok",
        "x" * 40000,
    ],
)
async def test_nonsense_before_the_mail_is_not_sent(scripted, mailer_to, step, nonsense):
    """What is no reply, or more than one, ends the connection."""
    error, server = await failed(scripted, mailer_to, {step: nonsense}, timeout=1)
    assert isinstance(error, NotSent | AccountError | MessageRejected), error
    assert not isinstance(error, OutcomeUnknown)
    assert server.mails == []


async def test_silence_after_the_final_dot_is_unknown(scripted, mailer_to):
    """The mail may have been accepted."""
    error, server = await failed(scripted, mailer_to, {"DOT": None}, timeout=0.5)
    assert (type(error), error.phase) == (NoAnswerInTime, Phase.DURING)
    assert len(server.mails) == 1


async def test_a_cut_after_the_final_dot_is_unknown(scripted, mailer_to):
    """The same."""
    error, _ = await failed(scripted, mailer_to, {"DOT": "!"})
    assert isinstance(error, ConnectionCut)


@pytest.mark.parametrize("nonsense", ["<html>ok</html>", "250-a\r\n550 b", "2500 ok", "354 go on", "251 what", "200 OK", "\x00"])
async def test_nonsense_after_the_final_dot_is_unknown(scripted, mailer_to, nonsense):
    """Nothing is taken for success but 250."""
    error, _ = await failed(scripted, mailer_to, {"DOT": nonsense}, timeout=1)
    assert isinstance(error, OutcomeUnknown)


async def test_a_server_that_stops_reading_has_not_got_the_mail(mailer_to):
    """The final dot never left, and never will: the connection is cut and not drained."""
    received = bytearray()
    cut, gone = asyncio.Event(), asyncio.Event()

    async def converse(reader, writer):
        for answer in (b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n"):
            writer.write(answer)
            await reader.readline()
        await gone.wait()
        try:
            while part := await reader.read(65536):
                received.extend(part)
        except ConnectionError:
            pass
        cut.set()
        writer.close()

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(converse, sock=listening, limit=1024)
    async with server, mailer_to(server.sockets[0].getsockname()[1], auth={}, timeout=2) as mailer:
        with pytest.raises(NotSentInTime, match="while it went out"):
            await mailer.send(Email("zoe@example.com", "s", text="x" * 900 + "\n" + ("y" * 900 + "\n") * 9000))
        gone.set()
        await asyncio.wait_for(cut.wait(), 5)
    assert not received.endswith(b"\r\n.\r\n")


async def test_time_outs_of_the_config(scripted, mailer_to):
    """In milliseconds, within the time of the message."""
    for step, setting in (("GREETING", "greetingTimeout"), ("MAIL", "socketTimeout")):
        begun = time.monotonic()
        error, _ = await failed(scripted, mailer_to, {step: None}, timeout=20, **{setting: 100})
        assert isinstance(error, NotSentInTime)
        assert time.monotonic() - begun < 10
    error, _ = await failed(scripted, mailer_to, {"DOT": None}, timeout=20, socketTimeout=100)
    assert isinstance(error, NoAnswerInTime)


async def test_cancellation_ends_the_connection(scripted, mailer_to):
    """At any step; no task is left, and the next mail has a connection of its own."""
    for step in (*BEFORE, "DOT"):
        async with scripted({step: [None]}) as server, mailer_to(server.port) as mailer:
            before = asyncio.all_tasks()
            sending = asyncio.ensure_future(mailer.send(CODE))
            while (
                not server.heard
                or (step != "DOT" and step not in server.heard[-1] and step != "GREETING")
                or (step == "DOT" and not server.mails)
            ):
                if step == "GREETING" and server.connections:
                    break
                await asyncio.sleep(0.01)
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending
            assert not {task for task in asyncio.all_tasks() - before if "converse" not in repr(task)}
            await mailer.send(CODE)
        assert server.connections == 2


async def test_nobody_there(mailer_to):
    """A closed port, a name that does not exist."""
    async with mailer_to(1) as mailer:
        with pytest.raises(NotConnected, match="refused the connection"):
            await mailer.send(CODE)
    async with mailer_to(587, host="smtp.invalid") as mailer:
        with pytest.raises(NotConnected, match="could not be resolved"):
            await mailer.send(CODE)


# The sandbox's server.

KINDS = {
    "unknown": MessageRejected, "no-mail": MessageRejected, "full": MessageRejected, "full-now": NotSent, "throttled": Throttled, "many": Throttled,
    "greylisted": NotSent, "busy": NotSent, "crash": NotSent, "no-room": NotSent, "relay": AccountError, "blocked": AccountError, "login": AccountError,
    "starttls": AccountError, "sender": AccountError, "quota": AccountError, "spam": MessageRejected, "large": MessageRejected, "later": NotSent,
    "garbage": OutcomeUnknown, "cut": ConnectionCut, "cut-after": ConnectionCut, "550-5.1.1": MessageRejected, "451": NotSent,
}  # fmt: skip


async def test_each_fault_of_the_sandbox_has_its_outcome(smtp):
    """As its documentation says, one after the other over one Mailer; and mail goes on after each."""
    assert set(FAULTS) - {"slow", "timeout"} <= set(KINDS)
    async with (
        Sandbox({SMTP: smtp.get_emulator()}) as sandbox,
        Mailer(smtp, sandbox.config(SMTP), templates=TEMPLATES, egress=Egress.ANY) as mailer,
    ):
        for recipient, kind in KINDS.items():
            with pytest.raises(SendError) as caught:
                await mailer.send(Message(f"{recipient}@example.com", "SignIn", {"code": "482913"}))
            assert type(caught.value) is kind, recipient
            assert recipient != "throttled" or caught.value.retry_after == 3
            await mailer.send(CODE)
    assert len(sandbox.inbox.messages("zoe@example.com")) == len(KINDS)
    assert [mail.to[0] for mail in sandbox.inbox if mail.to[0] != "zoe@example.com"] == ["cut-after@example.com"]


async def test_wrong_credentials(smtp):
    """Are told by the sandbox as servers do."""
    async with Sandbox({SMTP: smtp.get_emulator()}) as sandbox:
        config = sandbox.config(SMTP) | {"auth": {"user": "sandbox", "pass": "wrong-one"}}
        async with Mailer(smtp, config, templates=TEMPLATES, egress=Egress.ANY) as mailer:
            with pytest.raises(AccountError) as caught:
                await mailer.send(CODE)
    assert (caught.value.code, caught.value.reason) == ("5.7.8", Reason.CREDENTIALS)
