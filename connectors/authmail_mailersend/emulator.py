"""MailerSend for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_mailersend.answers import ANSWERS, PAUSED, SUPPRESSED

_DAILY, _LEFT = 1000, 997
# Whose error it is, where it is not the recipient's.
_FIELDS = {"MS42204": "from.email", "MS42207": "from.email", "MS42209": "subject", "MS42211": "text"}


class MailerSendEmulator(ApiEmulator):
    """An account at MailerSend with one verified domain and one token."""

    path = "/v1/email"
    faults = faults_of(
        ANSWERS,
        suppressed=Fault("a 202 that sends nothing: the recipient is on a suppression list", 202, SUPPRESSED),
        paused=Fault("a 202 that sends nothing: sending is paused for the account", 202, PAUSED),
        throttled=Fault("too many requests, try again in 3 s", 429, "MS42903", 3),
        quota=Fault("the quota of requests a day is used up", 429, "MS42901"),
        unverified=Fault("the sender's domain is not verified", 422, "MS42207"),
        refused=Fault("the recipient's address is not valid", 422, "MS42208"),
        maintenance=Fault("under maintenance", 421),
        busy=Fault("not available now", 503),
        crash=Fault("a fault inside the provider", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a 202 without an id", 202, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": "mlsn.sandbox", "from": "Sandbox <no-reply@mail.sandbox.example>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the token."""
        if not has_key(request.headers.get("Authorization", ""), "Bearer mlsn.sandbox"):
            raise Refusal(401, "", "Unauthenticated.")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; null is the same as leaving a field out."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        sender, to, reply_to = _people(data)
        if sender.domain != "mail.sandbox.example":
            raise Refusal(422, "MS42207", "The from.email domain must be verified in your account to send emails.")
        replies = {} if reply_to is None else {"reply_to": str(reply_to)}
        return {"sender": str(sender), "to": to, "extra": _extra(data), **_texts(data), **replies}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: an empty body, and the id in a header."""
        proof = {} if message_id is None else {"x-message-id": message_id.replace("-", "")[:24]}
        return web.Response(status=202, headers=_quota() | proof, content_type="text/html")

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a 202 that sends nothing."""
        if refusal.code == PAUSED:
            return web.Response(status=202, headers=_quota() | {"x-message-id": uuid4().hex[:24], PAUSED: "true"})
        if refusal.code == SUPPRESSED:
            told = {"type": SUPPRESSED, "warning": refusal.message, "recipients": [{"reasons": ["hard_bounced"]}]}
            said = {"message": "There are some warnings for your request.", "warnings": [told]}
            return web.json_response(said, status=202, headers=_quota())
        text = f"{refusal.message} #{refusal.code}" if refusal.code else refusal.message
        errors = {"errors": {_FIELDS.get(refusal.code, "to.0.email"): [text]}} if refusal.status == 422 else {}  # noqa: PLR2004
        delay = {} if refusal.retry_after is None else {"retry-after": f"{refusal.retry_after:g}"}
        return web.json_response({"message": text} | errors, status=refusal.status, headers=_quota() | delay)

    def tell(self, request: web.Request) -> web.Response:
        """Answer GET /v1/api-quota."""
        if (request.method, request.path) != ("GET", "/v1/api-quota"):
            raise Refusal(404, "", "There is nothing here.")
        return web.json_response({"quota": _DAILY, "remaining": _LEFT, "reset": _quota()["x-apiquota-reset"]})


def _quota() -> dict[str, str]:
    """Return the headers of every answer about mail: what is left of the minute's rate and of the day's quota."""
    rate = {"x-ratelimit-limit": "120", "x-ratelimit-remaining": "119"}
    midnight = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}T00:00:00Z"
    return {**rate, "x-apiquota-remaining": str(_LEFT), "x-apiquota-reset": midnight}


def _people(data: Mapping[str, Any]) -> tuple[Mailbox, tuple[str, ...], Mailbox | None]:
    try:
        sender, *to = (Mailbox(one["email"], one.get("name") or "") for one in (data["from"], *data["to"]))
        reply_to = Mailbox(data["reply_to"]["email"], data["reply_to"].get("name") or "") if "reply_to" in data else None
    except (ValueError, TypeError, KeyError, AttributeError):
        to = []
    if not to:
        raise Refusal(422, "MS42208", "The to.0.email must be a valid email address.")
    return sender, tuple(one.address for one in to), reply_to


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    texts = {name: value for name in ("subject", "html", "text") if isinstance(value := data.get(name), str) and value}
    if "subject" not in texts:
        raise Refusal(422, "MS42209", "The subject field is required.")
    if len(texts) == 1:
        raise Refusal(422, "MS42211", "You must provide one of html, text or template_id.")
    return texts


def _extra(data: Mapping[str, Any]) -> dict[str, str]:
    try:
        headers = {str(one["name"]): str(one["value"]) for one in data.get("headers", [])}
        return headers | {f"tag {number}": str(tag) for number, tag in enumerate(data.get("tags", []), 1)}
    except (TypeError, KeyError):
        raise Refusal(422, "MS42208", "The to.0.email must be a valid email address.") from None
