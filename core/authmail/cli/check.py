"""authmail check."""

import asyncio
from typing import Any

import attrs
import click

from authmail import AccountReport, ConfigError, Egress, Problem, SendError, say
from authmail.cli.config_file import ConfigFile, DeliveryFile, config_argument, load_any, plain_option, stop
from authmail.cli.language import told
from authmail.cli.output import (
    as_dicts,
    echo,
    fail,
    padded,
    print_findings,
    print_json,
    print_strangers,
    print_table,
    print_warnings,
    styled,
)
from authmail.cli.store_answers import check_as_dict, checked_store, place_of, print_check
from authmail.config.settings import templates_of
from authmail.templates.coverage import Coverage, coverage


@click.command(short_help="Find what is wrong with a config.")
@config_argument
@click.option(
    "--online",
    is_flag=True,
    help="Also ask the provider about key, sender and quota, and the store how it stands. Sends no mail.",
)
@click.option("--default-locale", metavar="TAG", help="The host's default language, as given to its Mailer.")
@plain_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(config: str, connector: str | None, online: bool, default_locale: str | None, egress: Egress, as_json: bool) -> None:
    """Find every problem of a config, doubtful values, and messages that no template serves.

    The table shows which template serves each usage type in each language. A star marks placeholders that the
    documented payload of the type does not fill: they will be empty.

    \b
    Examples:
      authmail check aliyun.json
      authmail check aliyun.json --online
      authmail check logto.json --connector aliyun-dm
      authmail check authmail.toml
    """
    file = load_any(config, connector)
    try:
        file.delivery()
    except ConfigError as error:
        stop(config, error, file.warnings())
    asking = egress if online else None
    senders = file.senders if isinstance(file, DeliveryFile) else {"": file}
    checked = [_checked(sender, name, asking, default_locale) for name, sender in senders.items()]
    stored = checked_store(file.store) if online and isinstance(file, DeliveryFile) else None
    if not as_json:
        _print_all(checked, online)
        if isinstance(file, DeliveryFile):
            _print_sharing(file)
        if stored is not None:
            echo()
            print_check(stored)
    elif isinstance(file, DeliveryFile):
        senders_json = {one.name: _as_json(one) for one in checked}
        of_store = {} if stored is None else {"store": check_as_dict(stored)}
        print_json({"valid": True, "problems": [], "senders": senders_json, "shared": file.shared, **of_store})
    else:
        print_json(_as_json(checked[0]))
    if any(one.failure is not None for one in checked) or (stored is not None and stored.problems):
        raise SystemExit(1)


@attrs.frozen
class _Checked:
    """What was found out about one sender; a file of one connector has one without a name."""

    name: str
    file: ConfigFile
    warnings: list[Problem]
    unserved: list[Problem]
    cells: list[Coverage]
    report: AccountReport | None
    failure: SendError | None


def _checked(file: ConfigFile, name: str, asking: Egress | None, default_locale: str | None) -> _Checked:
    typed = file.validated()
    warnings = file.warnings()
    templates = (*file.templates, *templates_of(typed))
    cells = coverage(templates, default_locale) if file.connector.takes_mails else []
    report, failure = _asked(file, typed, asking) if asking else (None, None)
    return _Checked(name, file, warnings, _unserved(cells), cells, report, failure)


def _unserved(cells: list[Coverage]) -> list[Problem]:
    """Return one warning for each type and problem, with the languages where it is not the same in all."""
    languages: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell.problem:
            languages.setdefault((cell.usage_type, cell.problem), []).append(cell.locale or told(say("any other language")))
    every = len({cell.locale for cell in cells})
    return [
        Problem(usage_type if len(where) == every else f"{usage_type} ({', '.join(where)})", problem)
        for (usage_type, problem), where in languages.items()
    ]


def _asked(file: ConfigFile, typed: Any, egress: Egress) -> tuple[AccountReport | None, SendError | None]:
    try:
        return asyncio.run(file.connector.check_account(typed, egress=egress)), None
    except SendError as error:
        return None, error


def _print_all(checked: list[_Checked], online: bool) -> None:
    """Print what was found about each sender; templates of several with the same ones are shown once."""
    for number, one in enumerate(checked):
        same = next((before.name for before in checked[:number] if one.cells and before.cells == one.cells), None)
        _print(one, same)
        _print_account(online, one.report, one.failure)


def _print(checked: _Checked, same: str | None) -> None:
    """Print what was found; of templates that are those of another sender, only that they are."""
    file = checked.file
    sender = told(say(", sender {name}", name=checked.name)) if checked.name else ""
    head = say("{name}: usable by {connector}", name=file.name + sender, connector=file.connector.id)
    echo(styled(told(head), fg="green", bold=True))
    print_warnings(checked.warnings + ([] if same else checked.unserved))
    if not file.connector.takes_mails:
        echo("\n", told(say("Templates: none needed; messages are handed on as they are, and their receiver writes the mails")))
    if same:
        echo("\n", told(say("Templates: the same as for sender {name}", name=same)))
    elif any(cell.template is not None for cell in checked.cells):
        _print_coverage(checked.cells)


def _print_sharing(file: DeliveryFile) -> None:
    """Print whose messages limits and repeats know."""
    store = place_of(file.store)
    words = {
        "process": say('Limits and repeats: in this process alone; a server with several needs store = "authmail.db"'),
        "machine": say("Limits and repeats: shared on this machine, in {store}", store=store),
        "machines": say("Limits and repeats: shared by all machines that use {store}", store=store),
    }
    echo("\n", told(words[file.shared]))


def _print_coverage(cells: list[Coverage]) -> None:
    """Print the table of types and languages, and below it what its stars mean."""
    locales = list(dict.fromkeys(cell.locale for cell in cells))
    rows: dict[str, list[str]] = {}
    for cell in cells:
        rows.setdefault(cell.usage_type, []).append(_cell(cell))
    echo("\n", told(say("Templates: which one serves each usage type in each language")))
    other = told(say("any other") if len(locales) > 1 else say("any language"))
    print_table(
        [(told(say("TYPE")), *(locale or other for locale in locales)), *((name, *row) for name, row in rows.items())], "  "
    )
    for usage_type, unfilled in dict.fromkeys((cell.usage_type, cell.unfilled) for cell in cells if cell.unfilled):
        star = say("{type}: will be empty unless the payload has {names}", type=usage_type, names=", ".join(unfilled))
        echo("  * ", told(star))
    print_strangers(dict.fromkeys(name for cell in cells for name in cell.strangers), "  ")


def _cell(cell: Coverage) -> str:
    if cell.problem or cell.template is None:
        return told(say("none"))
    tag = cell.template.locale or told(say("all languages"))
    name = tag if cell.template.usage_type == cell.usage_type else f"{cell.template.usage_type}, {tag}"
    return f"{name}*" if cell.unfilled else name


def _print_account(online: bool, report: AccountReport | None, error: SendError | None) -> None:
    if not online:
        return
    echo("\n", told(say("Asked the provider, sent no mail:")))
    if error is not None:
        fail(error, mail=False)
    elif report is None:
        echo("  ", told(say("this connector cannot ask")))
    else:
        for label, value in report.facts.items():
            echo(f"  {padded(label + ':', 22)} {value}")
        print_findings(report.warnings)


def _as_json(checked: _Checked) -> dict[str, Any]:
    file, cells, report, error = checked.file, checked.cells, checked.report, checked.failure
    result: dict[str, Any] = {
        "connector": file.connector.id,
        "valid": True,
        "problems": [],
        "warnings": as_dicts((*checked.warnings, *checked.unserved)),
        "coverage": [
            {
                "usageType": cell.usage_type,
                "locale": cell.locale or None,
                "template": cell.template and {"usageType": cell.template.usage_type, "locale": cell.template.locale},
                "unfilled": list(cell.unfilled),
                "strangers": list(cell.strangers),
                "problem": told(cell.problem) or None,
            }
            for cell in cells
        ],
    }
    if report is not None:
        result["account"] = {"facts": dict(report.facts), "warnings": as_dicts(report.warnings)}
    if error is not None:
        result["account"] = {"error": error.to_dict()}
    return result
