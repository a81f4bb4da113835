"""SES for the sandbox, after the service model and what official SDKs send and read; the tests let boto3 use it."""

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from typing import Any
from uuid import uuid4

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, faults_of, read_object
from authmail_ses.answers import ANSWERS
from authmail_ses.signing import ALGORITHM, SERVICE, canonical_request, signature

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key>[^/,]+)/(?P<scope>[^, ]+), ?SignedHeaders=(?P<names>[^, ]+), ?Signature=(?P<proof>[0-9a-f]+)"
)
_TIME = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=5)
_TO = web.RequestKey("to", str)
_PATH = "/v2/email/"


class SESEmulator(ApiEmulator):
    """One region of an account at SES.

    Args:
        told: path behind ``/v2/email/`` → what is answered to who asks; None forbids it.
        now: the clock.
    """

    path = f"{_PATH}outbound-emails"
    shown_headers = ("x-amz-date",)
    key_id, secret, token, region = "AKIASANDBOX", "sandbox-secret", "sandbox-token", "eu-central-1"
    faults = faults_of(
        ANSWERS,
        sandbox=Fault("the account is in SES's sandbox, the recipient not verified", action="sandbox"),
        unverified=Fault("the sender is not verified", action="unverified"),
        suspended=Fault("the account is suspended", 400, "AccountSuspendedException"),
        paused=Fault("sending is paused for the account", 400, "SendingPausedException"),
        throttled=Fault("maximum sending rate exceeded", 429, "TooManyRequestsException"),
        quota=Fault("daily message quota exceeded", 400, "LimitExceededException"),
        refused=Fault("the content is refused", 400, "MessageRejected"),
        busy=Fault("not available now", 503, "ServiceUnavailable"),
        crash=Fault("a fault inside the provider", 500, "InternalFailure"),
        crash_after=Fault("the mail is accepted, then a fault", 500, "InternalFailure", action="crash-after"),
        no_id=Fault("a success without a MessageId", 200, action="no-id"),
    )

    def __init__(self, told: Mapping[str, Any] | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.now = now
        domain = {"IdentityType": "DOMAIN", "IdentityName": "mail.sandbox.example", "SendingEnabled": True}
        quota = {"Max24HourSend": 50000.0, "MaxSendRate": 14.0, "SentLast24Hours": 3.0}
        state = {"EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": True, "SendingEnabled": True}
        self.told: dict[str, Any] = {"account": {**state, "SendQuota": quota}, "list-identities": {"EmailIdentities": [domain]}}
        self.told |= told or {}

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        keys = {"accessKeyId": self.key_id, "accessKeySecret": self.secret, "region": self.region}
        return {**keys, "emailAddress": "Sandbox <no-reply@mail.sandbox.example>"}

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check key, time, region and signature."""
        match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
        if match is None:
            raise Refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
        if match["key"] != self.key_id or request.headers.get("X-Amz-Security-Token", self.token) != self.token:
            raise Refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        time, names = request.headers.get("X-Amz-Date", ""), match["names"].split(";")
        if match["scope"] != f"{time[:8]}/{self.region}/{SERVICE}/aws4_request":
            raise Refusal(403, "SignatureDoesNotMatch", f"Credential should be scoped to a valid region, not '{match['scope']}'.")
        signed = {name: request.headers.get(name, "") for name in names}
        text = canonical_request(
            request.method, request.raw_path.partition("?")[0], request.rel_url.raw_query_string, signed, body
        )
        if not {"host", "x-amz-date"} <= {*names} or not hmac.compare_digest(
            signature(text, self.secret, match["scope"], time), match["proof"]
        ):
            raise Refusal(
                403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
            )
        self._check_time(time)

    def _check_time(self, time: str) -> None:
        if abs(self.now() - datetime.strptime(time, _TIME).replace(tzinfo=UTC)) > _SKEW:
            raise Refusal(
                403, "SignatureDoesNotMatch", f"Signature expired: {time} is now earlier or later than {self.now():{_TIME}}"
            )

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail."""
        try:
            mail = _mail(read_object(request, body) or {})
            request[_TO] = mail["to"][0]
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            raise Refusal(400, "BadRequestException", "Invalid request.") from None
        if not mail["sender"].rstrip(">").endswith("@mail.sandbox.example"):
            raise self._not_verified(mail["sender"])
        return mail

    async def show(self, fault: Fault, request: web.Request, take: Any, *, is_first: bool) -> web.StreamResponse | None:
        """Show a fault; what is not verified is named by its address."""
        if fault.action in ("sandbox", "unverified"):
            raise self._not_verified(request[_TO] if fault.action == "sandbox" else self.config["emailAddress"])
        return await super().show(fault, request, take, is_first=is_first)

    def _not_verified(self, identity: str) -> Refusal:
        words = f"Email address is not verified. The following identities failed the check in region {self.region.upper()}: {identity}"
        return Refusal(400, "MessageRejected", words)

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        return web.json_response({} if message_id is None else {"MessageId": f"0107-{message_id}"}, headers=_request_id())

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error; its type is in a header."""
        headers = _request_id() | {"x-amzn-ErrorType": refusal.code}
        return web.json_response({"message": refusal.message}, status=refusal.status, headers=headers)

    def tell(self, request: web.Request) -> web.Response:
        """Answer for the account, the identities and configuration sets."""
        path = request.path.removeprefix(_PATH)
        if path not in self.told or request.method != ("POST" if path == "list-identities" else "GET"):
            raise Refusal(404, "NotFoundException", f"{path} does not exist.")
        if self.told[path] is None:
            raise Refusal(403, "AccessDeniedException", "User is not authorized to perform this action")
        return web.json_response(self.told[path], headers=_request_id())


def _request_id() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid4())}


def _mail(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the inbox shows."""
    simple, replies = data["Content"]["Simple"], data.get("ReplyToAddresses")
    texts = {name.lower(): part["Data"] for name, part in simple["Body"].items()}
    if not all(
        text.isascii() or part.get("Charset") for part in (simple["Subject"], *simple["Body"].values()) for text in [part["Data"]]
    ):
        raise ValueError("a text that is not ASCII needs a charset")
    extra = {one["Name"]: one["Value"] for one in simple.get("Headers", [])}
    extra |= {f"tag {one['Name']}": one["Value"] for one in data.get("EmailTags", [])}
    extra |= {name: data[name] for name in ("ConfigurationSetName", "TenantName") if name in data}
    return {
        "sender": _shown(data["FromEmailAddress"]),
        "to": tuple(Mailbox.parse(one).address for one in data["Destination"]["ToAddresses"][:50]),
        "subject": simple["Subject"]["Data"],
        **{name: texts[name] for name in ("html", "text") if name in texts},
        **({"reply_to": _shown(replies[0])} if replies else {}),
        "extra": extra,
    }


def _shown(mailbox: str) -> str:
    parsed = Mailbox.parse(mailbox)
    return str(Mailbox(parsed.address, str(make_header(decode_header(parsed.name)))))
