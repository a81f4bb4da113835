"""What a provider said of the account when it was asked without sending mail."""

from collections.abc import Callable, Iterable, Mapping
from typing import Self

import attrs

from authmail.errors import Problem


def _as_tuple(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(problems)


@attrs.frozen
class AccountReport:
    """What a provider said of the account when asked without sending mail.

    Args:
        facts: label → value, such as the quota that is left.
        warnings: what may stop mail later, or could not be asked.
    """

    facts: Mapping[str, str] = attrs.field(factory=dict)
    warnings: tuple[Problem, ...] = attrs.field(default=(), converter=_as_tuple)

    def cleaned(self, clean: Callable[[str], str]) -> Self:
        """Return it with every text that came from the provider cleaned.

        Args:
            clean: makes a text one line without secrets.
        """
        facts = {clean(str(label)): clean(str(value)) for label, value in self.facts.items()}
        warnings = [Problem(clean(one.path), one.message.change(clean), one.hint.change(clean)) for one in self.warnings]
        return type(self)(facts, warnings)
