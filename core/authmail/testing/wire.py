"""A request as it arrived at a provider, and every text that can be read in it."""

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.headerregistry import HeaderRegistry
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import attrs

_SHORTEST_MAIL = 40
_HEADER = re.compile(r"[A-Za-z-]+: ?[^\n]*\n")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+=*")
# Each header is asked for many times while a mail is parsed, and read anew each time.
_READING = policy.default.clone(header_factory=lru_cache(maxsize=256)(HeaderRegistry()))
# What is shorter stands in any text by chance.
_SHORTEST_SPELLING = 6


@attrs.frozen(slots=False)
class Request:
    """What a provider got.

    Args:
        method: of HTTP; ``MAIL`` over SMTP.
        path: with the query.
        headers: by lower-case name.
        body: the bytes.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @cached_property
    def content(self) -> Any:
        """The body as JSON, as the fields of a form, or as text; None if it is empty."""
        text = self.body.decode("utf-8", "replace")
        if self.kind == "application/x-www-form-urlencoded":
            return parse_qsl(text, keep_blank_values=True)
        try:
            return json.loads(self.body)
        except ValueError:
            return text or None

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every text in it: path, headers and the values of the body, mails decoded."""
        found = [unquote(self.path), *self.headers.values()]
        if self.kind == "message/rfc822":
            return (*found, self.body.decode("utf-8", "replace"), *_texts_of_mail(self.body))
        for leaf in _leaves(self.content):
            found += [leaf, *_mail_texts(leaf), *_decoded(leaf)]
        if self.kind == "multipart/form-data":
            found += _texts_of_mail(b"Content-Type: %s\r\n\r\n" % self.headers["content-type"].encode() + self.body)
        return tuple(found)

    def shows(self, text: str) -> bool:
        """Whether a text can be read somewhere in it."""
        return any(text in found for found in self.texts)

    def tells(self, text: str) -> bool:
        """Whether a text can be read somewhere in it, in whatever spelling."""
        return any(self.shows(spelling) for spelling in spellings(text))

    def is_repeated_by(self, other: "Request") -> bool:
        """Whether another one is the very same."""
        return attrs.astuple(self) == attrs.astuple(other)

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path}, body=<{len(self.body)} bytes>)"


def spellings(text: str) -> Iterator[str]:
    """Yield how a text may be written: as it is, percent-encoded, in JSON, in Base64; none so short that it says nothing."""
    found = [text, quote(text, safe=""), json.dumps(text)[1:-1]]
    # In Base64 three bytes are four characters: whatever stands before it, one of the three is there.
    found += [b64encode(b" " * shift + text.encode()).decode()[4:-4] for shift in range(3)]
    yield from (spelling for spelling in found if len(spelling) >= _SHORTEST_SPELLING)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


def _decoded(leaf: str) -> Iterator[str]:
    """Yield a text without its encoded words (RFC 2047), which some providers want in a name or header."""
    if "=?" in leaf:
        with suppress(HeaderParseError, ValueError, LookupError):  # no encoded words after all
            yield str(make_header(decode_header(leaf)))


def _mail_texts(leaf: str) -> list[str]:
    """Return the texts of a mail that a provider wants whole, as text or in base64."""
    if len(leaf) < _SHORTEST_MAIL:
        return []
    if _HEADER.match(leaf):
        return _texts_of_mail(leaf.encode())
    if not _BASE64.fullmatch(leaf):
        return []
    for decode in (b64decode, urlsafe_b64decode):
        try:
            mail = decode(leaf + "=" * (-len(leaf) % 4))
        except ValueError:
            continue
        if _HEADER.match(mail[:200].decode("ascii", "replace")):
            return _texts_of_mail(mail)
    return []


def _texts_of_mail(mail: bytes) -> list[str]:
    """Return header values and parts of a MIME mail, decoded; nothing if it is none."""
    found: list[str] = []
    try:
        parsed = message_from_bytes(mail, policy=_READING)
        for part in parsed.walk():
            found += [text for name, value in part.items() for text in (f"{name}: {value}", str(value))]
            if not part.is_multipart():
                content = part.get_content()
                found.append(content.replace("\r\n", "\n") if isinstance(content, str) else "")
    except (ValueError, LookupError, AttributeError, TypeError):
        return found
    return found
