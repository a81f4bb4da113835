"""What an endpoint's answer means: a Receipt, or which error. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from authmail import Receipt, Reply, SendError
from authmail_http.error_codes import BUSY, FAULT, REFUSED, STATUSES
from authmail_http.request import Request

_ID_KEYS = ("messageId", "message_id", "id")
_LONGEST_ID = 200


def receipt(reply: Reply, request: Request) -> Receipt:
    """Return the Receipt. Any 2xx is one, as with the reference; the id is the answer's, else the one that was sent.

    Raises:
        SendError: what the status means.
    """
    members = _members(reply.body)
    if not 200 <= reply.status < 300:  # noqa: PLR2004 (HTTP statuses read best as numbers)
        raise _failure(reply, members)
    ids = (_text(members.get(key)) for key in _ID_KEYS)
    identifier = next((found for found in ids if found and len(found) <= _LONGEST_ID and found.isprintable()), None)
    return Receipt(message_id=identifier or request.identifier, request_id=reply.headers.get("X-Request-Id"))


def _failure(reply: Reply, members: Mapping[str, Any]) -> SendError:
    meaning = STATUSES.get(reply.status) or (REFUSED if 400 <= reply.status < 500 else FAULT)  # noqa: PLR2004
    # A proxy says 503 as well, also where it lost the connection to an endpoint that had the message.
    if reply.status == 503 and (members or "Retry-After" in reply.headers):  # noqa: PLR2004
        meaning = BUSY
    code, said = _error(members)
    detail = said or (None if members else reply.text.strip() or None)
    return reply.failure(meaning, code=code, detail=detail, request_id=reply.headers.get("X-Request-Id"))


def _error(members: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return code and words of an error in JSON: ``{"code", "message"}``, also below ``error``, or RFC 9457's members."""
    nested = members.get("error")
    inner: Mapping[str, Any] = nested if isinstance(nested, Mapping) else members
    words = (inner.get("message"), nested, inner.get("detail"), inner.get("title"), members.get("message"))
    said = next((word for word in words if isinstance(word, str) and word.strip()), None)
    return _text(inner.get("code")), said


def _text(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value else None


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
