"""A config file: JSON or TOML, of its owner. Of one connector, or of several senders with their delivery."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import attrs
import click

from authmail import ConfigError, Connector, ConnectorNotFound, Egress, Mailer, References, SendError, Template, get_connector
from authmail.cli.output import fail, print_problems
from authmail.delivery import Delivery, compose
from authmail.delivery.file.composition import parse_settings
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

    def delivery(self, egress: Egress = Egress.ANY, plugins: Iterable[object] = ()) -> Delivery:
        """Return a Delivery of this one connector alone: one attempt, no limits.

        Raises:
            ConfigError: with every problem.
        """
        return Delivery(self.mailer(egress), plugins=plugins)

    def mailer(self, egress: Egress = Egress.ANY, **options: Any) -> Mailer:
        """Return a Mailer that may connect where the owner of the file says, private addresses included.

        Raises:
            ConfigError: with every problem.
        """
        return Mailer(self.connector, self.validated(), templates=self.templates or None, egress=egress, **options)


@attrs.frozen(repr=False)
class DeliveryFile:
    """What ``authmail.toml`` says: senders, and how messages go to them.

    Args:
        name: the file as named by the user.
        raw: its content.
    """

    name: str
    raw: dict[str, Any]

    @property
    def senders(self) -> Mapping[str, ConfigFile]:
        """Each sender by its name, as a config file of its own; only of a file without problems."""
        folder = self.raw.get("templates")
        templates = () if folder is None else templates_in(Path(self.name).parent / folder)
        return {
            name: ConfigFile(self.name, get_connector(sender["connector"]), sender["config"], templates)
            for name, sender in self.raw["senders"].items()
        }

    def delivery(self, egress: Egress = Egress.ANY, plugins: Iterable[object] = ()) -> Delivery:
        """Return the Delivery of the file, which tells its plugins what it does.

        Raises:
            ConfigError: with every problem.
        """
        return compose(self.raw, Path(self.name).parent, egress=egress, plugins=plugins, references=References())


def config_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add CONFIG and --connector to a command."""
    option = click.option("--connector", metavar="ID", help="Connector id or target, for a CONFIG that is Logto's JSON alone.")
    return click.argument("config", type=click.Path(allow_dash=True, dir_okay=False, exists=True))(option(function))


def plain_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add --plain to a command, as its argument ``egress``."""
    help_text = "Allow SMTP without TLS beyond this machine, for a relay of your own network: whoever is between reads codes."

    def chosen(_: click.Context, __: click.Parameter, plain: bool) -> Egress:
        return Egress(private=True, plain=True) if plain else Egress.ANY

    return click.option("--plain", "egress", is_flag=True, callback=chosen, help=help_text)(function)


def connector_named(name: str) -> Connector:
    """Return a connector, or end with wrong usage."""
    try:
        return get_connector(name)
    except ConnectorNotFound as error:
        raise click.UsageError(str(error)) from None


def load_any(name: str, connector: str | None) -> ConfigFile | DeliveryFile:
    """Read a config file of one connector, see :func:`load`, or one that names ``senders``."""
    data = _parsed(name)
    return DeliveryFile(name, data) if "senders" in data and connector is None else _single(name, data, connector)


def load(name: str, connector: str | None) -> ConfigFile:
    """Read a config file, ``{"connector", "config", "templates"}`` or Logto's JSON alone; ``-`` is standard input.

    Ends the command with every problem if the file cannot be used.
    """
    return _single(name, _parsed(name), connector)


def _single(name: str, data: dict[str, Any], connector: str | None) -> ConfigFile:
    wrapped = isinstance(data.get("connector"), str) or isinstance(data.get("config"), dict)
    if wrapped and (unknown := sorted(set(data) - _KEYS)):
        known = ", ".join(sorted(_KEYS))
        raise click.ClickException(f"{name} has {', '.join(unknown)} beside its connector; known there: {known}")
    named = connector or (data.get("connector") if wrapped else None)
    if not isinstance(named, str):
        raise click.UsageError(
            f'{name} names no connector: wrap it as {{"connector": "…", "config": …}}, use --connector, or add [senders.NAME]'
        )
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


def stop_failed(error: SendError, *, as_json: bool = False, mail: bool = True) -> NoReturn:
    """Print what happened to a mail, if one was to be sent, and end with exit code 1."""
    if as_json:
        click.echo(json.dumps({"sent": False, **error.to_dict()}, ensure_ascii=False, indent=2))
        raise SystemExit(1)
    fail(error, mail=mail)
    raise SystemExit(1)


def _parsed(name: str) -> dict[str, Any]:
    try:
        with click.open_file(name, "rb") as file:
            return parse_settings(file.read(), name)
    except ConfigError as error:
        raise click.ClickException(error.problems[0].message) from None
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror}") from None
