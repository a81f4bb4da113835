"""`authmail init`: what it writes can be read, in every format, of every connector."""

import json
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from authmail import connector_ids
from authmail.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.mark.parametrize("form", ["json", "toml"])
@pytest.mark.parametrize("connector", connector_ids())
def test_what_it_prints_can_be_read(run, connector, form):
    """The only problems are values that are still to be filled in, and both formats say the same."""
    text = run("init", connector, "--format", form, "--lang", "en", "--lang", "zh-CN").output
    Path(f"config.{form}").write_text(text, "utf-8")
    other = run("init", connector, "--lang", "en", "--lang", "zh-CN").output
    assert (tomllib.loads(text) if form == "toml" else json.loads(text)) == json.loads(other)
    checked = json.loads(run("check", f"config.{form}", "--json").output)
    assert {problem["message"] for problem in checked["problems"]} <= {"is not filled in yet"}


def test_templates_can_be_read_by_people(run):
    """In TOML line by line, without a backslash before each quote."""
    text = run("init", "aliyun-dm", "--format", "toml").output
    assert "content = '''<!doctype html>\n<html lang=\"en\">\n" in text
    assert '\\"' not in text


def test_output_is_a_file_of_the_owners_alone(run):
    """Its ending is its format; nothing is written over, not even the templates."""
    assert run("init", "aliyun-dm", "--output", "aliyun.toml").exit_code == 0
    assert tomllib.loads(Path("aliyun.toml").read_text("utf-8"))["connector"] == "aliyun-direct-mail"
    assert Path("aliyun.toml").stat().st_mode & 0o777 == 0o600
    again = run("init", "smtp", "--output", "aliyun.toml", "--templates", "mails")
    assert (again.exit_code, Path("mails").exists()) == (1, False)
    assert "aliyun.toml is there already; nothing was written" in again.output


def test_several_connectors_become_senders(run):
    """Of one authmail.toml, with one folder of templates; filled in, it is usable."""
    assert run("init", "aliyun-dm", "smtp", "smtp", "--output", "authmail.toml").exit_code == 0
    text = Path("authmail.toml").read_text("utf-8")
    data = tomllib.loads(text)
    assert (list(data["senders"]), data["templates"]) == (["aliyun-dm", "smtp", "smtp-2"], "templates")
    assert len(list(Path("templates/en").glob("*.html"))) == 9
    for label, value in (("AccessKey ID", "LTAI5t"), ("Host", "smtp.acme.example"), ("User", "u"), ("Password", "p")):
        text = text.replace(f"<{label}>", value)
    for label in ("AccessKey secret", "Sender address", "From"):
        text = text.replace(f"<{label}>", "no-reply@acme.example")
    Path("authmail.toml").write_text(text, "utf-8")
    result = run("check", "authmail.toml")
    assert result.exit_code == 0, result.output


def test_a_folder_is_named_as_the_file_sees_it(run):
    """Relative to the file, wherever the command runs."""
    Path("etc").mkdir()
    run("init", "resend", "--output", "etc/resend.json", "--templates", "mails")
    assert json.loads(Path("etc/resend.json").read_text("utf-8"))["templates"] == "../mails"
    assert run("preview", "etc/resend.json").exit_code == 0


def test_preview_works_at_once(run):
    """A mail needs templates alone; the From is shown as far as it is filled in."""
    run("init", "aliyun-dm", "--output", "aliyun.json")
    result = run("preview", "aliyun.json", "--type", "SignIn")
    assert result.exit_code == 0
    assert "From: Example <Sender address>\n" in result.output
    assert "Subject: 000000 is your sign-in code\n" in result.output
    assert "Not ready to send yet" in result.output
    Path("aliyun.json").write_text(Path("aliyun.json").read_text().replace("<Sender address>", "no-reply@acme.example"))
    assert "From: Example <no-reply@acme.example>\n" in run("preview", "aliyun.json").output


@pytest.mark.parametrize("connector", connector_ids())
def test_preview_works_at_once_with_every_connector(run, connector):
    """But with one that hands messages on, which writes no mail."""
    run("init", connector, "--output", "config.toml")
    result = run("preview", "config.toml", "--json")
    assert result.exit_code == (1 if connector == "http-email" else 0)


def test_asking_needs_a_terminal(run):
    """Else nobody could answer."""
    assert run("init", "aliyun-dm", "--ask").exit_code == 2


def test_it_asks_at_a_terminal(tmp_path):
    """What is required, secrets unseen; an answer that does not fit is asked for again, an empty one is left for later."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "authmail", "init", "aliyun-dm", "--ask", "--output", "aliyun.json"]
    environment = {**os.environ, "TERM": "dumb"}
    process = subprocess.Popen(
        command, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    )
    os.close(theirs)
    seen = ""
    for prompt, answer in (
        ("AccessKey ID", "LTAI…"),
        ("AccessKey ID", "LTAI5t"),
        ("AccessKey secret", "s3cr3t"),
        ("Sender address", ""),
    ):
        while f"{prompt}: " not in seen:
            seen += os.read(ours, 4096).decode()
        earlier, _, seen = seen.partition(f"{prompt}: ")
        assert "s3cr3t" not in earlier
        os.write(ours, f"{answer}\n".encode())
    assert process.wait(timeout=30) == 0
    os.close(ours)
    config = json.loads((tmp_path / "aliyun.json").read_text())["config"]
    assert (config["accessKeyId"], config["accessKeySecret"]) == ("LTAI5t", "s3cr3t")
    assert config["accountName"] == "<Sender address>"


def test_python_runs_the_package(tmp_path):
    """``python -m authmail`` is the command."""
    result = subprocess.run([sys.executable, "-m", "authmail", "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout.partition("\n")[0]) == (0, "Usage: authmail [OPTIONS] COMMAND [ARGS]...")
