import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from authmail import Egress, Mailer, Message, Template
from authmail.sync import Mailer as SyncMailer
from authmail.testing.served import ServedSandbox

TEMPLATES = [Template("Generic", "{{code}} is your code", '<p>{{code}} <a href="https://example.com/{{code}}">here</a></p>')]
# Without it, pytest-asyncio warns.
OPTIONS = ("-o", "asyncio_default_fixture_loop_scope=function")
PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text("utf-8")
HOSTS_TEST = re.search(r"^```python\n# tests/test_sign_in.py\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]


def code_for(to, code):
    return Message(to, "SignIn", {"code": code})


@pytest.fixture
def box():
    with ServedSandbox() as running:
        yield running


async def test_mails_are_waited_for_on_the_tests_own_loop(box):
    """One that comes later too, each recipient its own."""
    async with Mailer("aliyun-dm", box.config("aliyun-dm"), templates=TEMPLATES, egress=Egress.ANY) as mailer:
        waiting = asyncio.ensure_future(box.inbox.wait(to="zoe@example.com"))
        await mailer.send(code_for("wei@example.com", "730164"))
        await mailer.send(code_for("zoe@example.com", "482913"))
        mail = await waiting
    assert (mail.code, mail.link) == ("482913", "https://example.com/482913")
    assert [mail.code for mail in box.inbox] == ["730164", "482913"]
    assert (await box.inbox.wait(to="WEI@example.com")).code == "730164"
    with pytest.raises(TimeoutError, match="no mail to zoe@example.com after id 2"):
        await box.inbox.wait(to="zoe@example.com", after=2, timeout=0.05)
    box.inbox.clear()
    assert len(box.inbox) == 0


def test_a_test_without_a_loop_gets_its_mail(box):
    """As hosts with Flask or Django have them."""
    mailer = SyncMailer("resend-mail", box.config("resend-mail"), templates=TEMPLATES, egress=Egress.ANY)
    try:
        mailer.send(code_for("zoe@example.com", "482913"))
    finally:
        mailer.close()
    mail = box.inbox.get(to="zoe@example.com")
    assert (mail.code, mail.connector) == ("482913", "resend-mail")


def test_every_emulator_is_there(box):
    """Each at its own place, by id or target."""
    assert {"aliyun-direct-mail", "resend-mail"} <= set(box.connectors)
    assert box.endpoint("aliyun-dm") == box.endpoint("aliyun-direct-mail") == box.config("aliyun-dm")["endpoint"]
    assert box.url.startswith("http://127.0.0.1:")


def run(folder, *arguments):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-W",
        "error",
        *OPTIONS,
        *arguments,
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_hosts_project_uses_the_fixtures_without_more(tmp_path):
    """Found by the entry point; the page's test twice, for each test has an inbox of its own."""
    (tmp_path / "test_sign_in.py").write_text(HOSTS_TEST)
    (tmp_path / "test_again.py").write_text(HOSTS_TEST)
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "sandbox" in run(tmp_path, "--fixtures").stdout


def test_a_project_without_them_pays_nothing(tmp_path):
    """Authmail is not imported."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\ndef test_nothing():\n    assert not [name for name in sys.modules if name.startswith(('authmail', 'aiohttp'))]\n"
    )
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout
