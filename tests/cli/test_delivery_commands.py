import json
import re

import pytest
from click.testing import CliRunner

from authmail.cli import main

FILE = """
templates = "templates"

[senders.main]
connector = "aliyun-dm"
[senders.main.config]
accessKeyId = "sandbox-access-key"
accessKeySecret = "sandbox-secret"
accountName = "no-reply@mail.sandbox.example"
endpoint = "ENDPOINT"
[senders.spare]
connector = "aliyun-dm"
[senders.spare.config]
accessKeyId = "sandbox-access-key"
accessKeySecret = "wrong"
accountName = "no-reply@mail.sandbox.example"
endpoint = "ENDPOINT"

[delivery]
order = ["spare", "main"]
"""


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def file(tmp_path, served):
    """An authmail.toml for a sandbox that another loop serves."""
    (tmp_path / "templates" / "en").mkdir(parents=True)
    (tmp_path / "templates" / "en" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
    path = tmp_path / "authmail.toml"
    path.write_text(FILE.replace("ENDPOINT", served.endpoint("aliyun-direct-mail")))
    return path


def test_send_goes_through_the_whole_delivery(run, file, served):
    """The first sender's key is wrong, so the second one sends."""
    result = run("send", file, "--to", "zoe@example.com", "--json")
    assert result.exit_code == 0, result.output
    sent = json.loads(result.output)
    assert sent["sent"] is True
    assert {sender: error["reason"] for sender, error in sent["passed_over"].items()} == {"spare": "credentials"}
    assert served.inbox.messages("zoe@example.com")


def test_send_says_who_did_not_take_it(run, file):
    """An accepted mail hides no sender that fails."""
    result = run("send", file, "--to", "zoe@example.com")
    assert result.exit_code == 0
    assert "not by spare: account (credentials): the AccessKey secret" in result.output


def test_send_says_what_was_tried(run, file):
    """When nothing helped."""
    result = run("send", file, "--to", "quota@example.com")
    assert result.exit_code == 1
    assert re.search(
        r"tried: +spare: account \(credentials, \w+\)\n {18}main: account \(quota, InvalidQuota.Day\)\n", result.output
    )


def test_check_looks_at_every_sender(run, file):
    """With its name, its warnings and its templates; online it asks each, and one that cannot send is a problem."""
    result = run("check", file)
    assert result.exit_code == 0
    assert "sender main: usable by aliyun-direct-mail" in result.output
    assert "sender spare: usable by aliyun-direct-mail" in result.output
    found = json.loads(run("check", file, "--json").output)
    assert set(found["senders"]) == {"main", "spare"}
    assert result.output.count("OrganizationInvitation  no template") == 1
    assert "Templates: the same as for sender main" in result.output
    online = run("check", file, "--online")
    assert online.exit_code == 1
    assert "secret" in online.output


def test_check_tells_every_problem_with_its_place(run, file):
    """For people and for machines."""
    file.write_text(file.read_text().replace('accountName = "no-reply@mail.sandbox.example"', "", 1).replace("order", "ordre"))
    result = run("check", file)
    assert result.exit_code == 1
    assert "senders.main.config.accountName" in result.output
    assert "did you mean order?" in result.output
    assert {problem["path"] for problem in json.loads(run("check", file, "--json").output)["problems"]} == {
        "delivery.ordre",
        "senders.main.config.accountName",
    }


def test_preview_and_explain_send_nothing(run, file, served):
    """They say what would happen."""
    assert "000000 is your code" in run("preview", file).output
    result = run("explain", file, "--type", "OrganizationInvitation", "--ip", "192.0.2.1")
    assert result.exit_code == 0
    for words in ("spare, then main", "10 in 600 s", "stop"):
        assert words in result.output
    steps = json.loads(run("explain", file, "--json").output)["steps"]
    assert {"what": "template", "decision": "Generic, en", "why": "of this type"} in steps
    assert len(served.inbox) == 0


def test_check_and_explain_say_whose_messages_are_known(run, file):
    """Without a store it is this process's alone, which an operator of four workers must hear."""
    assert "Limits and repeats: in this process alone" in run("check", file).output
    explained = run("explain", file, "--to", "zoe@example.com", "--type", "SignIn").output
    assert [
        line.rpartition(", ")[2] for line in explained.splitlines() if line.startswith(("repeats", "limit per recipient"))
    ] == ["in this process"] * 2
    file.write_text(f'store = "authmail.db"\n{file.read_text()}')
    assert f"Limits and repeats: shared on this machine, in {file.parent / 'authmail.db'}" in run("check", file).output
    assert "in this process" not in run("explain", file, "--to", "zoe@example.com", "--type", "SignIn").output


def test_explain_takes_a_config_of_one_connector_too(run, tmp_path, raw):
    """Deadline and template are all there is to say."""
    path = tmp_path / "aliyun.json"
    path.write_text(json.dumps({"connector": "aliyun-dm", "config": raw}))
    steps = json.loads(run("explain", path, "--json").output)["steps"]
    assert [step["what"] for step in steps] == ["deadline", "template"]


def test_a_store_that_cannot_be_opened_is_a_problem(run, file):
    """By name."""
    file.write_text('store = "nowhere/authmail.db"\n' + file.read_text())
    result = run("send", file, "--to", "zoe@example.com")
    assert result.exit_code == 1
    assert "authmail.db cannot be used" in result.output


def test_schema_prints_the_schema(run):
    """With the connectors that are installed."""
    schema = json.loads(run("schema").output)
    assert "aliyun-direct-mail" in schema["properties"]["senders"]["additionalProperties"]["properties"]["connector"]["examples"]
