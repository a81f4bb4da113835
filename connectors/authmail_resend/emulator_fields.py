"""The fields of a mail, checked as the service checks them, for the emulator."""

import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import Refusal, read_object

_MOST_RECIPIENTS = 50
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MAILBOX_FORM = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."


def read(request: web.Request, body: bytes) -> dict[str, Any]:
    """Return the mail of a request, ``to`` and ``reply_to`` as lists; null is the same as leaving a field out.

    Raises:
        Refusal: a field is missing or wrong.
    """
    data = read_object(request, body)
    if data is None:
        raise Refusal(400, "validation_error", "The request body must be a JSON object.")
    mail = {field: value for field, value in data.items() if value is not None}
    for field in ("from", "to", "subject"):
        if not mail.get(field):
            raise Refusal(422, "missing_required_field", f"Missing `{field}` field.")
    if not (mail.get("html") or mail.get("text")):
        raise Refusal(422, "missing_required_field", "Missing `html` or `text` field.")
    for field, kind in {"from": str, "subject": str, "html": str, "text": str, "headers": dict}.items():
        if field in mail and not isinstance(mail[field], kind):
            raise Refusal(422, "validation_error", f"Invalid `{field}` field.")
    _mailboxes(mail, "from")
    mail["to"], mail["reply_to"] = _mailboxes(mail, "to"), _mailboxes(mail, "reply_to")
    if len(mail["to"]) > _MOST_RECIPIENTS:
        raise Refusal(422, "validation_error", f"Invalid `to` field. At most {_MOST_RECIPIENTS} addresses are allowed.")
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
        raise Refusal(422, "validation_error", f"Invalid `{field}` field. {_MAILBOX_FORM}") from None
    return values


def _check_tags(tags: Any) -> None:
    try:
        right = all(_TAG.fullmatch(tag["name"]) and _TAG.fullmatch(tag["value"]) for tag in tags)
    except (TypeError, KeyError):
        right = False
    if not right:
        message = "Invalid `tags` field. Tags should only contain ASCII letters, numbers, underscores, or dashes."
        raise Refusal(422, "validation_error", message)
