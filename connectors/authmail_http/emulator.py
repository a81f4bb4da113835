"""An endpoint for the sandbox: checks authorization, signature and form, and honours the id of a message.

It takes both shapes and puts what it got into the inbox: a mail as it is, a message as its values, since what a real
endpoint makes of those is its own affair.
"""

import asyncio
import hmac
import json
import time
from collections import deque
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from uuid import uuid4

import attrs
from aiohttp import web

from authmail import Mailbox, Secret
from authmail.sandbox import Fault, Inbox, fault_of, perform
from authmail_http.emulator_faults import FAULTS
from authmail_http.signature import key_of, sign

# Standard Webhooks libraries allow five minutes both ways.
_TOLERANCE = 300
_REMEMBERED = 1000
_SENDER = "endpoint@sandbox.example"


class Refused(Exception):
    """An error answer: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@attrs.define(eq=False)
class EndpointEmulator:
    """An endpoint.

    Args:
        authorization: the value of the Authorization header that is accepted; empty accepts every one.
        signing_secret: requests must be signed with it; empty asks for no signature.
    """

    authorization: str = "Bearer sandbox-token"
    signing_secret: str = "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldC0xMjM0"  # noqa: S105 (made up)
    _answered: dict[str, tuple[bytes, str]] = attrs.field(factory=dict, init=False)
    _lost: deque[str] = attrs.field(factory=lambda: deque(maxlen=_REMEMBERED), init=False)

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        settings = {"authorization": self.authorization, "signingSecret": self.signing_secret}
        return {key: value for key, value in settings.items() if value}

    async def handle(self, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        try:
            self._check_origin(request, body)
            data = _read(request, body)
            return await self._take(data, body, request, inbox)
        except Refused as refusal:
            return _error(refusal.status, refusal.code, refusal.message)

    def _check_origin(self, request: web.Request, body: bytes) -> None:
        if request.method != "POST":
            raise Refused(405, "method_not_allowed", "Post messages here.")
        if self.authorization and not _same(request.headers.get("Authorization", ""), self.authorization):
            raise Refused(401, "unauthorized", "The Authorization header is missing or wrong.")
        if not self.signing_secret:
            return
        identifier, timestamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not identifier.isascii() or not timestamp.isascii() or not timestamp[:12].isdigit():
            raise Refused(401, "unsigned", "The request is not signed.")
        if abs(time.time() - int(timestamp[:12])) > _TOLERANCE:
            raise Refused(401, "stale", "The signature is too old, or from the future.")
        expected = sign(key_of(Secret(self.signing_secret)), identifier, int(timestamp[:12]), body)
        given = request.headers.get("webhook-signature", "")
        if not any(_same(one, expected) for one in given.split()):
            raise Refused(401, "wrong_signature", "The signature is wrong.")

    async def _take(self, data: Mapping[str, Any], body: bytes, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        key, digest = request.headers.get("Idempotency-Key", ""), sha256(body).digest()
        if key in self._answered:
            known, identifier = self._answered[key]
            if known != digest:
                raise Refused(422, "key_reused", "The Idempotency-Key belongs to another message.")
            return web.json_response({"messageId": identifier}, status=202)
        fault = fault_of(Mailbox.parse(data["to"]).address, FAULTS)
        if fault is not None:
            answer = await self._show(fault, key, data, digest, request, inbox)
            if answer is not None:
                return answer
        return web.json_response({"messageId": self._accept(key, digest, data, inbox)}, status=202)

    async def _show(
        self, fault: Fault, key: str, data: Mapping[str, Any], digest: bytes, request: web.Request, inbox: Inbox
    ) -> web.StreamResponse | None:
        """Show a fault; None where the message is accepted all the same."""
        if fault.code is not None:
            return _error(fault.status, fault.code, f"{fault.help[:1].upper()}{fault.help[1:]}.", fault.retry_after)
        if fault.action == "empty":
            self._accept(key, digest, data, inbox)
            return web.Response(status=fault.status)
        if fault.action == "lose" and key not in self._lost:
            self._lost.append(key)
            await asyncio.Event().wait()
        return await perform(fault, request, lambda: self._accept(key, digest, data, inbox))

    def _accept(self, key: str, digest: bytes, data: Mapping[str, Any], inbox: Inbox) -> str:
        identifier = str(uuid4())
        if key:
            self._answered[key] = (digest, identifier)
            while len(self._answered) > _REMEMBERED:
                self._answered.pop(next(iter(self._answered)))
        inbox.add(connector="http-email", to=(Mailbox.parse(data["to"]).address,), **_shown(data))
        return identifier


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def _read(request: web.Request, body: bytes) -> Mapping[str, Any]:
    """Return the request's JSON; raise Refused where it is neither of the two shapes."""
    if request.content_type != "application/json":
        raise Refused(415, "not_json", "Content-Type must be application/json.")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "not_json", "The body is not JSON.") from None
    if not isinstance(data, dict) or not isinstance(data.get("to"), str):
        raise Refused(422, "missing_to", "The field to is required.")
    if not (_is_message(data) or _is_mail(data.get("email"))):
        raise Refused(422, "wrong_shape", "Expected to, type and payload, or to and email with subject and html or text.")
    try:
        Mailbox.parse(data["to"])
    except ValueError:
        raise Refused(422, "invalid_recipient", "The field to is not one mail address.") from None
    return data


def _is_message(data: Mapping[str, Any]) -> bool:
    return isinstance(data.get("payload"), dict) and isinstance(data.get("type"), str)


def _is_mail(mail: Any) -> bool:
    """Whether it is the second shape; what is not required may be missing, and else has its kind."""
    if not isinstance(mail, dict) or not isinstance(mail.get("subject"), str):
        return False
    texts = [mail.get(part) for part in ("html", "text", "replyTo")]
    objects = [mail.get(part, {}) for part in ("from", "headers")]
    return (
        any(texts[:2])
        and all(text is None or isinstance(text, str) for text in texts)
        and all(isinstance(one, dict) and all(isinstance(value, str) for value in one.values()) for one in objects)
    )


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the inbox shows: a mail as it is, a message as its values in JSON."""
    extra = {"ip": str(data["ip"])} if data.get("ip") else {}
    if _is_message(data):
        text = json.dumps(data["payload"], ensure_ascii=False, indent=2)
        return {"sender": _SENDER, "subject": data["type"], "text": text, "extra": extra}
    mail = data["email"]
    sender = mail.get("from", {})
    return {
        "sender": f"{sender.get('name', '')} <{sender.get('address', _SENDER)}>".strip(),
        "subject": mail["subject"],
        "html": mail.get("html"),
        "text": mail.get("text"),
        "reply_to": mail.get("replyTo"),
        "extra": {**extra, **mail.get("headers", {})},
    }


def _error(status: int, code: str, message: str, retry_after: float | None = None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)
