"""What an answer of Direct Mail means: a Receipt, or which error. Pure.

The HTTP status is no classifier here: nearly every error is a 400, throttling too. The ``Code`` decides. Codes:
Direct Mail's error pages (2020 to 2026-01), answers of its support, and the gateway's common codes.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree  # noqa: ICN001 (its own name says more than ET)

import attrs

from authmail import Meaning, MessageRejected, NotSent, OutcomeUnknown, Reason, Receipt, SendError, Throttled
from authmail_aliyun_dm.error_codes import ERRORS, PREFIXES
from authmail_aliyun_dm.request import Request

# A signature error echoes what the server signed, which holds every parameter: recipient, subject, body and code.
_ECHO = re.compile(
    r"[\s,;.]*(?:server\s+)?(?:string\s*to\s*sign|canonical\s*request|canonical\s*string)\b.*", re.IGNORECASE | re.DOTALL
)
_ECHOED = re.compile(r"string\s*to\s*sign\s*is\s*:\s*\[?(?P<text>[^\]]*)", re.IGNORECASE)
_SIGNATURE_CODES = ("signaturedoesnotmatch", "incompletesignature", "signature")


@attrs.frozen(repr=False)
class Answer:
    """An answer read as Direct Mail's: its members by lower-case name; empty if it is none."""

    status: int
    retry_after: float | None
    members: Mapping[str, Any]

    def get(self, name: str) -> str | None:
        """Return a text member, whatever the case of its name; None if there is none."""
        value = self.members.get(name.lower())
        return value if isinstance(value, str) and value else None


def read(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Read an answer's JSON, or the XML that V1 gives without ``Format=JSON``."""
    members: Any = None
    try:
        members = json.loads(body)
    except (ValueError, RecursionError):
        members = _xml_members(body)
    if not isinstance(members, dict):
        members = {}
    return Answer(status, _retry_after(headers), {str(key).lower(): value for key, value in members.items()})


def receipt(answer: Answer, request: Request) -> Receipt:
    """Return the Receipt of an accepted mail.

    Raises:
        SendError: what the answer means otherwise; OutcomeUnknown if it cannot be understood.
    """
    accepted = 200 <= answer.status < 300 and answer.get("Code") in (None, "OK", "Success", "200")  # noqa: PLR2004
    message_id = answer.get("EnvId")
    if accepted and message_id is not None:
        return Receipt(message_id=message_id, request_id=answer.get("RequestId"))
    raise failure(answer, request)


def failure(answer: Answer, request: Request) -> SendError:
    """Return the error that an answer means."""
    code = answer.get("Code")
    details: dict[str, Any] = {
        "code": code,
        "status": answer.status,
        "request_id": answer.get("RequestId"),
        "detail": _said(answer.get("Message")),
    }
    if 200 <= answer.status < 300:  # noqa: PLR2004
        # The SDK takes a 200 with an error code for success; nobody says what it means.
        return OutcomeUnknown("the answer does not say that the mail was accepted", **details)
    if code is None:
        hint = (
            "the answer is not Direct Mail's; something between may have answered, so it is not known whether the mail went out"
        )
        return OutcomeUnknown(hint, **details)
    meaning = _meaning(code, answer.status)
    hint = _signature_hint(answer.get("Message"), request) if code.lower() in _SIGNATURE_CODES else meaning.hint
    kind, reason = meaning.kind, meaning.reason
    if answer.retry_after is not None:
        # The SDK takes the header for throttling whatever the code says; so do we where the code says nothing.
        if meaning is _UNKNOWN_REFUSAL:
            kind, reason = Throttled, Reason.RATE
        if kind in (Throttled, NotSent):
            details["retry_after"] = answer.retry_after
    return kind(hint, reason=reason, **details)


_UNKNOWN_REFUSAL = Meaning(MessageRejected, Reason.PROVIDER, "the provider refused the request; its code tells more")
_UNKNOWN_FAULT = Meaning(OutcomeUnknown, Reason.PROVIDER, "the provider had a fault; it is not known whether the mail went out")


def _meaning(code: str, status: int) -> Meaning:
    known = ERRORS.get(code.lower())
    if known is None:
        known = next((meaning for prefix, meaning in PREFIXES.items() if code.lower().startswith(prefix)), None)
    if known is None or (status >= 500 and known.kind not in (NotSent, Throttled)):  # noqa: PLR2004
        return _UNKNOWN_FAULT if status >= 500 else _UNKNOWN_REFUSAL  # noqa: PLR2004
    return known


def _signature_hint(message: str | None, request: Request) -> str:
    """Tell a wrong secret from a wrong signature: the server echoes what it signed; if we signed the same, it is the secret."""
    echoed = _ECHOED.search(message or "")
    if echoed is not None and echoed["text"].strip() == request.signed():
        return "the AccessKey secret is wrong: both sides signed the same text"
    if echoed is not None:
        return "the request was changed on its way, or the signature is wrong; check proxies in between, then report this"
    return (
        "the AccessKey secret does not belong to the AccessKey ID, or the request was changed on its way; check the secret first"
    )


def _said(message: str | None) -> str | None:
    """Return the provider's words without the echoed request."""
    return None if message is None else _ECHO.sub("", message).strip() or None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("x-acs-retry-after", "")
    milliseconds = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0  # noqa: PLR2004
    return milliseconds / 1000 if milliseconds > 0 else None


def _xml_members(body: bytes) -> dict[str, str | None] | None:
    # No document type: entities could grow without end.
    if not body.lstrip().startswith(b"<?xml") or b"<!" in body:
        return None
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 (no document type, at most 1 MiB)
    except ElementTree.ParseError:
        return None
    return {child.tag: child.text for child in root}
