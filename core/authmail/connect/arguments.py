"""What a Mailer is given, read or refused at once: a mistake is told where it was made, and not by the first mail."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pluggy import PluginManager

from authmail.config.reading import prefix_paths
from authmail.config.settings import Settings
from authmail.connect.connector import Connector
from authmail.connect.contract import manager_of
from authmail.connect.plugins import HostHooks
from authmail.connect.registry import get_connector
from authmail.errors import ConfigError, Problem
from authmail.http.ways import check_kind
from authmail.templates.folder import templates_in
from authmail.templates.template import Template
from authmail.words.text import say


def read_templates(templates: Any) -> tuple[Template, ...]:
    """Return the host's own templates: of a folder, or of a list of templates and of their JSON.

    Raises:
        TypeError: it is neither.
        ConfigError: with every problem of the templates.
    """
    if templates is None:
        return ()
    if isinstance(templates, str | Path | Traversable):
        return templates_in(templates)
    if isinstance(templates, Mapping | bytes) or not isinstance(templates, Iterable):
        check_kind("templates", templates, (), "a list of templates, or a folder of them")
    found: list[Template] = []
    problems: list[Problem] = []
    for index, item in enumerate(templates):
        try:
            found.append(item if isinstance(item, Template) else Template.from_dict(item))
        except ConfigError as error:
            problems += prefix_paths(error.problems, f"templates[{index}]")
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def read_plugins(plugins: Any) -> PluginManager:
    """Return a manager of the host's plugins.

    Raises:
        TypeError: it is no list, or one of them has no hook of the host.
        pluggy.PluginValidationError: a hook does not fit the contract.
    """
    if isinstance(plugins, str | bytes | Mapping) or not isinstance(plugins, Iterable):
        check_kind("plugins", plugins, (), "a list of objects or modules with hooks")
    if not (plugins := tuple(plugins)):
        return _no_plugins()
    manager = manager_of(HostHooks, plugins)
    for index, plugin in enumerate(plugins):
        if isinstance(plugin, type) or not manager.get_hookcallers(plugin):
            name = plugin.__name__ if isinstance(plugin, type) else type(plugin).__name__
            raise TypeError(
                say(
                    "plugins[{index}] ({name}) has no hook that could be called; is @hookimpl forgotten, or is it a class?",
                    index=index,
                    name=name,
                )
            )
    return manager


@cache
def _no_plugins() -> PluginManager:
    return manager_of(HostHooks, ())  # takes most of the time of making a Mailer, and there is one for each tenant


def read_connector(connector: Any) -> Connector:
    """Return a connector, given itself or by its id or target.

    Raises:
        TypeError: it is neither.
        ConnectorNotFound: there is no such connector, or it is broken.
    """
    if isinstance(connector, str):
        return get_connector(connector)
    check_kind("connector", connector, (Connector,), "a Connector, or the id or target of one")
    found: Connector = connector
    return found


def read_config(connector: Connector, config: Any, *, elsewhere: bool) -> Any:
    """Return a connector's typed config, given itself or as JSON.

    Args:
        connector: whose.
        config: what its validate_config returned, or the JSON.
        elsewhere: there are templates besides those of the config.

    Raises:
        TypeError: it is the config of another connector.
        ConfigError: with every problem.
    """
    if isinstance(config, Mapping | list | tuple | str | bytes | int | float | None):
        return connector.validate_config(config, templates=elsewhere)
    wanted = connector.metadata.settings
    if isinstance(config, Settings) and wanted is not None and not isinstance(config, wanted):
        hint = "config= is a {kind}, not the {wanted} of {connector}"
        raise TypeError(say(hint, kind=type(config).__name__, wanted=wanted.__name__, connector=connector.id))
    return config
