"""The example applications of docs/examples, started as their guides say, on loopback."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
ALIYUN = "aliyun-direct-mail"

COMMANDS = {
    "flask": ["flask", "--app", str(EXAMPLES / "flask_app"), "run", "--port", "0"],
    "django": [str(EXAMPLES / "django_app.py"), "runserver", "127.0.0.1:0", "--noreload"],
    "fastapi": ["uvicorn", "--app-dir", str(EXAMPLES), "fastapi_app:app", "--port", "0"],
}


@pytest.fixture
def started(served, tmp_path):
    """Start an application against the sandbox; gives its address."""
    running = []

    def start(name):
        program, *arguments = COMMANDS[name]
        command = [sys.executable, program] if program.endswith(".py") else [sys.executable, "-m", program]
        environment = os.environ | {"MAIL_ENDPOINT": served.endpoint(ALIYUN), "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [*command, *arguments], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
        seen = ""
        while (address := re.search(r"http://127\.0\.0\.1:\d+", seen)) is None:
            line = process.stdout.readline()
            assert line, seen
            seen += line
        return address[0]

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=20)


def post(url, **values):
    request = urllib.request.Request(url, json.dumps(values).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)["text"], answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)["text"], error.headers


@pytest.mark.parametrize("name", COMMANDS)
def test_a_user_signs_in(started, served, name):
    """Asks for a code, reads it in the mailbox, signs in once; a throttled and a wrong address are told apart."""
    app = started(name)
    assert post(f"{app}/code", email="zoe@example.com")[0] == 202
    (mail,) = served.inbox.messages("zoe@example.com")
    assert mail.subject == f"{mail.code} is your sign-in code"
    wrong = "000000" if mail.code != "000000" else "111111"
    assert post(f"{app}/sign-in", email="zoe@example.com", code=wrong)[0] == 403
    assert post(f"{app}/sign-in", email="Zoe@example.com", code=mail.code)[:2] == (200, "Welcome.")
    assert post(f"{app}/sign-in", email="zoe@example.com", code=mail.code)[0] == 403

    status, _, headers = post(f"{app}/code", email="throttled@example.com")
    assert (status, headers["Retry-After"]) == (503, "3")
    status, text, _ = post(f"{app}/code", email="zoe@example.com, eve@example.com")
    assert (status, text.startswith("We cannot send mail to this address")) == (422, True)
    assert post(f"{app}/code", email="quota@example.com")[0] == 503


def test_an_unknown_outcome_keeps_the_code_valid(started, served):
    """The mail arrived although the answer was cut off: its code signs in."""
    app = started("flask")
    status, text, _ = post(f"{app}/code", email="cut-after@example.com")
    assert (status, text.startswith("A mail should be on its way")) == (202, True)
    code = served.inbox.messages("cut-after@example.com")[-1].code
    assert post(f"{app}/sign-in", email="cut-after@example.com", code=code)[0] == 200
