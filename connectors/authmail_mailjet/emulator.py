"""Mailjet for the sandbox, after the guide *Send API v3.1* and what the official SDK sends and reads; the tests let that SDK use it."""

from base64 import b64encode
from collections.abc import Mapping
from secrets import randbelow
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key, read_object
from authmail_mailjet.answers import ANSWERS, FAILED

_DOMAIN = "mail.sandbox.example"
_API_KEY, _SECRET_KEY = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
_AUTHORIZATION = "Basic " + b64encode(f"{_API_KEY}:{_SECRET_KEY}".encode()).decode()
#: Codes that are answered for the whole request, and not for the mail.
_OF_THE_REQUEST = frozenset({"", "mj-0001", "mj-0002", "mj-0015", "mj-0000"})
#: Whose error it is, where it is not the recipient's.
_FIELDS = {"send-0008": ["From"], "send-0007": ["SenderID"], "send-0003": ["HTMLPart", "TextPart", "TemplateID"], "mj-0011": []}
_SENDER = {"Email": f"*@{_DOMAIN}", "Status": "Active", "IsDefaultSender": False, "ID": 1}
_KEY = {"APIKey": _API_KEY, "SecretKey": _SECRET_KEY, "IsActive": True, "IsMaster": True, "Runlevel": "Normal", "ID": 1}
_TOLD = {"/v3/REST/sender": [_SENDER], "/v3/REST/apikey": [_KEY]}
# Beyond what a float holds, as Mailjet's numbers are.
_FIRST_ID = 2**54


class MailjetEmulator(ApiEmulator):
    """An account at Mailjet with one pair of keys and one validated domain."""

    path = "/v3.1/send"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests", 429),
        failed=Fault("a 200 that failed, without a code", 200, FAILED),
        refused=Fault("a 200 that failed: the recipient's address is invalid", 200, "mj-0013"),
        unverified=Fault("not an authorized sender email address for your account", 403, "send-0008"),
        suspended=Fault("the API key is suspended", 401, "mj-0001"),
        crash=Fault("something went wrong", 500, "mj-0000"),
        crash_after=Fault("the mail is accepted, then a fault", 500, "mj-0000", action="crash-after"),
        no_id=Fault("a 200 without a word of the mail", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"apiKey": _API_KEY, "secretKey": _SECRET_KEY, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the pair of keys."""
        if not has_key(request.headers.get("Authorization", ""), _AUTHORIZATION):
            raise Refusal(401, "mj-0015", "API key authentication/authorization failure.")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; one in sandbox mode is looked at and not taken."""
        data = read_object(request, body)
        if data is None:
            raise Refusal(400, "mj-0002", "Malformed JSON, please review the syntax and properties types.")
        try:
            [mail] = data["Messages"]
            sender, to = _mailbox(mail["From"]), tuple(_mailbox(one).address for one in mail["To"])
            reply_to = {"reply_to": str(_mailbox(mail["ReplyTo"]))} if mail.get("ReplyTo") else {}
            extra = {str(name): str(value) for name, value in (mail.get("Headers") or {}).items()}
        except (KeyError, TypeError, AttributeError):
            raise Refusal(400, "mj-0003", "A mandatory property is missing.") from None
        except ValueError:
            raise Refusal(400, "mj-0013", "An address is an invalid email address.") from None
        if sender.domain != _DOMAIN:
            raise Refusal(403, "send-0008", f'"{sender.address}" is not an authorized sender email address for your account.')
        names = {"subject": "Subject", "text": "TextPart", "html": "HTMLPart"}
        texts = {name: mail[part] for name, part in names.items() if isinstance(mail.get(part), str) and mail[part]}
        if not to or not texts.keys() - {"subject"}:
            raise Refusal(400, "send-0003" if to else "mj-0007", "There must be a recipient and a body.")
        if data.get("SandboxMode") is True:
            raise Refusal(200, "", "")
        return {"sender": str(sender), "to": to, "subject": "", "extra": extra, **texts, **reply_to}

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance: number and UUID of the mail; with "0", sandbox mode's."""
        if message_id is None:
            return web.json_response({"Messages": []})
        number, uuid = int(message_id), str(uuid4()) if int(message_id) else ""
        to = {
            "Email": "",
            "MessageUUID": uuid,
            "MessageID": number,
            "MessageHref": f"https://api.mailjet.com/v3/message/{number}",
        }
        return web.json_response({"Messages": [{"Status": "success", "CustomID": "", "To": [to], "Cc": [], "Bcc": []}]})

    def fresh_id(self) -> str:
        """Return a number of Mailjet's form."""
        return str(_FIRST_ID + randbelow(_FIRST_ID))

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error of the request or of the mail; or sandbox mode's success."""
        if (refusal.status, refusal.code) == (200, ""):
            return self.accept("0", request)
        status = 400 if refusal.status == 200 else refusal.status  # noqa: PLR2004
        error: dict[str, Any] = {"StatusCode": status, "ErrorMessage": refusal.message}
        if refusal.code:
            error |= {"ErrorIdentifier": str(uuid4()), "ErrorCode": refusal.code}
        if refusal.code in _OF_THE_REQUEST:
            return web.json_response(error, status=refusal.status)
        error["ErrorRelatedTo"] = _FIELDS.get(refusal.code, ["To[0].Email"])
        told = {"Status": "error", "Errors": [] if refusal.code == FAILED else [error]}
        return web.json_response({"Messages": [told]}, status=refusal.status)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if request.method != "GET" or request.path not in _TOLD:
            raise Refusal(404, "", "Object not found")
        rows = _TOLD[request.path]
        return web.json_response({"Count": len(rows), "Data": rows, "Total": len(rows)})


def _mailbox(value: Any) -> Mailbox:
    return Mailbox(value["Email"], value.get("Name") or "")
