"""Settings of SMTP: the reference's keys, and what it lacks."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, Literal, Self

import attrs

from authmail import ConfigError, Mailbox, Problem, Secret, Settings, Template, checks, say, setting, settings
from authmail_smtp import custom_headers
from authmail_smtp.login import Login, differences, joined_login, with_plain_key

_LARGEST_AUTHORITIES = 512 * 1024
_IMPLICIT_TLS_PORT = 465  # RFC 8314
_OTHER_PORTS = (25, 587, 2525)
_FOR_TOKENS = ("XOAUTH2", "OAUTHBEARER")
_HOST = re.compile(r"[^\s/@:\\?#<>\[\](),;\"'\x00-\x20\x7f]{1,253}")
_HELLO_NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,253})|\[[0-9A-Za-z:.]+\]"


def _host(text: str | None) -> None:
    checks.refuse_blanks(text)
    if text is None or _HOST.fullmatch(text):
        return
    try:
        ip_address(text)
    except ValueError:
        raise ValueError("must be a host name such as smtp.example.com, or an IP address", "without port and scheme") from None


def _local_address(text: str | None) -> None:
    if text is None:
        return
    try:
        ip_address(text)
    except ValueError:
        raise ValueError("must be an IP address of this machine") from None


def _authorities(value: Any) -> None:
    if value is not None and not all(isinstance(item, str) for item in (value if isinstance(value, list) else [value])):
        raise ValueError("must be text, or a list of texts, each with certificates in PEM form")


def _misfit(mechanism: str | None, login: Login) -> Iterable[Problem]:
    if mechanism and login.user and (mechanism in _FOR_TOKENS) != login.is_oauth:
        hint = say("PLAIN, LOGIN and CRAM-MD5 take a password, XOAUTH2 and OAUTHBEARER a token")
        yield Problem("authMethod", "does not fit the login in auth", hint)


@settings
class TlsSettings(Settings):
    """The keys of ``tls`` that have an effect."""

    reject_unauthorized: bool = setting("Verify the certificate", destination=True, default=True)
    servername: str | None = setting("Name in the certificate", destination=True, check=_host, default=None)
    min_version: Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] = setting(
        "Oldest TLS version", destination=True, default="TLSv1.2"
    )
    ca: Any = setting(
        "Further authorities",
        help="Certificates in PEM form",
        max_length=_LARGEST_AUTHORITIES,
        destination=True,
        check=_authorities,
        default=None,
    )

    @property
    def authorities(self) -> str:
        """Certificates in PEM form; empty for none."""
        return "\n".join(self.ca if isinstance(self.ca, list) else [self.ca or ""])

    def warnings(self) -> Iterable[Problem]:
        """Yield what has no effect, or only where the host allows it."""
        if not self.reject_unauthorized:
            hint = say("use servername, or ca for an authority of your own")
            yield Problem("rejectUnauthorized", "counts only where the host's egress policy allows connections without TLS", hint)
        if self.min_version in ("TLSv1", "TLSv1.1"):
            yield Problem("minVersion", "is not safe any more and has no effect: 1.2 is the oldest")
        if self.ca and "-----BEGIN CERTIFICATE-----" not in self.authorities:
            yield Problem("ca", "has no certificate in PEM form", "each begins with -----BEGIN CERTIFICATE-----")


@settings
class SMTPConfig(Settings):
    """What an operator fills in: host, port, user and password in ``auth``, and the sender. The rest is optional."""

    host: str = setting(
        "Host", help="Name of the provider's SMTP server", placeholder="smtp.example.com", destination=True, check=_host
    )
    port: int = setting(
        "Port",
        help="587 with STARTTLS, 465 with TLS from the first byte, 25 for a relay",
        placeholder="587",
        minimum=1,
        maximum=65535,
        destination=True,
    )
    user: str | None = setting(
        "User",
        help="For the login; leave user and password empty for a relay without login",
        group="basic",
        check=checks.exact,
        default=None,
    )
    password: Secret | None = setting("Password", help="Of the mail account, often an app password", group="basic", default=None)
    auth: Login = setting(
        "Login",
        help='In place of user and password: {"user": …, "pass": …}, or OAuth 2; {} for a relay without login',
        group="more",
    )
    from_email: str = setting(
        "From",
        help="Sender of the mails, with or without a name",
        placeholder="Example <no-reply@example.com>",
        check=checks.one_mailbox,
    )
    reply_to: str | None = setting("Reply to", help="Where answers go", check=checks.one_mailbox, default=None)
    auth_method: Literal["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER"] | None = setting(
        "Mechanism",
        help="The only one to log in with; without, those that the server offers are tried in turn",
        destination=True,
        default=None,
        group="more",
    )
    secure: bool | None = setting(
        "TLS from the first byte", help="Without: on port 465", destination=True, default=None, group="more"
    )
    require_tls: bool = setting(
        "Require STARTTLS",
        help="Send nothing if the server does not offer it",
        key="requireTLS",
        destination=True,
        default=False,
        group="more",
    )
    ignore_tls: bool = setting(
        "No STARTTLS",
        help="Not even if offered; the host must allow it",
        key="ignoreTLS",
        destination=True,
        default=False,
        group="more",
    )
    tls: TlsSettings | None = setting("TLS", help="rejectUnauthorized, servername, minVersion, ca", default=None, group="more")
    servername: str | None = setting(
        "Name in the certificate",
        help="If it is not the host",
        destination=True,
        check=_host,
        default=None,
        group="more",
    )
    name: str | None = setting(
        "Name of this machine",
        help="What EHLO says",
        pattern=_HELLO_NAME,
        pattern_hint="a host name, or an address in brackets",
        default=None,
        group="more",
    )
    local_address: str | None = setting(
        "Local address",
        help="IP address to connect from",
        destination=True,
        check=_local_address,
        default=None,
        group="more",
    )
    connection_timeout: float | None = setting(
        "Time to connect", help="Milliseconds", minimum=0, maximum=3_600_000, default=None, group="more"
    )
    greeting_timeout: float | None = setting(
        "Time for the greeting",
        help="Milliseconds",
        minimum=0,
        maximum=3_600_000,
        default=None,
        group="more",
    )
    socket_timeout: float | None = setting(
        "Time for an answer", help="Milliseconds", minimum=0, maximum=3_600_000, default=None, group="more"
    )
    dns_timeout: float | None = setting(
        "Time to resolve the name",
        help="Milliseconds",
        minimum=0,
        maximum=3_600_000,
        default=None,
        group="more",
    )
    max_connections: int = setting(
        "Connections",
        help="At most so many at once; Microsoft 365 allows 3",
        minimum=1,
        maximum=100,
        default=5,
        group="more",
    )
    custom_headers: dict[str, Any] | None = setting(
        "Further headers",
        help="Name and text, or a list of texts",
        check=custom_headers.check,
        default=None,
        group="more",
    )
    logger: bool = setting("Log", help="Has no effect here", default=False, group="more")
    debug: bool = setting("Debug", help="Has no effect here: a dialogue holds passwords and codes", default=False, group="more")
    disable_file_access: bool = setting("No files", help="Has no effect here: files are never read", default=False, group="more")
    disable_url_access: bool = setting("No URLs", help="Has no effect here: URLs are never read", default=False, group="more")
    templates: tuple[Template, ...] = setting(
        "Templates",
        help="SignIn, Register, ForgotPassword and Generic are required",
        required_types=("SignIn", "Register", "ForgotPassword", "Generic"),
        default=(),
    )

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read a config; see :meth:`authmail.Settings.from_dict`."""
        if not isinstance(raw, Mapping):
            return super().from_dict(raw)
        given = with_plain_key(raw.get("auth"))
        login = joined_login(given, raw.get("user"), raw.get("password"))
        try:
            config = super().from_dict({**raw, "auth": login})
        except ConfigError as error:
            # What is wrong is told where it was typed.
            joined = login.keys() - given.keys() if isinstance(given, Mapping) and isinstance(login, Mapping) else set()
            elsewhere = ("auth",) if given is None and login is not None else tuple(f"auth.{key}" for key in joined)
            raise ConfigError([problem for problem in error.problems if not problem.path.startswith(elsewhere)]) from None
        problems = [*differences(given, config.user, config.password), *_misfit(config.auth_method, config.auth)]
        if problems:
            raise ConfigError(problems)
        return config

    @property
    def implicit_tls(self) -> bool:
        """Whether TLS begins with the first byte."""
        return self.port == _IMPLICIT_TLS_PORT if self.secure is None else self.secure

    @property
    def tls_settings(self) -> TlsSettings:
        """The TLS settings, the defaults where there are none."""
        return self.tls or TlsSettings()

    @property
    def certificate_name(self) -> str:
        """Name that the server's certificate must have."""
        return self.servername or self.tls_settings.servername or self.host

    @property
    def sender(self) -> Mailbox:
        """The configured sender."""
        return Mailbox.parse(self.from_email)

    def places(self) -> Iterable[tuple[str, str]]:
        """Yield where it connects."""
        yield "host", self.host
        if self.auth.is_oauth and self.auth.can_refresh:
            yield "auth.accessUrl", self.auth.token_url

    def warnings(self) -> Iterable[Problem]:
        """Yield what does not fit together, and what has no effect."""
        yield from self._tls_warnings()
        yield from (attrs.evolve(problem, path=f"auth.{problem.path}") for problem in self.auth.warnings())
        for key in ("logger", "debug"):
            if getattr(self, key):
                yield Problem(key, "has no effect", "errors tell step, code and the server's words")
        yield from custom_headers.warnings(self.custom_headers)
        for index, template in enumerate(self.templates):
            if not template.subject.strip() or not template.content.strip():
                yield Problem(f"templates[{index}]", "has an empty subject or content", "spam filters dislike such a mail")

    def _tls_warnings(self) -> Iterable[Problem]:
        if self.port == _IMPLICIT_TLS_PORT and not self.implicit_tls:
            yield Problem(
                "secure", "is false, while port 465 expects TLS from the first byte", "set secure to true, or port to 587"
            )
        if self.port in _OTHER_PORTS and self.implicit_tls:
            hint = say("set secure to false: STARTTLS is used where offered; or set port to 465")
            yield Problem("secure", say("is true, while port {port} begins without TLS", port=self.port), hint)
        if self.ignore_tls and self.require_tls:
            yield Problem("ignoreTLS", "contradicts requireTLS, which counts", "remove one of them")
        elif self.ignore_tls and not self.implicit_tls:
            yield Problem(
                "ignoreTLS", "sends codes and passwords in clear", "works only where the host's egress policy allows it"
            )
        yield from (attrs.evolve(problem, path=f"tls.{problem.path}") for problem in self.tls_settings.warnings())
