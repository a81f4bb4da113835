"""The table [alerts] of a file: what it may say, whose it is, and that it works without a line of Python."""

import json

import jsonschema
import pytest

import authmail
from authmail import ConfigError, Egress, Message, References
from authmail.delivery import Alerts, compose, file_schema
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

SECRET = "whsec_YSBzZWNyZXQgb2YgdHdlbnR5LWZvdXIgYnl0ZXMu"


@pytest.fixture
async def sandbox():
    """Two accounts."""
    async with Sandbox({"main": DirectMailEmulator(), "spare": DirectMailEmulator()}) as running:
        yield running


@pytest.fixture
def raw(sandbox, tmp_path):
    """A file whose first sender has a revoked key."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
    senders = {
        "main": {"connector": "aliyun-dm", "config": sandbox.config("main") | {"accessKeySecret": "revoked"}},
        "spare": {"connector": "aliyun-dm", "config": sandbox.config("spare")},
    }
    return {"templates": "templates", "senders": senders}


def problems(raw, folder, **options):
    with pytest.raises(ConfigError) as caught:
        compose(raw, folder, **options)
    return {problem.path: f"{problem.message} {problem.hint}" for problem in caught.value.problems}


async def test_an_operator_writes_no_code(raw, tmp_path, monkeypatch):
    """A command and a mail in Chinese hear of a revoked key; a person has the code all the same."""
    told = tmp_path / "told"
    mail = {"to": "ops@example.com", "sender": "spare"}
    raw |= {"defaultLocale": "zh-CN", "alerts": {"command": ["tee", str(told)], "mail": mail}}
    path = tmp_path / "authmail.json"
    path.write_text(json.dumps(raw))
    async with authmail.load(path) as delivery:
        receipt = await delivery.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert receipt.connector == "aliyun-direct-mail"
    alert = json.loads(told.read_text())
    assert (alert["alert"], alert["sender"], alert["reason"]) == ("account_error", "main", "credentials")


async def test_a_mail_of_an_alert_is_in_the_files_language(raw, tmp_path, sandbox):
    """Where authmail speaks it."""
    raw |= {"defaultLocale": "zh-CN", "alerts": {"mail": {"to": "ops@example.com", "sender": "spare"}}}
    async with compose(raw, tmp_path, egress=Egress.ANY, references=References()) as delivery:
        await delivery.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    mail = await sandbox.inbox.wait(to="ops@example.com")
    assert mail.subject == "邮件告警，main：账号或其设置被拒绝"


def test_without_the_table_the_log_is_told(raw, tmp_path):
    """By no way."""
    delivery = compose(raw, tmp_path, egress=Egress.ANY)
    (alerts,) = (part for part in delivery.inside if isinstance(part, Alerts))
    assert alerts.ways == ()


def test_every_problem_is_told_at_once(raw, tmp_path):
    """With its place in the file."""
    raw["alerts"] = {
        "webhook": {"url": "hooks.example.com", "secret": "not base64"},
        "mail": {"to": "ops", "sender": "spare"},
        "sms": "+1",
    }
    found = problems(raw, tmp_path, egress=Egress.ANY, references=References())
    assert found.keys() == {"alerts.webhook.url", "alerts.webhook.secret", "alerts.mail.to", "alerts.sms"}
    assert "not base64" not in str(found)


def test_the_mails_sender_is_one_of_the_file(raw, tmp_path):
    """By name."""
    raw["alerts"] = {"mail": {"to": "ops@example.com", "sender": "spar"}}
    assert problems(raw, tmp_path, egress=Egress.ANY) == {
        "alerts.mail.sender": "is not the name of a sender senders here: main, spare"
    }


def test_a_stranger_runs_no_program_and_reaches_no_host_of_ours(raw, tmp_path):
    """A config out of a database may be a tenant's admin's; its owner's file may say both."""
    raw["alerts"] = {"command": ["page"], "webhook": {"url": "http://127.0.0.1:9/alerts", "secret": SECRET}}
    found = problems(raw, tmp_path, egress=Egress.PUBLIC)
    assert found["alerts.command"] == "would run a program of this machine only its owner's file may say so"
    assert "egress policy" in found["alerts.webhook.url"]
    assert compose(raw, tmp_path, egress=Egress.ANY, references=References())


def test_the_secret_may_be_a_reference(raw, tmp_path, monkeypatch):
    """Of the owner's file alone."""
    raw["alerts"] = {"webhook": {"url": "https://hooks.example.com/mail", "secret": {"env": "AUTHMAIL_ALERT_SECRET"}}}
    monkeypatch.setenv("AUTHMAIL_ALERT_SECRET", SECRET)
    assert compose(raw, tmp_path, egress=Egress.ANY, references=References())
    assert "alerts.webhook.secret" in problems(raw, tmp_path, egress=Egress.ANY)
    monkeypatch.delenv("AUTHMAIL_ALERT_SECRET")
    assert "alerts.webhook.secret" in problems(raw, tmp_path, egress=Egress.ANY, references=References())


@pytest.mark.parametrize(
    ("table", "valid"),
    [
        ({"command": ["/usr/local/bin/page", "--team", "mail"]}, True),
        ({"webhook": {"url": "https://hooks.example.com/mail", "secret": {"env": "AUTHMAIL_ALERT_SECRET"}}}, True),
        ({"mail": {"to": "ops@example.com", "sender": "spare"}}, True),
        ({}, True),
        ({"command": "page --team mail"}, False),
        ({"webhook": {"url": "https://hooks.example.com/mail"}}, False),
        ({"sms": "+1"}, False),
    ],
)
def test_an_editor_knows_the_table(table, valid):
    """By the schema, which refuses what does not load."""
    senders = {"spare": {"connector": "http-email", "config": {"endpoint": "https://mail.example.com"}}}
    validator = jsonschema.Draft202012Validator(file_schema())
    assert validator.is_valid({"senders": senders, "alerts": table}) is valid
