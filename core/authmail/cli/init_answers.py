"""What `authmail init --ask` asks at a terminal: the required settings, each checked as it is typed."""

import sys
from typing import Any

import click

from authmail import ConfigError, Connector, say
from authmail.cli.language import reader, told
from authmail.cli.output import echo, styled
from authmail.config.forms import FormItem
from authmail.config.settings import fields_of, is_required


def ask(connector: Connector, config: dict[str, Any]) -> dict[str, Any]:
    """Return a config with the answers in it; an empty answer leaves a setting to be filled in later.

    Raises:
        click.UsageError: there is no terminal to ask at.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("--ask needs a terminal; without it the values in <angle brackets> are filled in by hand")
    echo(styled(connector.id, bold=True), f": {told(say('leave empty what you do not know yet'))}", err=True)
    specs = {key: (field, spec) for key, field, spec in fields_of(connector.metadata.settings or object)}
    basic = {key for key, (field, spec) in specs.items() if spec.group == "basic" or (is_required(field) and not spec.group)}
    items = [item for item in connector.metadata.form_items(reader()) if item.key in basic and item.type in ("Text", "Number")]
    answers = {item.key: _answer(connector, item) for item in items}
    answers = {key: answer for key, answer in answers.items() if answer is not None}
    # What was answered in a setting of its own need not be filled in a second time.
    doubled = {key for key, (field, spec) in specs.items() if is_required(field) and spec.group == "more"}
    given = any(specs[key][1].group == "basic" for key in answers)
    return {key: value for key, value in config.items() if not given or key not in doubled} | answers


def _answer(connector: Connector, item: FormItem) -> Any:
    """Ask until the answer fits its setting, or is empty."""
    if item.description:
        echo(f"  {item.description}", err=True)
    while True:
        text = click.prompt(f"  {item.label}", default="", show_default=False, hide_input=item.is_confidential, err=True)
        if not text:
            return None
        value = int(text) if item.type == "Number" and text.isdecimal() else text
        problems = [problem for problem in _problems(connector, item.key, value) if problem.path == item.key]
        if not problems:
            return value
        echo(f"  {problems[0].message_in(reader())}  {problems[0].hint_in(reader())}", err=True)


def _problems(connector: Connector, key: str, value: Any) -> list[Any]:
    try:
        connector.validate_config({key: value}, templates=True)
    except ConfigError as error:
        return error.problems
    return []
