"""What a provider said of the account when it was asked without sending mail."""

from collections.abc import Iterable, Mapping

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
