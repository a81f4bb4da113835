"""The body of a mail: one part, or text and HTML as alternatives; 7-bit, no line above 998 bytes. Pure."""

import re
from base64 import encodebytes
from binascii import b2a_qp

#: Of a line without its break, in bytes.
LONGEST_LINE = 998  # RFC 5322 section 2.1.1
_LINE_BREAK = re.compile(r"\r\n?|\n")
_CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
# Quoted-printable takes three bytes for each that is not ASCII, base64 four for each three.
_MOSTLY_ASCII = 6


def body(text: str | None, html: str | None, boundary: str) -> bytes:
    """Return the body with the headers that describe it, ending with a line break.

    Args:
        text: the text part.
        html: the HTML part; with both, readers show the last one they can.
        boundary: what parts the two, found in neither.
    """
    parts = [_part(kind, content) for kind, content in (("plain", text), ("html", html)) if content is not None]
    if len(parts) == 1:
        return parts[0]
    edge = b"--" + boundary.encode("ascii")
    head = f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode("ascii")
    return head + b"".join(edge + b"\r\n" + part for part in parts) + edge + b"--\r\n"


def _part(kind: str, content: str) -> bytes:
    encoding, encoded = _encoded(content)
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + encoded + (b"" if encoded.endswith(b"\r\n") else b"\r\n")


def _encoded(content: str) -> tuple[str, bytes]:
    content = _LINE_BREAK.sub("\n", content)
    raw = content.encode("utf-8")
    if raw.isascii() and not _CONTROL.search(raw) and max(map(len, raw.split(b"\n"))) <= LONGEST_LINE:
        return "7bit", raw.replace(b"\n", b"\r\n")
    beyond = sum(1 for character in content if character > "\x7f")
    if beyond * _MOSTLY_ASCII < len(content):
        return "quoted-printable", b2a_qp(raw, istext=True).replace(b"\n", b"\r\n")
    return "base64", encodebytes(raw.replace(b"\n", b"\r\n")).replace(b"\n", b"\r\n")
