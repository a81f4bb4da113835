"""The project's own promises: the README is right, and every room has its tests."""

import json
import re
import shlex
import subprocess
import sys
import threading
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

import authmail
from authmail.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/pytest -n auto"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run_python(code, **options):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120, check=False, **options
    )


def test_ci_runs_the_readmes_test_command():
    """Word for word."""
    assert TEST_COMMAND in (block.strip() for block in blocks(README, "console"))
    assert TEST_COMMAND in (ROOT / ".ci" / "run").read_text().splitlines()


def test_the_hosts_tour_runs(tmp_path):
    """The first snippet, as it stands."""
    result = run_python(blocks(README, "python")[0], cwd=tmp_path)
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert re.fullmatch(r"\d{18} [0-9A-F-]{36}", lines[0])
    assert lines[1].startswith("account quota ")
    assert lines[2] == "Sandbox <no-reply@mail.sandbox.example> | 123456 est votre code | 123456"


def test_the_tour_without_await_runs(tmp_path):
    """With `authmail sandbox` in another process, as the text says; its port is the only change."""
    command = [sys.executable, "-c", "from authmail.cli import main; main()", "sandbox", "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        text = ""
        while '"aliyun-direct-mail"' not in text or not text.endswith("  }\n}\n"):
            text += process.stdout.readline()
        endpoint = json.loads(text)["connectors"]["aliyun-direct-mail"]["endpoint"]
        snippet = blocks(README, "python")[1]
        assert "http://127.0.0.1:8026" in snippet
        result = run_python(snippet.replace("http://127.0.0.1:8026", endpoint), cwd=tmp_path)
        assert (result.stderr, result.stdout.strip().isdigit()) == ("", True)
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_the_admin_pages_tour_runs(tmp_path):
    """Form, problems, redaction and merge."""
    result = run_python(blocks(README, "python")[2], cwd=tmp_path)
    assert result.stderr == ""
    assert "accessKeySecret Text AccessKey secret True True" in result.stdout
    assert "did you mean cn-hangzhou?" in result.stdout
    assert result.stdout.splitlines()[-1] == "secret"


def test_the_operators_tour_runs(tmp_path, monkeypatch):
    """Each command of it, but `send`, which would reach the provider; values are filled in after `init`."""
    monkeypatch.chdir(tmp_path)
    lines = [line[2:] for block in blocks(README, "console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(lines) == 9
    Path("authmail.toml").write_text(blocks(README, "toml")[0], "utf-8")
    monkeypatch.setenv("AUTHMAIL_ALIYUN_SECRET", "secret")
    monkeypatch.setenv("AUTHMAIL_RESEND_KEY", "re_123456789")
    for line in lines:
        command, _, target = line.partition(" > ")
        if command.startswith("authmail send"):
            continue
        result = CliRunner().invoke(main, shlex.split(command)[1:], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        if target:
            Path(target).write_text(re.sub(r'"<[A-Z][^>]*>"', '"no-reply@example.com"', result.output), "utf-8")


def test_the_authors_tour_makes_a_connector(tmp_path):
    """Its files, installed by pip, give a connector that is found and sends over real HTTP."""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    (tmp_path / "authmail_acme").mkdir()
    (tmp_path / "pyproject.toml").write_text(blocks(README, "toml")[1])
    (tmp_path / "authmail_acme" / "metadata.json").write_text(blocks(README, "json")[0])
    (tmp_path / "authmail_acme" / "__init__.py").write_text(blocks(README, "python")[3])
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(tmp_path / "site"),
        str(tmp_path),
    ]
    subprocess.run(install, check=True, timeout=300, capture_output=True)
    received = []

    class Acme(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append((self.headers["Authorization"], json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            answer = b'{"id": "m-1"}'
            self.send_response(202)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Acme) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
from authmail import Egress, Message, Template
from authmail.sync import Mailer
config = {{"apiKey": "k", "fromEmail": "a@b.c", "endpoint": "http://127.0.0.1:{server.server_port}/"}}
mailer = Mailer("acme", config, templates=[Template("Generic", "s", "<b>{{{{code}}}}</b>")], egress=Egress.ANY)
print(mailer.send(Message("zoe@example.com", "SignIn", {{"code": "123456"}})).message_id)
mailer.close()
"""
        result = run_python(code)
        server.shutdown()
    assert (result.stderr, result.stdout) == ("", "m-1\n")
    assert received[0][0] == "Bearer k"
    assert received[0][1]["html"] == "<b>123456</b>"


def test_the_page_of_the_kits_rules_is_current():
    """It is written from the rules themselves."""
    script = [sys.executable, str(ROOT / ".ci" / "rules_page.py"), "--check"]
    result = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""


OURS = {point.name: point.module for point in entry_points(group="authmail.connectors") if point.dist.name == "authmail"}


def test_the_readmes_table_of_connectors_is_current():
    """It is written from what the connectors say of themselves."""
    script = [sys.executable, str(ROOT / ".ci" / "connectors_table.py"), "--check"]
    result = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    assert result.stderr == ""
    assert all(f"`{name}`" in README for name in OURS)


@pytest.mark.parametrize("connector", OURS)
def test_every_fault_of_the_sandbox_is_documented(connector):
    """Under the connector's heading, by its recipient or its code."""
    faults = authmail.get_connector(connector).get_emulator().faults
    page = (ROOT / "docs" / "sandbox.md").read_text("utf-8")
    section = page.partition(f"(`{connector}`)")[2].partition("\n### ")[0]
    for name, fault in faults.items():
        assert f"`{name}@…`" in section or f"`{fault.code}`" in section, name


@pytest.mark.parametrize("name", OURS)
def test_guides_name_every_setting(name):
    """In each language, and nothing that does not exist; the translations cover each setting."""
    connector = authmail.get_connector(name)
    keys = {item.key for item in connector.form_items}
    for language in ("en", "fr", "zh-CN"):
        assert {language, "en"} <= set(connector.metadata.readmes)
        guide = connector.metadata.readme(language)
        assert not [key for key in keys if f"`{key}`" not in guide]
    for language in ("fr", "zh-CN"):
        words = connector.metadata.translations
        assert {key for key in words if all(language in words[key][part] for part in ("label", "help"))} == keys
    assert connector.metadata.logo.startswith("data:image/svg+xml")


@pytest.mark.parametrize("language", ["en", "fr", "zh-CN"])
@pytest.mark.parametrize("name", OURS)
def test_configs_in_the_guides_are_valid(monkeypatch, name, language):
    """The example of each guide passes validation, its references resolved, and without a warning."""
    connector = authmail.get_connector(name)
    for block in blocks(connector.metadata.readme(language), "json"):
        example = json.loads(block)
        assert authmail.get_connector(example["connector"]).id == name
        for variable in re.findall(r'\{"env": "(AUTHMAIL_\w+)"\}', block):
            monkeypatch.setenv(variable, "whsec_d2hhdCB0aGUgcmVmZXJlbmNlIHBvaW50cyBhdA==")
        connector.validate_config(example["config"], references=authmail.References())
        assert not connector.warnings(example["config"], references=authmail.References())


def test_public_names_are_complete():
    """__all__ has what the package offers, and each name exists and has a docstring."""
    for name in authmail.__all__:
        value = getattr(authmail, name)
        assert value.__doc__ or name == "hookimpl", name
    assert authmail.__version__
    with pytest.raises(AttributeError):
        _ = authmail.nothing


#: What every connector has, below connectors/, metadata/authmail_metadata/ and tests/connectors/. SMTP has a mail in place
#: of a request, and replies in place of answers.
AGREED = {
    "connectors/authmail_{name}": ("__init__.py", "emulator.py", "py.typed"),
    "metadata/authmail_metadata/{name}": ("metadata.json", "README.md", "README.fr.md", "README.zh-CN.md", "logo.svg"),
    "tests/connectors/{name}": (
        "test_request.py|test_mail.py",
        "test_answers.py|test_replies.py",
        "test_emulator.py",
        "test_conformance.py",
        "exchanges",
    ),
}


def missing_of(identity, package, root):
    """Return what a connector lacks, each by its name."""
    name = package.removeprefix("authmail_")
    missing = []
    for folder, files in AGREED.items():
        place = folder.format(name=name)
        missing += [f"{place}/{file}" for file in files if not any((root / place / one).exists() for one in file.split("|"))]
    conformance = root / "tests" / "connectors" / name / "test_conformance.py"
    text = conformance.read_text("utf-8") if conformance.exists() else ""
    parts = ("(ConnectorConformance)", f'connector = "{identity}"')
    missing += [f"{conformance.name}: {part}" for part in parts if part not in text]
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    if not any(identity in page.read_text("utf-8") for page in pages if page.exists()):
        missing.append(f"a line about {identity} in README.md or docs/")
    return missing


@pytest.mark.parametrize("identity", OURS)
def test_every_connector_of_ours_has_the_agreed_files(identity):
    """Code, metadata in three languages, an emulator, tests, the conformance kit and a line in the docs."""
    assert missing_of(identity, OURS[identity], ROOT) == []
    connector = authmail.get_connector(identity)
    assert connector.get_emulator() is not None
    for phrases in (connector.metadata.name, connector.metadata.description, connector.metadata.readmes):
        assert {"en", "fr", "zh-CN"} <= set(phrases)


def test_a_connector_that_lacks_something_is_told_by_its_name(tmp_path):
    """Without any of it, everything is named."""
    missing = missing_of("acme-mail", "authmail_acme", tmp_path)
    assert "tests/connectors/acme/test_conformance.py" in missing
    assert "metadata/authmail_metadata/acme/README.zh-CN.md" in missing
    assert len(missing) == sum(map(len, AGREED.values())) + 3


def test_every_promise_names_a_test_that_there_is():
    """In docs/security.md."""
    named = re.findall(r"`(tests/[\w/.]+)::(test_\w+)`", (ROOT / "docs" / "security.md").read_text("utf-8"))
    assert len(named) >= 20
    assert [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text("utf-8")] == []
