"""Installed connectors, found through entry points; broken ones are reported and never stop the others."""

from collections.abc import Collection, Iterator
from importlib.metadata import EntryPoint, entry_points

import attrs

from authmail.connect.connector import Connector
from authmail.connect.contract import GROUP, REQUIRED_HOOKS, ConnectorHooks, manager_of
from authmail.connect.metadata import ConnectorMetadata
from authmail.connect.own import OWN_TARGETS, is_own, takes_own_name
from authmail.errors import ConnectorNotFound
from authmail.privacy import raise_afresh
from authmail.words.text import say

_loaded: dict[tuple[str, str, str, str], Connector] = {}


@attrs.frozen
class BrokenConnector:
    """An entry point that gives no connector.

    Args:
        entry_point: ``name = value`` as the distribution declares it.
        distribution: its name.
        version: its version.
        reason: what is wrong.
    """

    entry_point: str
    distribution: str
    version: str
    reason: str

    def __str__(self) -> str:
        return f"{self.entry_point} ({self.distribution} {self.version}): {self.reason}"


class Connectors:
    """The installed connectors that work, sorted by id; :attr:`broken` has the others."""

    def __init__(self, found: list[Connector], broken: list[BrokenConnector]) -> None:
        self._found = found
        self.broken = tuple(broken)

    def __iter__(self) -> Iterator[Connector]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"Connectors({[connector.id for connector in self]}, broken={len(self.broken)})"


def connector_ids() -> list[str]:
    """Return the factory ids of all installed connectors, sorted. Nothing is imported."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def connectors(*, allow: Collection[str] | None = None, deny: Collection[str] = ()) -> Connectors:
    """Load every installed connector.

    Args:
        allow: only these factory ids; None allows all.
        deny: not these. Both are applied before anything is imported.
    """
    allow = {allow} if isinstance(allow, str) else allow
    deny = {deny} if isinstance(deny, str) else deny
    found: list[Connector] = []
    broken: list[BrokenConnector] = []
    for name in connector_ids():
        if name in deny or (allow is not None and name not in allow):
            continue
        points = _points(name)
        taken = _preferred(points)
        for point in points:
            if point is not taken and takes_own_name(point) is None:
                broken.append(_report(point, _rivals(point, points)))
                continue
            try:
                found.append(_connector(point))
            except ConnectorNotFound as error:
                broken.append(_report(point, str(error.args[0])))
    return Connectors(found, broken)


@raise_afresh
def get_connector(name: str, *, distribution: str | None = None) -> Connector:
    """Return one connector.

    Args:
        name: a factory id, which loads that one only; or a target, which looks through the rest.
        distribution: which distribution's, where several have the same id or target. The names of authmail's own connectors
            are never another's.

    Raises:
        ConnectorNotFound: none is installed, several fit, or it is broken; the text says which and why.
    """
    if not isinstance(name, str):
        raise TypeError(f"get_connector takes the name of a connector, not {type(name).__name__}")
    # A target of authmail's own needs no look through the rest, whatever entry points have its name.
    points = [point for point in _points(OWN_TARGETS.get(name, name)) if distribution in (None, _distribution(point)[0])]
    points = [point for point in points if takes_own_name(point) is None]
    if points:
        return _by_id(name, distribution, points)
    return _by_target(name, distribution)


def _by_id(name: str, distribution: str | None, points: list[EntryPoint]) -> Connector:
    """Return the connector that gets an id, of its entry points in that distribution, or in all."""
    taken = points[0] if distribution else _preferred(points)
    if taken is None:
        choices = ", ".join(sorted(_distribution(point)[0] for point in points))
        raise ConnectorNotFound(f"several distributions have a connector {name}: {choices}; choose with distribution=")
    try:
        return _connector(taken)
    except ConnectorNotFound as error:
        reason = str(_report(taken, str(error.args[0])))
    raise ConnectorNotFound(f"the connector {name} is broken: {reason}")


def _by_target(name: str, distribution: str | None) -> Connector:
    """Return the only connector of a target."""
    everything = connectors()
    matches = [found for found in everything if found.target == name and distribution in (None, found.distribution)]
    if len(matches) > 1:
        raise ConnectorNotFound(
            f"several connectors have the target {name}: {', '.join(found.id for found in matches)}; use an id"
        )
    if not matches:
        raise ConnectorNotFound(_unknown(name, distribution, everything))
    return matches[0]


def _unknown(name: str, distribution: str | None, everything: Connectors) -> str:
    from difflib import get_close_matches  # imported late: for hints alone

    names = [name_ for connector in everything for name_ in (connector.id, connector.target)]
    near = get_close_matches(str(name), names, n=1)
    where = f" in {distribution}" if distribution else ""
    text = f"no connector {str(name)[:100]!r}{where}; installed: {', '.join(connector.id for connector in everything) or 'none'}"
    text += f"; did you mean {near[0]}?" if near else ""
    return text + (f"; broken: {'; '.join(map(str, everything.broken))}" if everything.broken else "")


def _points(name: str) -> list[EntryPoint]:
    """Return the entry points of a name, one per distribution (a path listed twice shows each of its own twice)."""
    unique = {(point.value, *_distribution(point)): point for point in entry_points(group=GROUP, name=name)}
    return list(unique.values())


def _distribution(point: EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "unknown", "unknown"
    metadata = point.dist.metadata  # read and parsed whenever it is asked for
    return metadata["Name"], metadata["Version"]


def _preferred(points: list[EntryPoint]) -> EntryPoint | None:
    """Return the one that gets an id: the only one, or authmail's own among several."""
    own = [point for point in points if is_own(point)]
    return points[0] if len(points) == 1 else own[0] if own else None


def _rivals(point: EntryPoint, points: list[EntryPoint]) -> str:
    others = ", ".join(sorted(_distribution(other)[0] for other in points if other is not point))
    return f"another connector has the same id ({others}); choose with distribution="


def _taken(name: str) -> str:
    return say("the name {name} belongs to authmail's own connector", name=name)


def _report(point: EntryPoint, reason: str) -> BrokenConnector:
    return BrokenConnector(f"{point.name} = {point.value}", *_distribution(point), reason)


def _connector(point: EntryPoint) -> Connector:
    """Load an entry point once; raise ConnectorNotFound with the reason alone if it gives no connector."""
    distribution, version = _distribution(point)
    key = (point.name, point.value, distribution, version)
    if key in _loaded:
        return _loaded[key]
    if name := takes_own_name(point):
        raise ConnectorNotFound(_taken(name))  # before anything of it is imported
    try:
        plugin = point.load()
        manager = manager_of(ConnectorHooks, [plugin])
        missing = [hook for hook in REQUIRED_HOOKS if not getattr(manager.hook, hook).get_hookimpls()]
        if missing:
            reason = f"it lacks the hook {' and '.join(missing)}; is @hookimpl forgotten?"
        else:
            metadata = manager.hook.get_metadata()
            if not isinstance(metadata, ConnectorMetadata):
                reason = f"get_metadata returned {type(metadata).__name__}, not ConnectorMetadata"
            elif metadata.id != point.name:
                reason = f"its metadata has the id {metadata.id}, its entry point {point.name}"
            elif name := takes_own_name(point, metadata.target):
                reason = _taken(name)
            else:
                return _loaded.setdefault(key, Connector(metadata, distribution, version, manager))
    except (Exception, SystemExit) as error:  # noqa: BLE001 (one broken connector must not stop the others)
        reason = f"{type(error).__name__}: {str(error)[:500]}".rstrip(": ")
    raise ConnectorNotFound(reason)
