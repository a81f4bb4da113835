"""Two providers on loopback, and example applications that are started against them, one for each module."""

import importlib.util
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import attrs
import pytest
import tomlkit

import authmail
from authmail.testing.served import ServedSandbox
from pytest_authmail import sandbox  # noqa: F401 (the fixture that hosts use, in place of this suite's own)

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FIRST, SECOND = "aliyun-direct-mail", "resend-mail"


def loaded(path, monkeypatch):
    """Return a module of an example, run anew."""
    specification = importlib.util.spec_from_file_location(f"example_{path.parent.name}", path)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, specification.name, module)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def providers():
    """Two providers, of which the second is asked where the first fails."""
    with ServedSandbox({name: authmail.get_connector(name).get_emulator() for name in (FIRST, SECOND)}) as running:
        yield running


@pytest.fixture(scope="module")
def settings(providers):
    """What an authmail.toml says, as a dict: both providers, the examples' templates, and limits for many users of one address."""
    return {
        "templates": str(EXAMPLES / "mails"),
        "limits": {"ip": {"most": 100_000, "seconds": 60}},
        "delivery": {"timeout": 8.0},
        "senders": {
            "main": {"connector": FIRST, "config": providers.config(FIRST), "pace": {"enabled": False}},
            "spare": {"connector": SECOND, "config": providers.config(SECOND), "pace": {"enabled": False}},
        },
    }


@attrs.frozen
class Answer:
    """An HTTP answer."""

    status: int
    text: str

    def json(self):
        return json.loads(self.text)


@attrs.frozen
class Application:
    """An example that runs in a process of its own."""

    url: str
    process: subprocess.Popen
    log: Path

    def post(self, path, *, data=None, method="POST", **headers):
        """Post JSON, or what `data` is; header names with `_`."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        body = data if isinstance(data, bytes) else json.dumps(data or {}).encode()
        request = urllib.request.Request(f"{self.url}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return Answer(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())


@pytest.fixture(scope="module")
def start(settings, tmp_path_factory):
    """Start an example's command against the providers; it ends with the module."""
    running = []

    def started(*command, **environment):
        folder = tmp_path_factory.mktemp("host")
        (folder / "authmail.toml").write_text(tomlkit.dumps(settings), "utf-8")
        environment = os.environ | {"AUTHMAIL": str(folder / "authmail.toml"), "PYTHONUNBUFFERED": "1"} | environment
        log = folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        running.append(process)
        while (address := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
        return Application(address[0], process, log)

    yield started
    for process in running:
        process.terminate()
        process.wait(timeout=20)
