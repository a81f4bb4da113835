"""SendGrid for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_sendgrid.answers import ANSWERS

_DOMAIN = "mail.sandbox.example"
_TOLD: dict[str, Any] = {
    "/v3/scopes": {"scopes": ["mail.send", "user.credits.read", "whitelabel.read"]},
    "/v3/user/credits": {"remain": 97, "total": 100, "used": 3, "next_reset": "2026-12-01", "reset_frequency": "monthly"},
    "/v3/whitelabel/domains": [{"id": 1, "domain": _DOMAIN, "valid": True}],
}


class SendGridEmulator(ApiEmulator):
    """An account at SendGrid with one authenticated domain and one key."""

    path = "/v3/mail/send"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests, try again in 3 s", 429, retry_after=3),
        quota=Fault("maximum credits exceeded", 401),
        review=Fault("your account is under review", 403),
        forbidden=Fault("access forbidden", 403),
        unverified=Fault("the from address does not match a verified Sender Identity", 403, "from"),
        refused=Fault("does not contain a valid address", 400, "personalizations.0.to.0.email"),
        subject=Fault("the subject is not accepted", 400, "subject"),
        too_large=Fault("content too large", 413),
        busy=Fault("service unavailable", 503),
        crash=Fault("internal server error", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": "SG.local-key", "fromEmail": f"no-reply@{_DOMAIN}", "fromName": "Sandbox"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("Authorization", ""), "Bearer SG.local-key"):
            raise Refusal(401, "", "The provided authorization grant is invalid, expired, or revoked")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; one in sandbox mode is looked at and not taken, with a 200 (page *Sandbox Mode*)."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        sender, reply_to = _mailbox(data, "from"), _mailbox(data, "reply_to") if "reply_to" in data else None
        if sender.domain != _DOMAIN:
            raise Refusal(403, "from", "The from address does not match a verified Sender Identity.")
        mail = {"sender": str(sender), "to": _recipients(data), "extra": _extra(data), **_texts(data)}
        switches = data.get("mail_settings", {})
        if not isinstance(switches, dict):
            raise Refusal(400, "mail_settings", "The mail_settings parameter must be an object.")
        if switches.get("sandbox_mode") == {"enable": True}:
            raise Refusal(200, "", "")
        return mail if reply_to is None else mail | {"reply_to": str(reply_to)}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: an empty body, and the id in a header."""
        proof = {} if message_id is None else {"X-Message-Id": message_id.replace("-", "")[:22]}
        return web.Response(status=202, headers=proof, content_type="text/plain")

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or sandbox mode's success."""
        if refusal.status == 200:  # noqa: PLR2004
            return web.Response(status=200)
        reset = refusal.retry_after and {"X-RateLimit-Reset": str(int(datetime.now(UTC).timestamp() + refusal.retry_after) + 1)}
        error = {"message": refusal.message, "field": refusal.code or None, "help": None}
        return web.json_response({"errors": [error]}, status=refusal.status, headers=reset or {})

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "GET" or request.path not in _TOLD:
            raise Refusal(404, "", "Resource not found")
        return web.json_response(_TOLD[request.path])


def _mailbox(data: Mapping[str, Any], *path: str | int) -> Mailbox:
    field = ".".join(map(str, (*path, "email")))
    try:
        value: Any = data
        for step in path:
            value = value[step]
        return Mailbox(value["email"], value.get("name") or "")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise Refusal(400, field, "Does not contain a valid address.") from None


def _recipients(data: Mapping[str, Any]) -> tuple[str, ...]:
    first = _mailbox(data, "personalizations", 0, "to", 0)
    others = range(1, len(data["personalizations"][0]["to"]))
    return (first.address, *(_mailbox(data, "personalizations", 0, "to", at).address for at in others))


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    subject, content = data.get("subject"), data.get("content")
    if not isinstance(subject, str) or not subject:
        raise Refusal(400, "subject", "The subject is required.")
    try:
        parts = [(str(one["type"]), one["value"]) for one in content or ()]
    except (TypeError, KeyError):
        parts = []
    if not parts or not all(isinstance(value, str) and value for _, value in parts):
        raise Refusal(400, "content.0.value", "The content value must be a string at least one character in length.")
    if [kind for kind, _ in parts] not in (["text/plain"], ["text/html"], ["text/plain", "text/html"]):
        raise Refusal(400, "content", "Content must be ordered text/plain, then text/html.")
    names = {"text/plain": "text", "text/html": "html"}
    return {"subject": subject} | {names[kind]: value for kind, value in parts}


def _extra(data: Mapping[str, Any]) -> dict[str, str]:
    try:
        headers = {str(name): str(value) for name, value in data.get("headers", {}).items()}
        return headers | {f"category {number}": str(one) for number, one in enumerate(data.get("categories", []), 1)}
    except (TypeError, AttributeError):
        raise Refusal(400, "headers", "The headers parameter must be an object.") from None
