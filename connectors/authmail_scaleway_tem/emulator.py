"""Scaleway Transactional Email for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_scaleway_tem.answers import ANSWERS

_DOMAIN = "mail.sandbox.example"
_PROJECT = "11111111-1111-4111-8111-111111111111"
_KEY = "22222222-2222-4222-8222-222222222222"
_ROOT = "/transactional-email/v1alpha1/regions/fr-par"
_INVALID = "invalid_arguments"
_ENDED = ("failed", "canceled")
_TEXTS = ("subject", "text", "html")


class ScalewayTEMEmulator(ApiEmulator):
    """A project at Scaleway with one checked domain and one key."""

    path = f"{_ROOT}/emails"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests", 429, "too_many_requests"),
        quota=Fault("the quota of mails is used up", 403, "quotas_exceeded"),
        forbidden=Fault("insufficient permissions", 403, "permissions_denied"),
        unverified=Fault("the domain is not found in the project", 404, "not_found"),
        refused=Fault("the recipient's address is not valid", 400, _INVALID),
        short=Fault("the subject must have at least 10 characters", 400, _INVALID),
        blocklisted=Fault("a 200 that failed: the recipient is on the blocklist", 200, "failed"),
        too_large=Fault("request entity too large", 413),
        busy=Fault("service unavailable", 503, "unavailable"),
        crash=Fault("internal error", 500, "internal"),
        crash_after=Fault("the mail is accepted, then a fault", 500, "internal", action="crash-after"),
        no_id=Fault("a success without a mail", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"secretKey": _KEY, "projectId": _PROJECT, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("X-Auth-Token", ""), _KEY):
            raise Refusal(401, "denied_authentication", "authentication is denied")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        if data.get("project_id") != _PROJECT:
            raise Refusal(403, "permissions_denied", "insufficient permissions")
        sender, to = _mailbox(data, "from"), _mailbox(data, "to", 0)
        if missing := [name for name in _TEXTS if not isinstance(data.get(name), str)]:
            raise Refusal(400, _INVALID, f"{missing[0]} is required")
        if sender.domain != _DOMAIN:
            raise Refusal(404, "not_found", "resource is not found")
        try:
            extra = {str(one["key"]): str(one["value"]) for one in data.get("additional_headers", ())}
        except (TypeError, KeyError):
            raise Refusal(400, _INVALID, "additional_headers is not valid") from None
        replies = {"reply_to": extra.pop("Reply-To")} if "Reply-To" in extra else {}
        extra |= {"send before": data["send_before"]} if "send_before" in data else {}
        return {name: data[name] for name in _TEXTS} | {"sender": str(sender), "to": (to.address,), "extra": extra, **replies}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: an entry for each recipient."""
        return web.json_response({"emails": [] if message_id is None else [_email(message_id, "new")]})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a mail that has failed already."""
        if refusal.code in _ENDED:
            return web.json_response({"emails": [_email(self.fresh_id(), refusal.code, flags=["blocklisted"])]})
        added: dict[str, Any] = {"resource": "domain", "resource_id": "x"} if refusal.code == "not_found" else {}
        if refusal.code == _INVALID:
            name = refusal.message.split()[0] if " is " in refusal.message else "subject"
            name = "to[0].email" if "recipient" in refusal.message else name
            added["details"] = [{"argument_name": name, "reason": "constraint", "help_message": refusal.message}]
        return web.json_response({"type": refusal.code, "message": refusal.message} | added, status=refusal.status)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.query.get("project_id") not in (None, _PROJECT):
            raise Refusal(403, "permissions_denied", "insufficient permissions")
        if (request.method, request.path) == ("GET", f"{_ROOT}/project-consumption"):
            return web.json_response({"project_id": _PROJECT, "monthly_emails_count": 3})
        if (request.method, request.path) != ("GET", f"{_ROOT}/domains"):
            raise Refusal(404, "unknown_path", "There is nothing here.")
        domains = [self.domain] if request.query.get("name", _DOMAIN) == _DOMAIN else []
        return web.json_response({"domains": domains, "total_count": len(domains)})

    @property
    def domain(self) -> dict[str, Any]:
        """What is told of the domain."""
        reputation = {"status": "excellent", "score": 100, "scored_at": None}
        return {"id": "d", "name": _DOMAIN, "project_id": _PROJECT, "status": "checked", "reputation": reputation}


def _email(identity: str, status: str, flags: list[str] | None = None) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    mail = {"id": identity, "message_id": f"<{identity}@{_DOMAIN}>", "project_id": _PROJECT, "mail_from": f"no-reply@{_DOMAIN}"}
    mail |= {"mail_rcpt": "", "rcpt_to": "", "rcpt_type": "to", "subject": "", "created_at": now, "updated_at": now}
    return {**mail, "status": status, "status_details": None, "try_count": 0, "last_tries": [], "flags": flags or []}


def _mailbox(data: Mapping[str, Any], *path: str | int) -> Mailbox:
    try:
        value: Any = data
        for step in path:
            value = value[step]
        return Mailbox(value["email"], value.get("name") or "")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise Refusal(400, _INVALID, f"{'from' if path[0] == 'from' else 'to[0]'}.email is not valid") from None
