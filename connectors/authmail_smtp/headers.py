"""Header lines of a mail: ASCII, folded (RFC 5322), encoded words where needed (RFC 2047). Pure.

Every line that is not plain is read back before it goes out, so that no reader sees anything else than was meant.
"""

from email.header import Header, decode_header, make_header
from email.utils import parseaddr

from authmail import Mailbox, say

_WIDTH = 76
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
    lines = _folded(name, plain) if _is_plain(mailbox.name) else None
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


def _folded(name: str, text: str) -> str | None:
    """Return the text in lines that break at blanks; None if a word is too long for one."""
    lines = [""]
    room = _WIDTH - len(name) - 2
    for word in text.split(" "):
        if not 0 < len(word) <= room:
            return None
        if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
            lines.append(word)
            room = _WIDTH - 1
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return f"{_CRLF} ".join(lines)


def _unfolded(lines: str) -> str:
    return lines.replace(_CRLF, "")


def _decoded(text: str) -> str:
    return str(make_header(decode_header(text)))
