"""SMTP2GO for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key
from authmail_smtp2go.answers import ANSWERS, FAILED

_DOMAIN = "mail.sandbox.example"
_KEY = "api-local-key"
_INVALID = "NON_VALIDATING_IN_PAYLOAD"
_FIELDS = {"sender": str, "subject": str, "text_body": str, "html_body": str, "to": list, "custom_headers": list}
_TOLD: dict[str, Any] = {
    "/v3/api_keys/permissions": ["/email/send", "/stats/email_cycle", "/domain/view"],
    "/v3/stats/email_cycle": {
        "cycle_max": 1000,
        "cycle_used": 3,
        "cycle_remaining": 997,
        "cycle_end": "2026-12-01T00:00:00+00:00",
    },
    "/v3/domain/view": {"domains": [{"domain": {"fulldomain": _DOMAIN, "dkim_verified": True, "rpath_verified": True}}]},
}


class SMTP2GOEmulator(ApiEmulator):
    """An account at SMTP2GO with one verified domain and one key."""

    path = "/v3/email/send"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("API key ratelimit exceeded", 429, "API_EXCEPTION"),
        failed=Fault("550 the mail was refused", 200, FAILED),
        suppressed=Fault("the recipient is on the suppression list", 200, FAILED),
        later=Fault("450 try again later", 200, FAILED),
        unverified=Fault("unable to verify sender address", 200, FAILED),
        refused=Fault("the field 'to' was expecting a valid RFC-822 formatted email field", 400, _INVALID),
        plan=Fault("the parameters are valid but the request failed", 402),
        crash=Fault("internal", 500, "API_EXCEPTION"),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a success without an id and a count", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": _KEY, "sender": f"no-reply@{_DOMAIN}", "senderName": "Sandbox"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key, in a header or in the body, as the SDK has it."""
        given = _object(body).get("api_key")
        if not has_key(request.headers.get("X-Smtp2go-Api-Key", given if isinstance(given, str) else ""), _KEY):
            raise Refusal(401, "API_KEY_INVALID", "The API key passed was not in the correct format")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; null is the same as leaving a field out. The SDK sends no content type."""
        data = {name: value for name, value in _object(body).items() if value is not None}
        for field, kind in _FIELDS.items():
            if not isinstance(data.get(field, kind()), kind):
                raise _invalid(field)
        sender, recipients = _mailbox(data.get("sender"), "sender"), [_mailbox(text, "to") for text in data.get("to", [])]
        if not recipients or not data.get("subject"):
            raise _invalid("subject" if recipients else "to")
        if sender.domain != _DOMAIN:
            raise Refusal(200, FAILED, f"Verification failed for <{sender.address}>: unable to verify sender address")
        texts = {part: data[f"{part}_body"] for part in ("text", "html") if data.get(f"{part}_body")}
        if not texts:
            raise _invalid("html_body")
        try:
            extra = {str(one["header"]): str(one["value"]) for one in data.get("custom_headers", [])}
        except (TypeError, KeyError):
            raise _invalid("custom_headers") from None
        replies = {"reply_to": extra.pop("Reply-To")} if "Reply-To" in extra else {}
        to = tuple(one.address for one in recipients)
        return {"sender": str(sender), "to": to, "subject": data["subject"], "extra": extra, **texts, **replies}

    def fresh_id(self) -> str:
        """Return an id of SMTP2GO's form."""
        return f"1{uuid4().hex[:5]}-{uuid4().hex[:11]}-{uuid4().hex[:4]}"

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: counts and an id."""
        counts = {"succeeded": 1, "failed": 0, "failures": [], "email_id": message_id}
        return _answer(200, {} if message_id is None else counts)

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error, or a 200 that failed."""
        if refusal.code == FAILED:
            return _answer(200, {"succeeded": 0, "failed": 1, "failures": [refusal.message], "email_id": ""})
        name = refusal.message.split("'")[1] if "'" in refusal.message else "to"
        field = {"field_validation_errors": {"fieldname": name, "message": refusal.message}} if refusal.code == _INVALID else {}
        code = {"error_code": f"E_ApiResponseCodes.{refusal.code}"} if refusal.code else {}
        return _answer(refusal.status, {**code, "error": refusal.message, **field})

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "POST" or request.path not in _TOLD:
            raise Refusal(404, "", "There is nothing here.")
        return _answer(200, _TOLD[request.path])


def _answer(status: int, data: Any) -> web.Response:
    return web.json_response({"request_id": str(uuid4()), "data": data}, status=status)


def _invalid(field: str) -> Refusal:
    return Refusal(400, _INVALID, f"The field '{field}' was expecting something else")


def _mailbox(text: Any, field: str) -> Mailbox:
    try:
        return Mailbox.parse(text)
    except (ValueError, TypeError, AttributeError):
        raise _invalid(field) from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {}
