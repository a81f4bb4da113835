"""Whose words a value holds: the host's own, or those of a stranger.

Anybody can sign up with a name such as "Your account is locked, see https://…" and have an auth server mail it to whom
they like. What is the host's own follows from a short rule; everything else is a stranger's, whatever it is called.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import attrs

from authmail.mail.vital import NAMES, REQUIRED, is_code
from authmail.templates.defang import LONGEST_ATTRIBUTE, clean_text, defang

_LONGEST_VALUE = 64
# Seven digits and more may be a phone's number.
_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?")
_DATE = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9]"
    r"(?:[T ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:\.[0-9]{1,9})?)?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_MAYBE_IP = re.compile(r"[0-9A-Fa-f]{0,4}[.:][0-9A-Fa-f.:]*")
_LINK = re.compile(r"https?://[^\s\"'<>\\^`{|}\x00-\x20\x7f-\x9f]+", re.IGNORECASE)
_TYPES = (bool, int, float, Decimal, date, datetime, time, IPv4Address, IPv6Address)


def _names(names: Iterable[str]) -> frozenset[tuple[str, ...]]:
    if isinstance(names, str):
        raise TypeError("trusted= takes a list of names of placeholders")
    return frozenset(tuple(name.split(".")) for name in names)


def _hosts(hosts: Iterable[str] | None) -> tuple[str, ...] | None:
    if isinstance(hosts, str):
        raise TypeError("link_hosts= takes a list of host names")
    return None if hosts is None else tuple(host.lower().rstrip(".") for host in hosts)


@attrs.frozen
class Strangers:
    """Tells the host's own values from those of strangers.

    Args:
        trusted: names of placeholders that the host vouches for: ``shop``, ``organization.name``; a name stands for
            everything below it too.
        link_hosts: hosts of links in values such as ``resetUrl``, ``*.example.com`` for everything below; None for any.
    """

    trusted: frozenset[tuple[str, ...]] = attrs.field(default=(), converter=_names)
    link_hosts: tuple[str, ...] | None = attrs.field(default=None, converter=_hosts)

    def is_own(self, path: tuple[str, ...], value: Any, recipient: str = "") -> bool:
        """Whether a value is the host's own.

        Args:
            path: the placeholder's name, split at its dots.
            value: what the payload has there.
            recipient: the address that the mail goes to, which may stand in it.
        """
        if path[0] in REQUIRED or any(path[:length] in self.trusted for length in range(1, len(path) + 1)):
            return True
        if not isinstance(value, str):
            return value is None or isinstance(value, _TYPES)
        return _is_known(value, recipient) or (len(path) == 1 and self._is_vital(path[0], value))

    def _is_vital(self, name: str, value: str) -> bool:
        if not name.lower().endswith(NAMES):
            return False
        return is_code(value) or (is_link(value) and self._allows(urlsplit(value).hostname or ""))

    def _allows(self, host: str) -> bool:
        host = host.rstrip(".")
        return self.link_hosts is None or any(
            host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in self.link_hosts
        )


def is_link(text: str) -> bool:
    """Whether a whole text is one http(s) URL of at most 2048 characters."""
    if len(text) > LONGEST_ATTRIBUTE or not _LINK.fullmatch(text) or clean_text(text) != text:
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False


def _is_known(value: str, recipient: str) -> bool:
    """Whether a text is the recipient's own address, or has the whole form of a number, date or IP address."""
    if recipient and value.casefold() == recipient.casefold():
        return True
    if len(value) > _LONGEST_VALUE or not value.isascii():
        return False
    return bool(_NUMBER.fullmatch(value) or _DATE.fullmatch(value)) or _is_ip(value)


def _is_ip(value: str) -> bool:
    if not _MAYBE_IP.fullmatch(value):  # a zone, for one, may be any text
        return False
    try:
        return bool(ip_address(value))
    except ValueError:
        return False


def clean_payload(payload: Mapping[str, Any], strangers: Strangers | None = None, recipient: str = "") -> dict[str, Any]:
    """Return a payload for a provider that renders by itself: what strangers typed is as in authmail's own mails."""
    rule = strangers or Strangers()
    return {name: _clean_value(rule, (str(name),), value, recipient) for name, value in payload.items()}


def _clean_value(rule: Strangers, path: tuple[str, ...], value: Any, recipient: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _clean_value(rule, (*path, str(name)), inner, recipient) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_value(rule, (*path, str(index)), inner, recipient) for index, inner in enumerate(value)]
    return defang(value) if isinstance(value, str) and not rule.is_own(path, value, recipient) else value
