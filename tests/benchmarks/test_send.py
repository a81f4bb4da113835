import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_runs():
    """A few messages of each client; what they cost is looked at by people, never by a test."""
    command = [sys.executable, str(Path(__file__).with_name("send.py")), "--quick", "--json", "http"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    clients = {"floor", "floor again", "authmail", "by hand", "SDK async", "SDK threads"}
    assert {(row["in flight"], row["client"]) for row in found["http"]} == {
        (each, name) for each in (1, 16, 100) for name in clients
    }
