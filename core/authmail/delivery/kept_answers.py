"""An answer as JSON text, and back: what stores and queues say of a message once it is over."""

import json
from collections.abc import Iterable

import attrs

from authmail import outcomes
from authmail.outcomes import OutcomeUnknown, Receipt, SendError

_RECEIPT = [field.name for field in attrs.fields(Receipt)]

# Odd values that a provider gave for ids are kept as texts.
_encode = json.JSONEncoder(default=str).encode


def write_answer(answer: Receipt | SendError, *, without: Iterable[str] = ()) -> str:
    """Return an answer as JSON text.

    Args:
        answer: the answer.
        without: attributes that are not kept, such as the provider's own words.
    """
    left_out = {"outcome", *without}
    if isinstance(answer, Receipt):
        return _encode({"receipt": {name: getattr(answer, name) for name in _RECEIPT if name not in left_out}})
    said = {name: value for name, value in answer.to_dict().items() if name not in left_out}
    return _encode({"unknown": said} if type(answer) is OutcomeUnknown else {"error": type(answer).__name__, "said": said})


def read_answer(text: str) -> Receipt | SendError:
    """Return the answer of :func:`write_answer`.

    Raises:
        ValueError: it is none, or of another release.
    """
    try:
        data = json.loads(text)
        if "receipt" in data:
            return Receipt(**data["receipt"])
        if "unknown" in data:
            return OutcomeUnknown(**data["unknown"])
        kind = getattr(outcomes, data["error"])
        if isinstance(kind, type) and issubclass(kind, SendError):
            error: SendError = kind(**data["said"])
            return error
    except (TypeError, LookupError, AttributeError):
        pass
    raise ValueError("the record of an answer cannot be read")
