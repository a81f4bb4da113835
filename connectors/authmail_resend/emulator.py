"""Resend for the sandbox: checks key, fields, sender's domain and idempotency key, and answers in Resend's own JSON.

It was written from the API's documentation and from what the official SDK sends; the tests let that SDK use it.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import uuid4

import attrs
from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import Fault, Inbox, fault_of, perform
from authmail_resend.emulator_faults import FAULTS
from authmail_resend.emulator_fields import Refused, read

_LONGEST_KEY = 256
_REMEMBERED = 1000
_RATE = {"ratelimit-limit": "5", "ratelimit-remaining": "4", "ratelimit-reset": "1"}


@attrs.define(eq=False)
class ResendEmulator:
    """A team's account at Resend.

    Args:
        api_keys: keys of full access.
        sending_keys: keys that may only send.
        domains: name → what is told of it: status, click_tracking, open_tracking.
    """

    api_keys: tuple[str, ...] = ("re_sandbox_full_access",)
    sending_keys: tuple[str, ...] = ("re_sandbox_sending_access",)
    domains: Mapping[str, Mapping[str, Any]] = attrs.field(factory=lambda: {"mail.sandbox.example": {}})
    _answered: dict[str, tuple[bytes, str]] = attrs.field(factory=dict, init=False)
    _seen: deque[str] = attrs.field(factory=lambda: deque(maxlen=_REMEMBERED), init=False)

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": self.api_keys[0], "from": f"Sandbox <no-reply@{next(iter(self.domains))}>"}

    async def handle(self, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        try:
            full = self._check_key(request)
            if request.path == "/emails" and request.method == "POST":
                return await self._send(request, body, inbox)
            if request.path.startswith("/domains") and request.method == "GET":
                return self._tell_domains(request, full=full)
            if request.path in ("/emails", "/domains"):
                raise Refused(405, "method_not_allowed", "Method is not allowed for the requested path.")
            raise Refused(404, "not_found", "The requested endpoint does not exist.")
        except Refused as refusal:
            error = {"statusCode": refusal.status, "name": refusal.name, "message": refusal.message}
            delay = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:g}"}
            return web.json_response(error, status=refusal.status, headers=_RATE | delay)

    def _check_key(self, request: web.Request) -> bool:
        """Return whether the key has full access; raise Refused if there is none or it is unknown."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise Refused(401, "missing_api_key", "Missing API Key")
        given = key.encode("utf-8", "surrogateescape")
        if any(hmac.compare_digest(given, known.encode()) for known in self.api_keys):
            return True
        if any(hmac.compare_digest(given, known.encode()) for known in self.sending_keys):
            return False
        raise Refused(403, "invalid_api_key", "API key is invalid")

    # POST /emails.

    async def _send(self, request: web.Request, body: bytes, inbox: Inbox) -> web.StreamResponse:
        key, digest = request.headers.get("Idempotency-Key"), sha256(body).digest()
        if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
            raise Refused(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        mail = read(request.content_type, body)
        self._check_sender(mail)
        if key is not None and key in self._answered:
            known, identifier = self._answered[key]
            if known != digest:
                raise Refused(409, "invalid_idempotent_request", "Same idempotency key used with a different request payload.")
            return _ok({"id": identifier})
        fault = fault_of(Mailbox.parse(mail["to"][0]).address, FAULTS)
        if fault is not None:
            answer = await self._show(fault, key, digest, mail, request, inbox)
            if answer is not None:
                return answer
        return _ok({"id": self._accept(key, digest, mail, inbox)})

    def _check_sender(self, mail: Mapping[str, Any]) -> None:
        domain = Mailbox.parse(mail["from"]).address.rpartition("@")[2].lower()
        if self.domains.get(domain, {"status": "none"}).get("status", "verified") != "verified":
            message = f"The {domain} domain is not verified. Please, add and verify your domain."
            raise Refused(403, "validation_error", message)

    async def _show(
        self, fault: Fault, key: str | None, digest: bytes, mail: Mapping[str, Any], request: web.Request, inbox: Inbox
    ) -> web.StreamResponse | None:
        """Show a fault; None where the mail is accepted all the same."""
        if fault.code is not None:
            raise Refused(fault.status, fault.code, f"{fault.help[:1].upper()}{fault.help[1:]}.", fault.retry_after)
        first = key is None or key not in self._seen
        self._seen.append(key or "")
        if fault.action == "no-id":
            return _ok({"object": "email"})
        if fault.action == "crash-after":
            self._accept(key, digest, mail, inbox)
            raise Refused(500, "application_error", "An unexpected error occurred.")
        if fault.action == "in-flight" and first:
            message = "Same idempotency key used while original request is still in progress."
            raise Refused(409, "concurrent_idempotent_requests", message)
        if fault.action == "lose" and first:
            await asyncio.Event().wait()
        return await perform(fault, request, lambda: self._accept(key, digest, mail, inbox))

    def _accept(self, key: str | None, digest: bytes, mail: Mapping[str, Any], inbox: Inbox) -> str:
        identifier = str(uuid4())
        if key is not None:
            self._answered[key] = (digest, identifier)
            while len(self._answered) > _REMEMBERED:
                self._answered.pop(next(iter(self._answered)))
        tags = {f"tag {tag['name']}": tag["value"] for tag in mail.get("tags", [])}
        inbox.add(
            connector="resend-mail",
            sender=mail["from"],
            to=tuple(Mailbox.parse(address).address for address in mail["to"]),
            subject=mail["subject"],
            html=mail.get("html"),
            text=mail.get("text"),
            reply_to=", ".join(mail["reply_to"]) or None,
            extra={**{name: str(value) for name, value in mail.get("headers", {}).items()}, **tags},
        )
        return identifier

    # GET /domains and /domains/{id}.

    def _tell_domains(self, request: web.Request, *, full: bool) -> web.Response:
        if not full:
            raise Refused(401, "restricted_api_key", "This API key is restricted to only send emails")
        rows = {sha256(name.encode()).hexdigest()[:32]: (name, details) for name, details in self.domains.items()}
        told = {
            identifier: {"id": identifier, "name": name, "status": details.get("status", "verified"), "region": "eu-west-1"}
            for identifier, (name, details) in rows.items()
        }
        if request.path == "/domains":
            return _ok({"object": "list", "has_more": False, "data": list(told.values())})
        identifier = request.path.removeprefix("/domains/")
        if identifier not in told:
            raise Refused(404, "not_found", "Domain not found")
        tracking = {name: rows[identifier][1].get(name, False) for name in ("open_tracking", "click_tracking")}
        return _ok({"object": "domain", **told[identifier], **tracking, "records": []})


def _ok(members: Mapping[str, Any]) -> web.Response:
    return web.json_response(members, headers=_RATE | {"x-resend-daily-quota": "3", "x-resend-monthly-quota": "42"})
