"""Postmark for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_postmark.answers import ANSWERS

_TOKEN = "5a4d6b0c-0000-4000-8000-73616e64626f"  # noqa: S105 (the sandbox's)
_SEND, _WITH_TEMPLATE = "/email", "/email/withTemplate"
_STREAMS = {"outbound": "Transactional", "broadcast": "Broadcasts"}
# What is told of them, in the shapes that the official SDK reads.
_SERVER = {
    "ID": 1, "Name": "Sandbox", "ApiTokens": [_TOKEN], "Color": "Red", "SmtpApiActivated": True, "RawEmailEnabled": False, "DeliveryType": "Live",
    "ServerLink": "https://postmarkapp.com/servers/1/streams", "InboundAddress": "x@inbound.postmarkapp.com", "InboundHash": "x",
    "PostFirstOpenOnly": False, "InboundSpamThreshold": 0, "TrackOpens": False, "TrackLinks": "None", "IncludeBounceContentInHook": True,
    "EnableSmtpApiErrorHooks": False,
}  # fmt: skip
_STREAM = {
    "ServerID": 1, "Name": "Stream", "CreatedAt": "2026-11-25T00:00:00Z", "ArchivedAt": None,
    "SubscriptionManagementConfiguration": {"UnsubscribeHandlingType": "None"},
}  # fmt: skip
_TEMPLATE = {"TemplateId": 1, "AssociatedServerId": 1, "Active": True, "TemplateType": "Standard"}


class PostmarkEmulator(ApiEmulator):
    """A server at Postmark with one token, one confirmed domain, two streams, and a template of any name."""

    faults = faults_of(
        ANSWERS,
        suppressed=Fault("the recipient is inactive", 422, "406"),
        throttled=Fault("too many requests", 429, "429"),
        quota=Fault("the account's credits are used up", 422, "405"),
        unverified=Fault("the sender is not confirmed", 422, "401"),
        refused=Fault("the recipient's address is not valid", 422, "300"),
        maintenance=Fault("under maintenance", 503, "100"),
        crash=Fault("a fault inside the provider", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a 200 without an id", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"serverToken": _TOKEN, "fromEmail": "Sandbox <no-reply@mail.sandbox.example>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the token."""
        if not has_key(request.headers.get("X-Postmark-Server-Token", ""), _TOKEN):
            raise Refusal(401, "10", "The Server Token you provided in the X-Postmark-Server-Token request header was invalid.")

    def sends(self, request: web.Request) -> bool:
        """Two places: for a mail, and for one that is written here."""
        return request.method == "POST" and request.path in (_SEND, _WITH_TEMPLATE)

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; of one that is written here, the template's name and its values."""
        data = {name: value for name, value in (read_object(request, body) or {}).items() if value is not None}
        if not data:
            raise Refusal(422, "402", "The request is no JSON object.")
        sender, to = _mailbox(data, "From"), _mailbox(data, "To")
        if sender.domain != "mail.sandbox.example":
            raise Refusal(422, "400", "The 'From' address you supplied is not a Sender Signature on your account.")
        if _STREAMS.get(data.get("MessageStream", "outbound")) != "Transactional":
            raise Refusal(422, "1235", "The stream provided does not exist on this server.")
        replies = {"reply_to": str(_mailbox(data, "ReplyTo"))} if "ReplyTo" in data else {}
        texts = _of_template(data) if request.path == _WITH_TEMPLATE else _texts(data)
        return {"sender": str(sender), "to": (to.address,), "extra": _extra(data), **texts, **replies}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        proof = {} if message_id is None else {"MessageID": message_id}
        said = {"SubmittedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z", "ErrorCode": 0, "Message": "OK"}
        return web.json_response({"To": "sandbox@example.com", **proof, **said})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error; the name of a field stands in quotes."""
        told = {"ErrorCode": int(refusal.code or 0), "Message": refusal.message}
        if refusal.code == "300" and "'" not in refusal.message:
            told["Message"] = "Invalid 'To' address."
        return web.json_response(told, status=refusal.status)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what the account check asks: the server with its tokens, a stream, a template."""
        room, _, name = request.path.strip("/").partition("/")
        if request.method == "GET" and request.path == "/server":
            return web.json_response(_SERVER)
        if request.method == "GET" and room == "message-streams" and name in _STREAMS:
            return web.json_response({"ID": name, "MessageStreamType": _STREAMS[name], **_STREAM})
        if request.method == "GET" and room == "templates" and name and name != "missing":
            return web.json_response({"Alias": name, "Name": name, **_TEMPLATE})
        raise Refusal(404, "", "There is nothing here.")


def _mailbox(data: Mapping[str, Any], field: str) -> Mailbox:
    try:
        return Mailbox.parse(data[field])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Refusal(422, "300", f"Invalid '{field}' address.") from None


def _texts(data: Mapping[str, Any]) -> dict[str, str]:
    names = {"subject": "Subject", "html": "HtmlBody", "text": "TextBody"}
    texts = {name: value for name, key in names.items() if isinstance(value := data.get(key), str) and value}
    if not texts.keys() & {"html", "text"}:
        raise Refusal(422, "300", "Provide 'HtmlBody' or 'TextBody', or both.")
    return {"subject": ""} | texts


def _of_template(data: Mapping[str, Any]) -> dict[str, str]:
    alias, values = data.get("TemplateAlias"), data.get("TemplateModel")
    if not isinstance(alias, str) or alias == "missing":
        raise Refusal(422, "1101", "The Template's 'Alias' associated with this request is not valid or was not found.")
    if not isinstance(values, dict):
        raise Refusal(422, "403", "The 'TemplateModel' is no object.")
    shown = "\n".join(f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items())
    return {"subject": f"Template {alias}", "text": shown}


def _extra(data: Mapping[str, Any]) -> dict[str, str]:
    try:
        headers = {str(one["Name"]): str(one["Value"]) for one in data.get("Headers", [])}
    except (TypeError, KeyError):
        raise Refusal(422, "300", "Invalid 'Headers'.") from None
    named = {"tag": "Tag", "stream": "MessageStream"}
    return headers | {name: str(data[key]) for name, key in named.items() if key in data}
