"""authmail schema."""

import click

from authmail.cli.output import print_json
from authmail.delivery.file.schema import file_schema


@click.command(short_help="Print the JSON Schema of authmail.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as always.")
def schema(as_json: bool) -> None:  # noqa: ARG001 (every command has it)
    """Print the JSON Schema of authmail.toml, with the settings of every installed connector, for editors.

    \b
    Example:
      authmail schema > authmail.schema.json
    and as the first line of authmail.toml:
      #:schema ./authmail.schema.json
    """
    print_json(file_schema())
