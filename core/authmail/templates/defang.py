"""What strangers typed becomes harmless to read: short, without what cannot be seen, and nothing that a program links.

A hair space (U+200A) after the dot, at-sign, colon or slashes breaks what a mail program would make a link, an address or
a phone number of. People hardly see it: ``evil. com``.
"""

import re
import unicodedata
from collections.abc import Callable

#: Stands where something would link: a blank to every linkifier, hardly one to people.
HAIR = "\u200a"

#: Characters of a name, and of an attribute: an image's address is longer than any name.
LONGEST_TEXT = 128
LONGEST_ATTRIBUTE = 2048
# Of what cannot be seen, so much is looked at for each character that may stay.
_LOOKED_AT = 4
_MOST_MARKS = 2

_BREAKS = re.compile("[\t\n\x0b\x0c\r\x1c-\x1f\x85\u2028\u2029]+")
# Blanks of other widths could pass for none; those of French, and of Chinese and Japanese, are spelling.
_ODD_BLANKS = re.compile("[\u1680\u2000-\u200a\u205f]")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
# Of categories that can be seen: fillers of Korean, the empty Braille cell, inherent vowels, selectors, reserved ones.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\uffa0\ufdd0-\ufdef\ufff0-\uffff\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff]"
)
# Scripts in which a joiner is spelling: Arabic to N'Ko, those of India, Tibetan, Burmese, Khmer, Mongolian, their extensions.
_JOINING = re.compile(
    "[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\u1900-\u1cff\ua800-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KEYCAP = "\u20e3"
_EMOJI_STYLE = "\ufe0f"

# What is read as one of these, by compatibility (NFKC) or by international domain names.
DOTS = ".\u2024-\u2026\u3002\ufe12\ufe19\ufe52\uff0e\uff61\u2488-\u249b\u33c2\u33c7\u33d8\ufe30\U0001f100"
COLONS = ":\u2236\u2a74\ua789\ufe13\ufe55\uff1a"
AT_SIGNS = "@\ufe6b\uff20"
SLASHES = r"/\\\u2044\u2215\ufe68\uff0f\uff3c"
_CLOSING = r",;!?)\]}'\"\u00bb\u201d\u2019\u203a\u300d\u300f\uff09\uff0c\u3001"

_TELLING = re.compile(rf"[{DOTS}{COLONS}{AT_SIGNS}{SLASHES}\d?]|localhost", re.IGNORECASE)
_LINKING = re.compile(
    rf"[{DOTS}](?=[^\s{DOTS}{_CLOSING}])"
    rf"|[{AT_SIGNS}](?=\S)"
    # A time of day is no port.
    rf"|(?<![0-9])[{COLONS}](?=\S)|[{COLONS}](?=[^\s0-9])"
    rf"|[{SLASHES}][{SLASHES}]+(?=\S)"
    r"|=(?=\?)"  # an encoded word (RFC 2047) in a header
    r"|local(?=host)",
    re.IGNORECASE,
)
# A UUID is no number to call.
_ID = r"(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
_MANY_DIGITS = re.compile(rf"{_ID}|\d(?:[\W_]{{0,4}}\d){{5,}}", re.IGNORECASE)
_SOME_DIGITS = re.compile(rf"{_ID}|\d(?:[\W_]{{0,4}}\d){{2,}}", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_LONGEST_GROUP = 4
_GAP = re.compile(r"(?<![\W_])[\W_]++(?=\d)")
_LOOSE_END = re.compile(rf"[{DOTS}{COLONS}{AT_SIGNS}{SLASHES}\d=]\Z")
# What would end or begin an address in a header, and what is read as it.
_ADDRESS_SIGNS = re.compile(r"(?: ?[<>\"@\ufe64\ufe65\ufe6b\uff02\uff1c\uff1e\uff20])+ ?")


def clean_text(text: str, longest: int = LONGEST_ATTRIBUTE) -> str:
    """Return a stranger's text on one line, cut, and without what cannot be seen.

    Joiners stay where they are spelling, at most two marks stand on each other.

    Args:
        text: what somebody typed; only so much of it is looked at.
        longest: characters that may stay; what is cut ends in ``…``.
    """
    text = _BREAKS.sub(" ", text[: longest * _LOOKED_AT])
    if not text.isascii() or not text.isprintable():
        text = _seen(_ODD_BLANKS.sub(" ", text))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def defang(text: str, longest: int = LONGEST_TEXT, *, joined: bool = False) -> str:
    """Return a stranger's text for people to read: cleaned, and nothing in it becomes a link, address or phone number.

    Args:
        text: what somebody typed.
        longest: characters that may stay.
        joined: something stands so close to it that both might be read as one.
    """
    text = clean_text(text, longest)
    if not _TELLING.search(text):
        return text
    text = _LINKING.sub(rf"\g<0>{HAIR}", text)
    text = (_SOME_DIGITS if joined else _MANY_DIGITS).sub(_apart, text)
    return text + HAIR if joined and _LOOSE_END.search(text) else text


def defang_name(text: str, *, joined: bool = False) -> str:
    """Return a stranger's text for a sender's name: as people read it, without ``@``, ``<``, ``>`` and quotes."""
    return defang(_ADDRESS_SIGNS.sub(" ", clean_text(text, LONGEST_TEXT)), joined=joined)


def _apart(number: re.Match[str]) -> str:
    """Return a number that might be a phone's in groups of few digits, hair spaces between."""
    if number["id"]:
        return number[0]
    groups = _DIGITS.sub(_in_groups, number[0])
    return _GAP.sub(lambda gap: gap[0] if gap[0].endswith(HAIR) else gap[0] + HAIR, groups)


def _in_groups(digits: re.Match[str]) -> str:
    if len(digits[0]) <= _LONGEST_GROUP:
        return digits[0]
    return HAIR.join(digits[0][start : start + 3] for start in range(0, len(digits[0]), 3))


def _seen(text: str) -> str:
    kept: list[str] = [""]
    marks = 0
    for char, after in zip(text, text[1:] + " ", strict=True):
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            marks += 1
        elif category != "Mc":
            marks = 0
        if marks <= _MOST_MARKS and _can_be_seen(char, category, kept[-1], after):
            kept.append(char)
    return "".join(kept)


def _can_be_seen(char: str, category: str, before: str, after: str) -> bool:
    special = _SPECIAL.get(char)
    if special is not None:
        return special(before, after)
    if "\U000e0100" <= char <= "\U000e01ef":  # the very shape of a Chinese character, as in Japanese names
        return _HAN.match(before) is not None
    return category not in _UNSEEN_CATEGORIES and _UNSEEN.match(char) is None


def _is_joined(before: str, after: str) -> bool:
    return _JOINING.match(before) is not None and _JOINING.match(after) is not None


def _joins(before: str, after: str) -> bool:
    return _is_joined(before, after) or (_is_emoji(before) and unicodedata.category(after) == "So")


def _is_emoji(char: str) -> bool:
    return char == _EMOJI_STYLE or (char != "" and not char.isascii() and unicodedata.category(char) in ("So", "Sk"))


def _has_style(before: str, after: str) -> bool:
    return after == _KEYCAP or (before != "" and not before.isascii() and unicodedata.category(before) in ("So", "Sm"))


#: Kept or not by what stands around it.
_SPECIAL: dict[str, Callable[[str, str], bool]] = {
    "\u200c": _is_joined,
    "\u200d": _joins,
    **{chr(code): _has_style for code in range(0xFE00, 0xFE10)},
}
