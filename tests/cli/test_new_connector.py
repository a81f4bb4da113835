import json
import os
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner

from authmail.cli import main
from authmail.cli.new_connector import package_files
from authmail.testing.rules import rules


def new_connector(*arguments):
    return CliRunner().invoke(main, ["new-connector", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A package for a provider whose name has two words, installed by pip beside authmail."""
    folder = tmp_path_factory.mktemp("new") / "package"
    site = tmp_path_factory.mktemp("site")
    result = new_connector("blue-bird-mail", folder, "--name", "Blue Bird")
    assert result.exit_code == 0, result.output
    install = [*(sys.executable, "-m", "pip", "install", "-q"), "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([*install, str(folder)], check=True, timeout=120, capture_output=True)

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(site), "PYTEST_ADDOPTS": ""}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False)

    return folder, run


def test_it_passes_the_kit_at_birth(package):
    """Every rule against its recorded exchanges, its own tests against its emulator, with warnings as errors."""
    _, run = package
    result = run("-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")
    assert result.returncode == 0, result.stdout[-3000:]
    of_the_kit = len([rule for rule in rules("http").values() if not rule.recorded])
    of_its_own = len([path for path in package_files("blue-bird-mail") if "/exchanges/" in path]) + 15
    assert f"{of_the_kit + of_its_own} passed" in result.stdout


def test_it_is_in_style_and_typed(package):
    """Ruff as it comes, mypy strictly."""
    _, run = package
    for command in (("ruff", "check", "--no-cache"), ("mypy", "--strict", "--cache-dir", os.devnull, "authmail_blue_bird")):
        result = run("-m", *command)
        assert result.returncode == 0, result.stdout


def test_it_is_found_and_described(package):
    """Under its own names, with nothing of the model's left."""
    folder, run = package
    result = run("-c", "from authmail.cli import main; main()", "info", "blue-bird-mail", "--json")
    described = json.loads(result.stdout)
    assert (described["id"], described["target"], described["name"]["en"]) == ("blue-bird-mail", "blue-bird", "Blue Bird")
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["name"] == "authmail-blue-bird"
    texts = {path: text for path, text in package_files("blue-bird-mail").items() if "acme" in (path + text).lower()}
    assert texts == {}


def test_nothing_is_overwritten(tmp_path):
    """If one file is there, none is written."""
    (tmp_path / "pyproject.toml").write_text("mine")
    result = new_connector("blue-mail", tmp_path)
    assert result.exit_code == 1
    assert "pyproject.toml is there already; nothing was written" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


@pytest.mark.parametrize("identity", ["Acme", "acme_mail", "-acme", "acme-", "acme mail", "../acme", "1acme", ""])
def test_an_id_is_checked(tmp_path, identity):
    """Lower-case words joined by hyphens; the folder is not made."""
    result = new_connector("--", identity, tmp_path / "new")
    assert (result.exit_code, "lower-case words" in result.output, (tmp_path / "new").exists()) == (2, True, False)


def test_an_id_of_authmails_own_is_refused(tmp_path):
    """Of two packages with one id authmail's own wins, so the new one would never be used."""
    result = new_connector("resend-mail", tmp_path / "new")
    assert (result.exit_code, "choose another ID" in result.output, (tmp_path / "new").exists()) == (2, True, False)


@pytest.mark.parametrize("name", ['a"b', "a\nb", " ", "<b>"])
def test_a_name_is_checked(tmp_path, name):
    """It goes into JSON, TOML, Python and Markdown."""
    assert new_connector("blue-mail", tmp_path / "new", "--name", name).exit_code == 2


def test_files_for_machines(tmp_path):
    """As JSON."""
    result = new_connector("blue-mail", tmp_path / "new", "--json")
    assert sorted(json.loads(result.output)["files"]) == sorted(package_files("blue-mail"))
    assert "authmail_blue/emulator.py" in json.loads(result.output)["files"]
