"""Twelve processes at one pace and behind one breaker, by every store: ``python tests/long/many_machines.py`` prints a table.

The tests have a short form: ``tests/delivery/test_many_machines.py``. Programs are those of ``tests/servers/store_servers.py``.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import many_processes

RATE, REST = many_processes.RATE, many_processes.REST


def run(what: str, place: str) -> tuple[list[float], float]:
    """Run twelve processes.

    Args:
        what: ``pace`` or ``breaker``.
        place: the store.

    Returns:
        When each request came, in seconds from the moment that all were at it, and until when the provider failed.
    """
    done = subprocess.run([sys.executable, many_processes.__file__, what, place], capture_output=True, check=False, timeout=120)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
    told = json.loads(done.stdout)
    return sorted(time - told["began"] for time in told["times"]), told["healed"] - told["began"]


def most_in_a_second(times: list[float]) -> int:
    """Return how many came in any one second."""
    return max(sum(1 for time in times if first <= time < first + 1) for first in times)


def row(name: str, place: str) -> str:
    """Return a row of the table."""
    times, seconds = run("pace", place)
    paced = [time for time in times if 0 <= time < seconds]
    pace = f"{len(paced) / seconds:.1f} | {most_in_a_second(paced)}"
    times, healed = run("breaker", place)
    failed = [time for time in times if 0 <= time < healed]
    burst = [time for time in failed if time < failed[0] + 1.5]
    probes = [time for time in failed if time >= failed[0] + 1.5]
    back = min((time for time in times if time > healed), default=float("nan")) - healed
    return (
        f"| {name} | {pace} | {burst[-1] - burst[0]:.2f} s, {len(burst)} mails | {len(probes)} in {healed:.0f} s | {back:.2f} s |"
    )


def main() -> None:
    """Print the table."""
    sys.path.append(str(Path(__file__).parents[1] / "servers"))
    from store_servers import PostgresServer, RedisServer, running  # where these are, is known only now

    print(
        "| store | mails a second (14) | most in any second (15) | after the first failure, until all stop | probes, rest 2 s | back after |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(running(RedisServer(folder / "redis")))
        postgres = stack.enter_context(running(PostgresServer(folder / "postgres")))
        for name, place in (
            ("SQLite, one machine", str(folder / "store.db")),
            ("Redis", redis.url),
            ("PostgreSQL", postgres.url),
        ):
            print(row(name, place), flush=True)


if __name__ == "__main__":
    main()
