"""An endpoint for the sandbox: checks authorization, signature and form, and honours the id of a message.

It takes both shapes and puts what it got into the inbox: a mail as it is, a message as its values, since what a real
endpoint makes of those is its own affair.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from authmail import Mailbox, Secret, WebhookKey
from authmail.sandbox import HTTP_FAULTS, ApiEmulator, Fault, Refusal, has_key, read_object

# Standard Webhooks libraries allow five minutes both ways.
_TOLERANCE = 300
_SENDER = "endpoint@sandbox.example"

FAULTS: Mapping[str, Fault] = {
    "empty": Fault("a success with an empty body", 204, action="empty"),
    "invalid": Fault("the endpoint refuses the message", 422, "invalid_recipient"),
    "unauthorized": Fault("the endpoint refuses the authorization", 401, "unauthorized"),
    "forbidden": Fault("the endpoint forbids it", 403, "forbidden"),
    "not-found": Fault("there is no endpoint at this URL", 404, "not_found"),
    "too-large": Fault("the endpoint finds the message too large", 413, "too_large"),
    "known": Fault("the endpoint is handling a message of this id already", 409, "in_progress"),
    "throttled": Fault("too many messages, try again in 3 s", 429, "too_many", 3),
    "crash": Fault("a fault inside the endpoint", 500, "internal"),
    "busy": Fault("not available now, try again in 5 s", 503, "busy", 5),
    "unavailable": Fault("something in between finds the endpoint not available", 503, action="page"),
    "late": Fault("something in between got no answer from the endpoint in time", 504, action="page"),
    "lost": Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
    # Any 2xx is acceptance here, so one that is not JSON is no fault.
    **{name: fault for name, fault in HTTP_FAULTS.items() if name != "garbage"},
}


class EndpointEmulator(ApiEmulator):
    """An endpoint; it takes messages at every path.

    Args:
        authorization: the value of the Authorization header that is accepted; empty accepts every one.
        signing_secret: requests must be signed with it; empty asks for no signature.
    """

    path = None
    faults = FAULTS
    conflict = Refusal(422, "key_reused", "The Idempotency-Key belongs to another message.")

    def __init__(
        self,
        *,
        authorization: str = "Bearer sandbox-token",
        signing_secret: str = "whsec_c2FuZGJveC1zaWduaW5nLXNlY3JldC0xMjM0",  # noqa: S107 (made up)
    ) -> None:
        super().__init__()
        self.authorization, self.signing_secret = authorization, signing_secret

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        settings = {"authorization": self.authorization, "signingSecret": self.signing_secret}
        return {key: value for key, value in settings.items() if value}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check method, authorization and signature."""
        if request.method != "POST":
            raise Refusal(405, "method_not_allowed", "Post messages here.")
        if self.authorization and not has_key(request.headers.get("Authorization", ""), self.authorization):
            raise Refusal(401, "unauthorized", "The Authorization header is missing or wrong.")
        if not self.signing_secret:
            return
        identifier, timestamp = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not identifier.isascii() or not timestamp.isascii() or not timestamp[:12].isdigit():
            raise Refusal(401, "unsigned", "The request is not signed.")
        if abs(time.time() - int(timestamp[:12])) > _TOLERANCE:
            raise Refusal(401, "stale", "The signature is too old, or from the future.")
        expected = WebhookKey(Secret(self.signing_secret)).signature(identifier, int(timestamp[:12]), body)
        if not any(has_key(one, expected) for one in request.headers.get("webhook-signature", "").split()):
            raise Refusal(401, "wrong_signature", "The signature is wrong.")

    def key(self, request: web.Request) -> str | None:
        """Return the id of the message."""
        return request.headers.get("Idempotency-Key") or None

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return what the inbox shows."""
        if request.content_type != "application/json":
            raise Refusal(415, "not_json", "Content-Type must be application/json.")
        data = read_object(request, body)
        if data is None and not _is_json(body):
            raise Refusal(400, "not_json", "The body is not JSON.")
        if data is None or not isinstance(data.get("to"), str):
            raise Refusal(422, "missing_to", "The field to is required.")
        if not (_is_message(data) or _is_mail(data.get("email"))):
            raise Refusal(422, "wrong_shape", "Expected to, type and payload, or to and email with subject and html or text.")
        try:
            return {"to": (Mailbox.parse(data["to"]).address,), **_shown(data)}
        except ValueError:
            raise Refusal(422, "invalid_recipient", "The field to is not one mail address.") from None

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        return web.Response(status=204) if message_id is None else web.json_response({"messageId": message_id}, status=202)

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error."""
        headers = {} if refusal.retry_after is None else {"Retry-After": f"{refusal.retry_after:g}"}
        error = {"error": {"code": refusal.code, "message": refusal.message}}
        return web.json_response(error, status=refusal.status, headers=headers)

    async def show(self, fault: Fault, request: web.Request, take: Any, *, is_first: bool) -> web.StreamResponse | None:
        """Show a fault."""
        if fault.action == "empty":
            take()
            return self.accept(None, request)
        return await super().show(fault, request, take, is_first=is_first)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


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
