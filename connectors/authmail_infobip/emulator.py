"""Infobip for the sandbox, after its OpenAPI description and what the official SDK sends and reads; the tests let that SDK use it."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_infobip.answers import ANSWERS, GROUPS

_DOMAIN = "mail.sandbox.example"
_KEY = "5bacbe0c7a1f40e1a1b2c3d4e5f60718-00000000-0000-4000-8000-000000000000"
_TOLD: dict[str, Any] = {
    "/account/1/balance": {"balance": 47.79, "currency": "EUR"},
    f"/email/1/domains/{_DOMAIN}": {"domainId": 1, "domainName": _DOMAIN, "active": True, "blocked": False, "dnsRecords": []},
}
_PENDING = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "Message accepted."}
#: Id and address that the sender of a request gave its recipient.
_ASKED: web.RequestKey[tuple[str | None, str]] = web.RequestKey("asked", tuple)


class InfobipEmulator(ApiEmulator):
    """An account at Infobip with one verified domain and one key."""

    path = "/email/4/messages"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests sent, try again in 3 s", 429, "E429", retry_after=3),
        credit=Fault("not enough credits", 200, "REJECTED_NOT_ENOUGH_CREDITS"),
        suppressed=Fault("the destination is blocklisted", 200, "REJECTED_DESTINATION_BLOCKLISTED"),
        unverified=Fault("invalid sender", 200, "REJECTED_VALIDATION_FAILED"),
        refused=Fault("messages[0].destinations[0].to[0].destination: must be an email address", 400, "E400"),
        forbidden=Fault("permission denied", 403, "E403"),
        too_large=Fault("the mail is too large", 413),
        busy=Fault("service unavailable", 503, "E503"),
        crash=Fault("something went wrong", 500, "E500"),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_status=Fault("a success without a status", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": _KEY, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key."""
        if not has_key(request.headers.get("Authorization", ""), f"App {_KEY}"):
            raise Refusal(401, "E401", "The request lacks valid authentication credentials.")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail: one message for one recipient."""
        data = read_object(request, body) or {}
        try:
            message = data["messages"][0]
            [destination], content = message["destinations"], message["content"]
            asked = [(one.get("messageId"), one["destination"]) for one in destination["to"]]
            texts = {name: str(content[name]) for name in ("subject", "text", "html") if content.get(name)}
            extra = {name: str(value) for name, value in json.loads(content.get("headers") or "{}").items()}
            campaign = (message.get("options") or {}).get("campaignReferenceId")
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            raise Refusal(400, "E400", "messages[0]: is not as it should be") from None
        request[_ASKED] = asked[0] if asked else (None, "")
        sender = _mailbox(message.get("sender"), "messages[0].sender")
        to = tuple(_mailbox(address, "messages[0].destinations[0].to[0].destination").address for _, address in asked)
        if not to or "subject" not in texts or len(texts) == 1:
            raise Refusal(400, "E400", f"messages[0].{'content' if to else 'destinations'}: must not be empty")
        if sender.domain != _DOMAIN:
            raise Refusal(200, "REJECTED_VALIDATION_FAILED", "Invalid sender.")
        extra |= {"campaign": str(campaign)} if campaign else {}
        replies = {"reply_to": str(destination["replyTo"])} if destination.get("replyTo") else {}
        return {"sender": str(sender), "to": to, "extra": extra, **texts, **replies}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance, with the id that its sender chose, if any."""
        return web.json_response({}) if message_id is None else _answer(request, _PENDING, message_id)

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error of its make, or a success that refuses the mail."""
        code, words = refusal.code, refusal.message
        if refusal.status == 200:  # noqa: PLR2004
            group = next((pair for pair in GROUPS.items() if code.startswith(pair[1])), (5, GROUPS[5]))
            status = {"groupId": group[0], "groupName": group[1], "id": 0, "name": code, "description": words}
            return _answer(request, status, str(uuid4()))
        wait = {"Retry-After": str(refusal.retry_after)} if refusal.retry_after else {}
        path, colon, violation = words.partition(": ")
        violations = [{"property": path, "violation": violation}] if colon else []
        error: dict[str, Any] = {
            "errorCode": code or f"E{refusal.status}",
            "description": words,
            "action": "See the documentation.",
        }
        error |= {"violations": violations, "resources": []}
        if code and not code[1:].isdigit():  # a code of the older make
            fields = {path: [violation]} if colon else {}
            error = {"requestError": {"serviceException": {"messageId": code, "text": words, "validationErrors": fields}}}
        return web.json_response(error, status=refusal.status, headers=wait)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "GET" or request.path not in _TOLD:
            raise Refusal(404, "E404", "Requested resource not found.")
        return web.json_response(_TOLD[request.path])


def _answer(request: web.Request, status: dict[str, Any], message_id: str) -> web.Response:
    """Return what became of the mail; the address has one name in the description, and another one in older answers."""
    asked, address = request[_ASKED]
    message = {"messageId": asked or message_id, "status": status, "destination": address, "to": address}
    return web.json_response({"bulkId": str(uuid4()), "messages": [message]})


def _mailbox(text: Any, field: str) -> Mailbox:
    try:
        return Mailbox.parse(text)
    except (ValueError, TypeError, AttributeError):
        raise Refusal(400, "E400", f"{field}: must be an email address") from None
