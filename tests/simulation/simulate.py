"""Run a life and print its figures: ``python tests/simulation/simulate.py --messages 1000000``; ``--compare`` adds naive policies."""

import logging
import time
from itertools import islice

import click
from figures import figures
from judge import violations
from world import POLICIES, PROMISES, Scale, lived

from authmail.cli.output import print_json


@click.command()
@click.option("--messages", default=10_000, show_default=True, help="How many messages.")
@click.option("--per-second", default=0.5, show_default=True, help="Messages per second, on average.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same life.")
@click.option("--compare", is_flag=True, help="The same with naive policies.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(messages: int, per_second: float, seed: int, compare: bool, as_json: bool) -> None:
    """Let authmail's delivery live through hours of faults in seconds, and judge it."""
    logging.getLogger("authmail.delivery").addHandler(logging.NullHandler())
    results = {}
    for policy in POLICIES if compare else ["authmail"]:
        began = time.perf_counter()
        with click.progressbar(length=messages, label=f"{policy:<28}", hidden=as_json) as bar:
            ledger = lived(
                Scale(messages, per_second, seed, lambda number, bar=bar: bar.update(1000) if number % 1000 == 999 else None),
                policy,
            )
        results[policy] = figures(ledger, PROMISES) | {
            "simulated hours": round(max(call.ended for call in ledger.calls) / 3600, 1),
            "took seconds": round(time.perf_counter() - began, 1),
            "first broken": list(islice(violations(ledger, PROMISES), 5)),
        }
    if as_json:
        print_json(results)
    else:
        for policy, numbers in results.items():
            click.echo(f"\n{policy}")
            for name, value in numbers.items():
                click.echo(f"  {name:<22} {f'{value:.4g}' if isinstance(value, float) else value}")
    if results["authmail"]["broken promises"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
