import json
import re
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from authmail import connector_ids
from authmail.cli import main
from authmail_aliyun_dm.emulator import DirectMailEmulator

ALIYUN = "aliyun-direct-mail"


@pytest.fixture
def run():
    return lambda *arguments, **options: CliRunner().invoke(
        main, [str(argument) for argument in arguments], catch_exceptions=False, **options
    )


@pytest.fixture
def config(tmp_path, raw):
    """Write a config file; gives its path."""

    def write(change=None, **wrapper):
        path = tmp_path / "aliyun.json"
        path.write_text(json.dumps({"connector": "aliyun-dm", "config": raw | (change or {})} | wrapper), "utf-8")
        return path

    return write


#: Each command as it is typed, those of groups too.
GROUPS = {name: command for name, command in main.commands.items() if isinstance(command, click.Group)}
COMMANDS = [name for name in main.commands if name not in GROUPS]
COMMANDS += [f"{name} {inner}" for name, group in GROUPS.items() for inner in group.commands]


@pytest.mark.parametrize("command", ["", *GROUPS, *COMMANDS])
def test_help_has_an_example(run, command):
    """Every command explains itself, with an example, and ends with 0."""
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert re.search(r"^ +authmail \w+", result.output, re.MULTILINE)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"init", "key new", "worker"}))
def test_machines_can_read(run, command):
    """Every command has --json; init and key new print what is to be kept, and a worker goes on."""
    assert "--json" in run(*command.split(), "--help").output


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info"],
        ["info", "nope"],
        ["check", "/nowhere.json"],
        ["send", "/dev/null"],
        ["init", "aliyun-dm", "--format", "yaml"],
        ["init", "aliyun-dm", "--lang", "tlh"],
    ],
)
def test_wrong_usage_is_two(run, arguments):
    """And says what would be right."""
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.output


def test_connectors(run):
    """A table, or JSON."""
    result = run("connectors")
    assert result.exit_code == 0
    assert re.search(r"aliyun-direct-mail +aliyun-dm +Aliyun Direct Mail +authmail \d", result.output)
    assert json.loads(run("connectors", "--json").output)["connectors"][0]["id"] == ALIYUN


def test_names_stay_whole_in_narrow_terminals(run, monkeypatch):
    """What people copy is not broken at its hyphens."""
    monkeypatch.setenv("COLUMNS", "60")
    output = run("info", "aliyun-dm").output
    assert not re.search(r"(?m)^ .*\w-$", output.partition("# Aliyun")[0])


@pytest.mark.parametrize(("no_color", "colored"), [("1", False), ("", True)])
def test_no_color(run, no_color, colored):
    """Whoever sets NO_COLOR reads no escape sequences, in a terminal neither."""
    output = run("info", "aliyun-dm", color=True, env={"NO_COLOR": no_color}).output
    assert ("\x1b[" in output) is colored


def test_info(run):
    """Settings, types and guide, in the nearest language."""
    result = run("info", "aliyun-dm", "--lang", "fr-CA")
    assert "Aliyun fournit des services de cloud computing aux entreprises en ligne." in result.output
    assert re.search(r"accessKeySecret +Text +yes +yes\n +Secret AccessKey", result.output)
    assert "OrganizationInvitation    link, organization, inviter" in result.output
    assert "## 8. Erreurs courantes" in result.output
    data = json.loads(run("info", "aliyun-dm", "--json").output)
    assert (data["id"], data["jsonSchema"]["type"]) == (ALIYUN, "object")


@pytest.mark.parametrize("form", ["json", "toml"])
@pytest.mark.parametrize("languages", [[], ["--lang", "fr"], ["--lang", "en", "--lang", "zh-CN"]])
def test_init_makes_a_file_to_fill_in(run, tmp_path, form, languages):
    """What is left to fill in is found by check; once filled in, it is usable and every type is served."""
    text = run("init", "aliyun-dm", "--format", form, *languages).output
    data = json.loads(text) if form == "json" else tomllib.loads(text)
    assert len(data["config"]["templates"]) == 9 * max(1, len(languages) // 2)
    path = tmp_path / f"aliyun.{form}"
    path.write_text(text, "utf-8")
    result = run("check", path)
    assert result.exit_code == 1
    assert result.output.count("is not filled in yet") == 3
    for label, value in (
        ("AccessKey ID", "key"),
        ("AccessKey secret", "secret"),
        ("Sender address", "no-reply@mail.example.com"),
    ):
        text = text.replace(f"<{label}>", value)
    path.write_text(text, "utf-8")
    result = run("check", path)
    assert result.exit_code == 0, result.output
    assert "1 warning\n  fromAlias  is still the example\n" in result.output
    path.write_text(text.replace('"Example"', '"Acme"'), "utf-8")
    assert "warning" not in run("check", path).output
    assert re.search(r"OrganizationInvitation +\w", result.output)


def test_init_writes_a_folder(run, tmp_path, monkeypatch):
    """Templates that are files can be read and edited; what is there already is never written over."""
    monkeypatch.chdir(tmp_path)
    arguments = ["init", "resend", "--format", "toml", "--lang", "fr", "--lang", "en-GB", "--templates", "mails"]
    data = tomllib.loads(run(*arguments).output)
    assert data == {"connector": "resend-mail", "templates": "mails", "config": {"apiKey": "<API key>", "from": "<From>"}}
    assert len(list(Path("mails").glob("*/*.html"))) == 18
    Path("resend.json").write_text(json.dumps(data | {"config": {"apiKey": "re_x", "from": "no-reply@mail.example.com"}}))
    result = run("check", "resend.json")
    assert (result.exit_code, "warning" in result.output) == (0, False)
    assert re.search(r"MfaVerification +en +en +fr", result.output)
    Path("mails/en/SignIn.html").write_text("edited")
    again = run(*arguments)
    assert (again.exit_code, Path("mails/en/SignIn.html").read_text()) == (1, "edited")
    assert "is there already; nothing was written" in again.output
    assert run("init", "http-email", "--templates", "mails").exit_code == 2


def test_check_tells_every_problem(run, config):
    """With path and hint; exit code 1; no secret."""
    path = config({"regionId": "cn-hangzho", "fromAlias": "x" * 16, "accessKeySecret": ["s-canary"], "templates": []})
    result = run("check", path)
    assert result.exit_code == 1
    assert "7 problems" in result.output
    assert "did you mean cn-hangzhou?" in result.output
    assert "canary" not in result.output
    data = json.loads(run("check", path, "--json").output)
    assert not data["valid"]
    assert [problem["path"] for problem in data["problems"]] == ["accessKeySecret", "fromAlias", "regionId", *["templates"] * 4]


def test_check_shows_who_is_served(run, config, raw):
    """Warnings, and the table of types and languages."""
    templates = [
        *raw["templates"],
        {
            "usageType": "SignIn",
            "subject": "{{application.name}} {{x}}",
            "content": "{{code}}",
            "locale": "fr",
            "sendFrom": "A <a@b.c>",
        },
    ]
    result = run("check", config({"fromAllias": "x", "templates": templates}))
    assert result.exit_code == 0
    assert "did you mean fromAlias?" in result.output
    assert "templates[4].sendFrom  holds an address, which has no effect" in result.output
    assert re.search(r"SignIn +all languages +fr\*", result.output)
    assert re.search(r"OrganizationInvitation +none +none", result.output)
    assert result.output.count("  OrganizationInvitation  no template") == 1
    assert run("check", config({"templates": raw["templates"]})).output.count("TYPE                      any language\n") == 1
    assert "* SignIn: will be empty unless the payload has x" in result.output
    cells = json.loads(run("check", config({"templates": templates}), "--json").output)["coverage"]
    assert {
        "usageType": "SignIn",
        "locale": "fr",
        "template": {"usageType": "SignIn", "locale": "fr"},
        "unfilled": ["x"],
        "strangers": ["application.name"],
        "problem": None,
    } in cells


def test_check_online(run, config, served):
    """Asks the provider; a wrong key is exit code 1."""
    endpoint = {"endpoint": served.endpoint(ALIYUN)}
    result = run("check", config(endpoint), "--online")
    assert result.exit_code == 0
    assert re.search(r"Daily quota: +2000", result.output)
    result = run("check", config(endpoint | {"accessKeySecret": "wrong-canary"}), "--online")
    assert result.exit_code == 1
    assert "SignatureDoesNotMatch" in result.output
    assert "canary" not in result.output
    data = json.loads(run("check", config(endpoint), "--online", "--json").output)
    assert data["account"]["facts"]["Daily quota"] == "2000"


def test_preview(run, config, raw):
    """Headers and text, one part alone, or JSON; nothing is sent."""
    path = config(
        {
            "templates": [
                *raw["templates"],
                {"usageType": "Invite", "subject": "Join {{organization.name}}", "content": "<p>{{link}}</p>"},
            ]
        }
    )
    result = run("preview", path, "--type", "SignIn", "--payload", "code=482913", "--locale", "fr-CA")
    assert result.exit_code == 0
    assert "Template: SignIn, all languages\n" in result.output
    assert "Subject: 482913 for SignIn" in result.output
    assert "Hello, your SignIn code is 482913." in result.output
    arguments = ["--type", "Invite", "--payload", "organization.name=Acme", "--payload", "link=https://x.y"]
    assert run("preview", path, *arguments, "--html").output == "<p>https://x.y</p>\n"
    assert run("preview", path, *arguments, "--text").output == "https://x.y\n"
    assert json.loads(run("preview", path, *arguments, "--json").output)["subject"] == "Join Acme"
    assert run("preview", path, "--payload", "code").exit_code == 2
    assert run("preview", path, "--payload", "code.x=1").exit_code == 2


def test_preview_says_which_template_serves(run, config):
    """A mistyped usage type is not silently a Generic mail."""
    assert (
        "Template: Generic, all languages (there is none for BindMfa)\n" in run("preview", config(), "--type", "BindMfa").output
    )
    assert json.loads(run("preview", config(), "--json").output)["template"] == {"usageType": "Generic", "locale": None}


def test_preview_of_what_cannot_be_sent(run, config):
    """Exit code 1 and the reason."""
    result = run("preview", config(), "--type", "OrganizationInvitation")
    assert result.exit_code == 1
    assert "needs code" in result.output
    assert "was not sent" not in result.output  # nothing was to be


def test_send(run, config, served):
    """Prints the ids; the mail is there."""
    path = config({"endpoint": served.endpoint(ALIYUN)})
    result = run("send", path, "--to", "zoe@example.com", "--type", "SignIn", "--payload", "code=482913")
    assert result.exit_code == 0
    mail = next(iter(served.inbox))
    assert mail.code == "482913"
    assert re.search(r"message id: +\d{18}\n +request id: +[0-9A-F-]{36}", result.output)
    data = json.loads(run("send", path, "--to", "zoe@example.com", "--json").output)
    assert data["sent"]
    assert data["connector"] == ALIYUN


@pytest.mark.parametrize(
    ("to", "says"),
    [
        (
            "throttled@example.com",
            ["throttled: too many calls", "Throttling.User", "3 s", "The mail was not sent. It can be sent again"],
        ),
        ("quota@example.com", ["account:", "InvalidQuota.Day", "No mail of this account will be"]),
        ("nobody", ["rejected:", "not one single address", "Sending it again as it is will not help"]),
        ("html@example.com", ["unknown:", "502", "Sending it again may send it twice"]),
    ],
)
def test_send_tells_what_happened(run, config, served, to, says):
    """Outcome, the provider's code, hint, and what certainly did not happen; exit code 1."""
    path = config({"endpoint": served.endpoint(ALIYUN)})
    result = run("send", path, "--to", to)
    assert result.exit_code == 1
    assert not [text for text in says if text not in result.output]
    assert json.loads(run("send", path, "--to", to, "--json").output)["sent"] is False


def test_a_file_may_name_a_folder_of_templates(run, config, tmp_path):
    """Relative to the file; the config then needs none of its own."""
    (tmp_path / "mails" / "fr").mkdir(parents=True)
    (tmp_path / "mails" / "fr" / "Generic.html").write_text("<title>Dossier {{code}}</title>")
    path = config({"templates": None}, templates="mails")
    assert run("check", path).exit_code == 0
    assert "Subject: Dossier 000000" in run("preview", path).output
    result = run("check", config({"templates": None}, templates="nowhere"))
    assert result.exit_code == 1
    assert "is not a folder" in result.output


def test_logtos_json_alone(run, tmp_path, raw):
    """With --connector; without it the file names none."""
    path = tmp_path / "logto.json"
    path.write_text(json.dumps(raw))
    assert run("check", path, "--connector", "aliyun-dm").exit_code == 0
    result = run("check", path)
    assert result.exit_code == 1
    assert "names no connector" in result.output
    assert CliRunner().invoke(main, ["check", "-", "--connector", "aliyun-dm"], input=json.dumps(raw)).exit_code == 0


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"connector": "aliyun-dm"}, "accessKeyId  is required"),
        (
            {"connector": "aliyun-dm", "config": {}, "template": "x"},
            "template  is not known here\n      did you mean templates?",
        ),
        ({"connector": "aliyun-dn", "config": {}}, "did you mean aliyun-dm?"),
    ],
)
def test_a_wrapper_with_something_wrong_is_told(run, tmp_path, data, says):
    """What is missing, misspelt or unknown in it."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(data))
    result = run("check", path)
    assert result.exit_code != 0
    assert says in result.output


@pytest.mark.parametrize("text", ['{"a": ', "a = ", "\udcff", "[]", "5"])
def test_a_broken_file_is_told(run, tmp_path, text):
    """With line and column, and nothing of its text."""
    path = tmp_path / "broken.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = run("check", path)
    assert result.exit_code == 1
    assert "broken.json" in result.output


def test_secrets_may_stay_in_the_environment(run, config, monkeypatch):
    """A file's owner may refer to them."""
    path = config({"accessKeySecret": {"env": "AUTHMAIL_TEST_SECRET"}})
    assert "the variable AUTHMAIL_TEST_SECRET is not set" in run("check", path).output
    monkeypatch.setenv("AUTHMAIL_TEST_SECRET", "canary")
    result = run("check", path)
    assert (result.exit_code, "canary" in result.output) == (0, False)


def test_demo(run):
    """Five mails in several languages arrive as composed, the two failures are told, and every connector delivers."""
    result = run("demo")
    assert result.exit_code == 0, result.output
    for text in (
        "482913 est votre code de connexion",
        "730164 是您的注册验证码",
        "Acme & Sons",
        "accepted, message id",
        "Throttling.User",
        "the AccessKey secret is wrong",
    ):
        assert text in result.output
    assert "All 5 mails arrived as composed" in result.output
    entries = json.loads(run("demo", "--json").output)
    assert all(entry["as_composed"] for entry in entries)
    swapped = [entry["arrived"] for entry in entries[7:]]
    assert [mail["connector"] for mail in swapped] == connector_ids()
    assert {mail["code"] for mail in swapped} == {"640218"}


def test_demo_fails_if_a_mail_does_not_arrive(run, monkeypatch):
    """Exit code 1 if what arrived is not what was composed."""
    read = DirectMailEmulator.read
    monkeypatch.setattr(DirectMailEmulator, "read", lambda *asked: {**read(*asked), "subject": "other"})
    result = run("demo")
    assert result.exit_code == 1
    count = 7 + len(connector_ids())
    assert f"5 of {count} did not go as they should" in result.output


def test_a_connector_that_hands_messages_on_needs_no_templates(run, tmp_path):
    """`check` asks for none, and `preview` says who writes the mail."""
    path = tmp_path / "http.json"
    config = {"endpoint": "https://mail.example.com/send", "authorization": "Bearer t"}
    path.write_text(json.dumps({"connector": "http-email", "config": config}))
    result = run("check", str(path))
    assert (result.exit_code, "warning" in result.output) == (0, False)
    assert "their receiver writes the mails" in result.output
    checked = json.loads(run("check", str(path), "--json").output)
    assert (checked["warnings"], checked["coverage"]) == ([], [])
    result = run("preview", str(path))
    assert result.exit_code == 1
    assert "the mail is written by its receiver" in result.output


def test_strangers_words_are_listed(run, config):
    """Which placeholders hold what somebody typed who signed up; codes and links are the host's own."""
    kinds = ("SignIn", "Register", "ForgotPassword", "Generic")
    templates = [{"usageType": kind, "subject": "x", "content": "{{code}} {{user.name}} {{organization.name}}"} for kind in kinds]
    invitation = {"usageType": "OrganizationInvitation", "subject": "x", "content": "{{link}} {{organization.name}}"}
    file = config({"templates": [*templates, invitation]})
    line = "words of strangers, made harmless (see docs/templates.md): "
    assert f"{line}organization.name\n" in run("preview", file, "--type", "OrganizationInvitation").stdout
    assert json.loads(run("preview", file, "--type", "SignIn", "--json").stdout)["strangers"] == ["organization.name"]
    assert re.search(rf"{re.escape(line)}[\w., ]*organization\.name", run("check", file).stdout)
    cells = json.loads(run("check", file, "--json").stdout)["coverage"]
    assert {tuple(cell["strangers"]) for cell in cells} >= {("organization.name",)}
