"""Header lines of a mail: ASCII, folded (RFC 5322), encoded words where needed (RFC 2047). Pure.

Text for people is encoded where it must be, and read back before it goes out, so that no reader sees anything else than
was meant. What programs read is folded at blanks and stays as it is: they do not decode.
"""

import re
from email.header import Header, decode_header, make_header
from email.utils import parseaddr

from authmail import Mailbox, checks, say
from authmail_smtp.body import LONGEST_LINE

_WIDTH = 76
# One blank, which is the same after the fold for whoever drops the fold, keeps it or makes it one blank.
_FOLD = re.compile(r"(?<! ) (?! )")
_CRLF = "\r\n"


def text_header(name: str, text: str) -> str:
    """Return a header with free text, such as the subject.

    Args:
        name: of the header.
        text: its value, without line breaks and control characters.

    Raises:
        ValueError: it cannot be written so that it reads the same.
    """
    if _is_plain(text) and len(name) + 2 + len(text) <= _WIDTH:
        return f"{name}: {text}"
    return _folded_text(name, text)


def further_header(name: str, text: str) -> str:
    """Return a header that is none of the mail's own, by its kind: structured, or with free text.

    Args:
        name: of the header.
        text: its value, without line breaks and control characters.

    Raises:
        ValueError: it cannot be written so that it reads the same.
    """
    structured = checks.structured_header(name, text)
    if structured is None and not _is_plain(text):
        return text_header(name, text)
    # A long word of plain text is most likely read by programs too, and reads the same as it is.
    lines = _folded(name, text if structured is None else structured, LONGEST_LINE)
    return text_header(name, text) if lines is None else f"{name}: {lines}"


def _folded_text(name: str, text: str) -> str:
    lines = _folded(name, text) if _is_plain(text) else None
    if lines is None:
        lines = Header(text, "utf-8", maxlinelen=_WIDTH, header_name=name).encode(linesep=_CRLF)
    if _decoded(_unfolded(lines)) != text:
        raise ValueError(say("the header {name} cannot be written so that it reads the same", name=name))
    return f"{name}: {lines}"


def mailbox_header(name: str, mailbox: Mailbox) -> str:
    """Return a header with one mailbox; an address beyond ASCII stays as it is (RFC 6532).

    Raises:
        ValueError: it cannot be written so that it reads the same.
    """
    plain = str(mailbox)
    if not mailbox.name or (_is_plain(mailbox.name) and len(name) + 2 + len(plain) <= _WIDTH):
        return f"{name}: {plain}"
    # Parsers of addresses join blanks.
    lines = _folded(name, plain) if _is_plain(mailbox.name) and "  " not in mailbox.name else None
    if lines is None:
        # Encoded words hold any comma, quote or bracket of the name, so none is taken for the list's own.
        words = Header(mailbox.name, "utf-8", maxlinelen=_WIDTH, header_name=name).encode(linesep=_CRLF)
        lines = f"{words}{_CRLF} <{mailbox.address}>"
    read_name, address = parseaddr(_unfolded(lines))
    if (_decoded(read_name), address) != (mailbox.name, mailbox.address):
        raise ValueError(say("the header {name} cannot be written so that it reads the same", name=name))
    return f"{name}: {lines}"


def _is_plain(text: str) -> bool:
    """Whether readers see a text as it is: printable ASCII, without blanks around it or what looks encoded."""
    return text.isascii() and text.isprintable() and "=?" not in text and text == text.strip()


def _folded(name: str, text: str, longest: int = _WIDTH) -> str | None:
    """Return the text in lines that break at blanks.

    Args:
        name: of the header.
        text: plain.
        longest: length of a line that cannot be broken; None comes back where one would be longer.
    """
    words = _FOLD.split(text)
    lines = [words[0]]
    room = _WIDTH - len(name) - 2
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = _WIDTH - 1
        else:
            lines[-1] += f" {word}"
    if len(name) + 2 + len(lines[0]) > longest or any(1 + len(line) > longest for line in lines[1:]):
        return None
    return f"{_CRLF} ".join(lines)


def _unfolded(lines: str) -> str:
    return lines.replace(_CRLF, "")


def _decoded(text: str) -> str:
    return str(make_header(decode_header(text)))
