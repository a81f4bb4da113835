"""The rules that every connector keeps, as data: a module for each block, each with its list."""

from collections.abc import Mapping

from authmail.testing.rules import (
    closing,
    concurrency,
    config,
    dialogues,
    emulators,
    exchanges,
    faults,
    loop,
    mails,
    metadata,
    outcomes,
    privacy,
    repeats,
    requests,
    security,
    templates,
    tenants,
    time_limits,
)
from authmail.testing.rules.rule import Rule

#: Every rule, in the order of the blocks.
RULES: tuple[Rule, ...] = (
    *metadata.RULES,
    *config.RULES,
    *exchanges.RULES,
    *templates.RULES,
    *requests.RULES,
    *mails.RULES,
    *outcomes.RULES,
    *repeats.RULES,
    *time_limits.RULES,
    *faults.RULES,
    *dialogues.RULES,
    *closing.RULES,
    *concurrency.RULES,
    *tenants.RULES,
    *loop.RULES,
    *security.RULES,
    *privacy.RULES,
    *emulators.RULES,
)


def rules(kind: str | None = None) -> Mapping[str, Rule]:
    """Return the rules by id, in their order: all of them, or those for a kind of connector."""
    return {rule.id: rule for rule in RULES if kind is None or kind in rule.kinds}
