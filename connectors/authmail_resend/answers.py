"""What an answer of Resend means: a Receipt, or which error. Pure.

Errors are ``{"statusCode", "name", "message"}``; the name decides. An answer without one is not Resend's.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from authmail import Meaning, MessageRejected, OutcomeUnknown, Reason, Receipt, Reply, SendError
from authmail_resend.error_codes import BY_FIELD, BY_STATUS, ERRORS, STATUSES

#: The first request of a key is still being worked on.
IN_FLIGHT = "concurrent_idempotent_requests"

_FIELD = re.compile(r"`(?P<name>[a-z_]+)`")
_REFUSAL = Meaning(MessageRejected, Reason.PROVIDER, "Resend refused the request; its name tells more")
_FAULT = ERRORS["internal_server_error"]
_STRANGER = Meaning(
    OutcomeUnknown,
    Reason.PROVIDER,
    "the answer is not Resend's; something between may have answered, so it is not known whether the mail went out",
)
_UNREADABLE = Meaning(OutcomeUnknown, Reason.PROVIDER, "the answer does not say that the mail was accepted")


def receipt(reply: Reply) -> Receipt:
    """Return the Receipt of an answer that says: accepted, with the mail's id.

    Raises:
        SendError: what the answer means otherwise.
    """
    members = read(reply)
    message_id = members.get("id")
    if 200 <= reply.status < 300 and isinstance(message_id, str) and message_id:  # noqa: PLR2004 (HTTP statuses)
        return Receipt(message_id)
    raise failure(reply, members)


def failure(reply: Reply, members: Mapping[str, Any]) -> SendError:
    """Return the error that an answer means."""
    name, said = _text(members.get("name")), _text(members.get("message"))
    details: dict[str, Any] = {"code": name, "detail": said}
    if (wait := _seconds(reply.headers.get("ratelimit-reset"))) is not None and "Retry-After" not in reply.headers:
        details["retry_after"] = wait
    return reply.failure(_meaning(reply.status, name, said), **details)


def _meaning(status: int, name: str | None, said: str | None) -> Meaning:
    if 200 <= status < 300:  # noqa: PLR2004
        return _UNREADABLE
    if name is None:
        return STATUSES.get(status, _STRANGER)
    known = BY_STATUS.get((name, status)) or ERRORS.get(name)
    if status >= 500:  # noqa: PLR2004
        return known if known and known.kind is OutcomeUnknown else _FAULT
    if known is ERRORS["validation_error"]:
        fields = (match["name"] for match in _FIELD.finditer(said or ""))
        return next((BY_FIELD[field] for field in fields if field in BY_FIELD), known)
    return known or STATUSES.get(status, _REFUSAL)


def read(reply: Reply) -> Mapping[str, Any]:
    """Return the answer's members; none if it is no JSON object."""
    try:
        members = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _seconds(value: str | None) -> float | None:
    return float(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004
