"""Against servers and a client that we did not write: Postfix, its smtp-sink, aiosmtpd, nodemailer's, maildev, swaks."""

import asyncio
import email.policy
import json
import os
import pwd
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

import pytest

from authmail import (
    AccountError,
    Egress,
    Email,
    Mailbox,
    MessageRejected,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Receipt,
    SendError,
)
from authmail.sandbox import Sandbox
from authmail_smtp.emulator import SMTPEmulator

from .conftest import CODE, SMTP, TEMPLATES

# Debian has some of these where users' shells do not look.
PATHS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/lib/postfix/sbin"])
MAILDEV = Path(os.environ.get("AUTHMAIL_MAILDEV", Path(__file__).parent / "node_modules" / "maildev"))
POLYGLOT = Email(
    Mailbox("zoe@sandbox.example", "Müller, Zoë"), "您的验证码 482913 – à utiliser", html="<p>您好 <b>482913</b></p>", text="482913\n.\n..\nFrom here\n" + "x" * 2000,
    from_name='Acme "Mail", Inc. 太郎',
)  # fmt: skip


def program(name):
    """Find a program; without it the test is skipped, but never in CI."""
    found = shutil.which(name, path=PATHS)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed; .ci/run installs it")
    assert found, f"{name} is not installed"
    return found


def unused_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port, process=None):
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert process is None or process.poll() is None, "it ended"
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it does not answer")


@contextmanager
def running(*command, port):
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()


# Postfix: the server that most mail meets.


@pytest.fixture(scope="module")
def postfix(authority):
    """A Postfix of its own, with all its files in one folder; the machine's is not touched."""
    command = program("postfix")
    if os.geteuid() != 0:
        if not os.environ.get("CI"):
            pytest.skip("Postfix wants to be started by root")
        command = f"sudo -n {command}"
    with TemporaryDirectory(prefix="authmail-postfix-", ignore_cleanup_errors=True) as name:
        yield from _postfix(command.split(" "), Path(name), authority)


def _postfix(command, folder, authority):
    folder.chmod(0o755)  # its processes run as another user; pytest's own folders are closed to them
    owner = pwd.getpwnam("postfix")
    for name in ("conf", "queue", "data", "mail"):
        (folder / name).mkdir()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_and_cert_chain_pem.write_to_path(folder / "conf" / "tls.pem")
    port = unused_port()
    settings = {
        "compatibility_level": "3.6", "queue_directory": folder / "queue", "data_directory": folder / "data", "maillog_file": folder / "log",
        "maillog_file_prefixes": folder, "inet_protocols": "ipv4", "myhostname": "mx.sandbox.example", "mydestination": "", "mynetworks": "",
        "virtual_mailbox_domains": "sandbox.example", "virtual_mailbox_base": folder / "mail",
        "virtual_mailbox_maps": "inline:{ { zoe@sandbox.example = zoe/ } }", "virtual_minimum_uid": 1, "virtual_uid_maps": f"static:{owner.pw_uid}",
        "virtual_gid_maps": f"static:{owner.pw_gid}", "smtpd_recipient_restrictions": "reject_unauth_destination", "message_size_limit": 50000,
        "mailbox_size_limit": 0, "virtual_mailbox_limit": 0, "smtputf8_enable": "no", "smtpd_tls_chain_files": folder / "conf" / "tls.pem",
        "smtpd_tls_security_level": "may", "smtpd_sender_restrictions": "inline:{ { evil@example.com = REJECT not yours } }",
        "smtpd_hard_error_limit": 100, "smtpd_error_sleep_time": "0s", "smtpd_junk_command_limit": 1000,
    }  # fmt: skip
    settings["smtpd_sender_restrictions"] = "check_sender_access " + settings["smtpd_sender_restrictions"]
    (folder / "conf" / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    services = "postlog unix-dgram n - n - 1 postlogd|cleanup unix n - n - 0 cleanup|qmgr unix n - n 300 1 qmgr|rewrite unix - - n - - trivial-rewrite|"
    services += (
        "bounce unix - - n - 0 bounce|defer unix - - n - 0 bounce|trace unix - - n - 0 bounce|virtual unix - n n - - virtual|"
    )
    services += "error unix - - n - - error|retry unix - - n - - error|anvil unix - - n - 1 anvil|tlsmgr unix - - n 1000? 1 tlsmgr|proxymap unix - - n - - proxymap"
    lines = [f"127.0.0.1:{port} inet n - n - - smtpd", *services.split("|")]
    (folder / "conf" / "master.cf").write_text("\n".join(lines) + "\n")
    for name in ("data", "mail"):
        subprocess.run([*command[:-1], "chown", "postfix", str(folder / name)], check=True)
    run = [*command, "-c", str(folder / "conf")]
    started = subprocess.run([*run, "start"], check=False, capture_output=True, text=True, timeout=60)
    assert started.returncode == 0, (folder / "log").read_text() if (folder / "log").exists() else started.stderr
    try:
        wait_for(port)
        yield port, folder / "mail" / "zoe" / "new"
    finally:
        subprocess.run([*run, "stop"], check=False, capture_output=True, timeout=60)


@pytest.fixture
def to_postfix(postfix, mailer_to, authority):
    """A Mailer that sends to it, over STARTTLS."""
    change = {"host": "localhost", "auth": {}, "requireTLS": True, "tls": {"ca": authority.cert_pem.bytes().decode()}}
    return lambda **more: mailer_to(postfix[0], **change | more)


async def delivered(folder, message_id):
    for _ in range(200):
        for file in folder.iterdir() if folder.exists() else ():
            message = message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if message["Message-ID"] == message_id:
                return message
        await asyncio.sleep(0.05)
    raise AssertionError("it was not delivered")


async def test_postfix_delivers_what_was_sent(postfix, to_postfix):
    """Into a mailbox, over TLS; Python's parser reads it back as it was, and the queue id is the receipt's."""
    async with to_postfix() as mailer:
        receipt = await mailer.send(POLYGLOT)
        again = await mailer.send(Email("zoe@sandbox.example", "s", text="t"))
    message = await delivered(postfix[1], receipt.message_id)
    assert (message["Subject"], message["Return-Path"]) == (POLYGLOT.subject, "<noreply@example.com>")
    assert [(one.display_name, one.addr_spec) for one in message["From"].addresses] == [
        ('Acme "Mail", Inc. 太郎', "noreply@example.com")
    ]
    assert [(one.display_name, one.addr_spec) for one in message["To"].addresses] == [("Müller, Zoë", "zoe@sandbox.example")]
    assert message.get_body(("html",)).get_content().strip() == POLYGLOT.html
    assert message.get_body(("plain",)).get_content().strip() == POLYGLOT.text
    assert "with ESMTPS" in message["Received"]
    assert f"id {receipt.request_id}" in message["Received"]
    assert again.request_id != receipt.request_id


async def test_postfix_refuses(to_postfix):
    """In its own words: each is told apart, over one connection, and mail goes on after each."""
    refusals = [
        (Email("nobody@sandbox.example", "s", text="t"), MessageRejected, Reason.RECIPIENT),
        (Email("zoe@elsewhere.example", "s", text="t"), AccountError, Reason.PERMISSION),
        (Email("zoe@sandbox.example", "s", text="t", from_address="evil@example.com"), AccountError, Reason.SENDER),
        (Email("zoe@sandbox.example", "s", text="x\n" * 40000), MessageRejected, Reason.CONTENT),
        (Email("zoë@sandbox.example", "s", text="t"), MessageRejected, Reason.RECIPIENT),
    ]
    async with to_postfix() as mailer:
        for mail, kind, reason in refusals:
            with pytest.raises(SendError) as caught:
                await mailer.send(mail)
            assert (type(caught.value), caught.value.reason) == (kind, reason), caught.value
            assert (await mailer.send(Email("zoe@sandbox.example", "s", text="t"))).request_id
        assert len(mailer._client._idle) == 1


async def test_postfix_is_checked_online(postfix, smtp, raw, authority):
    """TLS, no login; a login that it does not offer is told."""
    change = {"host": "localhost", "port": postfix[0], "tls": {"ca": authority.cert_pem.bytes().decode()}}
    config = smtp.validate_config(raw | change | {"auth": {}}, templates=TEMPLATES)
    report = await smtp.check_account(config, egress=Egress.ANY)
    assert report.facts["TLS"] == "TLSv1.3"
    assert report.facts["Server"] == "mx.sandbox.example ESMTP Postfix"
    with pytest.raises(AccountError, match="logging in at localhost.* offers none"):
        await smtp.check_account(smtp.validate_config(raw | change, templates=TEMPLATES), egress=Egress.ANY)


# smtp-sink, with faults on demand.


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ([], Receipt), (["-f", "RCPT"], MessageRejected), (["-r", "RCPT"], NotSent), (["-r", "MAIL"], NotSent), (["-f", "MAIL"], AccountError), (["-q", "DATA"], NotConnected),
        (["-q", "MAIL"], NotConnected), (["-r", "."], NotSent), (["-f", "."], MessageRejected), (["-q", "."], OutcomeUnknown), (["-f", "CONNECT"], AccountError),
    ],
)  # fmt: skip
async def test_smtp_sink(mailer_to, options, kind):
    """Postfix's own test server: soft and hard refusals and cuts, by step."""
    port = unused_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with running(program("smtp-sink"), *options, *user, f"127.0.0.1:{port}", "10", port=port):
        async with mailer_to(port, auth={}) as mailer:
            try:
                result = await mailer.send(CODE)
            except SendError as error:
                result = error
    assert isinstance(result, kind), result


# aiosmtpd: another server, another parser.


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_aiosmtpd(mailer_to, raw):
    """With a login and SMTPUTF8; the wrong password is told."""
    from aiosmtpd import smtp

    received = []

    class Handler:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802 (aiosmtpd's name)
            received.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, envelope.smtp_utf8))
            return "250 OK"

    def authenticate(server, session, envelope, mechanism, data):
        return smtp.AuthResult(success=data.password == b"sandbox-password", handled=False)

    def factory():
        return smtp.SMTP(
            Handler(),
            auth_require_tls=False,
            authenticator=authenticate,
            auth_required=True,
            enable_SMTPUTF8=True,
            hostname="aiosmtpd",
        )

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, mailer_to(port) as mailer, mailer_to(port, auth={"user": "sandbox", "pass": "wrong-one"}) as wrong:
        await mailer.send(POLYGLOT)
        await mailer.send(Email("zoë@sandbox.example", "s", text="t"))
        with pytest.raises(AccountError) as caught:
            await wrong.send(CODE)
    assert (caught.value.code, caught.value.reason) == ("5.7.8", Reason.CREDENTIALS)
    assert [(sender, to, utf8) for sender, to, _, utf8 in received] == [
        ("noreply@example.com", ["zoe@sandbox.example"], False), ("noreply@example.com", ["zoë@sandbox.example"], True),
    ]  # fmt: skip
    message = message_from_bytes(received[0][2], policy=email.policy.default)
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n").strip() == POLYGLOT.text


# nodemailer's server, and aiosmtpd: other readers of logins.


@contextmanager
def nodemailers_server(kind):
    """Serve with one kind of login; afterwards the list has each login that it saw."""
    if not (MAILDEV.parent / "smtp-server").exists() and not os.environ.get("CI"):
        pytest.skip("smtp-server is not installed; .ci/run installs it")
    command = [program("node"), str(Path(__file__).parent / "login_server.cjs"), str(MAILDEV.parent), kind]
    logins = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline()), logins
        finally:
            process.terminate()
            logins += process.stdout.read().splitlines()


@pytest.mark.parametrize("kind", ["PLAIN", "LOGIN", "CRAM-MD5"])
async def test_nodemailers_server_takes_each_kind_of_login(mailer_to, kind):
    """The right password, and a wrong one, once."""
    with nodemailers_server(kind) as (port, logins):
        async with mailer_to(port) as mailer, mailer_to(port, auth={"user": "sandbox", "pass": "wrong-one"}) as wrong:
            await mailer.send(CODE)
            with pytest.raises(AccountError) as caught:
                await wrong.send(CODE)
    assert (caught.value.reason, caught.value.status) == (Reason.CREDENTIALS, 535)
    assert logins == [f"{kind} true", f"{kind} false"]


async def test_nodemailers_server_takes_a_token(mailer_to):
    """And tells in JSON why it takes another one not."""
    auth = {"type": "oauth2", "user": "sandbox", "accessToken": "sandbox-token"}
    with nodemailers_server("XOAUTH2") as (port, _):
        async with mailer_to(port, auth=auth) as mailer, mailer_to(port, auth=auth | {"accessToken": "t" * 2000}) as wrong:
            await mailer.send(CODE)
            with pytest.raises(AccountError) as caught:
                await wrong.send(CODE)
    assert caught.value.detail.endswith("(status 401, scope https://mail.example.com/)")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize(("without", "wanted"), [(["PLAIN"], ["LOGIN"]), (["LOGIN"], ["PLAIN"]), ([], ["PLAIN"])])
async def test_aiosmtpd_takes_each_kind_of_login(mailer_to, without, wanted):
    """Its LOGIN asks for User Name and Password, as the draft has it."""
    from aiosmtpd import smtp

    kinds = []

    def authenticate(server, session, envelope, mechanism, data):
        kinds.append(mechanism)
        return smtp.AuthResult(success=(data.login, data.password) == (b"sandbox", b"sandbox-password"), handled=False)

    def factory():
        return smtp.SMTP(
            object(), auth_require_tls=False, authenticator=authenticate, auth_required=True, auth_exclude_mechanism=without
        )

    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    async with server, mailer_to(server.sockets[0].getsockname()[1]) as mailer:
        await mailer.send(CODE)
    assert kinds == wanted


# maildev: reads the mail back with a parser of another language.


async def test_maildev_reads_the_mail_back(mailer_to, tmp_path):
    """Subject, names, text and HTML."""
    node, start = program("node"), MAILDEV / "dist" / "bin" / "maildev.js"
    if not start.exists() and not os.environ.get("CI"):
        pytest.skip("maildev is not installed; .ci/run installs it")
    port, web = unused_port(), unused_port()
    with running(
        node,
        str(start),
        "--smtp",
        str(port),
        "--web",
        str(web),
        "--ip",
        "127.0.0.1",
        "--mail-directory",
        str(tmp_path),
        port=port,
    ):
        async with mailer_to(port, auth={}, timeout=10) as mailer:
            receipt = await mailer.send(POLYGLOT)
        await asyncio.to_thread(wait_for, web)

        def read():
            with urlopen(Request(f"http://127.0.0.1:{web}/api/email")) as answer:
                return json.load(answer)

        mails = await asyncio.to_thread(read)
        while not mails:
            await asyncio.sleep(0.05)
            mails = await asyncio.to_thread(read)
    (mail,) = mails if isinstance(mails, list) else mails["emails"]
    assert mail["subject"] == POLYGLOT.subject
    assert mail["from"] == [{"address": "noreply@example.com", "name": 'Acme "Mail", Inc. 太郎'}]
    assert mail["to"] == [{"address": "zoe@sandbox.example", "name": "Müller, Zoë"}]
    assert mail["headers"]["message-id"] == receipt.message_id
    assert (mail["text"].strip(), mail["html"].strip()) == (POLYGLOT.text, POLYGLOT.html)


# swaks, a client, against the sandbox's server.


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        ([], 0, "250 2.0.0 ok: queued as"), (["--auth", "LOGIN", "-au", "sandbox", "-ap", "sandbox-password"], 0, "235 2.7.0"),
        (["--auth", "PLAIN", "-au", "sandbox", "-ap", "wrong"], 28, "535 5.7.8"), (["--to", "unknown@example.com"], 24, "550 5.1.1"),
        (["--to", "spam@example.com"], 26, "554 5.7.1"), (["--pipeline"], 0, "250 2.0.0 ok"),
    ],
)  # fmt: skip
async def test_swaks_may_use_the_sandbox(options, status, says):
    """Plain, with a login, pipelined; and refused as it should be."""
    command = program("swaks")
    async with Sandbox({SMTP: SMTPEmulator()}) as sandbox:
        config = sandbox.config(SMTP)
        server = [
            "--server",
            config["host"],
            "--port",
            str(config["port"]),
            "--from",
            "app@example.com",
            "--to",
            "zoe@example.com",
        ]
        process = await asyncio.create_subprocess_exec(
            command, *server, *options, "--body", "Your code is 482913", stdout=-1, stderr=-2
        )
        output, _ = await process.communicate()
    assert (process.returncode, says in output.decode()) == (status, True), output.decode()
    assert [mail.code for mail in sandbox.inbox] == (["482913"] if status == 0 else [])
