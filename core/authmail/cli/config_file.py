"""A config file: JSON or TOML, of its owner."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import attrs
import click

from authmail import ConfigError, Connector, ConnectorNotFound, Egress, Mailer, References, SendError, Template, get_connector
from authmail.cli.output import fail, print_problems
from authmail.templates.folder import templates_in

_KEYS = {"connector", "config", "templates", "$schema"}


@attrs.frozen(repr=False)
class ConfigFile:
    """What a config file says.

    Args:
        name: the file as named by the user.
        connector: the connector it is for.
        raw: the connector's settings.
        templates: templates of the folder it names; none if it names none.
    """

    name: str
    connector: Connector
    raw: dict[str, Any]
    templates: tuple[Template, ...]

    @property
    def references(self) -> References:
        """The file is its owner's, so it may refer to secrets kept elsewhere."""
        return References()

    def validated(self) -> Any:
        """Return the typed config.

        Raises:
            ConfigError: with every problem.
        """
        return self.connector.validate_config(self.raw, references=self.references, templates=self.templates)

    def mailer(self, **options: Any) -> Mailer:
        """Return a Mailer that may connect where the owner of the file says, private addresses included.

        Raises:
            ConfigError: with every problem.
        """
        return Mailer(self.connector, self.validated(), templates=self.templates or None, egress=Egress.ANY, **options)


def config_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add CONFIG and --connector to a command."""
    option = click.option("--connector", metavar="ID", help="Connector id or target, for a CONFIG that is Logto's JSON alone.")
    return click.argument("config", type=click.Path(allow_dash=True, dir_okay=False, exists=True))(option(function))


def connector_named(name: str) -> Connector:
    """Return a connector, or end with wrong usage."""
    try:
        return get_connector(name)
    except ConnectorNotFound as error:
        raise click.UsageError(str(error)) from None


def load(name: str, connector: str | None) -> ConfigFile:
    """Read a config file, ``{"connector", "config", "templates"}`` or Logto's JSON alone; ``-`` is standard input.

    Ends the command with every problem if the file cannot be used.
    """
    data = _parsed(name)
    wrapped = isinstance(data.get("connector"), str) or isinstance(data.get("config"), dict)
    if wrapped and (unknown := sorted(set(data) - _KEYS)):
        known = ", ".join(sorted(_KEYS))
        raise click.ClickException(f"{name} has {', '.join(unknown)} beside its connector; known there: {known}")
    named = connector or (data.get("connector") if wrapped else None)
    if not isinstance(named, str):
        raise click.UsageError(f'{name} names no connector: wrap it as {{"connector": "…", "config": …}} or use --connector')
    raw = data.get("config") or {} if wrapped else data
    folder = data.get("templates") if wrapped else None
    try:
        templates = () if folder is None else templates_in(Path(name).parent / str(folder))
    except ConfigError as error:
        stop(name, error)
    return ConfigFile(name, connector_named(named), raw, templates)


def stop(name: str, error: ConfigError, *, as_json: bool = False) -> NoReturn:
    """Print every problem of a config and end with exit code 1."""
    print_problems(name, error.problems, as_json=as_json)
    raise SystemExit(1)


def stop_failed(error: SendError, *, as_json: bool = False) -> NoReturn:
    """Print what happened to a mail and end with exit code 1."""
    if as_json:
        click.echo(json.dumps({"sent": False, **error.to_dict()}, ensure_ascii=False, indent=2))
        raise SystemExit(1)
    fail(error)
    raise SystemExit(1)


def _parsed(name: str) -> dict[str, Any]:
    try:
        with click.open_file(name, "rb") as file:
            text = file.read().decode("utf-8-sig")
        is_json = text.lstrip().startswith("{") or name.endswith(".json")
        data = json.loads(text) if is_json else tomllib.loads(text)
    except (OSError, ValueError) as error:
        # A parser's message has line and column, and no text of the file.
        raise click.ClickException(f"{name} cannot be read as JSON or TOML: {_place(error)}") from None
    if not isinstance(data, dict):
        raise click.ClickException(f"{name} must hold an object")
    return data


def _place(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
