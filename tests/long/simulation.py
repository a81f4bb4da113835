"""Hours of faults in fake time, lived by six processes with each store: ``python tests/long/simulation.py`` prints a table.

The short form is ``tests/simulation/test_machines.py``; one store alone: ``python tests/simulation/simulate.py --store redis``.
"""

import sys
from pathlib import Path

import click

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("simulation", "servers")]

from simulate import quiet, shared_life
from world import Scale

#: Store → messages. What is apart breaks promises, which shows that the life is hard enough.
LIVES = {"apart": 20_000, "memory": 100_000, "sqlite": 20_000, "redis": 20_000, "postgres": 20_000}

_PER_SECOND = 2.0


@click.command()
@click.option("--messages", type=int, help="How many with each store; by default 20,000, and 100,000 in memory.")
@click.option("--seed", default=1, show_default=True, help="The same seed is the same life.")
@click.argument("stores", nargs=-1, type=click.Choice(list(LIVES)))
def main(messages: int | None, seed: int, stores: tuple[str, ...]) -> None:
    """Live with each store, or those that are named, and print what came of it. Fails where a store broke a promise."""
    quiet()
    print("| store | messages | hours | in the mailbox | askings a message | median, p99 | broken promises |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    broken = 0
    for store in stores or LIVES:
        numbers = shared_life(Scale(messages or LIVES[store], _PER_SECOND, seed), store)
        print(row(store, numbers), flush=True)
        broken += store != "apart" and bool(numbers["broken promises"])
    raise SystemExit(broken)


def row(store: str, numbers: dict[str, object]) -> str:
    """Return a row of the table."""
    promises = ", ".join(f"{kind}: {count}" for kind, count in dict(numbers["broken promises"]).items()) or "none"
    times = f"{numbers['median seconds']:.2f}, {numbers['p99 seconds']:.1f} s"
    share = f"{numbers['in the mailbox']:.1%} | {numbers['askings per message']:.2f}"
    return f"| {store} | {numbers['messages']:,} | {numbers['simulated hours']} | {share} | {times} | {promises} |"


if __name__ == "__main__":
    main()
