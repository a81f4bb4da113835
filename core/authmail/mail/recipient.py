"""Who may be written to: a recipient is one address alone, of characters that people have and see."""

import re
import unicodedata
from enum import Enum

from authmail.mail.mailbox import Mailbox
from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.privacy import log_of
from authmail.words.text import Text, say

_log = log_of("authmail")


class Recipients(Enum):
    """Which addresses may be written to."""

    #: Letters, marks and digits of any script, and the signs that people have in their addresses.
    NARROW = "narrow"
    #: Whatever RFC 5321 and 6531 allow: quoted local parts, source routes with ``%`` and ``!``, characters nobody sees.
    WIDE = "wide"


# Signs of RFC 5322 that servers read as more than a part of a name: routes, pipes, commands.
_REFUSED_SIGNS = "%!|`<>,;:"
_QUOTED_DOTS = re.compile(r'"([^"\\@\s]+)"')
_DOTS = re.compile(r"\.{2,}|^\.|\.$")
_CATEGORIES = frozenset("LMN")


def read_recipient(to: str, recipients: Recipients = Recipients.NARROW) -> Mailbox:
    """Return a message's recipient, as an address without a name.

    A name would be somebody's words in the mail of another one: it is dropped, with a warning.

    Raises:
        MessageRejected: it is not one single address, or not one that may be written to.
    """
    mailbox = _parsed(to)
    if mailbox.name:
        _log.warning("a name in the recipient of a message is left out: a recipient is an address alone")
    address = check_recipient(mailbox.address, recipients)
    return mailbox if not mailbox.name and address == mailbox.address else Mailbox(address)


def check_recipient(address: str, recipients: Recipients = Recipients.NARROW) -> str:
    """Return an address that may be written to, its local part in Unicode's composed form (NFC).

    Raises:
        MessageRejected: it may not; the hint names the character.
    """
    if recipients is Recipients.WIDE:
        return address
    local, _, domain = address.rpartition("@")
    local = unicodedata.normalize("NFC", local)
    if problem := _problem(local):
        raise _refused(problem)
    return f"{local}@{domain}"


def _parsed(to: str) -> Mailbox:
    try:
        return Mailbox.parse(to)
    except ValueError as error:
        problem = error.args[0]
    local, _, domain = str(to).rpartition("@")
    if domain and not any(sign in local for sign in '"<>@ ') and _DOTS.search(local):
        problem = say('dots in a row, or at an end of the part before the @, need quotes: "a..b"@example.com')
    raise _refused(problem)


def _refused(problem: str) -> MessageRejected:
    hint = say("the recipient cannot be used: {problem}", problem=problem)
    return MessageRejected(hint, reason=Reason.RECIPIENT, phase=Phase.BEFORE)


def _problem(local: str) -> Text | None:
    quoted = _QUOTED_DOTS.fullmatch(local)
    if local.startswith('"') and quoted is None:
        return say('the part before the @ may have quotes only around dots, as in "a..b" and "zoe."')
    text = quoted[1] if quoted else local
    if "=?" in text:
        return say("the part before the @ holds an encoded word (=?)")
    for char in text:
        if not _is_allowed(char):
            return say("the part before the @ holds {character}", character=_named(char))
    return None


def _is_allowed(char: str) -> bool:
    if char.isascii():
        return char.isprintable() and char != " " and char not in _REFUSED_SIGNS
    if unicodedata.category(char)[0] not in _CATEGORIES or _is_unseen(char):
        return False
    return unicodedata.normalize("NFKC", char) == unicodedata.normalize("NFC", char)


def _is_unseen(char: str) -> bool:
    """Whether a character of a category that is seen cannot be: fillers, joiners of graphemes, selectors of shapes."""
    return char in "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0" or (
        "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
    )


def _named(char: str) -> str:
    """Return a character as people can read it: itself, where it is seen, its number and its name in Unicode."""
    name = f"U+{ord(char):04X} {unicodedata.name(char, '')}".strip()
    return f"{char} ({name})" if char.isprintable() and not char.isspace() and not _is_unseen(char) else name
