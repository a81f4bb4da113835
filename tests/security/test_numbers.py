"""G5: a number from outside is one to twelve digits, 0 to 9; anything else is a clear answer and never a crash."""

import asyncio

import pytest
from attacks import CODE, SMTP, TEMPLATES

import authmail
from authmail import Egress, Mailer, Message, SendError, checks

STRANGE = ["9" * 5000, "٣٠٠", "１２３", "-1", "1e5", "", " 5", "5\n", "1_000", "²"]


@pytest.mark.parametrize("text", STRANGE)
def test_a_strange_number_is_none(text):
    """Whatever int() would make of it."""
    assert checks.read_number(text) is None
    assert checks.read_number("000000000012") == 12


@pytest.mark.parametrize("size", [text for text in STRANGE if text.strip() != "5"])
async def test_a_server_may_announce_any_size(size):
    """A size that is none counts as none, and the mail goes out."""

    async def serve(reader, writer):
        writer.write(b"220 x\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                said = f"250-x\r\n250 SIZE {size.strip()}\r\n"
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                said = "250 2.0.0 queued as ABC123\r\n"
            else:
                said = "221 bye\r\n" if verb == b"QUIT" else "250 2.0.0 ok\r\n"
            writer.write(said.encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    raw = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "auth": {}, "fromEmail": "a@b.co"}
    async with server, Mailer(SMTP, raw, templates=TEMPLATES, egress=Egress.ANY) as mailer:
        try:
            await mailer.send(CODE)
        except SendError as error:
            assert "bug" not in error.hint  # a line longer than a reply may be is told as one
        connector = authmail.get_connector(SMTP)
        try:
            report = await connector.check_account(connector.validate_config(raw, templates=TEMPLATES), egress=Egress.ANY)
            assert "Largest mail" not in report.facts
        except SendError as error:
            assert "bug" not in error.hint


@pytest.mark.parametrize("payload", [{"code": 10**5000}, {"code": "1", "user": {"age": -(10**5000)}}, {"code": [10**5000]}])
async def test_a_huge_number_of_a_payload_is_a_clear_answer(payload):
    """Python refuses to print it; the message is refused or sent, and nobody is blamed for a bug."""
    raw = {"host": "127.0.0.1", "port": 9, "auth": {}, "fromEmail": "a@b.co"}
    async with Mailer(SMTP, raw, templates=TEMPLATES, egress=Egress.ANY) as mailer:
        with pytest.raises((SendError, ValueError, TypeError)) as caught:
            await mailer.send(Message("zoe@example.com", "SignIn", payload))
    assert "bug" not in str(caught.value)
    assert isinstance(caught.value, SendError), repr(caught.value)
