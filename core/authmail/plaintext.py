"""HTML to text, for the text part of a mail.

Own code, because the libraries drop the address of a link, which is what a sign-in link is about, or have a licence
that a library cannot take on. It works on templates: ``{{placeholders}}`` pass through as they are.
"""

import re
from html.parser import HTMLParser

_PARAGRAPHS = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "hr"]
_LINES = [
    "div",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "address",
    "center",
    "form",
    "fieldset",
    "tr",
    "li",
    "dt",
    "dd",
    "caption",
    "figure",
    "figcaption",
    "thead",
    "tbody",
    "tfoot",
    "body",
    "html",
    "br",
]
#: Tag → how many line breaks stand between it and other text.
_BREAKS = dict.fromkeys(_LINES, 1) | dict.fromkeys(_PARAGRAPHS, 2)
_DROPPED = frozenset(
    ("script", "style", "head", "title", "template", "noscript", "svg", "object", "iframe", "select", "textarea")
)
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_CELLS = frozenset(("td", "th"))

_HIDDEN_STYLE = re.compile(
    r"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|opacity:0(?:\.0*)?(?=;|!|$)|font-size:0(?:\.0*)?[a-z%]*(?=;|!|$)"
    r"|max-height:0[a-z%]*(?=;|!|$))"
)
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
# A "<" that no ">" ends before the next one begins is text. html.parser would look for the end again and again.
_LONE = re.compile(r"<(?=[^<>]*(?:<|\Z))")
_BLANKS = re.compile(r"[ \t\n\r\f\xa0]+")
# Soft hyphen, zero-width characters, the combining grapheme joiner, word joiner, BOM and figure space: what preheaders
# are padded with.
_PADDING = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u2007\u200b-\u200f\u2060-\u2064\ufeff]")
_RULE = "-" * 40
_NO_LINK = ("#", "javascript:", "data:")


def html_to_text(html: str) -> str:
    """Return what a person reads in an HTML mail, as text.

    Links become ``text (url)``; lists, tables, headings, line breaks and quotes keep their lines. Scripts, styles,
    comments and hidden elements, such as preheaders, are dropped. Broken HTML never raises.

    Args:
        html: the HTML, with or without placeholders.

    Returns:
        The text: lines without blanks at their ends, no two empty lines in a row.
    """
    parser = _Reader()
    try:
        parser.feed(_LONE.sub("&lt;", _without_comments(html)))
        parser.close()
    except AssertionError:
        # html.parser asserts on some broken declarations; what was read until there stays, the rest goes without tags.
        parser.handle_data(re.sub(r"<[^>]*>", " ", parser.rawdata))
    return parser.text()


class _Reader(HTMLParser):
    """Collects text in pieces; line breaks wait in ``_break`` until text follows them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._break = 0
        self._blank = False
        self._hidden: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._lists: list[int | None] = []
        self._marker = ""
        self._pre = 0
        self._cell_follows = False

    def text(self) -> str:
        """Return what was collected."""
        while self._links:
            self._end_link()
        lines = "".join(self._pieces).split("\n")
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden:
            if tag == self._hidden[0] and tag not in _VOID:
                self._hidden.append(tag)
            return
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID and (tag in _DROPPED or _is_hidden(given)):
            self._hidden.append(tag)
            return
        self._start(tag, given)

    def _start(self, tag: str, given: dict[str, str]) -> None:
        if tag in _CELLS and self._cell_follows:
            self._piece("  ")
        self._cell_follows = False if tag == "tr" else self._cell_follows
        if tag == "br":
            self._pieces.append("\n")
            self._blank = False
        elif tag in _BREAKS:
            # A list within a list continues it.
            self._new_block(1 if tag in ("ul", "ol") and self._lists else _BREAKS[tag])
        if tag == "a":
            self._end_link()
            self._links.append((given.get("href", "").strip(), len(self._pieces)))
        elif tag == "img" and given.get("alt", "").strip():
            self.handle_data(given["alt"])
        elif tag == "hr":
            self._piece(_RULE)
            self._new_block(2)
        elif tag in ("ul", "ol"):
            start = given.get("start", "")
            self._lists.append(None if tag == "ul" else int(start) if re.fullmatch(r"\d{1,6}", start) else 1)
        elif tag == "li":
            self._marker = self._next_marker()
        self._pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # As a browser does: the slash of <div/> means nothing.
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag == self._hidden[0]:
                self._hidden.pop()
            elif tag in ("body", "html"):
                self._hidden.clear()
            return
        if tag == "a":
            self._end_link()
        elif tag in _CELLS:
            self._cell_follows = True
        elif tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag == "pre" and self._pre:
            self._pre -= 1
        if tag in _BREAKS and tag != "br":
            self._marker = ""
            self._new_block(1 if tag in ("ul", "ol") and self._lists else _BREAKS[tag])

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        end = 0
        for match in _PLACEHOLDER.finditer(data):
            self._words(data[end : match.start()])
            self._piece(match[0])
            end = match.end()
        self._words(data[end:])

    def unknown_decl(self, data: str) -> None:
        """Pass over ``<![if …]>`` and the like."""

    def _words(self, data: str) -> None:
        data = _PADDING.sub("", data)
        if self._pre:
            self._piece(data)
            return
        for index, word in enumerate(_BLANKS.split(data)):
            self._blank = self._blank or index > 0
            if word:
                self._piece(word)

    def _piece(self, text: str) -> None:
        if not text:
            return
        started = bool(self._pieces)
        if self._break and started:
            self._pieces.append("\n" * self._break)
        if self._break or not started:
            self._pieces.append("  " * (len(self._lists) - 1) if self._lists and not self._marker else "")
        elif self._blank and not self._pieces[-1].endswith("\n"):
            self._pieces.append(" ")
        if self._marker:
            self._pieces.append(self._marker)
            self._marker = ""
        self._pieces.append(text)
        self._break, self._blank = 0, False

    def _new_block(self, lines: int) -> None:
        self._break = max(self._break, lines)
        self._blank = False

    def _next_marker(self) -> str:
        indent = "  " * (len(self._lists) - 1)
        number = self._lists[-1] if self._lists else None
        if number is None:
            return f"{indent}- "
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _end_link(self) -> None:
        if not self._links:
            return
        href, start = self._links.pop()
        shown = "".join(self._pieces[start:]).strip()
        address = href[len("mailto:") :].partition("?")[0] if href.lower().startswith("mailto:") else href
        if not address or address.lower().startswith(_NO_LINK):
            return
        if not shown:
            self._blank = True
            self._piece(address)
        elif _bare(shown) != _bare(address):
            self._blank = True
            self._piece(f"({address})")


def _without_comments(html: str) -> str:
    """Drop comments, which html.parser would search for their ends again and again where those are missing."""
    pieces = []
    end = 0
    while (start := html.find("<!--", end)) >= 0:
        pieces.append(html[end:start])
        end = html.find("-->", start + 4) + 3
        if end < 3:  # noqa: PLR2004 (not found)
            return "".join([*pieces, html[start:].replace("<!--", "")])
    return "".join([*pieces, html[end:]])


def _bare(address: str) -> str:
    return address.lower().removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def _is_hidden(given: dict[str, str]) -> bool:
    style = _BLANKS.sub("", given.get("style", "").lower())
    if "hidden" in given or _HIDDEN_STYLE.search(style):
        return True
    return "overflow:hidden" in style and re.search(r"(?:^|;)(?:width|height):0[a-z%]*(?=;|!|$)", style) is not None
