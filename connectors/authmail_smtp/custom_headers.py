"""The setting ``customHeaders``: what may stand in it, and what has no effect."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from authmail import ConfigError, Problem, checks

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NAME = re.compile(r"[!-9;-~]{1,70}")
#: Headers that a mail has anyway, so that nothing else may write them; and those of the server's.
_OWN = frozenset(
    ["from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "reply-to", "return-path", "received"]
)


def is_own_header(name: str) -> bool:
    """Whether a header is written by the mail itself, whatever the case of its name."""
    return name.lower() in _OWN or name.lower().startswith("content-")


def written(headers: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Yield name and text of each header that has an effect; line breaks and control characters are blanks."""
    for name, texts in (headers or {}).items():
        if not is_own_header(name):
            yield from ((name, _CONTROLS.sub(" ", text)) for text in _list_of(texts))


def check(headers: Mapping[str, Any] | None) -> None:
    """Refuse what no mail could hold.

    Raises:
        ValueError: a name is none.
        ConfigError: with a problem for each text that is none, or cannot stand in a header that programs read.
    """
    for name, texts in (headers or {}).items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                "has a name that no header can have", "printable ASCII without blanks and colons, at most 70 characters"
            )
        if not all(isinstance(text, str) for text in _list_of(texts)):
            raise ConfigError([Problem(name, "must be text, or a list of texts")])
    problems = []
    for name, text in written(headers):
        try:
            checks.structured_header(name, text)
        except ValueError as error:
            problems.append(Problem(name, *error.args))
    if problems:
        raise ConfigError(problems)


def warnings(headers: Mapping[str, Any] | None) -> Iterable[Problem]:
    """Yield what has no effect, and what is changed."""
    for name, texts in (headers or {}).items():
        if is_own_header(name):
            yield Problem(f"customHeaders.{name}", "has no effect: a mail has this header anyway")
        elif any(_CONTROLS.search(text) for text in _list_of(texts)):
            yield Problem(f"customHeaders.{name}", "has a line break or control character, which becomes a blank")


def _list_of(texts: Any) -> list[Any]:
    return texts if isinstance(texts, list) else [texts]
