"""Mail addresses with display names."""

import re
from functools import lru_cache
from typing import Self

import attrs

from authmail.privacy import hide_fields, make_afresh, masked, one_line, raise_afresh
from authmail.words.text import say

# RFC 5321 section 4.5.3.1: octets of a local part and of a whole address.
_LOCAL_PART_LIMIT = 64
_ADDRESS_LIMIT = 254

# JSON can spell it, UTF-8 cannot.
_SURROGATE = re.compile(r"[\ud800-\udfff]")

# RFC 5322 atext, to which RFC 6531 adds every non-ASCII character: all but specials, blanks and controls.
_ATEXT = r"[^\x00-\x20\x7f-\xa0\"(),.:;<>@\[\\\]]"
_ADDRESS = re.compile(
    rf"""(?P<local> {_ATEXT}+ (?:\.{_ATEXT}+)* | "(?:[^"\\]|\\[\x20-\x7e])+" )
         @ (?P<domain> [^@\s<>()\[\],;:\\"]+ )""",
    re.VERBOSE,
)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_BARE_NAME = re.compile(rf"(?:{_ATEXT}+)(?: {_ATEXT}+)*")
_BRACKETED = re.compile(
    r"(?P<name>[^<>]*|\s*\"(?:[^\"\\]|\\.)*\"\s*)<(?P<address>(?:\"(?:[^\"\\]|\\.)*\")?[^<>]*)>\s*", re.DOTALL
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


def _has_control(text: str) -> bool:
    return one_line(text) != text


@lru_cache(maxsize=4096)  # most mailboxes are in a few domains, and a domain tells of nobody
def _ascii_domain(domain: str) -> str:
    if not domain.isascii():
        import idna  # imported late: few domains need it

        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError:
            raise ValueError("the domain is not a valid international domain name") from None
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")) or len(domain) > 253:  # noqa: PLR2004 (RFC 1035)
        raise ValueError("the domain is not a valid host name")
    return domain


def _checked_address(address: str) -> str:
    if not isinstance(address, str):
        raise ValueError("an address is text")
    if _has_control(address):
        raise ValueError("the address holds a control character or line break")
    if _SURROGATE.search(address):
        raise ValueError("the address holds half of a surrogate pair")
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError("not one single address like name@example.com")
    local, domain = match["local"], _ascii_domain(match["domain"])
    whole = f"{local}@{domain}"
    if len(local.encode()) > _LOCAL_PART_LIMIT or len(whole.encode()) > _ADDRESS_LIMIT:
        raise ValueError(
            say(
                "the address is longer than {whole} octets, or its part before the @ than {local}",
                whole=_ADDRESS_LIMIT,
                local=_LOCAL_PART_LIMIT,
            )
        )
    return whole


def _checked_name(name: str) -> str:
    if _has_control(name):
        raise ValueError("the name holds a control character or line break")
    if _SURROGATE.search(name):
        raise ValueError("the name holds half of a surrogate pair")
    return name.strip()


@make_afresh
@attrs.frozen(repr=False, field_transformer=hide_fields)
class Mailbox:
    """One mail address with an optional display name.

    Args:
        address: a single ``local@domain`` (RFC 5321; non-ASCII local parts by RFC 6531). An international domain is
            kept in its ASCII form (IDNA 2008). At most 254 octets, 64 before the ``@``.
        name: the display name as a person reads it, without quotes or encoding.

    Raises:
        ValueError: no address, several of them, or a control character anywhere. The message never holds the value.
    """

    address: str = attrs.field(converter=_checked_address)
    name: str = attrs.field(default="", converter=_checked_name)

    @classmethod
    @raise_afresh
    def parse(cls, text: str) -> Self:
        """Read ``name@example.com`` or ``Name <name@example.com>``.

        Raises:
            ValueError: as the class says; also for a list of addresses and for text around the brackets.
        """
        if not isinstance(text, str):
            raise ValueError("a mailbox is text")
        text = text.strip(" ")
        bracketed = _BRACKETED.fullmatch(text) if text.endswith(">") else None
        if bracketed is None:
            return cls(text)
        name = bracketed["name"].strip(" ")
        if name.startswith('"'):
            if len(name) < 2 or not name.endswith('"'):  # noqa: PLR2004 (two quotes)
                raise ValueError("the quotes of the name do not match")
            name = _QUOTED_PAIR.sub(r"\1", name[1:-1])
        elif "," in name or "@" in name:
            raise ValueError("not one single address like Name <name@example.com>; a name with a comma or @ needs quotes")
        return cls(bracketed["address"], name)

    @property
    def domain(self) -> str:
        """The part after the ``@``, in its ASCII form."""
        return self.address.rpartition("@")[2]

    def __repr__(self) -> str:
        return f"Mailbox({masked(self.address)!r})"

    def __str__(self) -> str:
        """Return the mailbox as RFC 5322 writes it, the name quoted where it must be."""
        if not self.name:
            return self.address
        # What looks like an encoded word (RFC 2047) would be decoded by a reader's program, even within quotes.
        name = self.name.replace("=?", "= ?")
        if _BARE_NAME.fullmatch(name):
            return f"{name} <{self.address}>"
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.address}>'
