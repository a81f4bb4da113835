"""The edge: what came from outside is cleaned, what is confidential is struck out, what is raised is raised afresh.

It knows texts alone: callers hand it what is confidential.
"""

import logging
import re
from collections.abc import Callable, Iterable, MutableMapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, cast

import attrs

from authmail.outcomes import Receipt, SendError
from authmail.words.striking import MARK, Spellings, replace_marked, strike
from authmail.words.text import Text

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
_Class = TypeVar("_Class", bound=type)

# C0 and C1 controls, and the two Unicode line separators, which some software breaks lines at.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ONE_WORD = re.compile(r"[!-~]{1,256}")
_TWO_WORDS = re.compile(r"[!-~]{1,256} [!-~]{1,256}")
_NO_WORD = re.compile(r"[^!-~]+")
_LONGEST_ID = 256
_LONGEST_DETAIL = 500
_LONGEST_LOGGED = 200
# So much of a body in a row is no accident.
_ECHO = 32
_LARGEST_BODY = 256 * 1024
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


def hide_fields(_: type, fields: "list[attrs.Attribute[Any]]") -> "list[attrs.Attribute[Any]]":
    """Let the fields of an attrs class stand in no repr: some programs show them without asking ``__repr__``.

    The ``field_transformer`` of every class whose objects may hold a code, a link, a body, a secret or an address.
    """
    return [field.evolve(repr=False) for field in fields]


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Confidential:
    """What must not be shown of one message and the config that it goes by.

    Args:
        secrets: of the config, in every spelling; made once for a config.
        vital: codes, links and tokens of the message.
        names: further values of the payload, such as names of people; struck out of the provider's words alone.
        bodies: subject, text and HTML of the mail: what repeats so many characters of them is an echo.
        address: the recipient's; its part before the ``@`` is masked.
    """

    secrets: Spellings
    vital: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    address: str = ""

    def clean_error(self, error: SendError, connector: str) -> SendError:
        """Return an error whose words are one line and hold nothing confidential; fixed words of the code stay."""
        spelled = (self.secrets, Spellings(self.vital))

        def clean(text: str) -> str:
            return self._line(text, spelled)

        detail = error.detail and self._without_echo(clean(error.detail))
        code = error.code if isinstance(error.code, Text) else _word_or_none(error.code and clean(error.code))
        words = {"hint": error.hint.change(clean), "detail": detail, "code": code}
        words["request_id"] = _word_or_none(error.request_id and clean(error.request_id))
        return error.afresh(connector=connector, **words)

    def clean_receipt(self, receipt: Receipt, connector: str) -> Receipt:
        """Return a receipt whose ids are words and hold nothing confidential; the mail is accepted whatever they are."""
        spelled = (self.secrets, Spellings(self.vital))
        ids = f"{receipt.message_id} {receipt.request_id or 'none'}"
        if receipt.detail is None and _TWO_WORDS.fullmatch(ids) and strike(ids, spelled) == ids:  # as nearly always
            return Receipt(receipt.message_id, receipt.request_id, None, connector)
        message_id = _NO_WORD.sub("_", self._line(str(receipt.message_id), spelled))[:_LONGEST_ID]
        request_id = _word_or_none(self._line(str(receipt.request_id), spelled)) if receipt.request_id else None
        detail = receipt.detail and self._without_echo(self._line(receipt.detail, spelled))[:_LONGEST_DETAIL]
        return Receipt(message_id, request_id, detail, connector)

    def clean_line(self, text: str) -> str:
        """Return a text of an account report as one line without secrets."""
        return self._line(text, (self.secrets,))[:_LONGEST_DETAIL]

    def _line(self, text: str, spelled: Iterable[Spellings]) -> str:
        text = strike(whole_unicode(text), spelled)
        if self.address and self.address.lower() in text.lower():
            text = re.sub(re.escape(self.address), masked(self.address), text, flags=re.IGNORECASE)
        return _printable(one_line(text))

    def _without_echo(self, text: str) -> str:
        """Return a provider's words without what they repeat of the mail, and without names out of its payload."""
        marks = bytearray(len(text))
        for body in self.bodies:
            shown = body[:_LARGEST_BODY]
            for start in range(len(text) - _ECHO + 1):
                if text[start : start + _ECHO] in shown:
                    marks[start : start + _ECHO] = b"x" * _ECHO
        for name in self.names:
            for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                marks[match.start() : match.end()] = b"x" * len(match[0])
        return replace_marked(text, marks)


def _printable(text: str) -> str:
    """Return a text without characters that are not seen, such as marks of direction; joiners are spelling."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character in "\u200c\u200d" else " " for character in text)


def _word_or_none(text: str | None) -> str | None:
    """Return a code or id: one word; something longer is not what a provider gives."""
    return text if text and _ONE_WORD.fullmatch(text) else None


class LineLog(logging.LoggerAdapter[logging.Logger]):
    """A log whose arguments are one line each and bounded: what a stranger chose begins no line of its own."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log, if anybody listens."""
        if self.isEnabledFor(level):
            kept = tuple(one_line(arg)[:_LONGEST_LOGGED] if isinstance(arg, str) else arg for arg in args)
            self.logger.log(level, msg, *kept, **kwargs)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave message and options as they are."""
        return msg, kwargs


def log_of(name: str) -> LineLog:
    """Return the log of a room: ``authmail`` or ``authmail.delivery``."""
    return LineLog(logging.getLogger(name))


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


def make_afresh(cls: _Class) -> _Class:
    """Let a class refuse its arguments without the frames inside, which hold them."""
    cls.__init__ = raise_afresh(cls.__init__)  # type: ignore[misc]  # attrs writes it
    return cls


def _is_stripped(error: BaseException, args: tuple[Any, ...]) -> bool:
    return not isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit) and not (
        args and getattr(args[0], "_debug", False)
    )


def _stripped(error: BaseException) -> BaseException:
    """Return the very same error, for whoever cancelled a task looks for it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
