"""Mandrill for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key
from authmail_mandrill.answers import ANSWERS, HELD, REJECTED

_DOMAIN = "mail.sandbox.example"
_KEY = "md-local-key"
# The pages show 1.0, the official SDK speaks 1.3.
_VERSIONS = ("/api/1.3", "/api/1.0")
#: Name → number beside it; others have one, too, and nobody reads it.
_NUMBERS = {"Invalid_Key": -1, "ValidationError": -2, "GeneralError": -99, "Unknown_Subaccount": 12, "PaymentRequired": 10}
_RECORD = {"valid": True, "valid_after": None, "error": None}
_TOLD: dict[str, Any] = {
    "/users/ping2.json": {"PING": "PONG!"},
    "/users/info.json": {
        "username": "sandbox", "created_at": "2026-01-01 00:00:00", "public_id": "x", "reputation": 95, "hourly_quota": 250, "backlog": 0,
    },
    "/senders/domains.json": [{"domain": _DOMAIN, "spf": _RECORD, "dkim": _RECORD, "valid_signing": True}],
}  # fmt: skip


class MandrillEmulator(ApiEmulator):
    """An account at Mandrill with one key and one verified domain."""

    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests", 429, "RateLimit"),
        refused=Fault(
            'validation error: {"message":{"to":[{"email":"An email address must contain a single @"}]}}', 500, "ValidationError"
        ),
        unverified=Fault("a 200 that rejects: the sender's domain cannot be signed for", 200, "unsigned"),
        suppressed=Fault("a 200 that rejects: the recipient is on the rejection list", 200, "hard-bounce"),
        held=Fault("a 200 that queues for good: the account is suspended", 200, "account-suspended"),
        maintenance=Fault("under maintenance", 503, "ServiceUnavailable"),
        crash=Fault("an unexpected error occurred", 500, "GeneralError"),
        crash_after=Fault("the mail is accepted, then a fault", 500, "GeneralError", action="crash-after"),
        no_id=Fault("a 200 with an empty list", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": _KEY, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def sends(self, request: web.Request) -> bool:
        """Whether a request sends a mail, in either version of the API."""
        return request.method == "POST" and _call(request) == "/messages/send.json"

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key in the body."""
        given = _object(body).get("key")
        if given is None:
            raise Refusal(500, "ValidationError", "You must specify a key value")
        if not isinstance(given, str) or not has_key(given, _KEY):
            raise Refusal(500, "Invalid_Key", "Invalid API key")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; null is the same as leaving a field out."""
        data = _object(body).get("message")
        mail = {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else {}
        sender = _mailbox("from_email", mail.get("from_email"), mail.get("from_name"))
        try:
            to = tuple(_mailbox("to", one["email"], one.get("name")).address for one in mail["to"])
            extra = {str(name): str(value) for name, value in mail.get("headers", {}).items()}
            extra |= {f"tag {number}": str(tag) for number, tag in enumerate(mail.get("tags", []), 1)}
        except (KeyError, TypeError, AttributeError):
            raise _invalid("to") from None
        if not to:
            raise _invalid("to")
        if sender.domain != _DOMAIN:
            raise Refusal(200, "unsigned", "")
        texts = {part: mail[part] for part in ("subject", "html", "text") if isinstance(mail.get(part), str) and mail[part]}
        reply_to = {"reply_to": extra.pop("Reply-To")} if "Reply-To" in extra else {}
        return {"sender": str(sender), "to": to, "subject": "", "extra": extra, **texts, **reply_to}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: a state for each recipient."""
        return web.json_response([] if message_id is None else [_state("sent", message_id)])

    def fresh_id(self) -> str:
        """Return an id of Mandrill's form."""
        return uuid4().hex

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a 200 that rejects or holds the mail."""
        if refusal.code in HELD:
            return web.json_response([_state("queued", uuid4().hex, queued=refusal.code)])
        if refusal.code in REJECTED:
            reason = None if refusal.code in ("invalid", "rejected") else refusal.code
            return web.json_response([_state("invalid" if refusal.code == "invalid" else "rejected", uuid4().hex, reason)])
        number = _NUMBERS.get(refusal.code, 0)
        error = {"status": "error", "code": number, "name": refusal.code, "message": refusal.message}
        return web.json_response(error, status=refusal.status)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "POST" or _call(request) not in _TOLD:
            raise Refusal(404, "Unknown_Method", "There is nothing here.")
        return web.json_response(_TOLD[_call(request)])


def _call(request: web.Request) -> str:
    return next((request.path.removeprefix(start) for start in _VERSIONS if request.path.startswith(start)), "")


def _object(body: bytes) -> dict[str, Any]:
    """Return the JSON of a body, whatever its content type: some clients give none."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {}


def _state(status: str, message_id: str, reason: str | None = None, *, queued: str | None = None) -> dict[str, Any]:
    return {"email": "", "status": status, "_id": message_id, "reject_reason": reason, "queued_reason": queued}


def _mailbox(field: str, address: Any, name: Any) -> Mailbox:
    try:
        return Mailbox(address, name or "")
    except (ValueError, TypeError, AttributeError):
        raise _invalid(field) from None


def _invalid(field: str) -> Refusal:
    told = json.dumps({"message": {field: "An email address must contain a single @"}}, separators=(",", ":"))
    return Refusal(500, "ValidationError", f"Validation error: {told}")
