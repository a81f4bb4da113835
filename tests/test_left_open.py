"""Nothing is left open, and nothing is dropped before it ended: else a test fails, or CI does."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ON_A_LOOP = "loop = asyncio.new_event_loop(); {}; loop.close()"
#: What a test leaves behind, and words of the failure.
LEFT = {
    "socket.socket()": "ResourceWarning: unclosed <socket",
    "asyncio.sleep(0)": "was never awaited",
    ON_A_LOOP.format("loop.create_task(asyncio.sleep(9)); loop.run_until_complete(asyncio.sleep(0))"): "Task was destroyed",
    ON_A_LOOP.format("loop.run_until_complete(asyncio.wait([loop.create_task(asyncio.sleep('9'))]))"): "was never retrieved",
    "KEPT.append(socket.create_server(('127.0.0.1', 0)))": "nothing_stays_open",
}
LEAVING = """
import asyncio, gc, socket

KEPT = []

def test_of_somebody():
    {}
    gc.collect()
"""


def test_what_a_test_leaves_behind_fails_it(tmp_path):
    """A socket, a coroutine or task that nobody waited for; and a module, where what its test opened is still held."""
    for number, left in enumerate(LEFT):
        (tmp_path / f"test_left{number}.py").write_text(LEAVING.format(left), "utf-8")
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    options = ["-n", "0", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *options, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "= 4 failed, 1 passed, 1 error in " in ran.stdout
    assert [words for words in LEFT.values() if words not in ran.stdout] == []


@pytest.mark.parametrize(
    ("python", "ended"), [("pass", 0), ("raise SystemExit(3)", 3), ("import socket; kept = socket.socket()", 1)]
)
def test_ci_fails_when_a_process_leaves_something_open(python, ended):
    """Though it ended well; and what it said is shown."""
    command = f"{sys.executable} -W error::ResourceWarning -c '{python}'"
    ran = subprocess.run([ROOT / ".ci" / "quiet"], input=command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == ended
    assert ("Exception ignored" in ran.stderr) is (ended == 1)
