"""Values that strangers typed: names of organizations, users and applications.

Anybody can sign up with a name such as "Your account is locked, see https://…" and have an auth server mail it to
whom they like. So such values are cut, cleaned of what cannot be seen, and their links are made inert.
"""

import re
from collections.abc import Mapping
from typing import Any

#: First names of the paths whose values strangers typed (Logto's context objects).
STRANGERS = frozenset({"application", "inviter", "organization", "user"})

_LONGEST_TEXT = 128
# An image address in an attribute is longer than any name, and cannot be read as text.
_LONGEST_ATTRIBUTE = 2048

# Controls; soft hyphen; marks, embeddings, overrides and isolates of writing direction; zero-width and filler
# characters; tag characters; interlinear marks. The joiners U+200C and U+200D are spelling in Persian and Hindi and
# join emoji: only those beside ASCII go.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
)
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")
_LINK = re.compile(r"(?:https?\s*:\s*/\s*/|\bwww\s*\.)\S*", re.IGNORECASE)


def clean_text(text: str) -> str:
    """Return a stranger's text for an attribute: without unseen characters, at most 2048 characters long."""
    return _cut(_UNSEEN.sub("", _BREAKS.sub(" ", text[: _LONGEST_ATTRIBUTE * 2])), _LONGEST_ATTRIBUTE)


def defang(text: str) -> str:
    """Return a stranger's text for people to read: cleaned, at most 128 characters, links as ``https[:]//a[.]b``."""
    return _LINK.sub(_defanged, _cut(clean_text(text), _LONGEST_TEXT))


def clean_payload(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return a payload for a provider that renders by itself: what strangers typed is as in authmail's own mails."""
    return {name: _clean_value(value) if name in STRANGERS else value for name, value in payload.items()}


def _clean_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _clean_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean_value(inner) for inner in value]
    return defang(value) if isinstance(value, str) else value


def _defanged(link: re.Match[str]) -> str:
    return link[0].replace(":", "[:]").replace(".", "[.]")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
