"""A config file: JSON or TOML, of its owner. Of one connector, or of several senders with their delivery."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import attrs
import click

from authmail import (
    ConfigError,
    Connector,
    ConnectorNotFound,
    Egress,
    Mailer,
    Problem,
    References,
    SendError,
    Settings,
    Template,
    get_connector,
    say,
)
from authmail.cli.language import language_option
from authmail.cli.output import fail, print_json, print_problems
from authmail.config.doubts import doubts_of_files, file_of
from authmail.delivery import Delivery, Store, compose
from authmail.delivery.file.reading import parse_settings
from authmail.delivery.file.store import read_store
from authmail.delivery.sharing import reach_of
from authmail.privacy import hide_fields
from authmail.templates.folder import templates_in
from authmail.templates.sight import unseen_in
from authmail.words.near import nearest

_KEYS = {"connector", "config", "templates", "$schema"}


@attrs.frozen(repr=False, field_transformer=hide_fields)
class ConfigFile:
    """What a config file says.

    Args:
        name: the file as named by the user.
        connector: the connector it is for.
        raw: the connector's settings.
        templates: templates of the folder it names; none if it names none.
        folder: that folder, as the file names it.
    """

    name: str
    connector: Connector
    raw: dict[str, Any]
    templates: tuple[Template, ...]
    folder: str = ""

    @property
    def references(self) -> References:
        """The file is its owner's, so it may refer to secrets kept elsewhere, and is told which cannot be read."""
        return References(tell=True)

    @property
    def usage_types(self) -> list[str]:
        """Usage types of the templates there are."""
        own = self.raw.get("templates")
        entries = own if isinstance(own, list) else []
        found = [str(entry.get("usageType")) for entry in entries if isinstance(entry, dict)]
        return [*found, *(template.usage_type for template in (*self.templates, *dict(self._other_templates()).values()))]

    def warnings(self) -> list[Problem]:
        """Return what is doubtful, also of a config with problems."""
        found = self.connector.warnings(self.raw, references=self.references, templates=self.templates)
        found += doubts_of_files(self.templates, self.folder)
        return found + [problem for template, path in self.named_templates() for problem in unseen_in(template, path)]

    def named_templates(self) -> list[tuple[Template, str]]:
        """Return every template that can be read, with its file or its place in the config."""
        if not self.connector.takes_mails:
            return []
        found = [(template, file_of(template, self.folder)) for template in self.templates]
        own = self.raw.get("templates")
        for index, entry in enumerate(own if isinstance(own, list) else []):
            with contextlib.suppress(ConfigError):
                found.append((Template.from_dict(entry), f"templates[{index}]"))
        return found + [(template, path) for path, template in self._other_templates()]

    def _other_templates(self) -> Iterable[tuple[str, Template]]:
        with contextlib.suppress(ConfigError):
            config = self.validated()
            return tuple(config.other_templates()) if isinstance(config, Settings) else ()
        return ()

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


@attrs.frozen(repr=False, field_transformer=hide_fields)
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
            name: ConfigFile(self.name, get_connector(sender["connector"]), sender["config"], templates, str(folder or ""))
            for name, sender in self.raw["senders"].items()
        }

    @property
    def store(self) -> Store:
        """The store that it names, which is not opened.

        Raises:
            ConfigError: every problem of the store's settings.
        """
        return read_store(self.raw, Path(self.name).parent, References(tell=True))

    @property
    def shared(self) -> str:
        """Whose messages limits and repeats know: of a ``process``, a ``machine`` or ``machines``; only of a file without problems."""
        return reach_of(self.store)

    @property
    def usage_types(self) -> list[str]:
        """Usage types of the templates there are, as far as they can be read."""
        senders = self.readable_senders()
        return [usage_type for file in senders.values() for usage_type in file.usage_types]

    def warnings(self) -> list[Problem]:
        """Return what is doubtful of each sender, also of a file with problems."""
        return [
            attrs.evolve(warning, path=f"senders.{name}.config.{warning.path}")
            for name, file in self.readable_senders().items()
            for warning in file.connector.warnings(file.raw, references=file.references, templates=True)
        ]

    def readable_senders(self) -> dict[str, ConfigFile]:
        """Return what there is of a file that may have problems."""
        try:
            folder = self.raw.get("templates")
            templates = templates_in(Path(self.name).parent / folder) if isinstance(folder, str) else ()
        except ConfigError:
            templates = ()
        found = {}
        senders = self.raw.get("senders")
        for name, sender in senders.items() if isinstance(senders, dict) else ():
            if isinstance(sender, dict) and isinstance(sender.get("connector"), str) and isinstance(sender.get("config"), dict):
                with contextlib.suppress(ConnectorNotFound):
                    found[name] = ConfigFile(
                        self.name, get_connector(sender["connector"]), sender["config"], templates, str(folder or "")
                    )
        return found

    def delivery(self, egress: Egress = Egress.ANY, plugins: Iterable[object] = ()) -> Delivery:
        """Return the Delivery of the file, which tells its plugins what it does.

        Raises:
            ConfigError: with every problem.
        """
        return compose(self.raw, Path(self.name).parent, egress=egress, plugins=plugins, references=References(tell=True))


def config_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add CONFIG and --connector to a command."""
    option = click.option("--connector", metavar="ID", help="Connector id or target, for a CONFIG that is Logto's JSON alone.")
    return click.argument("config", type=click.Path(allow_dash=True, dir_okay=False, exists=True))(
        option(language_option(function))
    )


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
    data = parsed(name)
    return DeliveryFile(name, data) if "senders" in data and connector is None else _single(name, data, connector)


def load(name: str, connector: str | None) -> ConfigFile:
    """Read a config file, ``{"connector", "config", "templates"}`` or Logto's JSON alone; ``-`` is standard input.

    Ends the command with every problem if the file cannot be used.
    """
    return _single(name, parsed(name), connector)


def _single(name: str, data: dict[str, Any], connector: str | None) -> ConfigFile:
    wrapped = isinstance(data.get("connector"), str) or isinstance(data.get("config"), dict)
    content = data if wrapped else {"config": data}
    problems = list(_beside(content))
    found: Connector | None = None
    try:
        found = _connector_for(content, connector)
    except ConfigError as error:
        problems += error.problems
    folder = content.get("templates")
    templates: tuple[Template, ...] = ()
    try:
        templates = () if folder is None else templates_in(Path(name).parent / str(folder))
    except ConfigError as error:
        problems += error.problems
    if problems or found is None:
        stop(name, ConfigError(problems))
    return ConfigFile(name, found, content.get("config") or {}, templates, str(folder or ""))


def _connector_for(data: dict[str, Any], wanted: str | None) -> Connector:
    """Return the connector that the command names, else the one that the file names."""
    if wanted is not None:
        return connector_named(wanted)
    try:
        return get_connector(_named(data))
    except ConnectorNotFound as error:
        problem = Problem("connector", str(error))
    raise ConfigError([problem])


def _named(data: dict[str, Any]) -> str:
    """Return the connector that a file names."""
    if isinstance(data.get("connector"), str):
        return str(data["connector"])
    hint = say("write {example}, or use --connector ID", example='{"connector": "…", "config": {…}}')
    raise ConfigError([Problem("connector", say("the file names no connector"), hint)])


def _beside(data: dict[str, Any]) -> Iterable[Problem]:
    """Yield what a file has beside its connector and is not known there."""
    for key in data:
        if key not in _KEYS:
            near = nearest(str(key), _KEYS)
            known = say("known here: {known}", known=", ".join(sorted(_KEYS)))
            yield Problem(str(key), say("is not known here"), say("did you mean {near}?", near=near) if near else known)


def stop(name: str, error: ConfigError, warnings: Sequence[Problem] = ()) -> NoReturn:
    """Print every problem of a config, with its warnings beside them, and end with exit code 1."""
    context = click.get_current_context(silent=True)
    print_problems(name, error.problems, warnings, as_json=bool(context and context.params.get("as_json")))
    raise SystemExit(1)


def stop_failed(error: SendError, *, as_json: bool = False, mail: bool = True) -> NoReturn:
    """Print what happened to a mail, if one was to be sent, and end with exit code 1."""
    if as_json:
        print_json({"sent": False, **error.to_dict()})
        raise SystemExit(1)
    fail(error, mail=mail)
    raise SystemExit(1)


def parsed(name: str) -> dict[str, Any]:
    """Read a file of JSON or TOML; ends the command with what is wrong if it is neither."""
    try:
        with click.open_file(name, "rb") as file:
            return parse_settings(file.read(), name)
    except ConfigError as error:
        stop(name, error)
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror}") from None
