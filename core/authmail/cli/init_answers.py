"""What `authmail init --ask` asks at a terminal: the required settings, each checked as it is typed."""

import sys
from collections.abc import Iterable
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
    answers = {item.key: answer for item in _items_to_ask(connector) if (answer := _answer(connector, item)) is not None}
    answered_twice = _doubled(connector, answers)
    return {key: value for key, value in config.items() if key not in answered_twice} | answers


def _items_to_ask(connector: Connector) -> list[FormItem]:
    """Return the settings that nothing works without, of those that can be typed in a line."""
    settings = fields_of(connector.metadata.settings or object)
    basic = {key for key, field, spec in settings if spec.group == "basic" or (is_required(field) and not spec.group)}
    return [item for item in connector.metadata.form_items(reader()) if item.key in basic and item.type in ("Text", "Number")]


def _doubled(connector: Connector, answers: Iterable[str]) -> set[str]:
    """Return what need not be filled in a second time, since it was answered in a setting of its own."""
    settings = fields_of(connector.metadata.settings or object)
    basic = {key for key, _, spec in settings if spec.group == "basic"}
    if basic.isdisjoint(answers):
        return set()
    return {key for key, field, spec in settings if is_required(field) and spec.group == "more"}


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
