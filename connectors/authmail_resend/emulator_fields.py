"""The fields of a mail, checked as the service checks them, for the emulator."""

import json
import re
from collections.abc import Mapping
from typing import Any

from authmail import Mailbox

_MOST_RECIPIENTS = 50
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MAILBOX_FORM = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


class Refused(Exception):
    """An error answer: HTTP status, name, message, and seconds to wait."""

    def __init__(self, status: int, name: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(name)
        self.status, self.name, self.message, self.retry_after = status, name, message, retry_after


def read(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the mail of a request, ``to`` and ``reply_to`` as lists; null is the same as leaving a field out.

    Raises:
        Refused: a field is missing or wrong.
    """
    try:
        data = json.loads(body) if content_type == "application/json" else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise Refused(400, "validation_error", "The request body must be a JSON object.")
    mail = {field: value for field, value in data.items() if value is not None}
    for field in ("from", "to", "subject"):
        if not mail.get(field):
            raise Refused(422, "missing_required_field", f"Missing `{field}` field.")
    if not (mail.get("html") or mail.get("text")):
        raise Refused(422, "missing_required_field", "Missing `html` or `text` field.")
    for field, kind in {"from": str, "subject": str, "html": str, "text": str, "headers": dict}.items():
        if field in mail and not isinstance(mail[field], kind):
            raise Refused(422, "validation_error", f"Invalid `{field}` field.")
    _mailboxes(mail, "from")
    mail["to"], mail["reply_to"] = _mailboxes(mail, "to"), _mailboxes(mail, "reply_to")
    if len(mail["to"]) > _MOST_RECIPIENTS:
        raise Refused(422, "validation_error", f"Invalid `to` field. At most {_MOST_RECIPIENTS} addresses are allowed.")
    _check_tags(mail.get("tags", []))
    return mail


def _mailboxes(mail: Mapping[str, Any], field: str) -> list[str]:
    """Return a field that holds one mailbox or a list of them, as a list."""
    value = mail.get(field) or []
    values = [value] if isinstance(value, str) else value
    try:
        if not isinstance(values, list):
            raise ValueError("neither text nor list")
        for one in values:
            Mailbox.parse(one)
    except (ValueError, TypeError, AttributeError):
        raise Refused(422, "validation_error", f"Invalid `{field}` field. {_MAILBOX_FORM}") from None
    return values


def _check_tags(tags: Any) -> None:
    try:
        right = all(_TAG.fullmatch(tag["name"]) and _TAG.fullmatch(tag["value"]) for tag in tags)
    except (TypeError, KeyError):
        right = False
    if not right:
        message = "Invalid `tags` field. Tags should only contain ASCII letters, numbers, underscores, or dashes."
        raise Refused(422, "validation_error", message)
