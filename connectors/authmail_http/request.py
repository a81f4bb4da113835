"""A message or mail becomes one request. Pure: id and time come from outside."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authmail import Email, Message, Reason, Request, WebhookKey, refused, say
from authmail_http.config import HttpConfig

# JavaScript puts such keys first, in order (ECMA-262, OrdinaryOwnPropertyKeys: up to 2**32 - 2).
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LARGEST_INDEX = 2**32 - 2
# JavaScript prints whole numbers below this without a point or exponent (ECMA-262, Number::toString).
_WHOLE = 1e21


def post(message: Message | Email, config: HttpConfig, key: str, now: datetime) -> Request:
    """Return the request that hands over a message or mail.

    Args:
        message: what the host gave.
        config: the settings.
        key: identifies the message, the same on every repeat; printable ASCII.
        now: the time, for the signature.

    Raises:
        MessageRejected: the payload holds something that JSON cannot.
    """
    body = _json(_of_message(message) if isinstance(message, Message) else _of_email(message))
    headers = {name: value.reveal() for name, value in config.headers.items()}
    headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
    if (authorization := config.authorization_header) is not None:
        headers["Authorization"] = authorization
    if config.signing_secret is not None:
        headers |= WebhookKey(config.signing_secret).headers(key, int(now.timestamp()), body)
    return Request(url=config.url, body=body, headers=headers, id=key)


def _of_message(message: Message) -> dict[str, Any]:
    """Return Logto's JSON, its keys in Logto's order; an unknown ip is left out."""
    data = {"to": message.to, "type": str(message.type), "payload": message.payload}
    return data | ({"ip": message.ip} if message.ip else {})


def _of_email(email: Email) -> dict[str, Any]:
    """Return the second shape: ``email`` in place of ``payload``. What a mail does not have is left out."""
    sender = {"name": email.from_name, "address": email.from_address and email.from_address.address}
    mail = {
        "subject": email.subject,
        "html": email.html,
        "text": email.text,
        "from": {name: value for name, value in sender.items() if value},
        "replyTo": email.reply_to and str(email.reply_to),
        "headers": dict(email.headers),
    }
    given = {name: value for name, value in mail.items() if value is not None and value != {}}
    return {"to": str(email.to), **({"type": str(email.usage_type)} if email.usage_type else {}), "email": given}


def _json(data: Mapping[str, Any]) -> bytes:
    """Return the bytes that JavaScript's ``JSON.stringify`` gives: compact, UTF-8, half a surrogate pair escaped."""
    try:
        text = json.dumps(_as_in_javascript(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        hint = say("the payload must be JSON-like values: objects with text keys, lists, texts, numbers, true, false and null")
    else:
        return text.encode("utf-8", "backslashreplace")
    raise refused(hint, Reason.MESSAGE)


def _as_in_javascript(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _as_in_javascript(value[key]) for key in _ordered_keys(value)}
    if isinstance(value, list | tuple):
        return [_as_in_javascript(item) for item in value]
    if isinstance(value, float):
        return _number(value)
    return value


def _ordered_keys(value: Mapping[Any, Any]) -> list[str]:
    if not all(isinstance(key, str) for key in value):
        raise TypeError("a key is no text")
    keys = sorted((key for key in value if _is_index(key)), key=int)
    return keys + [key for key in value if not _is_index(key)]


def _number(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _WHOLE else value


def _is_index(key: str) -> bool:
    return _INDEX.fullmatch(key) is not None and int(key) <= _LARGEST_INDEX
