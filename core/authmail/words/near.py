"""Which name was most likely meant by one that is misspelt."""

import re
from collections.abc import Iterable

# Of two names that share half of their letters in order, one is likely to be meant where the other is missing.
_LIKELY = 0.45
#: A longer name is nobody's misspelling.
LONGEST_SLIP = 64
# Who has more unknown ones has no slip.
_MOST_SLIPS = 50
_NEAR = 0.72


def plain_name(name: str) -> str:
    """Return a name for comparison: ``access_key_id`` and ``AccessKey-ID`` are both ``accesskeyid``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def nearest(name: str, known: Iterable[str], least: float = _NEAR) -> str | None:
    """Return which of the known names was most likely meant, whatever case, hyphens and a letter more or less.

    None where none is near, and for a name of more than :data:`LONGEST_SLIP` characters.
    """
    if len(name) > LONGEST_SLIP:
        return None
    rated = [(_likeness(name, one), one) for one in known]
    likeness, found = max(rated, default=(0.0, None), key=lambda pair: pair[0])
    return found if likeness >= least else None


def _likeness(one: str, other: str) -> float:
    from difflib import SequenceMatcher  # imported late: for hints alone

    return SequenceMatcher(None, plain_name(one), plain_name(other), autojunk=False).ratio()


def written_instead(missing: Iterable[str], unknown: Iterable[str], *, near: bool = False) -> dict[str, str]:
    """Return missing name → the unknown one that most likely stands in its place, the likest pair first.

    Args:
        missing: names that must be there.
        unknown: names that are there and mean nothing.
        near: only nearly the same ones; otherwise ``apikey`` may stand for ``accessKeyId`` where that is missing.
    """
    missing, unknown = list(missing), [name for name in unknown if len(name) <= LONGEST_SLIP][:_MOST_SLIPS]
    pairs = sorted(((_likeness(one, other), one, other) for one in missing for other in unknown), reverse=True)
    found: dict[str, str] = {}
    for likeness, wanted, written in pairs:
        if likeness >= (_NEAR if near else _LIKELY) and wanted not in found and written not in found.values():
            found[wanted] = written
    return found
