"""How much authmail costs on top of the HTTP request itself. Run it by hand: `.venv/bin/python tests/benchmarks/send.py`.

Everything runs in turns against one loopback server in a process of its own, and is compared with "floor", raw aiohttp
with a request that was built beforehand. Read the ratios; absolute figures depend on the machine. "floor again" is the
floor once more: how far it is from 1 is how much the machine's noise counts.

docs/performance.md says what came out and what limits it.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from clients import the_mail
from provider import running
from scenarios import SCENARIOS, Row, Setting


def table(rows: list[Row]) -> str:
    """Return rows as a Markdown table."""
    names = list(rows[0])
    lines = [[("-" if row[name] is None else str(row[name])) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[column]) for line in lines)) for column, name in enumerate(names)]
    rule = ["-" * width for width in widths]
    return "\n".join(f"| {' | '.join(map(str.ljust, line, widths))} |" for line in (names, rule, *lines))


def tell(text: str) -> None:
    """Show progress where a person may be watching."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


async def main(options: argparse.Namespace) -> None:
    """Run the scenarios that were chosen, and print what came out."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as (urls, ca_file):
        setting = Setting(urls, ca_file, the_mail(), options.count, options.rounds, tell)
        found = {}
        for name in options.scenarios or SCENARIOS:
            found[name] = await SCENARIOS[name](setting)
            tell("")
            if not options.json:
                print(f"{name}: {SCENARIOS[name].__doc__}\n\n{table(found[name])}\n", flush=True)
        if options.json:
            print(json.dumps(found, indent=2))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = "; ".join(f"{name}: {scenario.__doc__.partition('.')[0]}" for name, scenario in SCENARIOS.items())
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"which of them, all by default. {words}")
    parser.add_argument("--count", type=int, default=2000, help="messages per run (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each client has its turn (default %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few messages each: only to see that it runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if options.quick:
        options.count, options.rounds = 20, 1
    asyncio.run(main(options))
