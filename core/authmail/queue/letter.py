"""A message as bytes, and back: what is in the sealed box."""

import json
from collections.abc import Mapping
from typing import Any

import attrs

from authmail.mail.email import Email, Mail
from authmail.mail.message import Message
from authmail.outcomes import MessageRejected, Phase, Reason
from authmail.words.text import say

_MAILBOXES = ("to", "from_address", "reply_to")
# A mail with its parts; AES-GCM and tables bear far more, and a queue is no store of files.
_LARGEST = 10 * 1024 * 1024


def write_letter(message: Mail) -> bytes:
    """Return a message as JSON.

    Raises:
        MessageRejected: its payload holds what JSON cannot, or it is too large.
    """
    try:
        data = {"message": message.to_dict()} if isinstance(message, Message) else {"email": _email(message)}
        text = json.dumps(data, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        hint = say("a queued message's payload must be what JSON can hold: texts, numbers, lists and objects")
        raise MessageRejected(hint, reason=Reason.MESSAGE, phase=Phase.BEFORE) from None
    if len(text) > _LARGEST:
        raise MessageRejected(say("the message is too large for the queue"), reason=Reason.MESSAGE, phase=Phase.BEFORE)
    return text


def read_letter(text: bytes) -> Mail:
    """Return the message of :func:`write_letter`.

    Raises:
        ValueError: it is none, or of a later release.
    """
    data = json.loads(text)
    if "message" in data:
        return Message.from_dict(data["message"])
    return Email(**data["email"])


def _email(email: Email) -> Mapping[str, Any]:
    values = {field.name: getattr(email, field.name) for field in attrs.fields(Email)}
    values["headers"] = dict(email.headers)
    return values | {name: str(values[name]) for name in _MAILBOXES if values[name] is not None}
