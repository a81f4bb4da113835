"""Resend for the sandbox: checks key, fields, sender's domain and idempotency key, and answers in Resend's own JSON.

It was written from the API's documentation and from what the official SDK sends; the tests let that SDK use it.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key
from authmail_resend.answers import ANSWERS
from authmail_resend.emulator_fields import read

_LONGEST_KEY = 256
_RATE = {"ratelimit-limit": "5", "ratelimit-remaining": "4", "ratelimit-reset": "1"}
_QUOTAS = {"x-resend-daily-quota": "3", "x-resend-monthly-quota": "42"}

FAULTS = faults_of(
    ANSWERS,
    throttled=Fault("too many requests, try again in 3 s", 429, "rate_limit_exceeded", 3),
    quota=Fault("the daily quota is used up", 429, "daily_quota_exceeded"),
    unverified=Fault("the sender's domain is not verified", 403, "validation_error"),
    crash=Fault("a fault inside the provider", 500, "application_error"),
    crash_after=Fault(
        "the mail is accepted, then a fault; the same request again gets its id", 500, "application_error", action="crash-after"
    ),
    in_flight=Fault(
        "the first request is still being worked on; soon after, the same one gets the id",
        409,
        "concurrent_idempotent_requests",
        action="in-flight",
    ),
    no_id=Fault("a success without an id", 200, action="no-id"),
    lost=Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
)


class ResendEmulator(ApiEmulator):
    """A team's account at Resend.

    Args:
        api_keys: keys of full access.
        sending_keys: keys that may only send.
        domains: name → what is told of it: status, click_tracking, open_tracking.
    """

    path = "/emails"
    faults = FAULTS
    conflict = Refusal(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.")

    def __init__(
        self,
        *,
        api_keys: tuple[str, ...] = ("re_sandbox_full_access",),
        sending_keys: tuple[str, ...] = ("re_sandbox_sending_access",),
        domains: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.api_keys, self.sending_keys = api_keys, sending_keys
        self.domains = {"mail.sandbox.example": {}} if domains is None else domains

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": self.api_keys[0], "from": f"Sandbox <no-reply@{next(iter(self.domains))}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refusal(401, "missing_api_key", "Missing API Key")
        if not has_key(key, *self.api_keys, *self.sending_keys):
            raise Refusal(403, "invalid_api_key", "API key is invalid")

    def key(self, request: web.Request) -> str | None:
        """Return the idempotency key."""
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
            raise Refusal(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        return key

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail."""
        self.key(request)  # it is looked at before the mail
        mail = read(request, body)
        domain = Mailbox.parse(mail["from"]).domain.lower()
        if self.domains.get(domain, {"status": "none"}).get("status", "verified") != "verified":
            raise Refusal(403, "validation_error", f"The {domain} domain is not verified. Please, add and verify your domain.")
        tags = {f"tag {tag['name']}": tag["value"] for tag in mail.get("tags", [])}
        return {
            "sender": mail["from"],
            "to": tuple(Mailbox.parse(address).address for address in mail["to"]),
            "subject": mail["subject"],
            "html": mail.get("html"),
            "text": mail.get("text"),
            "reply_to": ", ".join(mail["reply_to"]) or None,
            "extra": {**{name: str(value) for name, value in mail.get("headers", {}).items()}, **tags},
        }

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        return _ok({"object": "email"} if message_id is None else {"id": message_id})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error."""
        error = {"statusCode": refusal.status, "name": refusal.code, "message": refusal.message}
        delay = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:g}"}
        return web.json_response(error, status=refusal.status, headers=_RATE | delay)

    def tell(self, request: web.Request) -> web.Response:
        """Answer GET /domains and /domains/{id}."""
        if request.path in ("/emails", "/domains") and (request.method, request.path) != ("GET", "/domains"):
            raise Refusal(405, "method_not_allowed", "Method is not allowed for the requested path.")
        if request.method != "GET" or not request.path.startswith("/domains"):
            raise Refusal(404, "not_found", "The requested endpoint does not exist.")
        if not has_key(request.headers["Authorization"].partition(" ")[2], *self.api_keys):
            raise Refusal(401, "restricted_api_key", "This API key is restricted to only send emails")
        told = {
            identifier: _told(identifier, name, details) for name, details in self.domains.items() for identifier in [_id(name)]
        }
        if request.path == "/domains":
            return _ok({"object": "list", "has_more": False, "data": list(told.values())})
        identifier = request.path.removeprefix("/domains/")
        if identifier not in told:
            raise Refusal(404, "not_found", "Domain not found")
        details = self.domains[told[identifier]["name"]]
        tracking = {name: details.get(name, False) for name in ("open_tracking", "click_tracking")}
        return _ok({"object": "domain", **told[identifier], **tracking, "records": []})


def _id(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:32]


def _told(identifier: str, name: str, details: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": identifier, "name": name, "status": details.get("status", "verified"), "region": "eu-west-1"}


def _ok(members: Mapping[str, Any]) -> web.Response:
    return web.json_response(members, headers=_RATE | _QUOTAS)
