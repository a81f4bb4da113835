"""authmail connectors."""

import attrs
import click

from authmail import connectors as installed
from authmail.cli.output import echo, print_json, print_table, styled


@click.command(short_help="List the installed connectors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def connectors(as_json: bool) -> None:
    """List the installed connectors, and broken ones with the reason.

    Exit code 1 if one is broken.

    \b
    Example:
      authmail connectors
    """
    found = installed()
    if as_json:
        rows = [
            {"id": c.id, "target": c.target, "name": c.metadata.name["en"], "distribution": c.distribution, "version": c.version}
            for c in found
        ]
        print_json({"connectors": rows, "broken": [attrs.asdict(broken) for broken in found.broken]})
    else:
        table = [(c.id, c.target, c.metadata.name["en"], f"{c.distribution} {c.version}") for c in found]
        print_table([("ID", "TARGET", "NAME", "DISTRIBUTION"), *table])
        for broken in found.broken:
            echo(styled(f"broken: {broken}", fg="red"), err=True)
    if found.broken:
        raise SystemExit(1)
