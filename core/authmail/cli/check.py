"""authmail check."""

import asyncio
from typing import Any

import attrs
import click

from authmail import AccountReport, ConfigError, Egress, Problem, SendError
from authmail.cli.config_file import ConfigFile, config_argument, load, stop
from authmail.cli.output import fail, print_findings, print_json, print_table
from authmail.mailer import templates_of
from authmail.templates.coverage import Coverage, coverage


@click.command(short_help="Find what is wrong with a config.")
@config_argument
@click.option("--online", is_flag=True, help="Also ask the provider about key, sender and quota. Sends no mail.")
@click.option("--default-locale", metavar="TAG", help="The host's default language, as given to its Mailer.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(config: str, connector: str | None, online: bool, default_locale: str | None, as_json: bool) -> None:
    """Find every problem of a config, doubtful values, and messages that no template serves.

    The table shows which template serves each usage type in each language. A star marks placeholders that the
    documented payload of the type does not fill: they will be empty.

    \b
    Examples:
      authmail check aliyun.json
      authmail check aliyun.json --online
      authmail check logto.json --connector aliyun-dm
    """
    file = load(config, connector)
    try:
        typed = file.validated()
    except ConfigError as error:
        stop(config, error, as_json=as_json)
    warnings = file.connector.warnings(file.raw, references=file.references, templates=file.templates)
    cells = coverage((*file.templates, *templates_of(typed)), default_locale)
    warnings += [Problem(f"{cell.usage_type} ({cell.locale or 'any language'})", cell.problem) for cell in cells if cell.problem]
    report, failure = _asked(file, typed) if online else (None, None)
    if as_json:
        print_json(_as_json(file, warnings, cells, report, failure))
    else:
        _print(file, warnings, cells)
        _print_account(online, report, failure)
    if failure is not None:
        raise SystemExit(1)


def _asked(file: ConfigFile, typed: Any) -> tuple[AccountReport | None, SendError | None]:
    try:
        return asyncio.run(file.connector.check_account(typed, egress=Egress.ANY)), None
    except SendError as error:
        return None, error


def _print(file: ConfigFile, warnings: list[Problem], cells: list[Coverage]) -> None:
    click.echo(click.style(f"{file.name}: usable by {file.connector.id}", fg="green", bold=True))
    if warnings:
        click.echo(click.style("1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings", fg="yellow", bold=True))
        print_findings(warnings)
    if all(cell.template is None for cell in cells):
        return
    locales = list(dict.fromkeys(cell.locale for cell in cells))
    rows = {
        usage_type: [_cell(cell) for cell in cells if cell.usage_type == usage_type]
        for usage_type in (cell.usage_type for cell in cells)
    }
    click.echo("\nTemplates: which one serves each usage type in each language")
    print_table([("TYPE", *(locale or "any other" for locale in locales)), *((name, *row) for name, row in rows.items())], "  ")
    for cell in {(cell.usage_type, cell.unfilled): cell for cell in cells if cell.unfilled}.values():
        click.echo(f"  * {cell.usage_type}: will be empty unless the payload has {', '.join(cell.unfilled)}")


def _cell(cell: Coverage) -> str:
    if cell.problem or cell.template is None:
        return "none"
    tag = cell.template.locale or "no language"
    name = tag if cell.template.usage_type == cell.usage_type else f"{cell.template.usage_type}, {tag}"
    return f"{name}*" if cell.unfilled else name


def _print_account(online: bool, report: AccountReport | None, error: SendError | None) -> None:
    if not online:
        return
    click.echo("\nAsked the provider, sent no mail:")
    if error is not None:
        fail(error, mail=False)
    elif report is None:
        click.echo("  this connector cannot ask")
    else:
        for label, value in report.facts.items():
            click.echo(f"  {label + ':':<22} {value}")
        print_findings(report.warnings)


def _as_json(
    file: ConfigFile, warnings: list[Problem], cells: list[Coverage], report: AccountReport | None, error: SendError | None
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "connector": file.connector.id,
        "valid": True,
        "problems": [],
        "warnings": [attrs.asdict(warning) for warning in warnings],
        "coverage": [
            {
                "usageType": cell.usage_type,
                "locale": cell.locale or None,
                "template": cell.template and {"usageType": cell.template.usage_type, "locale": cell.template.locale},
                "unfilled": list(cell.unfilled),
                "problem": cell.problem or None,
            }
            for cell in cells
        ],
    }
    if report is not None:
        result["account"] = {"facts": dict(report.facts), "warnings": [attrs.asdict(warning) for warning in report.warnings]}
    if error is not None:
        result["account"] = {"error": error.to_dict()}
    return result
