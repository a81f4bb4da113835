"""What a code or link is: in a payload by its name, in a text by its form, in any script. Whoever asks, asks here.

Without its code or link a mail of an auth server is useless, and whoever reads one can sign in: so both decide which
template serves, whether a second mail is harmless, what the same message is, and what no error may show.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

from authmail.mail.bounds import DEEPEST_PAYLOAD, is_huge
from authmail.privacy import names_secret

#: Names of leaves of a payload that are vital, in any case and at any depth. The first three give a code.
CODE_NAMES = ("code", "otp", "pin")
NAMES = (*CODE_NAMES, "token", "link", "url")
#: Placeholders without whose values no mail goes out, as with the reference.
REQUIRED = ("code", "link")

# verification_code, magic-link; verificationCode, emailVerifyURL; not barcode.
_LAST_WORD = re.compile(r"(?:(?i:[_.-](?:code|otp|pin|link|url))|(?<=[a-z0-9])(?:Code|OTP|Otp|PIN|Pin|Link|URL|Url))$")

# Up to a blank, a quote or bracket, or the wide punctuation of Chinese and Japanese, which has no blank before it.
_LINK = re.compile(r"https?://[^\s\"'<>)\]\u3000-\u303f\uff00-\uff60]+", re.IGNORECASE)
# Of anchors alone: doctypes, stylesheets and images have addresses too.
_ANCHOR = re.compile(r"<a\b[^<>]*?\shref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"']+))", re.IGNORECASE)

# A code stands alone: it is no part of a word, number, date, amount, colour, path or order number. ASCII only, since
# Chinese writes codes without blanks around them: 您的验证码是482913.
_BEFORE = r"(?<![A-Za-z0-9_#./+$€£¥-])(?<![0-9][,:])"
_AFTER = r"(?![A-Za-z0-9_%/]|[.:@-][A-Za-z0-9]|,[0-9]{3}(?![0-9]))"
_NO_YEAR = r"(?!(?:19|20)[0-9]{2}(?![0-9]))"
# What looks like a year, as in a footer, is a code only where it is all that a line holds or ends with: "Code: 2019".
_YEAR = r"(?:^[ \t]*|(?<=[:\uff1a是为])|(?<=: )|(?<=is ))(?P<code>(?:19|20)[0-9]{2})(?=[ \t\r.\u3002]*$)"
_CODES = tuple(
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        # By far the most usual: six digits, also in two halves.
        rf"{_BEFORE}(?P<code>[0-9]{{6}}|(?<![0-9] )[0-9]{{3}}[ -][0-9]{{3}}(?! [0-9])){_AFTER}",
        rf"{_BEFORE}{_NO_YEAR}(?P<code>[0-9]{{7,8}}|[0-9]{{4,5}}){_AFTER}",
        # Letters count in capitals: with a digit among them, or in groups of the same length, such as WWGD-MVBP.
        rf"{_BEFORE}(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])(?P<code>[A-Z0-9]{{6,10}}){_AFTER}",
        rf"{_BEFORE}(?P<code>[A-Z0-9]{{3}}-[A-Z0-9]{{3}}|[A-Z0-9]{{4}}-[A-Z0-9]{{4}}|[A-Z0-9]{{5}}-[A-Z0-9]{{5}}){_AFTER}",
        _YEAR,
    )
)
# For striking out, whatever might be one: words with a digit, and groups joined by a hyphen or a blank between digits.
_RUN = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+|(?<=[0-9]) [0-9]+)*")
_GROUPED = re.compile(r"[A-Z0-9]{3,5}(?:-[A-Z0-9]{3,5})+")
_SHORTEST_CODE = 4
_LONGEST_CODE = 64


def vital_in(payload: Any) -> tuple[str, ...]:
    """Return the codes, links and tokens of a payload, each once.

    A leaf is one by its name alone, at any depth: :data:`NAMES`, and names of secrets. At the top it is one also by the
    last word of its name, if its value has the form of one: ``verificationCode``, ``password_reset_url``.
    """
    found = [str(value) for name, value, depth in leaves(payload) if _is_vital(name, value, top=depth == 1)]
    return tuple(dict.fromkeys(text for text in found if text))


def is_repeatable(payload: Any) -> bool:
    """Whether a second mail of this payload is harmless: it has a code, and no leaf holds a link."""
    all_leaves = list(leaves(payload))
    has_code = any(name.lower() in CODE_NAMES and value not in (None, "") for name, value, _ in all_leaves)
    has_link = any(name.lower() in ("link", "url") and value for name, value, _ in all_leaves)
    return has_code and not has_link and not any(isinstance(value, str) and _LINK.search(value) for _, value, _ in all_leaves)


def leaves(payload: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any, int]]:
    """Yield name, value and depth of every leaf of a payload; an item of a list has the list's name."""
    if depth > DEEPEST_PAYLOAD:
        return
    if isinstance(payload, str):
        yield name, payload, depth
    elif isinstance(payload, Mapping):
        for key, value in payload.items():
            yield from leaves(value, str(key), depth + 1)
    elif isinstance(payload, list | tuple):
        for value in payload:
            yield from leaves(value, name, depth + 1)
    elif isinstance(payload, int | float) and not isinstance(payload, bool) and not is_huge(payload):
        yield name, payload, depth


def _is_vital(name: str, value: Any, *, top: bool) -> bool:
    if name.lower() in NAMES or names_secret(name):
        return True
    if not top or not _LAST_WORD.search(name):
        return False
    return _LINK.fullmatch(str(value)) is not None or is_code(str(value))


def is_code(text: str) -> bool:
    """Whether a whole text has the form of a code or token: one word with a digit, or groups of capitals and digits."""
    return len(text) <= _LONGEST_CODE and _looks_like_code(text) and _RUN.fullmatch(text) is not None


def vital_in_texts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return whatever might be a code or link in the texts of a mail, each once; rather too much than too little."""
    found: dict[str, None] = {}
    for text in texts:
        found |= dict.fromkeys(_LINK.findall(text))
        found |= dict.fromkeys(run for run in _RUN.findall(_LINK.sub(" ", text)) if _looks_like_code(run))
    return tuple(found)


def _looks_like_code(run: str) -> bool:
    return len(run) >= _SHORTEST_CODE and (any(map(str.isdigit, run)) or _GROUPED.fullmatch(run) is not None)


def find_code(texts: Iterable[str]) -> str | None:
    """Return the code of a mail: six digits, else other 4 to 8 digits, else capitals and digits.

    Args:
        texts: where to look, the best place first. Links in them are passed over.
    """
    texts = [_LINK.sub(" ", text) for text in texts]
    matches = (pattern.search(text) for pattern in _CODES for text in texts)
    return next((match["code"] for match in matches if match), None)


def find_link(text: str) -> str | None:
    """Return the first http(s) link written out in a text, without the punctuation of its sentence."""
    match = _LINK.search(text)
    return match[0].rstrip(".,;:!?") if match else None


def find_anchor(html: str) -> str | None:
    """Return the first http(s) link of an HTML's ``<a href>``, as a browser would open it."""
    addresses = (unescape(anchor[1] or anchor[2] or anchor[3] or "").strip() for anchor in _ANCHOR.finditer(html))
    return next((address for address in addresses if address.lower().startswith(("http://", "https://"))), None)
