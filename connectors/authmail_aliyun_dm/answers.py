"""Direct Mail's answers, as data, and how they are read: JSON, or the XML that V1 gives without ``Format=JSON``."""

import json
import re
from typing import Any
from xml.etree import ElementTree  # noqa: ICN001 (its own name says more than ET)

from authmail import Answer, Answers, Repeat, Reply, member
from authmail_aliyun_dm.config import AliyunDMConfig
from authmail_aliyun_dm.error_codes import ERRORS, WIDE, meaning_of_unknown

# A signature error echoes what the server signed, which holds every parameter: recipient, subject, body and code.
_ECHO = re.compile(r"(?:\bserver\s+)?(?:string\s*to\s*sign|canonical\s*request|canonical\s*string)\b", re.IGNORECASE)
_ENDS = " \t\r\n,;."
_MILLISECONDS = re.compile(r"[0-9]{1,9}")


def read(reply: Reply) -> Any:
    """Return the members of an answer by lower-case name; None if it is none of Direct Mail's."""
    try:
        members = json.loads(reply.body)
    except (ValueError, RecursionError):
        members = _xml_members(reply.body)
    return {str(name).lower(): value for name, value in members.items()} if isinstance(members, dict) else None


def _message_id(answer: Answer) -> str | None:
    """Return the EnvId. The SDK takes a success with an error code for one; nobody says what that means."""
    return answer.text("envid") if answer.text("code") in (None, "OK", "Success", "200") else None


def _said(answer: Answer) -> str | None:
    """Return the provider's words without the echoed request."""
    message = answer.text("message")
    if message is None:
        return None
    echo = _ECHO.search(message)
    return (message if echo is None else message[: echo.start()].rstrip(_ENDS)).strip() or None


def _retry_after(answer: Answer) -> float | None:
    delay = answer.reply.headers.get("x-acs-retry-after", "")
    milliseconds = int(delay) if _MILLISECONDS.fullmatch(delay) else 0
    return milliseconds / 1000 if milliseconds > 0 else None


def _repeat(config: AliyunDMConfig) -> Repeat:
    """Direct Mail knows no idempotency key.

    After a time-out or cut the same signed request may go out once more: if the gateway had taken the first, it answers
    SignatureNonceUsed and sends nothing. A new nonce would send a second mail.
    """
    return Repeat.HARMLESS if config.repeat else Repeat.NEVER


def _xml_members(body: bytes) -> dict[str, str | None] | None:
    # No document type: entities could grow without end.
    if not body.lstrip().startswith(b"<?xml") or b"<!" in body:
        return None
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 (no document type, at most 1 MiB)
    except ElementTree.ParseError:
        return None
    return {child.tag: child.text for child in root}


ANSWERS = Answers(
    provider="Direct Mail",
    message_id=_message_id,
    code=member("code"),
    words=_said,
    request_id=member("requestid"),
    retry_after=_retry_after,
    meanings=ERRORS,
    wide=WIDE,
    otherwise=meaning_of_unknown,
    repeat=_repeat,
    read=read,
    any_case=True,
)
