"""Settings of a login: the three forms that the reference knows, as one class."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from authmail import ConfigError, Problem, Secret, Settings, checks, say, setting, settings

#: Where an access token is fetched, unless ``accessUrl`` says otherwise: Google's, as in the reference's SMTP library.
GOOGLE = "https://oauth2.googleapis.com/token"


@settings
class Login(Settings):
    """User and password, or OAuth 2 with tokens or with the key of a service account. Without a user: no login."""

    type: Literal["login", "Login", "LOGIN", "oauth2", "OAuth2", "OAUTH2"] | None = setting(
        "Kind of login", help="login with a password, oauth2 with tokens", default=None
    )
    user: str | None = setting("User", placeholder="<User>", check=checks.exact, default=None)
    password: Secret | None = setting("Password", key="pass", placeholder="<Password>", default=None)
    client_id: str | None = setting("Client ID", check=checks.exact, default=None)
    client_secret: Secret | None = setting("Client secret", default=None)
    refresh_token: Secret | None = setting("Refresh token", default=None)
    access_token: Secret | None = setting("Access token", default=None)
    expires: float | None = setting("Expiry of the access token", help="Milliseconds since 1970", default=None)
    access_url: str | None = setting(
        "Token address",
        help="Where access tokens are fetched; Google's without",
        destination=True,
        check=checks.endpoint,
        default=None,
    )
    service_client: str | None = setting("Service account", check=checks.exact, default=None)
    private_key: Secret | None = setting("Private key", help="Of the service account, PEM", default=None)
    passphrase: Secret | None = setting("Passphrase", help="Of the private key", default=None)

    def __attrs_post_init__(self) -> None:
        if (self.type or "").lower() == "oauth2" and not self.user:
            raise ConfigError([Problem("user", "is required for OAuth 2", "the address of the mailbox that sends")])

    def warnings(self) -> Iterable[Problem]:
        """Yield what is missing for a login, or too much without one."""
        if self.user and not self.is_oauth and self.password is None:
            yield Problem("pass", "is missing, so that nobody can log in", "leave out auth.user for a relay without login")
        if not self.user and (self.password or self.access_token or self.refresh_token):
            yield Problem("user", "is missing, so that nothing logs in", "give the user, or leave out the rest of auth")
        if self.user and self.is_oauth and not self.can_refresh and self.access_token is None:
            yield Problem("accessToken", "is missing", "give a refreshToken with clientId and clientSecret, or an accessToken")

    @property
    def is_oauth(self) -> bool:
        """Whether tokens are used instead of a password."""
        if self.type is not None:
            return self.type.lower() == "oauth2"
        return self.password is None and any((self.access_token, self.refresh_token, self.private_key))

    @property
    def token_url(self) -> str:
        """Where access tokens are fetched."""
        return checks.endpoint_url(self.access_url, GOOGLE)

    @property
    def can_refresh(self) -> bool:
        """Whether a new access token can be had."""
        return self.refresh_token is not None or self.private_key is not None


def with_plain_key(raw: Any) -> Any:
    """Return a config's ``auth`` with the object form of ``privateKey``, ``{key, passphrase}``, written as two texts."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("privateKey"), Mapping) or "key" not in raw["privateKey"]:
        return raw
    return {**raw, "privateKey": raw["privateKey"]["key"], "passphrase": raw["privateKey"].get("passphrase")}


def joined_login(auth: Any, user: Any, password: Any) -> Any:
    """Return a config's ``auth`` with the settings of their own for user and password in it, where it has none itself."""
    own = {key: value for key, value in (("user", user), ("pass", password)) if value not in (None, "")}
    if not own or not isinstance(auth, Mapping | None):
        return auth
    return {**own, **{key: value for key, value in (auth or {}).items() if value not in (None, "")}}


def differences(auth: Any, user: str | None, password: Secret | None) -> Iterable[Problem]:
    """Yield a problem for each of user and password that is there twice, and not the same."""
    given = auth if isinstance(auth, Mapping) else {}
    for key, name, value in (("user", "user", user), ("pass", "password", password)):
        other = Secret(given[key]) if isinstance(given.get(key), str) and key == "pass" else given.get(key)
        if value is not None and other not in (None, "") and other != value:
            yield Problem(name, say("differs from auth.{key}", key=key), "give one of them")
