"""HTML to text, for the text part of a mail.

Own code, because the libraries drop the address of a link, which is what a sign-in link is about, or have a licence
that a library cannot take on. It works on templates: ``{{placeholders}}`` pass through as they are.
"""

import re
from collections import Counter
from html import unescape
from html.parser import HTMLParser
from typing import NamedTuple

#: Tag → how many line breaks stand between it and other text.
_BREAKS = {
    **dict.fromkeys(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"), 2),
    **dict.fromkeys(("html", "body", "div", "section", "article", "header", "footer", "main", "nav", "aside"), 1),
    **dict.fromkeys(("address", "center", "form", "fieldset", "legend", "figure", "figcaption", "details", "summary"), 1),
    **dict.fromkeys(("li", "dt", "dd", "tr", "caption", "thead", "tbody", "tfoot"), 1),
    **dict.fromkeys(("td", "th"), 0),
}
#: Tag → the open tags that it ends, since those may go without an end tag. All of ``_BREAKS`` end a ``p``.
_ENDS = {
    "li": ("li",),
    **dict.fromkeys(("dt", "dd"), ("dt", "dd")),
    **dict.fromkeys(("td", "th"), ("td", "th")),
    "tr": ("td", "th", "tr"),
    **dict.fromkeys(("thead", "tbody", "tfoot"), ("td", "th", "tr", "thead", "tbody", "tfoot")),
}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_DROPPED = {"script", "style", "title", "template", "noscript", "svg", "object", "iframe", "select", "textarea"}

_ZERO = r"(?:0+(?:\.0*)?|\.0+)[a-z%]*"
#: Style → the values of it that hide an element and all within.
_HIDING = {"display": "none", "visibility": "hidden", "mso-hide": "all", "opacity": _ZERO, "max-height": _ZERO}
#: How much of an element is shown. With ``font-size:0`` it is images, and whatever within it has a size of its own:
#: that is how MJML closes the gaps between columns.
_NOTHING, _IMAGES, _ALL = range(3)

# Cut out beforehand: html.parser looks for a missing end of these again and again, and int() refuses long numbers.
_UNSEEN = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^<>]*>?|&#[0-9]{9,};?"
    r"|<(script|style|title|textarea)(?=[\s/>])[^<>]*(?<!/)>.*?(?=</\1[\s/>]|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_NEVER_SEEN = "<!>"  # an empty declaration, so that what stood around it does not join into a tag
_PLACEHOLDER_OR_BLANKS = re.compile(r"(\{\{[^{}]*\}\})|\s+")
# What preheaders are padded with: soft hyphens, figure spaces, zero-width characters. Joiners are letters' business
# in Persian, Hindi and emoji, so one between two visible characters stays.
_UNPRINTED = "\0\r\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2007\u200b\u200e\u200f\u2060-\u2064\ufeff"
_JOINER = "[\u200c\u200d]"
_VISIBLE = rf"[^\s\u200c\u200d{_UNPRINTED}]"
_PADDING = re.compile(f"[{_UNPRINTED}]|(?<!{_VISIBLE}){_JOINER}|{_JOINER}(?!{_VISIBLE})")
_NO_ADDRESS = ("#", "javascript:", "data:")
_RULE = "-" * 40
_CELL = "  "
_DEEPEST = 8  # lists are indented no further, or the text of a nest of them grows with its square


def html_to_text(html: str) -> str:
    """Return what a person reads in an HTML mail, as text.

    Links become ``text (url)``; lists, tables, headings, line breaks and paragraphs keep their lines. Scripts, styles,
    comments and hidden elements, such as preheaders, are dropped. Broken HTML never raises.

    Args:
        html: the HTML, with or without placeholders.

    Returns:
        The text: lines without blanks at their ends, no two empty lines in a row.
    """
    # A comment without an end is no comment: the code may be behind it.
    commented, end, rest = html.replace("\r\n", "\n").replace("\r", "\n").rpartition("-->")
    reader = _Reader()
    reader.feed(_UNSEEN.sub(_NEVER_SEEN, commented + end + rest.replace("<!--", _NEVER_SEEN)))
    return reader.text()


class _Open(NamedTuple):
    tag: str
    outside: int  # how much is shown around it
    breaks: int


class _Link(NamedTuple):
    address: str
    depth: int
    shown: list[str]


class _Reader(HTMLParser):
    """Collects text in pieces; line breaks and blanks wait in ``_break`` and ``_gap`` until text follows them."""

    def __init__(self) -> None:
        super().__init__()
        self._out: list[str] = []
        self._break, self._gap, self._apart = 0, "", False
        self._open: list[_Open] = []  # only tags that matter when they end
        self._count: Counter[str] = Counter()
        self._shows = _ALL
        self._link: _Link | None = None
        self._lists: list[int | None] = []  # the next number, or None
        self._marker = ""
        self._pre = 0
        self._joined = False

    def text(self) -> str:
        """Return what was collected; a tag without an end, which html.parser waits for, counts as text."""
        self.handle_data(unescape(re.sub(r"<[^<>]*>", " ", self.rawdata)))
        self._end_link()
        return "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in reversed(attrs)}  # of two with one name, the first counts
        style = _declarations(given.get("style", ""))
        self._end_before(tag)
        hidden = tag in _DROPPED or "hidden" in given or _hides(style)
        shows = _NOTHING if hidden else self._shown(style.get("font-size"))
        breaks = self._breaks_around(tag, style)
        if tag not in _VOID and (tag in _BREAKS or breaks or shows != self._shows or self._count[tag]):
            self._open.append(_Open(tag, self._shows, breaks))
            self._count[tag] += 1
            self._shows = shows
        if shows != _NOTHING:
            self._start(tag, given, breaks)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:  # the slash of <div/> means nothing to a browser, that of <svg/> ends it
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "br":  # a common slip, which browsers read as <br>
            self.handle_starttag(tag, [])
        elif self._count[tag]:
            self._end(tag)
        elif self._shows != _NOTHING:
            self._new_block(_BREAKS.get(tag, 0))
        if self._link and (tag == "a" or len(self._open) < self._link.depth):
            self._end_link()

    def handle_data(self, data: str) -> None:
        if self._shows != _ALL:
            return
        data = _PADDING.sub("", data)
        if not self._pre:
            self._words(_PLACEHOLDER_OR_BLANKS.sub(lambda match: match[1] or " ", data))
            return
        for number, line in enumerate(data.split("\n")):
            if number:
                self._new_line()
            if words := line.rstrip():
                self._write(words)
            self._gap += line[len(words) :]

    def _start(self, tag: str, given: dict[str, str], breaks: int) -> None:
        self._new_block(breaks)
        if tag == "br":
            self._new_line()
        elif tag == "hr":
            self._write(_RULE)
        elif tag == "img":
            self._write_picture(given.get("alt", ""))
        elif tag == "a":
            self._end_link()
            self._link = _Link(_address(given.get("href", "")), len(self._open), [])
        elif tag in ("ul", "ol"):
            self._lists.append(None if tag == "ul" else _first_number(given.get("start", "")))
        elif tag == "li":
            self._marker = self._next_marker()
        elif tag == "tr":
            self._joined = False
        elif tag in ("td", "th"):
            self._begin_cell()
        self._pre += tag == "pre"
        if tag in _VOID:
            self._new_block(breaks)

    def _end_before(self, tag: str) -> None:
        """End the open elements that a start tag ends by itself."""
        if tag in _BREAKS:
            self._end("p")
        while self._open and self._open[-1].tag in _ENDS.get(tag, ()):
            self._end(self._open[-1].tag)

    def _end(self, tag: str) -> None:
        """End the innermost open element of that name, and what is open within it."""
        while self._count[tag]:
            ended = self._open.pop()
            self._count[ended.tag] -= 1
            if self._shows != _NOTHING:
                self._finish(ended)
            self._shows = ended.outside
            if ended.tag == tag:
                break

    def _finish(self, ended: _Open) -> None:
        if ended.tag in ("ul", "ol"):
            self._lists.pop()
        elif ended.tag == "li":
            self._marker = ""
        # A row with one cell is no row of data but layout, the norm in mails, and reads as a paragraph.
        self._new_block(2 if ended.tag == "tr" and not self._joined else ended.breaks)
        self._pre -= ended.tag == "pre"

    def _breaks_around(self, tag: str, style: dict[str, str]) -> int:
        if tag in ("ul", "ol") and self._lists:
            return 1  # a list within a list continues it
        return _BREAKS.get(tag, int(style.get("display") == "block"))

    def _shown(self, font_size: str | None) -> int:
        if self._shows == _NOTHING or font_size is None:
            return self._shows
        return _IMAGES if re.fullmatch(_ZERO, font_size) else _ALL

    def _words(self, text: str) -> None:
        words = text.strip(" ")
        if text.startswith(" "):
            self._blank()
        if words:
            self._write(words)
            if text.endswith(" "):
                self._blank()

    def _write(self, text: str) -> None:
        if self._break or not self._out:
            depth = min(len(self._lists), _DEEPEST) - bool(self._marker)
            self._out.append("\n" * self._break + "  " * depth + self._marker)
            self._marker = ""
        elif self._apart and not self._gap and re.match(r"[\w{]", text):
            self._gap = " "  # a word does not stick to the address or picture before it
        self._joined = self._joined or self._gap == _CELL
        self._out += (self._gap, text)
        self._break, self._gap, self._apart = 0, "", False
        if self._link:
            self._link.shown.append(text)

    def _write_picture(self, alt: str) -> None:
        if words := _PADDING.sub("", alt).split():
            self._apart = True
            self._write(" ".join(words))
            self._apart = True

    def _begin_cell(self) -> None:
        if self._out and not self._break:
            self._gap = _CELL

    def _blank(self) -> None:
        if self._out and not self._break:
            self._gap = self._gap or " "

    def _new_line(self) -> None:
        self._new_block(min(2, self._break + 1))

    def _new_block(self, breaks: int) -> None:
        if breaks and self._out:
            self._break, self._gap = max(self._break, breaks), ""

    def _next_marker(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _end_link(self) -> None:
        link, self._link = self._link, None
        if not link or not link.address:
            return
        if not link.shown:
            self._blank()
            self._write(link.address)
        elif _bare("".join(link.shown)) != _bare(link.address):
            # The address stays on the line of its text, whatever block that text was in.
            waiting = self._break, self._gap
            self._break, self._gap = 0, " "
            self._write(f"({link.address})")
            self._break, self._gap = waiting
        self._apart = True


def _first_number(start: str) -> int:
    """Return the number that a list begins with, by its attribute ``start``."""
    return int(start) if re.fullmatch("-?[0-9]{1,6}", start) else 1


def _address(href: str) -> str:
    address = _PLACEHOLDER_OR_BLANKS.sub(r"\1", href)
    if address.lower().startswith("mailto:"):
        return address[len("mailto:") :].partition("?")[0]
    return "" if address.lower().startswith(_NO_ADDRESS) else address


def _bare(address: str) -> str:
    return re.sub(r"^(?:mailto:|(?:https?://)?(?:www\.)?)|\s+", "", address.removesuffix("/"))


def _declarations(style: str) -> dict[str, str]:
    """Return the values of a style attribute by name."""
    pairs = (declaration.partition(":") for declaration in style.lower().split(";"))
    return {name.strip(): value.replace("!important", "").strip() for name, _, value in pairs}


def _hides(style: dict[str, str]) -> bool:
    if style.get("overflow") == "hidden" and any(re.fullmatch(_ZERO, style.get(name, "")) for name in ("width", "height")):
        return True
    return any(re.fullmatch(values, style.get(name, "")) for name, values in _HIDING.items())
