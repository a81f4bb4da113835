"""authmail info."""

from collections.abc import Mapping

import click

from authmail.cli.config_file import connector_named
from authmail.cli.language import language_option, reader
from authmail.cli.output import echo, print_json, print_table, styled
from authmail.config.forms import FormItem
from authmail.templates.samples import LOGTO_TYPES, sample_payload
from authmail.words.locales import best_match


@click.command(short_help="Show a connector: settings, types, guide.")
@click.argument("connector")
@language_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the factory object of Logto's API, and the JSON Schema.")
def info(connector: str, as_json: bool) -> None:
    """Show a connector: its settings, the usage types, and its guide.

    \b
    Examples:
      authmail info aliyun-dm
      authmail info aliyun-dm --lang fr
    """
    found, lang = connector_named(connector), reader()
    metadata = found.metadata
    items = metadata.form_items(lang)
    if as_json:
        factory = metadata.to_dict() | {"formItems": [item.to_dict() for item in items], "readme": metadata.readme(lang)}
        print_json(factory | {"jsonSchema": found.json_schema})
        return
    echo(styled(_nearest(metadata.name, lang), bold=True), f"  {found.id} (target {found.target})")
    echo(_nearest(metadata.description, lang))
    echo(f"{found.distribution} {found.version}\n")
    rows = [("SETTING", "TYPE", "REQUIRED", "SECRET", "DEFAULT"), *(_row(item) for item in items)]
    print_table(rows, notes=[_note(item) for item in items])
    echo("\nUsage types and what their payload holds:")
    print_table([("TYPE", "PAYLOAD"), *((usage_type, ", ".join(sample_payload(usage_type))) for usage_type in LOGTO_TYPES)])
    echo(f"\n{metadata.readme(lang)}")


def _row(item: FormItem) -> tuple[str, ...]:
    default = item.default_value
    if isinstance(default, bool):
        default = str(default).lower()
    shown = "starter templates" if isinstance(default, list) else "" if default is None else str(default)
    return item.key, item.type, _yes(item.required), _yes(item.is_confidential), shown


def _note(item: FormItem) -> str:
    choices = f" One of {', '.join(choice['value'] for choice in item.select_items)}." if item.select_items else ""
    return f"{item.label}. {item.description or ''}{'.' if item.description and choices else ''}{choices}".strip()


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _nearest(texts: Mapping[str, str], lang: str) -> str:
    return texts[best_match([lang], texts) or "en"]
