"""From a file to a Delivery, so that an operator never writes code."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs

from authmail.config.doubts import unknown_keys
from authmail.config.reading import prefix_paths
from authmail.config.references import References, resolve_references
from authmail.config.secret import revealed
from authmail.connect.connector import Connector
from authmail.connect.registry import get_connector
from authmail.delivery.breaker import Breaker
from authmail.delivery.dedupe import Dedupe
from authmail.delivery.delivery import Delivery
from authmail.delivery.failover import Failover
from authmail.delivery.file.alerts import alerts_of, problems_of_alerts
from authmail.delivery.file.reading import parse_settings
from authmail.delivery.file.settings import (
    DeliverySettings,
    FileSettings,
    LimitsSettings,
    SenderSettings,
)
from authmail.delivery.file.store import store_of
from authmail.delivery.limits import Limits
from authmail.delivery.marking import Marked
from authmail.delivery.pace import Pace
from authmail.delivery.retry import Retry
from authmail.delivery.routes import Route, Routes
from authmail.delivery.sender import MessageSender
from authmail.delivery.stores import Limit, Store
from authmail.delivery.stores.at import is_server
from authmail.delivery.ticket import MessageQueue
from authmail.errors import ConfigError, ConnectorNotFound, Problem
from authmail.http.egress import Egress
from authmail.mailer import Mailer
from authmail.privacy import raise_afresh
from authmail.templates.folder import templates_in
from authmail.templates.template import Template
from authmail.words.text import say


@raise_afresh
def load(
    path: str | os.PathLike[str],
    *,
    plugins: Iterable[object] = (),
    egress: Egress = Egress.ANY,
    references: References | None = None,
    name: str | None = None,
    replaces: Delivery | None = None,
) -> Delivery:
    """Read ``authmail.toml`` (or the same as JSON) and return what sends by it. Open it with ``async with``.

    The file is its owner's, so secrets may be references, and private addresses may be connected to.

    Args:
        path: the file.
        plugins: objects or modules with host hooks.
        egress: where connectors may connect.
        references: what secrets may refer to; ``AUTHMAIL_*`` and ``/run/secrets`` by default.
        name: keeps its limits and repeats apart from others'; the file's own ``name`` by default.
        replaces: the delivery that this one takes over from, for a reload while that one is open.

    Raises:
        ConfigError: every problem at once, with its path in the file and what to do.
        OSError: the file cannot be read.
    """
    path = Path(path)
    raw = parse_settings(path.read_bytes(), path.name)
    return compose(
        raw, path.parent, plugins=plugins, egress=egress, references=references or References(), name=name, replaces=replaces
    )


@raise_afresh
def compose(
    raw: Mapping[str, Any],
    folder: Path,
    *,
    plugins: Iterable[object] = (),
    egress: Egress = Egress.PUBLIC,
    references: References | None = None,
    name: str | None = None,
    replaces: Delivery | None = None,
) -> Delivery:
    """Return the Delivery that a config describes, as out of a database; relative paths in it start at a folder.

    It is taken for a stranger's config, as one of a tenant's admin is; :func:`load` reads its owner's file.

    Args:
        raw: the content of an ``authmail.toml``.
        folder: where relative paths start.
        plugins: objects or modules with host hooks.
        egress: where connectors may connect; for its owner's config Egress.ANY.
        references: what secrets may refer to; None refuses references, and paths that lead out of the folder. For its
            owner's config References().
        name: keeps its limits and repeats apart from others', such as a tenant's id; the config's own ``name`` by default, which
            the tenant chooses.
        replaces: the delivery that this one takes over from, for a swap while that one is open.

    Raises:
        ConfigError: every problem at once.
    """
    problems: list[Problem] = []
    raw = {key: value for key, value in raw.items() if key != "$schema"}
    if references is not None:
        raw, problems = resolve_references(raw, FileSettings, references)
    problems += unknown_keys(raw, FileSettings)
    settings = None
    try:
        settings = FileSettings.from_dict(raw)
    except ConfigError as error:
        problems += error.problems
    else:
        problems += problems_of_alerts(settings.alerts, egress, of_owner=references is not None)
    if references is None and (strange := list(_paths_outside(raw, folder))):
        raise ConfigError([*problems, *strange])
    templates, unusable = _templates(raw, folder, of_owner=references is not None)
    problems += unusable
    store, unusable = store_of(raw, folder)
    problems += unusable
    # What else is wrong with the file keeps nobody from learning what is wrong with its senders.
    mailers: dict[str, Mailer] = {}
    for called, sender in _readable_senders(raw):
        try:
            mailers[called] = _mailer(sender, templates, raw.get("defaultLocale"), egress, references)
        except ConfigError as error:
            problems += prefix_paths(error.problems, f"senders.{called}")
    if settings is None or store is None or problems:
        raise ConfigError(problems)
    queue = _queue(settings, store)
    # One breaker for each account, whichever route its messages come by.
    breakers = {
        called: Breaker(
            _paced(mailer, called, settings, store),
            name=called,
            failures=settings.delivery.failures,
            rest=settings.delivery.rest,
            store=store,
        )
        for called, mailer in mailers.items()
    }
    name = settings.name if name is None else name
    return Delivery(
        _nested(settings, breakers, store),
        plugins=(*plugins, alerts_of(settings, breakers, egress, store, name=name)),
        timeout=settings.delivery.timeout,
        name=name,
        replaces=replaces,
        queue=queue,
    )


def _paths_outside(raw: Mapping[str, Any], folder: Path) -> Iterable[Problem]:
    """Yield a problem for each path that leads out of the folder, also by a symbolic link; and for a store on a server."""
    for key in ("templates", "store"):
        path = revealed(raw.get(key))
        if key == "store" and isinstance(path, str) and is_server(path):
            yield Problem(key, say("names a server, which this config may not"), say("only its owner's file may say so"))
            continue
        try:
            inside = not isinstance(path, str) or (folder / path).resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError, RuntimeError):
            inside = False
        if not inside:
            yield Problem(key, say("leads out of the folder of this config"), say("only its owner's file may say so"))


def _templates(raw: Mapping[str, Any], folder: Path, *, of_owner: bool) -> tuple[tuple[Template, ...] | None, list[Problem]]:
    """Return the templates that a config names, None if it names none; and why they cannot be used."""
    if not raw.get("templates"):
        return None, []
    try:
        return templates_in(folder / str(raw["templates"])), []
    except ConfigError as error:  # where was looked is no stranger's business
        problems = error.problems if of_owner else [attrs.evolve(one, hint="") for one in error.problems]
    # None is another answer: that the senders have none of their own either is no further problem.
    return (), problems


def _readable_senders(raw: Mapping[str, Any]) -> Iterable[tuple[str, SenderSettings]]:
    senders = raw.get("senders")
    for name, sender in senders.items() if isinstance(senders, Mapping) else ():
        with suppress(ConfigError):  # its problems are known from reading the whole file
            yield name, SenderSettings.from_dict(sender)


def _mailer(
    sender: SenderSettings,
    templates: tuple[Template, ...] | None,
    default_locale: str | None,
    egress: Egress,
    references: References | None,
) -> Mailer:
    connector = _connector(sender.connector, sender.distribution)
    try:
        config = connector.validate_config(sender.config, references=references, templates=templates is not None)
    except ConfigError as error:
        problems = prefix_paths(error.problems, "config")
    else:
        return Mailer(connector, config, templates=templates, egress=egress, default_locale=default_locale)
    raise ConfigError(problems)


def _paced(mailer: Mailer, name: str, settings: FileSettings, store: Store) -> MessageSender:
    """Return a sender that keeps to its pace, and tells a queue before it asks the provider."""
    pace = settings.senders[name].pace
    sender: MessageSender = mailer if settings.queue is None else Marked(mailer, name=name)
    rate = pace.rate or mailer.connector.metadata.rate
    return Pace(sender, name=name, rate=rate, burst=pace.burst, store=store) if pace.enabled and rate else sender


def _queue(settings: FileSettings, store: Store) -> MessageQueue | None:
    """Return the queue of a file that has one. It stands above this room, so it is loaded by its name."""
    if settings.queue is None:
        return None
    try:
        module = import_module("authmail.queue.file")
    except ImportError as error:
        missing = error.name
    else:
        queue: MessageQueue = module.queue_of(settings.queue, store)
        return queue
    problem = say("needs {module}, which is not installed", module=missing or "")
    raise ConfigError([Problem("queue", problem, say("pip install 'authmail[{extra}]'", extra="queue"))])


def _connector(name: str, distribution: str | None) -> Connector:
    try:
        return get_connector(name, distribution=distribution)
    except ConnectorNotFound as error:
        problem = Problem("connector", str(error))
    raise ConfigError([problem])


def _nested(settings: FileSettings, breakers: Mapping[str, Breaker], store: Store) -> MessageSender:
    delivery = settings.delivery
    sender = _chain(delivery.order or breakers, breakers, delivery)
    if settings.routes:
        routes = [
            Route(
                name=route.name,
                sender=_chain(route.senders, breakers, delivery),
                types=route.types,
                domains=route.domains,
                applications=route.applications,
                organizations=route.organizations,
                locales=route.locales,
            )
            for route in settings.routes
        ]
        sender = Routes(routes, sender)
    if settings.limits.enabled:
        sender = _limited(sender, store, settings.limits)
    return Dedupe(sender, store=store, keep=delivery.keep, hold=delivery.hold)


def _chain(names: Iterable[str], breakers: Mapping[str, Breaker], delivery: DeliverySettings) -> MessageSender:
    failover = Failover([breakers[name] for name in names], on_unknown=delivery.on_unknown)
    return Retry(failover, attempts=delivery.attempts, on_unknown=delivery.on_unknown)


def _limited(sender: MessageSender, store: Store, limits: LimitsSettings) -> Limits:
    def limit(name: str) -> Limit | None:
        setting = getattr(limits, name)
        return None if setting is None else Limit(setting.most, setting.seconds)

    return Limits(sender, store=store, recipient=limit("recipient"), ip=limit("ip"), account=limit("account"))
