"""MailJunky for the sandbox, after what its official SDKs send and read; the tests let the Python one use it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_mailjunky.answers import ANSWERS, FAILED

_DOMAIN = "mail.sandbox.example"


class MailJunkyEmulator(ApiEmulator):
    """An account at MailJunky with one verified domain and one key."""

    path = "/api/v1/emails/send"
    faults = faults_of(
        ANSWERS,
        failed=Fault("a success whose status is failed", 200, FAILED),
        throttled=Fault("too many requests, try again in 3 s", 429, retry_after=3),
        quota=Fault("the quota is used up", 402),
        forbidden=Fault("the API key may not do this", 403),
        unverified=Fault("the domain is not verified", 403),
        refused=Fault("invalid to: not an email address", 422),
        conflict=Fault("conflict", 409),
        busy=Fault("unavailable", 503, "unavailable"),
        crash=Fault("internal", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a success without an id", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": "mj_live_sandbox", "fromEmail": f"no-reply@{_DOMAIN}", "fromName": "Sandbox"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("Authorization", ""), "Bearer mj_live_sandbox"):
            raise Refusal(401, "", "Invalid API key")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; null is the same as leaving a field out."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        sender, to = _mailboxes(data, "from")[0], _mailboxes(data, "to")
        if sender.domain != _DOMAIN:
            raise Refusal(403, "", "The domain of this from address is not verified")
        texts = {name: value for name in ("subject", "html", "text") if isinstance(value := data.get(name), str) and value}
        if "subject" not in texts or len(texts) == 1:
            raise Refusal(422, "", "subject, and html or text are required")
        headers = data.get("headers", {})
        if not isinstance(headers, dict):
            raise Refusal(422, "", "headers must be an object")
        mail = {"sender": str(sender), "to": tuple(one.address for one in to), "extra": {k: str(v) for k, v in headers.items()}}
        replies = {"reply_to": str(_mailboxes(data, "reply_to")[0])} if "reply_to" in data else {}
        return mail | texts | replies

    def fresh_id(self) -> str:
        """Return an id of MailJunky's form."""
        return f"email_{uuid4().hex[:24]}"

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: two ids and a status."""
        proof = {} if message_id is None else {"id": message_id}
        return web.json_response({**proof, "message_id": f"<{uuid4().hex}@{_DOMAIN}>", "status": "queued"})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a success that failed."""
        if refusal.code == FAILED:
            return web.json_response({"id": self.fresh_id(), "message_id": f"<{uuid4().hex}@{_DOMAIN}>", "status": "failed"})
        delay = {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:g}"}
        code = {"code": refusal.code} if refusal.code else {}
        return web.json_response({"message": refusal.message, **code}, status=refusal.status, headers=delay)

    def tell(self, request: web.Request) -> web.Response:
        """Answer GET /api/v1/contacts."""
        if (request.method, request.path) != ("GET", "/api/v1/contacts"):
            raise Refusal(404, "", "Not found")
        return web.json_response({"data": [], "total": 0})


def _mailboxes(data: Mapping[str, Any], field: str) -> list[Mailbox]:
    given: Any = data.get(field)
    try:
        found = [Mailbox.parse(text) for text in (given if isinstance(given, list) else [given])]
    except ValueError:
        found = []
    if not found:
        raise Refusal(422, "", f"invalid {field}: not an email address")
    return found
