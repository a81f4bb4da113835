"""Whether a connector keeps the rules."""

from authmail.testing.case import Case
from authmail.testing.rules import rules
from authmail.testing.rules.rule import Rule


async def findings(rule: Rule, case: Case) -> list[str]:
    """Return what breaks a rule; a check that fails itself is a finding too."""
    seen = []
    try:
        async for finding in rule.check(case):
            seen.append(finding)  # noqa: PERF401 (what was seen before the failure stays)
    except Exception as error:  # noqa: BLE001 (a connector may raise anything, anywhere)
        seen.append(f"{type(error).__name__}: {error}")
    return seen


async def broken_basics(case: Case) -> dict[str, list[str]]:
    """Return the basic rules that are broken, each with what breaks it; only the first, since the next ones build on it."""
    if case.basics is None:
        case.basics = {}
        for id_, rule in rules(case.kind).items():
            if rule.basic and (seen := await findings(rule, case)):
                case.basics[id_] = seen
                break
    return case.basics


async def broken_rules(case: Case) -> dict[str, list[str]]:
    """Return every broken rule with what breaks it. While a basic one is broken, nothing else is judged."""
    broken = dict(await broken_basics(case))
    if broken:
        return broken
    for id_, rule in rules(case.kind).items():
        if not rule.basic and (seen := await findings(rule, case)):
            broken[id_] = seen
    return broken
