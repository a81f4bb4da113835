"""The ``{{…}}`` language of Logto's templates: names and dotted paths, nothing else.

A text is compiled once into its literal pieces and placeholders; the compiled form is cached by the text itself.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import Any

import attrs

from authmail.privacy import raise_afresh, whole_unicode

# JavaScript's white space, which is not Python's: with U+00A0 and U+FEFF, without U+0085 and U+001C to U+001F.
_BLANK = r"[\t-\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*"
_PLACEHOLDER = re.compile(rf"\{{\{{{_BLANK}([A-Za-z0-9_.]+){_BLANK}\}}\}}")
_LIST_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")

#: JavaScript writes a number without an exponent in this range of decimal points.
_PLAIN_DIGITS = 21


@attrs.frozen
class Placeholder:
    """One ``{{a.b}}`` of a text.

    Args:
        written: as the template has it, braces included.
        path: the name split at its dots.
    """

    written: str
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The dotted name."""
        return ".".join(self.path)


@lru_cache(maxsize=2048)
def compiled(text: str) -> tuple[str | Placeholder, ...]:
    """Return the pieces of a template text in order: literals and placeholders."""
    pieces: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        literal = text[end : match.start()]
        pieces += [whole_unicode(literal)] if literal else []
        pieces.append(Placeholder(match[0], tuple(match[1].split("."))))
        end = match.end()
    if end < len(text):
        pieces.append(whole_unicode(text[end:]))
    return tuple(pieces)


@lru_cache(maxsize=2048)
def placeholders(text: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of a template text, each name once, in order."""
    found = {piece.path: piece for piece in reversed(compiled(text)) if isinstance(piece, Placeholder)}
    return tuple(reversed(found.values()))


@raise_afresh
def render(template: str, payload: Mapping[str, Any], *, html: bool = False) -> str:
    """Fill a template text by Logto's rules.

    A placeholder whose first name is no key of the payload stays as written; a value that is missing further down, or
    null, is empty. Values are printed as JavaScript prints them and are never rendered again.

    Args:
        template: the text with ``{{name}}`` and ``{{a.b.0}}``.
        payload: JSON-like values.
        html: escape every value for HTML text and quoted attributes, except one with ``__html__``.

    Returns:
        The filled text.
    """
    return "".join(
        piece
        if isinstance(piece, str)
        else piece.written
        if piece.path[0] not in payload or not piece.path[0]
        else html_text(value_at(payload, piece.path))
        if html
        else text_of(value_at(payload, piece.path))
        for piece in compiled(template)
    )


def value_at(payload: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Walk a path through objects and lists; None where it leads nowhere."""
    value: Any = payload
    for name in path:
        if isinstance(value, (dict, Mapping)):  # the first is quick, and nearly always right
            value = value.get(name)
        elif isinstance(value, list | tuple) and _LIST_INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def html_text(value: Any) -> str:
    """Return a value as HTML: escaped, unless it says of itself that it is safe markup (``__html__``)."""
    markup = getattr(value, "__html__", None)
    if markup is not None and callable(markup):
        return str(markup())
    text = text_of(value)
    return text if text.isalnum() else escape(text)


def text_of(value: Any) -> str:
    """Return a JSON-like value as JavaScript's ``String()`` prints it; None is empty text."""
    if isinstance(value, str):
        return value if value.isascii() else whole_unicode(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, list | tuple):
        return ",".join(text_of(item) for item in value)
    if isinstance(value, Mapping):
        return "[object Object]"
    return whole_unicode(str(value))


def _number_text(number: float) -> str:
    """Print a number by ECMA-262, Number::toString: the shortest digits, an exponent below 1e-6 and from 1e21 on.

    Every number is a double there, so integers lose digits beyond 2**53.
    """
    try:
        number = float(number)
    except OverflowError:
        number = math.inf if number > 0 else -math.inf
    if math.isnan(number):
        return "NaN"
    sign = "-" if number < 0 else ""
    return f"{sign}{_magnitude_text(abs(number))}"


def _magnitude_text(number: float) -> str:
    """Print a number that is not negative."""
    if math.isinf(number):
        return "Infinity"
    if number == 0:
        return "0"
    mantissa, _, exponent = repr(number).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))  # the decimal point's place in digits
    digits = digits.rstrip("0")
    if len(digits) <= point <= _PLAIN_DIGITS:
        return f"{digits}{'0' * (point - len(digits))}"
    if 0 < point < len(digits):
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004 (ECMA-262)
        return f"0.{'0' * -point}{digits}"
    power = f"e{point - 1:+d}"
    return f"{digits[0]}.{digits[1:]}{power}" if len(digits) > 1 else f"{digits}{power}"
