"""The edge: what came from outside is cleaned, what is confidential is struck out, what is raised is raised afresh.

It knows texts alone: callers hand it what is confidential.
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from html import escape
from inspect import iscoroutinefunction
from itertools import groupby
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import quote, quote_plus

from authmail.outcomes import SendError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

#: What stands in place of what is not shown; nobody's real secret.
MARK = "***"

# C0 and C1 controls, and the two Unicode line separators, which some software breaks lines at.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ONE_WORD = re.compile(r"[!-~]{1,256}")
_SHORTEST_TO_STRIKE = 4
# So many characters of a link or secret in a row give it away.
_TELLING = 8
_SECRET_NAME = re.compile(
    r"secret|token|passw|passphrase|pwd|(?:api|private|access)[-_]?key$|credential|authorization|cookie|signature$|^pass|^key$",
    re.IGNORECASE,
)


def names_secret(name: str) -> bool:
    """Whether a value of this name is a secret, as far as a name can tell: ``apiKey``, ``smtp_password``."""
    return _SECRET_NAME.search(name) is not None


def one_line(text: str) -> str:
    """Return the text with every run of line breaks and control characters turned into one blank."""
    return _CONTROLS.sub(" ", text) if not text.isprintable() else text


def whole_unicode(text: str) -> str:
    """Return the text with lone surrogates, which JSON can spell and UTF-8 cannot, replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def masked(address: str) -> str:
    """Return an address for logs and reprs: its first character and its domain, ``z***@example.com``."""
    local, at, domain = str(address).rpartition("@")
    return f"{local[:1]}{MARK}{at}{one_line(domain)[:100]}" if at else MARK


def clean_error(error: SendError, connector: str, confidential: Iterable[str]) -> SendError:
    """Return an error whose words are one line and hold nothing confidential.

    Args:
        error: what a connector raised.
        connector: its factory id.
        confidential: secrets of the config, codes and links of the message.
    """
    hidden = spellings(confidential)

    def clean(text: str) -> str:
        return one_line(whole_unicode(_struck(text, hidden)))

    words: dict[str, str | None] = {"hint": error.hint.change(clean), "detail": error.detail and clean(error.detail)}
    for name in ("code", "request_id"):  # one word each; something longer is not what a provider gives
        value = getattr(error, name) and _struck(getattr(error, name), hidden)
        words[name] = value if value and _ONE_WORD.fullmatch(value) else None
    return error.afresh(connector=connector, **words)


def strike_out(text: str, confidential: Iterable[str]) -> str:
    """Return a text with every confidential part replaced by ``***``.

    Also where it is percent-encoded, once or twice, or written as HTML or JSON; and where only a piece of it was
    repeated, since whoever echoes a request may cut it anywhere.
    """
    return _struck(text, spellings(confidential))


def _struck(text: str, hidden: Iterable[str]) -> str:
    marks = bytearray(len(text))
    for spelling in hidden:
        size = min(len(spelling), _TELLING)
        for start in range(len(text) - size + 1):
            if text[start : start + size] in spelling:
                marks[start : start + size] = b"x" * size
    return "".join(
        MARK if is_hidden else "".join(char for char, _ in group)
        for is_hidden, group in groupby(zip(text, marks, strict=True), key=lambda pair: bool(pair[1]))
    )


def spellings(confidential: Iterable[str]) -> set[str]:
    """Return confidential texts in every way in which they may be repeated: encoded, escaped. Short ones are left out."""
    found: set[str] = set()
    # The scheme of a link tells nothing, and stands in other addresses too.
    for part in (text.removeprefix("https://").removeprefix("http://") for text in confidential):
        if len(part) >= _SHORTEST_TO_STRIKE:
            encoded = quote(part, safe="")
            found |= {
                part,
                encoded,
                quote(encoded, safe=""),
                quote_plus(part),
                quote(part),
                escape(part),
                part.replace("/", "\\/"),
            }
    return found


def raise_afresh(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Let a public function raise without the frames inside, cause and context: error trackers capture local variables.

    Also those of this wrapper, whose arguments may be a config or a message. A method of an object whose ``_debug`` is
    true keeps everything. Plain functions and coroutine functions alike.
    """
    if iscoroutinefunction(function):

        @wraps(function)
        async def call_later(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except BaseException as raised:
                if not _is_stripped(raised, args):
                    raise
                error = _stripped(raised)
            del args, kwargs
            raise error

        return cast("Callable[_Parameters, _Result]", call_later)

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as raised:
            if not _is_stripped(raised, args):
                raise
            error = _stripped(raised)
        del args, kwargs
        raise error

    return cast("Callable[_Parameters, _Result]", call)


def _is_stripped(error: BaseException, args: tuple[Any, ...]) -> bool:
    return not isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) and not (
        args and getattr(args[0], "_debug", False)
    )


def _stripped(error: BaseException) -> BaseException:
    """Return the very same error, for whoever cancelled a task looks for it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
