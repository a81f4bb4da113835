"""A message as bytes, and back: what is in the sealed box."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from authmail.mail.email import Email, Mail
from authmail.mail.mailbox import Mailbox
from authmail.mail.message import Message
from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.words.text import say

# A mail with its parts; AES-GCM and tables bear far more, and a queue is no store of files.
_LARGEST = 10 * 1024 * 1024
_DEEPEST = 100
_KINDS: Mapping[str, type[Mail]] = {"message": Message, "email": Email}


def write_letter(message: Mail) -> bytes:
    """Return a message as JSON.

    Raises:
        MessageRejected: its payload holds what JSON cannot, and where; or it is too large.
    """
    values = {field.name: getattr(message, field.name) for field in attrs.fields(type(message))}
    if isinstance(message, Message):
        values["payload"] = _as_json(message.payload, "payload")
    values = {name: _plain(value) for name, value in values.items()}
    kind = "message" if isinstance(message, Message) else "email"
    text = json.dumps({kind: values}, allow_nan=False, separators=(",", ":")).encode()
    if len(text) > _LARGEST:
        raise MessageRejected(say("the message is too large for the queue"), reason=Reason.MESSAGE, phase=Phase.BEFORE)
    return text


def read_letter(text: bytes) -> Mail:
    """Return the message of :func:`write_letter`.

    Raises:
        ValueError: it is none.
        TypeError: it is one of a later release.
        LookupError: likewise.
    """
    ((kind, values),) = dict(json.loads(text)).items()
    return _KINDS[kind](**values)


def _plain(value: Any) -> Any:
    if isinstance(value, Mailbox):
        return str(value)
    return dict(value) if isinstance(value, Mapping) else value


def _as_json(value: Any, place: str, depth: int = 0) -> Any:
    """Return a value as it comes back out of JSON.

    Raises:
        MessageRejected: it would come back as another one; names its place.
    """
    if depth <= _DEEPEST:
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {str(key): _as_json(item, f"{place}.{key}", depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [_as_json(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(value)]
        if isinstance(value, str | int | None) or (isinstance(value, float) and abs(value) < float("inf")):
            return value
    hint = say(
        "{place} holds {kind}, which no JSON can; a queued message's payload is of texts, numbers, lists and objects",
        place=place,
        kind=type(value).__name__,
    )
    raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE)
