"""SparkPost for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

import re
from collections.abc import Mapping
from random import randint
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_sparkpost.answers import ANSWERS, NOBODY

_DOMAIN = "mail.sandbox.example"
_KEY = "5bacbe0c7a1f40e1sandbox"
_ACCOUNT = {
    "customer_id": 102938,
    "status": "active",
    "subscription": {"code": "free500-SPCEU-0419", "name": "500"},
}
_USAGE = {"day": {"used": 3, "limit": 100}, "month": {"used": 40, "limit": 500}}
_STATUS = {"ownership_verified": True, "dkim_status": "valid", "compliance_status": "valid"}
#: Of SparkPost's template language, which reads every mail that does not switch it off.
_EXPRESSION = re.compile(r"\{\{[^{}]*\}\}")
_KINDS = {"subject": str, "text": str, "html": str, "reply_to": str, "headers": dict}


class SparkPostEmulator(ApiEmulator):
    """An account at SparkPost with one sending domain and one key."""

    path = "/api/v1/transmissions"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests", 429),
        quota=Fault("exceed Sending Limit (daily)", 420, "2102"),
        suppressed=Fault("recipient address was suppressed due to customer policy", 400, "1902"),
        nobody=Fault("invalid recipient address.email", 200, NOBODY),
        unverified=Fault("unconfigured Sending Domain", 400, "7001"),
        forbidden=Fault("forbidden", 403),
        too_large=Fault("the message is too large", 413),
        busy=Fault("service unavailable", 503),
        crash=Fault("internal", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a success that counts nobody in or out, and has no id", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": _KEY, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("Authorization", ""), _KEY):
            raise Refusal(401, "", "Unauthorized.")

    def sends(self, request: web.Request) -> bool:
        """Whether a request is one that sends a mail; a slash at the end makes no difference."""
        return request.method == "POST" and request.path.rstrip("/") == self.path

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail."""
        data = read_object(request, body) or {}
        content, options = _object(data.get("content")), _object(data.get("options"))
        if not content or options is None:
            raise Refusal(422, "1400", "content object or template_id required")
        for name, kind in _KINDS.items():
            if not isinstance(content.get(name, kind()), kind):
                raise Refusal(422, "1300", f"content.{name} is of the wrong type")
        sender, to = _mailbox(content.get("from"), "content.from"), _recipients(data.get("recipients"))
        if sender.domain != _DOMAIN:
            raise Refusal(400, "7001", f"Unconfigured Sending Domain <{sender.domain}>")
        parts = {name: content[name] for name in ("subject", "text", "html") if content.get(name)}
        if options.get("perform_substitutions") is not False:  # of a mail without values each is empty
            parts = {name: _EXPRESSION.sub("", part) for name, part in parts.items()}
        if parts.keys() <= {"subject"}:
            raise Refusal(422, "1400", "At least one of 'text' or 'html' is required in content")
        extra = {str(name): str(value) for name, value in content.get("headers", {}).items()}
        extra |= {"campaign": str(data["campaign_id"])} if data.get("campaign_id") else {}
        replies = {"reply_to": content["reply_to"]} if content.get("reply_to") else {}
        return {"sender": str(sender), "to": to, "subject": "", "extra": extra, **parts, **replies}

    def fresh_id(self) -> str:
        """Return an id of SparkPost's form."""
        return str(randint(10**16, 10**17))  # noqa: S311 (it protects nothing)

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: counts and an id."""
        results = {"total_rejected_recipients": 0, "total_accepted_recipients": 1, "id": message_id}
        return web.json_response({"results": {} if message_id is None else results})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a 200 that accepted nobody."""
        error = {"message": refusal.message} | ({"description": refusal.message, "code": refusal.code} if refusal.code else {})
        if refusal.code != NOBODY:
            return web.json_response({"errors": [error]}, status=refusal.status)
        results = {"total_rejected_recipients": 1, "total_accepted_recipients": 0, "id": self.fresh_id()}
        why = {"message": "transmission created, but with validation errors", "code": NOBODY}
        return web.json_response({"results": results | {"rcpt_to_errors": [error | {"code": "1300"}]}, "errors": [why]})

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        usage = {"usage": _USAGE} if request.query.get("include") == "usage" else {}
        told = {"/api/v1/account": _ACCOUNT | usage, f"/api/v1/sending-domains/{_DOMAIN}": {"status": _STATUS}}
        if request.method != "GET" or request.path not in told:
            raise Refusal(404, "1600", "resource not found")
        return web.json_response({"results": told[request.path]})


def _object(value: Any) -> dict[str, Any] | None:
    return {} if value is None else value if isinstance(value, dict) else None


def _mailbox(value: Any, field: str) -> Mailbox:
    """Return an address, which is a text or has its parts."""
    try:
        return Mailbox.parse(value) if isinstance(value, str) else Mailbox(value["email"], value.get("name") or "")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refusal(422, "1300", f"{field} is not a valid address") from None


def _recipients(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise Refusal(400, "5002", "At least one valid recipient is required")
    return tuple(_mailbox(one.get("address"), "recipient address.email").address for one in value)
