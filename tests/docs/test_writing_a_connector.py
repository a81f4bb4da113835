"""docs/writing-a-connector.md, followed: its files make a package that is found, tested, tried and built."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from authmail.cli.new_connector import package_files

PAGE = (Path(__file__).parents[2] / "docs" / "writing-a-connector.md").read_text("utf-8")
AUTHMAIL = [sys.executable, "-W", "error", "-c", "from authmail.cli import main; main()"]
NAMED = re.compile(r"^```(?:python|toml)\n# (?P<path>[\w./]+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
AFTER_ITS_NAME = re.compile(r"^`(?P<path>[\w./]+)`:\n\n```\w+\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
WRITTEN = package_files("acme-mail", "Acme")
FILES = {block["path"]: block["text"] for pattern in (NAMED, AFTER_ITS_NAME) for block in pattern.finditer(PAGE)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder that a reader has after section 1, with all files."""
    root = tmp_path_factory.mktemp("acme")
    for name, text in WRITTEN.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root


@pytest.fixture(scope="module")
def wheel(folder):
    """The page's build command."""
    assert "`python -m hatchling build`" in PAGE
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=folder, check=True, timeout=120, capture_output=True)
    return next((folder / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def run(folder, wheel, tmp_path_factory):
    """Run a command with the built package installed."""
    site = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, timeout=120, capture_output=True)

    def command(*arguments, **options):
        environment = os.environ | {"PYTHONPATH": str(site), "PYTEST_ADDOPTS": ""}
        return subprocess.run(
            arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False, **options
        )

    command.environment = os.environ | {"PYTHONPATH": str(site)}
    return command


def test_the_files_are_those_of_new_connector():
    """What the page shows is what the command writes, to the letter; what it teaches is among it."""
    assert FILES.items() <= WRITTEN.items()
    assert FILES.keys() == {"authmail_acme/__init__.py", "tests/test_conformance.py"}


def test_the_list_of_files_is_right():
    """Each file that the page lists is in it, and no other."""
    listed = re.search(r"^acme/\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    names = {line.split()[0] for line in listed.splitlines() if not line.split()[0].endswith("/")}
    assert names == {Path(path).name for path in WRITTEN if not path.startswith("tests/exchanges/")}


def test_the_packages_own_tests_pass(run):
    """As the page has them, with the plugins that it names."""
    result = run(sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
    assert result.returncode == 0, result.stdout
    assert re.search(r"\b[89][0-9] passed", result.stdout), result.stdout


def test_its_types_are_right(run, folder):
    """Strictly."""
    result = run(sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / ".mypy"), "authmail_acme")
    assert result.returncode == 0, result.stdout


def test_the_wheel_has_the_data_files(wheel):
    """Names, guide, logo and the mark of types."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"authmail_acme/{name}" for name in ("metadata.json", "README.md", "logo.svg", "py.typed")} <= names


def test_it_can_be_tried(run, folder):
    """Section 4 line by line: a config to fill in, the sandbox, and mails that succeed and fail as the page says."""
    lines = re.search(r"## 4\. Try it\n(.*?)\n## 5", PAGE, re.DOTALL)[1]
    commands = [shlex.split(line[2:].split(" > ")[0]) for line in lines.splitlines() if line.startswith("$ authmail")]
    names = [words[1] for words in commands]
    assert names == ["connectors", "info", "init", "check", "sandbox", "check", "send", "send", "send"]
    assert "acme-mail" in run(*AUTHMAIL, "connectors").stdout
    assert "# Acme" in run(*AUTHMAIL, "info", "acme-mail").stdout
    config = json.loads(run(*AUTHMAIL, "init", "acme-mail").stdout)
    (folder / "acme.json").write_text(json.dumps(config))
    unfilled = run(*AUTHMAIL, "check", "acme.json")
    assert (unfilled.returncode, "is not filled in yet" in unfilled.stdout + unfilled.stderr) == (1, True)

    process = subprocess.Popen(
        [*AUTHMAIL, "sandbox", "--port", "0", "--json"], env=run.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        text = ""
        while not text.endswith("  }\n}\n"):
            text += process.stdout.readline()
        config["config"] |= json.loads(text)["connectors"]["acme-mail"]
        (folder / "acme.json").write_text(json.dumps(config))
        results = [run(*AUTHMAIL, *words[1:]) for words in commands[5:]]
    finally:
        process.terminate()
        process.communicate(timeout=20)
    online, sent, suppressed, garbage = results
    assert (online.returncode, "Mails left today: 200" in re.sub(" +", " ", online.stdout)) == (0, True)
    assert (sent.returncode, "accepted by acme-mail" in sent.stdout) == (0, True)
    assert (suppressed.returncode, garbage.returncode) == (1, 1)
    assert "suppression list" in suppressed.stdout + suppressed.stderr
    assert "may have been sent, or not" in garbage.stdout + garbage.stderr
