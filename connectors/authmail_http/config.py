"""Settings of the HTTP connector: Logto's two keys, and headers, signature and repeat besides."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

import attrs

from authmail import Problem, Secret, Settings, WebhookKey, checks, say, setting, settings

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
# What this connector or HTTP itself sets.
_RESERVED = {
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "idempotency-key",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
}
# Standard Webhooks, "Symmetric signatures": 24 to 64 bytes.
_SHORTEST_KEY = 24


def _header_value(value: Secret | None) -> None:
    if value is not None and not value.reveal().isprintable():
        raise ValueError("must not hold line breaks or control characters")
    if value is not None and not value.reveal().isascii():
        raise ValueError("must be ASCII: other characters arrive differently at different servers")


def _headers(headers: Mapping[str, Secret]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("has a name that is no header name", "letters, digits and hyphens, such as X-Tenant")
        if name.lower() in _RESERVED:
            hint = "use the setting authorization" if name.lower() == "authorization" else "leave it out"
            raise ValueError(say("must not set {name}, which is set by itself", name=name), hint)
        _header_value(value)


@settings
class HttpConfig(Settings):
    """What an operator fills in."""

    endpoint: str = setting(
        "Endpoint",
        help="URL that messages are posted to; path and query are kept",
        placeholder="https://mail.example.com/send",
        destination=True,
        max_length=2048,
        check=checks.url,
    )
    authorization: Secret | None = setting(
        "Authorization",
        help="The whole value of the Authorization header, such as Bearer and a token",
        check=_header_value,
        default=None,
    )
    headers: dict[str, Secret] = setting(
        "Further headers",
        help="An object of header names and values; the values are kept secret",
        check=_headers,
        default=attrs.Factory(dict),
    )
    signing_secret: Secret | None = setting(
        "Signing secret",
        help="Signs every request by Standard Webhooks; whsec_ and Base64, the same at the receiver",
        check=checks.webhook_secret,
        default=None,
    )
    repeat: bool = setting(
        "Repeat after a time-out",
        key="replayOnTimeout",
        help="After no answer, the very same request with the same id once more, where a second mail would do no harm",
        default=True,
    )

    @property
    def url(self) -> str:
        """Where requests go: without user, password and fragment."""
        parts = urlsplit(self.endpoint)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))

    @property
    def authorization_header(self) -> str | None:
        """The value of the Authorization header; user and password of the URL win, as they do with the reference."""
        parts = urlsplit(self.endpoint)
        if "@" in parts.netloc:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            return f"Basic {b64encode(pair.encode()).decode()}"
        return self.authorization.reveal() if self.authorization else None

    def warnings(self) -> Iterable[Problem]:
        """Yield what is doubtful."""
        if "@" in urlsplit(self.endpoint).netloc:
            hint = say("move them to authorization, which is kept secret")
            yield Problem("endpoint", "holds a user or password, which are shown to whoever may see the config", hint)
        if self.endpoint.startswith("http://"):
            yield Problem("endpoint", "is plain http: codes and links can be read on the way", "use https")
        if self.authorization is None and self.signing_secret is None and not self.headers and "@" not in self.endpoint:
            hint = say("set authorization or signingSecret, and let the endpoint check it")
            yield Problem("authorization", "is not set, so anybody who finds the endpoint can have mail sent", hint)
        if self.signing_secret is not None and len(WebhookKey(self.signing_secret)) < _SHORTEST_KEY:
            yield Problem("signingSecret", say("has less than {least} bytes", least=_SHORTEST_KEY), "make a longer one")

    def __repr__(self) -> str:
        return f"HttpConfig(endpoint={self.url!r}, authorization={self.authorization!r})"
