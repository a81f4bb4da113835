"""What is written for a placeholder: the value, made safe for whom it is from and for where it stands."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import attrs

from authmail.privacy import hide_fields, one_line
from authmail.templates.defang import LONGEST_ATTRIBUTE, clean_text, defang, defang_name
from authmail.templates.language import html_text, text_of, value_at
from authmail.templates.places import Place, Spot
from authmail.templates.strangers import Strangers, is_link

_NO_STYLE = re.compile(r"[^\w #%.,+-]+")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
# Whatever could end an attribute's value that has no quotes.
_BARE = {ord(char): f"&#{ord(char)};" for char in " \t\n\f\r\x00\u00a0=`/"}


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Filling:
    """Writes the values of one message into the places of a template.

    Args:
        payload: the message's values.
        strangers: tells whose they are.
        recipient: the address that the mail goes to.
    """

    payload: Mapping[str, Any]
    _strangers: Strangers
    _recipient: str
    #: Names of placeholders whose value does not stand in the mail as it came.
    changed: set[str] = attrs.field(factory=set, init=False)
    _values: dict[tuple[str, ...], Any] = attrs.field(factory=dict, init=False)
    _own: dict[tuple[str, ...], bool] = attrs.field(factory=dict, init=False)

    def value(self, path: tuple[str, ...]) -> Any:
        """Return the payload's value of a placeholder."""
        if path not in self._values:
            self._values[path] = value_at(self.payload, path)
        return self._values[path]

    def is_own(self, spot: Spot) -> bool:
        """Whether a placeholder's value is the host's own."""
        path = spot.piece.path
        if path not in self._own:
            self._own[path] = self._strangers.is_own(path, self.value(path), self._recipient)
        return self._own[path]

    def words(self, spot: Spot) -> str:
        """Write a value into subject or text."""
        text = self._text(spot)
        return one_line(text) if self.is_own(spot) else self._noted(spot, text, _write_words(spot, text))

    def name(self, spot: Spot) -> str:
        """Write a value into a sender's name."""
        text = self._text(spot)
        if self.is_own(spot):
            return one_line(text)
        return self._noted(spot, text, defang_name(text, joined=spot.is_joined))

    def markup(self, spot: Spot) -> str:
        """Write a value into HTML."""
        value = self.value(spot.piece.path)
        if not hasattr(value, "__html__") and not self.is_own(spot):
            text = self._text(spot)
            value = self._noted(spot, text, _write_in_html(spot, text))
        written = html_text(value)
        return (written.translate(_BARE) or "&#32;") if spot.is_bare else written

    def _text(self, spot: Spot) -> str:
        return text_of(self.value(spot.piece.path))

    def _noted(self, spot: Spot, before: str, after: str) -> str:
        if after != one_line(before):
            self.changed.add(spot.piece.name)
        return after


def _write_in_html(spot: Spot, text: str) -> str:
    if spot.place is Place.WORDS:
        return defang(text, LONGEST_ATTRIBUTE, joined=spot.is_joined)
    if spot.place is Place.VALUE:
        return clean_text(text)
    if spot.place is Place.URL:
        return text.strip() if is_link(text.strip()) else ""
    if spot.place is Place.STYLE:
        return _NO_STYLE.sub("", clean_text(text))
    return "" if spot.place is Place.TAG else _write_words(spot, text)


def _write_words(spot: Spot, text: str) -> str:
    if spot.place is Place.HOST:
        return text if _LABEL.fullmatch(text) else ""
    if spot.place is Place.REST:
        encoded = _LONE_PERCENT.sub("%25", quote(clean_text(text), safe="/%"))
        return f"%2F{encoded[1:]}" if encoded.startswith("/") else encoded  # two slashes would begin a host
    return defang(text, joined=spot.is_joined)
