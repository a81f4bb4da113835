"""The gateway in front of the emulated Direct Mail: signatures, time window and nonces, checked in the service's order."""

import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import attrs
from aiohttp import web

from authmail import hide_fields
from authmail.sandbox import Refusal
from authmail_aliyun_dm.signing import sign_v1, sign_v3, string_to_sign_v1, string_to_sign_v3

_WINDOW = timedelta(minutes=15)
_SIGNED_ALWAYS = {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"}
_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]*),SignedHeaders=([^,]*),Signature=([0-9a-f]*)")
_SYSTEM_PARAMETERS = [
    "Action",
    "Version",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
]


@attrs.frozen(repr=False, field_transformer=hide_fields)
class Call:
    """A request whose signature holds: what it asks for."""

    action: str
    parameters: Mapping[str, str]
    nonce: str


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@attrs.define(eq=False, repr=False, field_transformer=hide_fields)
class Gateway:
    """Checks requests.

    Args:
        access_keys: AccessKey ID → secret.
        security_token: the STS token that is valid, if one is sent.
        now: the clock.
    """

    access_keys: Mapping[str, str]
    security_token: str
    now: Callable[[], datetime]
    _nonces: dict[str, datetime] = attrs.field(factory=dict, init=False)

    def verified(self, request: web.Request, body: bytes, parameters: Mapping[str, str]) -> Call:
        """Return what a request asks for, by V3 if it has an Authorization header, else by V1.

        Raises:
            Refusal: the key, time, signature, token or version is wrong.
        """
        if "Authorization" in request.headers:
            return self._v3(request, body, parameters)
        return self._v1(request, parameters)

    def take_nonce(self, nonce: str) -> None:
        """Remember a nonce for as long as its time window.

        Raises:
            Refusal: it was seen before.
        """
        now = self.now()
        # In the order of their times, so only the oldest are looked at.
        while self._nonces and now - self._nonces[oldest := next(iter(self._nonces))] > 2 * _WINDOW:
            del self._nonces[oldest]
        if nonce in self._nonces:
            raise Refusal(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
        self._nonces[nonce] = now

    def _v3(self, request: web.Request, body: bytes, parameters: Mapping[str, str]) -> Call:
        match = _AUTHORIZATION.fullmatch(request.headers["Authorization"])
        if match is None:
            raise Refusal(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.")
        key, names, signature = match[1], match[2].split(";"), match[3]
        secret = self._secret(key)
        lines = {name: request.headers.get(name, "") for name in names}
        must = _SIGNED_ALWAYS | {name.lower() for name in request.headers if name.lower().startswith("x-acs-")}
        if body:
            must.add("content-type")
        lacking = (must - set(names)) | {name for name in must if name not in request.headers}
        if lacking:
            raise Refusal(400, "IncompleteSignature", f"These headers must be there and signed: {', '.join(sorted(lacking))}.")
        self._check_time(request.headers.get("x-acs-date", ""))
        right = sign_v3(request.method, request.path, request.query, lines, body, key, secret).rpartition("=")[2]
        if not hmac.compare_digest(right, signature) or request.headers["x-acs-content-sha256"] != sha256(body).hexdigest():
            echo = string_to_sign_v3(request.method, request.path, request.query, lines, body)
            raise self._mismatch(echo)
        self._check_token(request.headers.get("x-acs-security-token"))
        if request.headers["x-acs-version"] != "2015-11-23":
            raise Refusal(404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
        return Call(request.headers["x-acs-action"], parameters, request.headers["x-acs-signature-nonce"])

    def _v1(self, request: web.Request, parameters: Mapping[str, str]) -> Call:
        for name in _SYSTEM_PARAMETERS:
            if name not in parameters:
                raise Refusal(400, f"Missing{name}", f"{name} is mandatory for this action.")
        if (parameters["SignatureMethod"], parameters["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
            raise Refusal(400, "InvalidSignatureMethod", "The specified signature method is not supported.")
        secret = self._secret(parameters["AccessKeyId"])
        self._check_time(parameters["Timestamp"])
        signed = {name: value for name, value in parameters.items() if name != "Signature"}
        if not hmac.compare_digest(sign_v1(request.method, signed, secret).encode(), parameters["Signature"].encode()):
            raise self._mismatch(string_to_sign_v1(request.method, signed))
        self._check_token(parameters.get("SecurityToken"))
        if parameters["Version"] != "2015-11-23":
            raise Refusal(404, "InvalidApi.NotFound", "Specified api is not found, please check your url and method.")
        return Call(parameters["Action"], parameters, parameters["SignatureNonce"])

    def _secret(self, key: str) -> str:
        if key not in self.access_keys:
            raise Refusal(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        return self.access_keys[key]

    def _check_time(self, date: str) -> None:
        try:
            then = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise Refusal(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.") from None
        if abs(self.now() - then) > _WINDOW:
            raise Refusal(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")

    @staticmethod
    def _mismatch(echo: str) -> Refusal:
        # As the real one does, with all that it gives away.
        text = f"Specified signature is not matched with our calculation. server string to sign is:{echo}"
        return Refusal(400, "SignatureDoesNotMatch", text)

    def _check_token(self, token: str | None) -> None:
        if token is not None and token != self.security_token:
            raise Refusal(403, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
