"""Run a life and print its figures: ``python tests/simulation/simulate.py --messages 1000000``; ``--compare`` adds naive policies.

``--store redis`` lets several processes live it together, which share that store; ``--store apart``, each by itself.
"""

import logging
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import click
from figures import figures
from judge import Promises, violations
from world import POLICIES, PROMISES, Policy, Scale, lived

from authmail.cli.output import print_json


@click.command()
@click.option("--messages", default=10_000, show_default=True, help="How many messages.")
@click.option("--per-second", default=0.5, show_default=True, help="Messages per second, on average.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same life.")
@click.option("--compare", is_flag=True, help="The same with naive policies.")
@click.option("--store", help="Several processes that share memory, sqlite, redis or postgres; or are apart.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(messages: int, per_second: float, seed: int, compare: bool, store: str | None, as_json: bool) -> None:
    """Let authmail's delivery live through hours of faults in seconds, and judge it."""
    quiet()
    results = {}
    for name in [f"authmail, {store}"] if store else POLICIES if compare else ["authmail"]:
        with click.progressbar(length=messages, label=f"{name:<28}", hidden=as_json) as bar:
            scale = Scale(messages, per_second, seed, lambda number, bar=bar: bar.update(1000) if number % 1000 == 999 else None)
            results[name] = shared_life(scale, store) if store else judged(scale, name, PROMISES)
    if as_json:
        print_json(results)
    else:
        for policy, numbers in results.items():
            click.echo(f"\n{policy}")
            for name, value in numbers.items():
                click.echo(f"  {name:<22} {f'{value:.4g}' if isinstance(value, float) else value}")
    if next(iter(results.values()))["broken promises"]:
        raise SystemExit(1)


def quiet() -> None:
    """Keep hours of log records from the terminal."""
    logging.getLogger("authmail.delivery").addHandler(logging.NullHandler())


def shared_life(scale: Scale, store: str) -> dict[str, object]:
    """Return the figures of a life of several processes with one store."""
    sys.path.append(str(Path(__file__).parents[1] / "servers"))
    from machines import SHARED_PROMISES, sharing  # which needs the servers' folder

    with tempfile.TemporaryDirectory() as folder, sharing(store, Path(folder)) as policy:
        return judged(scale, policy, SHARED_PROMISES)


def judged(scale: Scale, policy: str | Policy, promises: Promises) -> dict[str, object]:
    """Return the figures of a life, and how long it took."""
    began, cpu = time.perf_counter(), time.process_time()
    ledger = lived(scale, policy, promises)
    took = {"took seconds": round(time.perf_counter() - began, 1), "CPU seconds": round(time.process_time() - cpu, 1)}
    return (
        figures(ledger, promises)
        | {"simulated hours": round(max(call.ended for call in ledger.calls) / 3600, 1)}
        | took
        | {"first broken": list(islice(violations(ledger, promises), 5))}
    )


if __name__ == "__main__":
    main()
