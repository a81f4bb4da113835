"""Where in a template each placeholder stands: what a value may do there, and how it must be written, follows from it."""

import re
from collections.abc import Iterator
from enum import Enum, auto

import attrs

from authmail.templates.language import Placeholder, compiled


class Place(Enum):
    """Where a placeholder stands."""

    TEXT = auto()  # people read it
    WORDS = auto()  # people may read it, but it is an attribute: a picture's description
    VALUE = auto()  # an attribute that nobody reads
    URL = auto()  # the beginning of an address
    HOST = auto()  # within the host of an address
    REST = auto()  # within an address, after its host
    STYLE = auto()  # within a style sheet or script
    TAG = auto()  # where names of elements and attributes stand


@attrs.frozen
class Spot:
    """One placeholder of a text, as the text's format names it.

    Args:
        key: what the format calls it.
        piece: the placeholder.
        place: where it stands.
        is_bare: no quotes stand around the attribute's value.
        is_joined: another value or word stands so close that both may be read as one.
    """

    key: str
    piece: Placeholder
    place: Place
    is_bare: bool = False
    is_joined: bool = False


_URL_ATTRIBUTES = frozenset(
    [
        "action",
        "background",
        "cite",
        "data",
        "dynsrc",
        "formaction",
        "href",
        "icon",
        "longdesc",
        "lowsrc",
        "manifest",
        "ping",
        "poster",
        "src",
        "srcset",
        "xlink:href",
    ]
)
_READ_ATTRIBUTES = frozenset(["alt", "aria-label", "content", "label", "placeholder", "summary", "title", "value"])
_CODE_ENDS = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style")}

_TAG = re.compile(r"<(/?[A-Za-z][^\s/>]*)|<[!?][^>]*>?")
_ATTRIBUTE = re.compile(r"[\s/]*(?:(>)|([^\s/>=][^\s/>=]*)(?:\s*(=)\s*)?|=)")
_BARE_END = re.compile(r"[\s>]")
_MARKUP = re.compile(r"<[^<>]*>")
# Where an address began is seen in so many characters of it.
_LONGEST_WORD = 2048
_WORD_BREAKS = " \t\n\r\f<>\"'()[]"
_HTTP = re.compile(r"https?://", re.IGNORECASE)
_SCHEME = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]*:")
_NEAR = re.compile(r"[\W\d_]{0,6}")
#: Stands for a value that was filled in before: unknown; a link's own.
_SOMETHING, _LINK = "\0", "\1"


def find_places(text: str, *, is_html: bool) -> Iterator[Spot]:
    """Yield every placeholder of a template text in order, with where it stands."""
    scanner = _Scanner() if is_html else None
    before = ""
    pieces = compiled(text)
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            before += piece
            if scanner is not None:
                scanner.read(piece)
            continue
        place, is_bare = (_place_of_words(before), False) if scanner is None else scanner.place(before)
        joined = _is_joined(pieces, index)
        yield Spot(str(index), piece, place, is_bare=is_bare, is_joined=joined)
        mark = _LINK if piece.path[-1].lower().endswith(("link", "url")) else _SOMETHING
        before = _last_word(before)[:_LONGEST_WORD] + mark
        if scanner is not None:
            scanner.pass_over(mark)


def _is_joined(pieces: tuple[str | Placeholder, ...], index: int) -> bool:
    """Whether nothing but signs and digits stands between this and another placeholder, or a word follows at once."""
    left = pieces[index - 1] if index else ""
    right = pieces[index + 1] if index + 1 < len(pieces) else ""
    if not (isinstance(left, str) and isinstance(right, str)):
        return True
    left, right = _MARKUP.sub("", left), _MARKUP.sub("", right)
    near_left = index > 1 and _NEAR.fullmatch(left)
    near_right = index + 2 < len(pieces) and _NEAR.fullmatch(right)
    return bool(near_left or near_right or right[:1].isalnum())


def _place_of_words(before: str) -> Place:
    return _within_url(_last_word(before), Place.TEXT)


def _last_word(text: str) -> str:
    return text[max(text.rfind(char) for char in _WORD_BREAKS) + 1 :]


def _within_url(before: str, otherwise: Place) -> Place:
    """Return the place within an address of which so much stands before."""
    if before.startswith(_LINK):
        return Place.REST
    scheme = _HTTP.search(before)
    if scheme is None:
        return otherwise
    return Place.REST if re.search(r"[/?#]", before[scheme.end() :]) else Place.HOST


class _Scanner:
    """Reads the template's own HTML as a browser would, piece after piece."""

    def __init__(self) -> None:
        self._state = self._text
        self._element = self._attribute = self._quote = ""
        #: What of an attribute's value was read.
        self._value = ""

    def read(self, literal: str) -> None:
        """Read a piece of the template."""
        position = 0
        while position < len(literal):
            position = self._state(literal, position)

    def place(self, before: str) -> tuple[Place, bool]:
        """Return the place of a placeholder here, and whether it is a value without quotes."""
        if self._state == self._text:
            return (Place.TAG if before.endswith(("<", "</")) else _place_of_words(before)), False
        if self._state == self._code:
            return Place.STYLE, False
        if self._state == self._tag and not self._attribute:
            return Place.TAG, False
        return self._place_of_value(), self._state in (self._tag, self._bare)

    def pass_over(self, mark: str) -> None:
        """Go on behind a placeholder."""
        if self._state == self._tag and self._attribute:
            self._state, self._value = self._bare, ""
        if self._state in (self._bare, self._quoted):
            self._value = self._value[:_LONGEST_WORD] + mark

    def _place_of_value(self) -> Place:
        name = self._attribute
        value = "" if self._state == self._tag else self._value
        if name == "style" or name.startswith("on"):
            return Place.STYLE
        if name in _URL_ATTRIBUTES:
            if not value.strip():
                return Place.URL
            if _SCHEME.match(value) and not _HTTP.match(value.strip()):
                return Place.TAG  # javascript: and the like
            return _within_url(value.strip(), Place.REST)
        return Place.WORDS if name in _READ_ATTRIBUTES else Place.VALUE

    def _text(self, literal: str, position: int) -> int:
        tag = _TAG.search(literal, position)
        if tag is None:
            return len(literal)
        if tag[1]:
            self._element, self._attribute = tag[1].lower(), ""
            self._state = self._tag
        return tag.end()

    def _tag(self, literal: str, position: int) -> int:
        if self._attribute:  # behind its "="
            self._quote = literal[position] if literal[position] in "\"'" else ""
            self._value = ""
            self._state = self._quoted if self._quote else self._bare
            return position + len(self._quote)
        found = _ATTRIBUTE.match(literal, position)
        if found is None:
            return len(literal)
        if found[1]:
            self._state = self._code if self._element in _CODE_ENDS else self._text
        elif found[3]:
            self._attribute = found[2].lower()
        return found.end()

    def _quoted(self, literal: str, position: int) -> int:
        end = literal.find(self._quote, position)
        self._value += literal[position : None if end < 0 else end]
        if end < 0:
            return len(literal)
        self._attribute, self._state = "", self._tag
        return end + 1

    def _bare(self, literal: str, position: int) -> int:
        found = _BARE_END.search(literal, position)
        self._value += literal[position : None if found is None else found.start()]
        if found is None:
            return len(literal)
        self._attribute, self._state = "", self._tag
        return found.start()

    def _code(self, literal: str, position: int) -> int:
        end = _CODE_ENDS[self._element].search(literal, position)
        if end is None:
            return len(literal)
        self._state = self._text
        return end.start()
