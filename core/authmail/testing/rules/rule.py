"""One rule that every connector keeps: an id, a sentence, what to do, and a check that finds breaches."""

from collections.abc import AsyncIterator, Callable, Iterable

import attrs

from authmail.testing.case import Case

Check = Callable[[Case], AsyncIterator[str]]


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
