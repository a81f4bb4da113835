import json

import pytest
from click.testing import CliRunner

from authmail.cli import main

FILE = """
[senders.main]
connector = "http-email"
config = {{ endpoint = "https://mail.example.com", authorization = "Bearer token" }}

[senders.spare]
connector = "aliyun-dm"
config = {config}

[alerts]
command = ["{command}", "CANARY"]
mail = {{ to = "ops@example.com", sender = "spare" }}
"""


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def file(tmp_path, served):
    """Make a file with a command, and a sandbox that mails."""

    def make(command):
        endpoint = served.endpoint("aliyun-direct-mail")
        keys = f'accessKeyId = "sandbox-access-key", accessKeySecret = "sandbox-secret", endpoint = "{endpoint}"'
        config = f'{{ {keys}, accountName = "no-reply@mail.sandbox.example" }}'
        (tmp_path / "templates").mkdir()
        (tmp_path / "templates" / "Generic.html").write_text("<title>{{code}}</title><p>Hello, {{code}}.</p>")
        path = tmp_path / "authmail.toml"
        path.write_text('templates = "templates"\n' + FILE.format(config=config, command=command))
        return path

    return make


def test_says_who_is_told(run, file):
    """Nothing goes out; an argument of a command may be a secret."""
    result = run("alerts", file("true"))
    assert result.exit_code == 0
    assert [line.split(maxsplit=1) for line in result.output.splitlines()] == [
        ["WAY", "PLACE"],
        ["command", "true"],
        ["mail", "spare, o***@example.com"],
    ]


def test_a_test_goes_out_by_every_way(run, file, served):
    """And says what came of each."""
    result = run("alerts", file("true"), "--test", "--json")
    assert result.exit_code == 0, result.output
    assert [(way["way"], way["told"]) for way in json.loads(result.output)["ways"]] == [("command", True), ("mail", True)]
    (mail,) = served.inbox.messages("ops@example.com")
    assert mail.subject == "Mail alert, authmail: a test"


def test_a_way_that_fails_is_a_problem(run, file):
    """In the reader's language; the other ways are tried all the same."""
    result = run("alerts", file("false"), "--test", "--lang", "fr")
    assert result.exit_code == 1
    assert "la commande s’est terminée avec le code 1" in result.output
    assert "prévenu" in result.output


def test_check_shows_problems_of_alerts(run, file, tmp_path):
    """As every other one."""
    path = file("true")
    path.write_text(path.read_text().replace('sender = "spare"', 'sender = "spar"'))
    for command in ("check", "alerts"):
        result = run(command, path)
        assert result.exit_code == 1
        assert "alerts.mail.sender" in result.output


def test_a_file_without_the_table(run, file):
    """Says what to add."""
    path = file("true")
    path.write_text(path.read_text().partition("[alerts]")[0])
    result = run("alerts", path)
    assert result.exit_code == 0
    assert "a table [alerts] tells somebody" in result.output
