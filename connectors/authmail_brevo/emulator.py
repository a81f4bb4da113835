"""Brevo for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

from collections import deque
from collections.abc import Mapping
from email.header import decode_header, make_header
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_brevo.answers import ANSWERS

_DOMAIN = "mail.sandbox.example"
_INVALID, _MISSING = "invalid_parameter", "missing_parameter"
_PLAN = {"type": "free", "creditsType": "sendLimit", "credits": 297}
_TOLD: dict[str, Any] = {
    "/v3/account": {
        "email": "a@example.com",
        "companyName": "C",
        "plan": [_PLAN],
        "relay": {"enabled": True, "data": {"port": 587}},
    },
    "/v3/senders": {"senders": [{"id": 1, "name": "Sandbox", "email": f"no-reply@{_DOMAIN}", "active": True, "ips": []}]},
    f"/v3/senders/domains/{_DOMAIN}": {"domain": _DOMAIN, "authenticated": True, "verified": True, "dns_records": {}},
}


class BrevoEmulator(ApiEmulator):
    """An account at Brevo with one authenticated domain and one key; an idempotency key is refused the second time."""

    path = "/v3/smtp/email"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests, try again in 3 s", 429, "too_many_requests", 3),
        address=Fault("we have detected you are using an unrecognised IP address", 401, "unauthorized"),
        inactive=Fault("your SMTP account is not yet activated", 403, "permission_denied"),
        unverified=Fault("sending has been rejected because the sender you used is not valid", 400, _INVALID),
        refused=Fault("email is not valid in to", 400, _INVALID),
        blocked=Fault("contact is blocked", 400, _INVALID),
        busy=Fault("unavailable", 503, "unavailable"),
        crash=Fault("internal", 500, "internal_error"),
        crash_after=Fault("the mail is accepted, then a fault", 500, "internal_error", action="crash-after"),
        no_id=Fault("a success without an id", 201, action="no-id"),
    )

    def __init__(self) -> None:
        super().__init__()
        self._keys: deque[str] = deque(maxlen=1000)

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": "xkeysib-sandbox", "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("api-key", ""), "xkeysib-sandbox"):
            raise Refusal(401, "unauthorized", "Key not found")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; null is the same as leaving a field out. One for its sandbox is looked at, and not taken."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        given = data.get("to")
        people = given if isinstance(given, list) else []
        sender, to = _mailbox(data.get("sender"), "sender"), tuple(_mailbox(one, "to").address for one in people)
        if not to:
            raise Refusal(400, _MISSING, "to is missing")
        if sender.domain != _DOMAIN:
            words = f"Sending has been rejected because the sender you used {sender.address} is not valid."
            raise Refusal(400, _INVALID, f"{words} Validate your sender or authenticate your domain")
        replies = {"reply_to": str(_mailbox(data["replyTo"], "replyTo"))} if "replyTo" in data else {}
        headers, tags = data.get("headers", {}), data.get("tags", [])
        if not isinstance(headers, dict) or not isinstance(tags, list):
            raise Refusal(400, _INVALID, "headers is not valid")
        texts = _texts(data)
        extra = {name: str(value) for name, value in headers.items()} | {f"tag {at}": str(tag) for at, tag in enumerate(tags, 1)}
        key = extra.pop("idempotencyKey", None)
        if key in self._keys:
            raise Refusal(400, "duplicate_parameter", "idempotencyKey was used before")
        if key is not None:
            self._keys.append(key)
        if extra.get("X-Sib-Sandbox") == "drop":
            raise Refusal(201, "", "")
        return {"sender": str(sender), "to": to, "extra": extra, **texts, **replies}

    def fresh_id(self) -> str:
        """Return an id of Brevo's form."""
        return f"<{uuid4().hex}@smtp-relay.mailin.fr>"

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: an id."""
        return web.json_response({} if message_id is None else {"messageId": message_id}, status=201)

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or the sandbox's success."""
        if refusal.status == 201:  # noqa: PLR2004
            return self.accept(self.fresh_id(), request)
        told = {"limit": "1000", "remaining": "0", "reset": f"{refusal.retry_after or 0:g}"}
        rate = {f"x-sib-ratelimit-{name}": value for name, value in told.items() if refusal.retry_after}
        code = {"code": refusal.code} if refusal.code else {}
        return web.json_response({**code, "message": refusal.message}, status=refusal.status, headers=rate)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "GET" or request.path not in _TOLD:
            raise Refusal(404, "document_not_found", "Domain does not exist")
        return web.json_response(_TOLD[request.path])


def _mailbox(given: Any, field: str) -> Mailbox:
    """Read a person; a name that is not ASCII and has a special character is lost, as at Brevo (django-anymail)."""
    try:
        name = given.get("name") or ""
        if name.isascii():
            name = str(make_header(decode_header(name)))
        elif not set('()<>[]:;@\\,."').isdisjoint(name):
            name = ""
        return Mailbox(given["email"], name)
    except (ValueError, TypeError, KeyError, AttributeError, LookupError):
        raise Refusal(400, _INVALID, f"email is not valid in {field}") from None


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    fields = {"subject": "subject", "htmlContent": "html", "textContent": "text"}
    texts = {ours: value for field, ours in fields.items() if isinstance(value := data.get(field), str) and value}
    if "subject" not in texts or len(texts) == 1:
        raise Refusal(400, _MISSING, "subject is missing" if "subject" not in texts else "htmlContent is missing")
    return texts
