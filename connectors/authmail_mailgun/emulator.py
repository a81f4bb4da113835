"""Mailgun for the sandbox, after the API's pages and what the official SDK sends and reads; the tests let that SDK use it."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, has_key
from authmail_mailgun.answers import ANSWERS, GREETING, LIMIT

_DOMAIN = "mg.sandbox.example"
_KEY = "key-local-mailgun"
#: May send, and ask nothing else.
_SENDING_KEY = "sending-key-local"
_KNOWN = {f"Basic {b64encode(f'api:{key}'.encode()).decode()}": key for key in (_KEY, _SENDING_KEY)}
_LONG = timedelta(hours=1)


class MailgunEmulator(ApiEmulator):
    """An account at Mailgun with one verified domain, a key of the account and a sending key."""

    path = f"/v3/{_DOMAIN}/messages"
    faults = faults_of(
        ANSWERS,
        throttled=Fault("too many requests", 429, retry_after=3),
        soon=Fault("a limit of the domain for 3 s (420)", 420, LIMIT, retry_after=3),
        forbidden=Fault("forbidden", 401),
        unverified=Fault(f"domain {_DOMAIN} is not allowed to send: The domain is unverified", 403),
        review=Fault(f"domain {_DOMAIN} is not allowed to send: Business Verification", 403),
        sandbox=Fault("sandbox subdomains are for test purposes only", 403),
        plan=Fault("payment required", 402),
        refused=Fault("'to' parameter is not a valid address. please check documentation", 400),
        template=Fault("template with name 'x' not found", 400),
        too_large=Fault("message is too large", 413),
        busy=Fault("service unavailable", 503),
        crash=Fault("internal Server Error", 500),
        crash_after=Fault("the mail is accepted, then a fault", 500, action="crash-after"),
        no_id=Fault("a success without an id", 200, action="no-id"),
    )

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        return {"domain": _DOMAIN, "apiKey": _KEY, "from": f"Sandbox <no-reply@{_DOMAIN}>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check the key; one that may only send is refused elsewhere."""
        given = request.headers.get("Authorization", "")
        if not has_key(given, *_KNOWN) or (_KNOWN[given] == _SENDING_KEY and not self.sends(request)):
            raise Refusal(401, "", "Forbidden")

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail; one from a template at Mailgun arrives as the template's name and its variables."""
        form = parse_qs(body.decode("utf-8", "replace"))
        data = {name: values[0] for name, values in form.items()}
        sender, to = _mailbox(data, "from"), _mailbox(data, "to")
        mail: dict[str, Any] = {part: data[part] for part in ("html", "text") if part in data}
        if "template" in data:
            mail = {"text": f"{data['template']} {data.get('h:X-Mailgun-Variables') or data.get('t:variables', '')}"}
        if not mail:
            raise Refusal(400, "", "Need at least one of 'text' or 'html' parameters specified")
        if data.get("o:testmode") == "yes":
            raise Refusal(200, "", "")
        extra = {name[2:]: value for name, value in data.items() if name[:2] in ("h:", "v:")}
        if "Reply-To" in extra:
            mail["reply_to"] = extra.pop("Reply-To")
        extra |= {f"tag {number}": tag for number, tag in enumerate(form.get("o:tag", ()), 1)}
        return mail | {"sender": str(sender), "to": (to.address,), "subject": data.get("subject", ""), "extra": extra}

    def fresh_id(self) -> str:
        """Return an id of Mailgun's form, in angle brackets."""
        return f"<{datetime.now(UTC):%Y%m%d%H%M%S}.1.{super().fresh_id()[:16].replace('-', '').upper()}@{_DOMAIN}>"

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        return web.json_response(({} if message_id is None else {"id": message_id}) | {"message": "Queued. Thank you."})

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error; a mail in test mode is answered as a sent one is, and a wrong URL is greeted."""
        if refusal.code == GREETING:
            return web.Response(text="Mailgun Magnificent API", content_type="text/html")
        if refusal.status == 200:  # noqa: PLR2004
            return self.accept(self.fresh_id(), request)
        if refusal.status == 401:  # noqa: PLR2004
            return web.Response(status=401, text="Forbidden", headers={"WWW-Authenticate": 'Basic realm="MG API"'})
        wait = {} if refusal.retry_after is None else {"Retry-After": str(round(refusal.retry_after))}
        if refusal.code == LIMIT:
            until = datetime.now(UTC) + (_LONG if refusal.retry_after is None else timedelta(seconds=refusal.retry_after + 1))
            date = format_datetime(until, usegmt=True).replace("GMT", "UTC")
            message = f"Domain {_DOMAIN} is not allowed to send: recipient limit exceeded, try again after {date}"
            return web.json_response({"message": message}, status=420)
        return web.json_response({"message": refusal.message}, status=refusal.status, headers=wait)

    def tell(self, request: web.Request) -> web.Response:
        """Answer what account checks ask."""
        if (request.method, request.path) == ("GET", f"/v3/domains/{_DOMAIN}"):
            domain = {"name": _DOMAIN, "state": "active", "type": "custom", "is_disabled": False}
            return web.json_response({"domain": domain})
        parts = request.path.split("/")
        if request.method == "POST" and parts[-1] == "messages":
            raise Refusal(404, "", f"Domain not found: {parts[-2]}")
        raise Refusal(404, "", "Not Found")


def _mailbox(data: Mapping[str, str], field: str) -> Mailbox:
    if field not in data:
        raise Refusal(400, "", f"{field} parameter is missing")
    try:
        return Mailbox.parse(data[field])
    except ValueError:
        raise Refusal(400, "", f"'{field}' parameter is not a valid address. please check documentation") from None
