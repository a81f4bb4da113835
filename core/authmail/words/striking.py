"""Striking a confidential text out of another one, however it is spelt there: encoded, escaped, in pieces, in either case.

The text is decoded where it is percent-encoded, or written as HTML or JSON, and each character of it remembers where it
stood; so one form of a secret finds all of these. Only Base64 and hexadecimal, which hide where one character ends, are
looked for as forms of their own.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import unescape

from authmail.words.once import once

#: What stands in place of what is not shown; nobody's real secret.
MARK = "***"

_SHORTEST = 4
# So many bytes of a secret in a row give it away.
_TELLING = 8
# Of a longer form only every eighth run is kept, so a piece of it must have twice as many bytes to be found.
_LONG = 2048
_ROUNDS = 3
_FEW = 12
_LINK = re.compile(r"(https?://)([^/?#\s]*)", re.IGNORECASE)
_ESCAPED = re.compile(
    rb"(?:%|\\x)([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\([/\"\\])|&#[xX]([0-9A-Fa-f]{1,6});|&#([0-9]{1,7});|&([A-Za-z]{2,8});"
)


class Spellings:
    """Confidential texts, ready to be struck out of others.

    Args:
        texts: secrets, codes, links; those of fewer than 4 characters are left out, since they stand everywhere. Of a
            link scheme and host alone give nothing away, and are a provider's words too.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(dict.fromkeys(texts))

    @once
    def _runs(self) -> dict[int, dict[bytes, tuple[bytes, int]]]:
        """Length → run of that many bytes, lower case, that gives a text away → the form that it is of, and where."""
        runs: dict[int, dict[bytes, tuple[bytes, int]]] = {}
        for text in self._texts:
            for form, begin in _forms(text) if len(text) >= _SHORTEST else ():
                size = min(len(form) - begin, _TELLING)
                step = _TELLING if len(form) > _LONG else 1
                if size >= _SHORTEST:
                    found = runs.setdefault(size, {})
                    for at in range(max(0, begin - size + 1), len(form) - size + 1, step):
                        found.setdefault(form[at : at + size], (form, at))
        return runs

    def strike(self, text: str) -> str:
        """Return a text with every part that gives one away replaced by ``***``."""
        return strike(text, (self,))


def strike(text: str, several: Iterable[Spellings]) -> str:
    """Return a text with every part that gives away one of several texts replaced by ``***``."""
    sought = [(size, runs) for spellings in several for size, runs in spellings._runs.items()]  # noqa: SLF001 (same module)
    if not text or not sought:
        return text
    marks = bytearray(len(text))
    for view, places in _views(text):
        for size, runs in sought:
            if _holds(view, size, runs):
                _mark(marks, view, places, size, runs)
    return replace_marked(text, marks) if any(marks) else text


def _holds(view: bytes, size: int, runs: dict[bytes, tuple[bytes, int]]) -> bool:
    """Whether a view holds any of some runs; few are looked for one by one, for that is quicker."""
    if len(runs) <= _FEW:
        return any(run in view for run in runs)
    return not runs.keys().isdisjoint([view[at : at + size] for at in range(len(view) - size + 1)])


def _mark(marks: bytearray, view: bytes, places: Sequence[int], size: int, runs: dict[bytes, tuple[bytes, int]]) -> None:
    """Mark what is found in a view at its places in the text."""
    ends = [*places[1:], len(marks)]
    at = 0
    while at <= len(view) - size:
        hit = runs.get(view[at : at + size])
        if hit is None:
            at += 1
            continue
        first, last = _extended(view, at, size, *hit)
        for byte in range(first, last):
            marks[places[byte] : max(ends[byte], places[byte] + 1)] = b"x" * max(ends[byte] - places[byte], 1)
        at = last if last > at + size else at + 1


def _extended(view: bytes, at: int, size: int, form: bytes, where: int) -> tuple[int, int]:
    """Return begin and end of the longest part of a view around a run that is as the form has it."""
    first, last = at, at + size
    while first > 0 and where - (at - first) > 0 and view[first - 1] == form[where - (at - first) - 1]:
        first -= 1
    while last < len(view) and where + (last - at) < len(form) and view[last] == form[where + (last - at)]:
        last += 1
    return first, last


def _forms(text: str) -> Iterator[tuple[bytes, int]]:
    """Yield the forms in which a text is looked for, in lower case, each with the place behind a link's host."""
    link = _LINK.match(text)
    bare = text[len(link[1]) :] if link else text
    plain = bare.encode("utf-8", "surrogatepass")
    host = len(link[2].encode("utf-8", "surrogatepass")) if link else 0
    yield plain.lower(), host
    if b" " in plain:
        yield plain.replace(b" ", b"+").lower(), host  # as forms write a blank
    yield plain.hex().encode(), 2 * host
    # In Base64 three bytes are four characters, so a text may begin at each of three places.
    for shift in range(3):
        encoded = b64encode(b"\0" * shift + plain)
        begin = -(-shift * 8 // 6)
        kept = encoded[begin : len(encoded.rstrip(b"=")) - (1 if (shift + len(plain)) % 3 else 0)]
        after_host = max(0, -(-(shift + host) * 8 // 6) - begin) if host else 0
        yield kept.lower(), after_host
        if b"+" in kept or b"/" in kept:
            yield kept.replace(b"+", b"-").replace(b"/", b"_").lower(), after_host


def _views(text: str) -> Iterator[tuple[bytes, Sequence[int]]]:
    """Yield a text as bytes in lower case, as it is and decoded once and more; with the place of each byte in the text."""
    places: Sequence[int] = range(len(text))
    if text.isascii():
        view = text.encode()
    else:
        pieces = [character.encode("utf-8", "surrogatepass") for character in text]
        view = b"".join(pieces)
        places = [place for place, piece in enumerate(pieces) for _ in piece]
    for _ in range(_ROUNDS):
        yield view.lower(), places
        if not _ESCAPED.search(view):
            return
        view, places = _decoded(view, places)


def _decoded(view: bytes, places: Sequence[int]) -> tuple[bytes, list[int]]:
    """Return the bytes with every escape replaced by what it stands for, each at the place where its escape begins."""
    pieces: list[bytes] = []
    moved: list[int] = []
    end = 0
    for match in _ESCAPED.finditer(view):
        pieces.append(view[end : match.start()])
        moved += places[end : match.start()]
        meant = _meant(match)
        pieces.append(meant)
        moved += [places[match.start()]] * len(meant)
        end = match.end()
    return b"".join([*pieces, view[end:]]), [*moved, *places[end:]]


def _meant(match: re.Match[bytes]) -> bytes:
    percent, short, quoted, hexadecimal, decimal, name = match.groups()
    if percent:
        return bytes([int(percent, 16)])
    if quoted:
        return bytes(quoted)
    if name:
        return unescape(f"&{name.decode()};").encode("utf-8", "surrogatepass")
    number = int(short or hexadecimal, 16) if short or hexadecimal else int(decimal)
    return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else match[0]  # noqa: PLR2004 (the end of Unicode)


def replace_marked(text: str, marks: bytearray) -> str:
    """Return a text with every run of marked characters replaced by one ``***``."""
    pieces: list[str] = []
    for place, character in enumerate(text):
        if not marks[place]:
            pieces.append(character)
        elif not place or not marks[place - 1]:
            pieces.append(MARK)
    return "".join(pieces)
