"""What a message costs a store, however much is counted and remembered. Run it by hand: `.venv/bin/python tests/benchmarks/stores.py`.

A message goes through ``Dedupe(Limits(sender))`` on one store, begin and end, and its sender accepts it at once. Everything is
compared with an empty store of the same kind in the same run, in turns, the best round of each: what else the machine does only
ever adds. Read the ratios; absolute figures depend on the machine. docs/performance.md says what came out.
"""

import argparse
import asyncio
import json
import tempfile
from pathlib import Path

import on_servers
import remembering
from remembering import Scale
from send import table

SCENARIOS = remembering.SCENARIOS | on_servers.SCENARIOS


async def main(options: argparse.Namespace) -> None:
    """Run the scenarios that were chosen, and print what came out."""
    scale = Scale(options.sizes, options.count, options.rounds)
    found = {}
    for name in options.scenarios or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = await SCENARIOS[name](Path(folder), scale)
        if not options.json:
            print(f"{name}: {SCENARIOS[name].__doc__}\n\n{table(found[name])}\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = "; ".join(f"{name}: {scenario.__doc__.partition('.')[0]}" for name, scenario in SCENARIOS.items())
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"which of them, all by default. {words}")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[0, 10_000, 100_000, 1_000_000], help="messages that are remembered"
    )
    parser.add_argument("--count", type=int, default=2000, help="messages per run (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each size has its turn (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few messages each: only to see that it runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if options.quick:
        options.sizes, options.count, options.rounds = [0, 200], 20, 1
    asyncio.run(main(options))
