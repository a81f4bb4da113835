import asyncio
import json

import pytest
from click.testing import CliRunner

from authmail import AccountError, Egress, NotSent, SendError
from authmail.cli import main
from authmail.templates.samples import starter_templates

from .conftest import TEMPLATES


@pytest.fixture
def check(smtp, raw):
    async def ask(port, *, timeout=2.0, **change):
        config = smtp.validate_config(raw | {"port": port} | change, templates=TEMPLATES)
        return await smtp.check_account(config, egress=Egress.ANY, timeout=timeout)

    return ask


async def test_connects_negotiates_logs_in_and_quits(scripted, check, server_tls, authority):
    """And says what it saw; no mail is begun."""
    pem = authority.cert_pem.bytes().decode()
    async with scripted(tls=server_tls, extensions=("AUTH PLAIN", "SIZE 1000000")) as server:
        report = await check(server.port, host="localhost", tls={"ca": pem})
    assert [line.split(" ")[0] for line in server.heard] == ["EHLO", "STARTTLS", "EHLO", "AUTH", "QUIT"]
    assert report.facts["TLS"].startswith("TLSv1.")
    assert (report.facts["Login"], report.facts["Server"], report.facts["Largest mail"]) == (
        "sandbox (PLAIN)",
        "scripted ESMTP",
        "1,000,000 bytes",
    )
    assert report.facts["SMTPUTF8"].startswith("no")
    assert report.warnings == ()


async def test_warns_where_there_is_no_tls(scripted, check):
    """On loopback it is let through."""
    async with scripted() as server:
        report = await check(server.port, auth={})
    assert (report.facts["TLS"], report.facts["Login"]) == ("none", "none, a relay")
    assert [warning.path for warning in report.warnings] == ["secure"]


@pytest.mark.parametrize(
    ("answers", "step"),
    [
        ({"GREETING": "554 no!"}, "waiting for the greeting"), ({"GREETING": None}, "waiting for the greeting"), ({"EHLO": "550 no"}, "greeting the server (EHLO)"),
        ({"AUTH": "535 5.7.8 no"}, "logging in"), ({"AUTH": "!"}, "logging in"),
    ],
)  # fmt: skip
async def test_names_the_step_that_failed(scripted, check, answers, step):
    """With host and port."""
    async with scripted(answers) as server:
        with pytest.raises(SendError) as caught:
            await check(server.port, timeout=0.5)
    assert caught.value.hint.startswith(f"{step} at 127.0.0.1:{server.port}: ")


async def test_names_what_is_missing(scripted, check):
    """STARTTLS, and the port itself."""
    async with scripted() as server:
        with pytest.raises(AccountError, match="negotiating TLS"):
            await check(server.port, requireTLS=True)
    with pytest.raises(NotSent, match="refused the connection"):
        await check(1)


async def test_the_command_line_may_allow_a_relay_without_tls(scripted, raw, tmp_path, monkeypatch):
    """With --plain; otherwise it is told how."""
    # Loopback is the only network here, so what is loopback is taken away.
    monkeypatch.setattr(Egress, "allows_plain", lambda self, address: self.plain)
    templates = [template.to_dict() for template in starter_templates() if template.locale == "en"]
    async with scripted() as server:
        file = tmp_path / "smtp.json"
        config = raw | {"port": server.port, "auth": {}, "templates": templates}
        file.write_text(json.dumps({"connector": "smtp", "config": config}))
        for command in (["check", str(file), "--online"], ["send", str(file), "--to", "zoe@example.com"]):
            refused = await asyncio.to_thread(CliRunner().invoke, main, command)
            assert (refused.exit_code, "--plain" in refused.output) == (1, True), refused.output
            allowed = await asyncio.to_thread(CliRunner().invoke, main, [*command, "--plain"])
            assert allowed.exit_code == 0, allowed.output
    assert len(server.mails) == 1
