"""Direct Mail for the sandbox: checks what the service checks and answers in its own JSON and XML.

Signatures, time window, nonces, required parameters, lengths, sender and region are checked in the gateway's order.
It was written from the service's documentation and from what official SDKs send; the tests let those SDKs use it.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from aiohttp import web

from authmail import Mailbox
from authmail.sandbox import ApiEmulator, Fault, Refusal, fault_of, faults_of
from authmail_aliyun_dm.answers import ANSWERS
from authmail_aliyun_dm.emulator_gateway import Call, Gateway, utc_now

_RULES: dict[str, tuple[str, str]] = {
    "AddressType": ("[01]", "InvalidParameter.Format"),
    # The official Python SDK sends True and False.
    "ReplyToAddress": ("(?i:true|false)", "InvalidParameter.Format"),
    "Subject": ("(?s:.{1,256})", "InvalidSubject.Malformed"),
    "FromAlias": ("(?s:.{0,15})", "InvalidFromAlias.Malformed"),
    "ReplyAddressAlias": ("(?s:.{0,15})", "InvalidReplyAddressAlias.Malformed"),
    "TagName": ("[A-Za-z0-9_-]{1,128}", "InvalidParameter.Format"),
    "ClickTrace": ("[01]", "InvalidParameter.Format"),
}
_MOST_RECIPIENTS = 100
_REQUIRED = ("AccountName", "AddressType", "ReplyToAddress", "ToAddress", "Subject")
_MAIL_PARAMETERS = {*_REQUIRED, "HtmlBody", "TextBody", "FromAlias", "ReplyAddress", "ReplyAddressAlias"}
_UNKNOWN_API = "Specified api is not found, please check your url and method."
_REMEMBERED_LOSSES = 1000
_CALL = web.RequestKey("call", Call)
_AS_JSON = web.RequestKey("as_json", bool)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

FAULTS = faults_of(
    ANSWERS,
    throttled=Fault("too many calls, try again in 3 s", 400, "Throttling.User", 3),
    spam=Fault("refused by the spam filter", 400, "InvalidSendMail.Spam"),
    suppressed=Fault("the recipient is on the list of invalid addresses", 400, "InvalidToAddress.Spam"),
    quota=Fault("the daily quota is used up", 400, "InvalidQuota.Day"),
    arrears=Fault("the account has no balance left", 400, "InsufficientBalance"),
    busy=Fault("not available now", 503, "ServiceUnavailable"),
    crash=Fault("a fault inside the provider", 500, "InternalError"),
    no_envid=Fault("a success without an EnvId", 200, action="no-id"),
    lost=Fault("the first request is lost without an answer, the same one again is accepted", action="lose"),
)


class DirectMailEmulator(ApiEmulator):
    """One region of Direct Mail.

    Args:
        access_keys: AccessKey ID → secret.
        senders: sender addresses of this region.
        region: id of the region.
        security_token: the STS token that is valid, if one is sent.
        read_rights: whether the keys may ask for account and senders, or only send.
        user_status: what DescAccountSummary says of the account; 0 is in order.
        now: the clock.
    """

    shown_headers = ("x-acs-action", "x-acs-version", "x-acs-date", "x-acs-content-sha256", "x-acs-signature-nonce")

    faults = FAULTS

    def __init__(
        self,
        *,
        access_keys: Mapping[str, str] | None = None,
        senders: tuple[str, ...] = ("no-reply@mail.sandbox.example",),
        region: str = "cn-hangzhou",
        security_token: str = "sandbox-token",  # noqa: S107 (made up)
        read_rights: bool = True,
        user_status: int = 0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__()
        self.access_keys = {"sandbox-access-key": "sandbox-secret"} if access_keys is None else access_keys
        self.senders, self.region = senders, region
        self.read_rights, self.user_status = read_rights, user_status
        self._gateway = Gateway(self.access_keys, security_token, now)
        self._lost: deque[str] = deque(maxlen=_REMEMBERED_LOSSES)

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that are accepted here."""
        key, secret = next(iter(self.access_keys.items()))
        return {
            "accessKeyId": key,
            "accessKeySecret": secret,
            "accountName": self.senders[0],
            "fromAlias": "Sandbox",
            "regionId": self.region,
        }

    def authenticate(self, request: web.Request, body: bytes) -> None:
        """Check method, path, signature and time; remember what is asked for."""
        is_form = request.content_type == "application/x-www-form-urlencoded"
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form else []
        parameters = dict(request.query) | dict(form)
        request[_AS_JSON] = "Authorization" in request.headers or parameters.get("Format", "").upper() == "JSON"
        if request.method not in ("GET", "POST"):
            raise Refusal(400, "UnsupportedHTTPMethod", "This http method is not supported.")
        if request.path != "/":
            raise Refusal(404, "InvalidApi.NotFound", _UNKNOWN_API)
        request[_CALL] = self._gateway.verified(request, body, parameters)

    def sends(self, request: web.Request) -> bool:
        """Whether the action sends."""
        return request[_CALL].action == "SingleSendMail"

    def read(self, request: web.Request, body: bytes) -> Mapping[str, Any]:
        """Return the mail."""
        call = request[_CALL]
        fault = fault_of(call.parameters.get("ToAddress", ""), self.faults)
        if fault is None or not self._loses(fault, call):  # what is lost never reached the gateway
            self._gateway.take_nonce(call.nonce)
        self._check_mail(call.parameters)
        return _mail(call.parameters)

    def tell(self, request: web.Request) -> web.Response:
        """Answer DescAccountSummary and QueryMailAddressByParam."""
        call = request[_CALL]
        self._gateway.take_nonce(call.nonce)
        if call.action == "DescAccountSummary":
            return _answer(f"{call.action}Response", self._summary(), as_json=request[_AS_JSON])
        if call.action == "QueryMailAddressByParam":
            return _answer(f"{call.action}Response", self._query_senders(call.parameters), as_json=request[_AS_JSON])
        raise Refusal(404, "InvalidApi.NotFound", _UNKNOWN_API)

    def accept(self, message_id: str | None, request: web.Request) -> web.Response:
        """Return an acceptance."""
        members = {"RequestId": _request_id()} if message_id is None else {"EnvId": message_id, "RequestId": _request_id()}
        return _answer("SingleSendMailResponse", members, as_json=request[_AS_JSON])

    def refuse(self, refusal: Refusal, request: web.Request) -> web.Response:
        """Return an error."""
        error = _error(request.host, refusal)
        return _answer("Error", error, refusal.status, as_json=request[_AS_JSON], retry_after=refusal.retry_after)

    def fresh_id(self) -> str:
        """Return an EnvId."""
        return str(uuid4().int)[:18]

    async def show(self, fault: Fault, request: web.Request, take: Any, *, is_first: bool) -> web.StreamResponse | None:
        """Show a fault; nonces tell here whether a request comes for the first time."""
        call = request[_CALL]
        if self._loses(fault, call):
            self._lost.append(call.nonce)
            await asyncio.Event().wait()
        return await super().show(fault, request, take, is_first=False)

    def _loses(self, fault: Fault, call: Call) -> bool:
        return fault.action == "lose" and call.nonce not in self._lost

    def _check_mail(self, parameters: Mapping[str, str]) -> None:
        _check_presence(parameters)
        _check_forms(parameters)
        if parameters["AccountName"] not in self.senders or parameters.get("RegionId", self.region) != self.region:
            raise Refusal(404, "InvalidMailAddress.NotFound", "The specified mailAddress does not exist.")

    def _summary(self) -> dict[str, Any]:
        self._check_read_rights()
        quotas = {"DailyQuota": 2000, "MonthQuota": 60000, "DailyRemainFreeQuota": 200, "QuotaLevel": 2}
        return {**quotas, "UserStatus": self.user_status, "RequestId": _request_id()}

    def _query_senders(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        self._check_read_rights()
        found = [sender for sender in self.senders if parameters.get("KeyWord", "") in sender]
        rows = [
            {"AccountName": name, "AccountStatus": "0", "DomainStatus": "0", "ReplyStatus": "1", "DailyCount": "0"}
            for name in found
        ]
        page = {"PageNumber": 1, "PageSize": 10, "TotalCount": len(rows), "RequestId": _request_id()}
        return {**page, "data": {"mailAddress": rows}}

    def _check_read_rights(self) -> None:
        if not self.read_rights:
            raise Refusal(403, "NoPermission", "You are not authorized to do this action.")


def _check_presence(parameters: Mapping[str, str]) -> None:
    for name in _REQUIRED:
        if not parameters.get(name):
            raise Refusal(400, f"Missing{name}", f"{name} is mandatory for this action.")
    if not (parameters.get("HtmlBody") or parameters.get("TextBody") or parameters.get("Template")):
        raise Refusal(400, "InvalidBody", "The specified textBody or htmlBody is wrongly formed.")


def _check_forms(parameters: Mapping[str, str]) -> None:
    for name, (pattern, code) in _RULES.items():
        if name in parameters and not re.fullmatch(pattern, parameters[name]):
            raise Refusal(400, code, f"The specified {name} is wrongly formed.")
    recipients = parameters["ToAddress"].split(",")
    if len(recipients) > _MOST_RECIPIENTS or not all(map(_is_address, recipients)):
        raise Refusal(400, "InvalidToAddress", "The specified ToAddress is wrongly formed.")
    if "ReplyAddress" in parameters and not _is_address(parameters["ReplyAddress"]):
        raise Refusal(400, "InvalidReplyAddress.Malformed", "The specified ReplyAddress is wrongly formed.")


def _mail(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return what the inbox shows."""
    reply_to = parameters.get("ReplyAddress")
    system = {"RegionId", "Format", "Version", "Action", "AccessKeyId", "Signature", "SecurityToken", "Timestamp"}
    return {
        "sender": _shown(parameters["AccountName"], parameters.get("FromAlias", "")),
        "to": tuple(parameters["ToAddress"].split(",")),
        "subject": parameters["Subject"],
        "html": parameters.get("HtmlBody"),
        "text": parameters.get("TextBody"),
        "reply_to": _shown(reply_to, parameters.get("ReplyAddressAlias", "")) if reply_to else None,
        "extra": {n: v for n, v in parameters.items() if n not in _MAIL_PARAMETERS | system and not n.startswith("Signature")},
    }


def _is_address(text: str) -> bool:
    try:
        return bool(Mailbox(text))
    except ValueError:
        return False


def _shown(address: str, alias: str) -> str:
    """Return a mailbox as a mail program shows it: in one line, whatever the alias holds."""
    return str(Mailbox(address, " ".join(_CONTROLS.sub(" ", alias).split())))


def _request_id() -> str:
    return str(uuid4()).upper()


def _error(host: str, refusal: Refusal) -> dict[str, Any]:
    recommend = f"https://api.alibabacloud.example/troubleshoot?q={refusal.code}"
    details = {"HostId": host, "Code": refusal.code, "Message": refusal.message, "Recommend": recommend}
    return {"RequestId": _request_id(), **details}


def _answer(
    root: str, members: Mapping[str, Any], status: int = 200, *, as_json: bool, retry_after: float | None = None
) -> web.Response:
    headers = {} if retry_after is None else {"x-acs-retry-after": str(round(retry_after * 1000))}
    headers["Content-Type"] = "application/json;charset=utf-8" if as_json else "text/xml;charset=utf-8"
    text = json.dumps(members, ensure_ascii=False) if as_json else f'<?xml version="1.0" encoding="UTF-8"?>{_xml(root, members)}'
    return web.Response(status=status, body=text.encode(), headers=headers)


def _xml(name: str, value: Any) -> str:
    """Return an element; of a list, one for each item."""
    if isinstance(value, list):
        return "".join(_xml(name, item) for item in value)
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_xml(member, item) for member, item in value.items())}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"
