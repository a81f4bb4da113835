"""What a person looks for in a mail from an auth server: its code and its link."""

import re
from collections.abc import Iterable
from html import unescape

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
        rf"{_BEFORE}(?P<code>[0-9]{{6}}){_AFTER}",  # by far the most usual
        rf"{_BEFORE}{_NO_YEAR}(?P<code>[0-9]{{7,8}}|[0-9]{{4,5}}){_AFTER}",
        # Letters count in capitals, with a digit among them.
        rf"{_BEFORE}(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])(?P<code>[A-Z0-9]{{6,10}}){_AFTER}",
        _YEAR,
    )
)


def find_code(texts: Iterable[str]) -> str | None:
    """Return the sign-in code: six digits, else other 4 to 8 digits, else 6 to 10 capitals and digits.

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
