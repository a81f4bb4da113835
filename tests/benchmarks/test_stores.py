import json
import subprocess
import sys
from pathlib import Path

from store_servers import program


def test_the_benchmark_of_stores_runs():
    """A few messages of each store; what they cost is looked at by people, but two round trips a message are a rule."""
    command = [sys.executable, str(Path(__file__).with_name("stores.py")), "--quick", "--json", "size", "quiet", "trips"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert [(row["store"], row["remembered"]) for row in found["size"]] == [
        (kind, remembered) for kind in ("memory", "file") for remembered in (0, 200)
    ]
    assert all(row["all gone after"] for row in found["quiet"])
    assert found["trips"] == [{"call": "begin", "each message": 1.0}, {"call": "end", "each message": 1.0}]


def test_the_benchmark_of_servers_runs():
    """A few messages through all that a delivery has, by each store; and stores that remember some."""
    for name, package in (("redis-server", "redis-server"), ("initdb", "postgresql")):
        program(name, package)
    command = [sys.executable, str(Path(__file__).with_name("stores.py")), "--quick", "--json", "whole", "remembered"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert [row["store"] for row in found["whole"]] == ["memory", "memory again", "file", "redis", "postgres"]
    assert [(row["store"], row["remembered"]) for row in found["remembered"]] == [
        (kind, remembered) for kind in ("redis", "postgres") for remembered in (0, 200)
    ]
    assert all(row["bytes each"] for row in found["remembered"] if row["remembered"])
