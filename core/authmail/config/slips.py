"""Slips of the hand in a config: values that nobody filled in, blanks that were copied along.

They are told for what they most likely are, at their place. What is told never holds a value, but names alone.
"""

import re
from typing import Any

from authmail.config.secret import revealed
from authmail.words.text import Text, say

_LONGEST_KEY = 200

_PLACEHOLDER = re.compile(r"<[^<>@]*>|\$\{[^{}]*\}|%[A-Z_]{3,}%|\$[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_NOT_FILLED_IN = re.compile(
    r"""<[^<>@]*>                                    # <API key>, as `authmail init` writes it
      | \S*(?:…|\.\.\.)                              # LTAI…, as pages shorten keys
      | \$\{[^{}]*\} | \{\{[^{}]*\}\} | %[A-Z_]{3,}%    # ${SECRET}, which no program has filled in
      | \$[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+              # $AUTHMAIL_SECRET
      | (?i:your)[-_ ](?i:api|access|smtp|secret|key|password|token|user|id)\b.* | (?i:change[-_ ]?me|todo|replace[-_ ]?me)""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$\{?[A-Za-z_]|%[A-Z_]{3,}%|\{\{")
_BLANKS = "\u00a0\u1680\u180e\u200b\u200c\u200d\u2060\u3000\ufeff"


def is_not_filled_in(value: Any, *, is_free: bool) -> bool:
    """Whether a text or secret is what a page or ``authmail init`` has in place of a value.

    Args:
        value: of a setting.
        is_free: it may be any words, such as a sender's name; a key that ends in ``…`` is none.
    """
    text = revealed(value)
    pattern = _PLACEHOLDER if is_free else _NOT_FILLED_IN
    return isinstance(text, str) and len(text) <= _LONGEST_KEY and pattern.fullmatch(text.strip()) is not None


def how_to_fill_in(value: Any, help_text: str, *, secret: bool) -> str:
    """Return what to do about a value that is not filled in."""
    text = revealed(value)
    if not _VARIABLE.match(text.strip()):
        return help_text
    if secret:
        return say("variables are not filled in here; write {example}", example='{"env": "AUTHMAIL_…"}')
    return say("variables are not filled in here; write the value itself")


def blanks_around(value: Any) -> Text | None:
    """Return which blanks a text or secret begins or ends with, in words; None if with none, or if it has several lines."""
    text = revealed(value)
    if not isinstance(text, str) or not text:
        return None
    bare = text.strip().strip(_BLANKS).strip()
    if bare == text or "\n" in bare:
        return None
    before, after = text[: text.find(bare)] if bare else text, text[text.rfind(bare) + len(bare) :] if bare else ""
    kinds = {"\r\n\u0085\u2028\u2029": say("a line break"), "\t": say("a tab"), " ": say("a blank")}
    first = (before or after)[0]
    what = next((name for characters, name in kinds.items() if first in characters), f"U+{ord(first):04X}")
    return say("begins with {what}", what=what) if before else say("ends with {what}", what=what)


def refuse_blanks(value: Any) -> None:
    """Refuse blanks and line breaks around a value, which were copied along with it.

    Raises:
        ValueError: with which, and where.
    """
    found = blanks_around(value)
    if found is not None:
        raise ValueError(found, say("remove it; it was copied along"))
