"""A text that never shows itself."""

from typing import Any, NoReturn, Self

from authmail.privacy import raise_afresh


class Secret:
    """A credential: shown as ``***`` wherever it is printed, formatted or logged.

    A plain class and not an attrs one, because ``attrs.asdict`` would walk into it. It refuses to be pickled or
    serialised, compares in constant time, and gives its text only to :meth:`reveal`.

    Args:
        value: the credential itself.

    Raises:
        TypeError: the value is not a text.
    """

    __slots__ = ("_value",)

    @raise_afresh
    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a Secret holds text, not {type(value).__name__}")
        self._value = value

    def reveal(self) -> str:
        """Return the text. Call it where the text is used and keep no copy."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # imported late: it loads OpenSSL, which listing and validating do not need

        return compare_digest(self._value.encode("utf-8", "surrogatepass"), other._value.encode("utf-8", "surrogatepass"))

    def __hash__(self) -> int:
        return hash(self._value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


def revealed(value: Any) -> Any:
    """Return the text of a :class:`Secret`; anything else as it is."""
    return value.reveal() if isinstance(value, Secret) else value
