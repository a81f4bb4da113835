"""The rules that every connector keeps, as data: each has an id, a sentence, what to do, and a check that finds breaches."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from importlib import import_module

import attrs

from authmail.testing.case import Case

Check = Callable[[Case], AsyncIterator[str]]

_BLOCKS = (
    "metadata",
    "config",
    "exchanges",
    "templates",
    "requests",
    "outcomes",
    "repeats",
    "time_limits",
    "faults",
    "closing",
    "concurrency",
    "security",
    "privacy",
    "emulators",
)


@attrs.frozen
class Rule:
    """One rule.

    Args:
        id: block and name, ``outcome.unreadable-success``.
        says: the rule, in one sentence.
        do: what to do when it is broken.
        check: yields what is wrong, if anything is.
        kinds: the kinds of connectors that it holds for.
        basic: nothing else can be judged while it is broken.
        recorded: it judges the recorded exchanges, each for itself.
    """

    id: str
    says: str
    do: str
    check: Check
    kinds: tuple[str, ...] = ("http", "smtp")
    basic: bool = False
    recorded: bool = False

    def explain(self, findings: Iterable[str]) -> str:
        """Return what a person reads when the rule is broken."""
        seen = "\n".join(f"  - {finding}".replace("\n", "\n    ") for finding in findings)
        return f"{self.id}: {self.says}\n{seen}\nWhat to do: {self.do}"


_rules: dict[str, Rule] = {}


def rule(id: str, says: str, do: str, **details: object) -> Callable[[Check], Check]:  # noqa: A002 (a rule's id)
    """Make an async generator the check of a rule. Arguments as of :class:`Rule`."""

    def register(check: Check) -> Check:
        _rules[id] = Rule(id, says, do, check, **details)  # type: ignore[arg-type]  # attributes of Rule
        return check

    return register


def rules(kind: str | None = None) -> Mapping[str, Rule]:
    """Return the rules by id, in the order of the blocks: all of them, or those for a kind of connector."""
    for block in _BLOCKS:
        import_module(f"authmail.testing.blocks.{block}")
    return {id_: found for id_, found in _rules.items() if kind is None or kind in found.kinds}


async def findings(found: Rule, case: Case) -> list[str]:
    """Return what breaks a rule; a check that fails itself is a finding too."""
    seen = []
    try:
        async for finding in found.check(case):
            seen.append(finding)  # noqa: PERF401 (what was seen before the failure stays)
    except Exception as error:  # noqa: BLE001 (a connector may raise anything, anywhere)
        seen.append(f"{type(error).__name__}: {error}")
    return seen


async def broken_basics(case: Case) -> dict[str, list[str]]:
    """Return the basic rules that are broken, each with what breaks it; only the first, since the next ones build on it."""
    if case.basics is None:
        case.basics = {}
        for id_, found in rules(case.kind).items():
            if found.basic and (seen := await findings(found, case)):
                case.basics[id_] = seen
                break
    return case.basics


async def broken_rules(case: Case) -> dict[str, list[str]]:
    """Return every broken rule with what breaks it. While a basic one is broken, nothing else is judged."""
    broken = dict(await broken_basics(case))
    if broken:
        return broken
    for id_, found in rules(case.kind).items():
        if not found.basic and (seen := await findings(found, case)):
            broken[id_] = seen
    return broken
