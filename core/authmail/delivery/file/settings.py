"""What ``authmail.toml`` may say."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from authmail.config import checks
from authmail.config.secret import Secret
from authmail.config.settings import Settings, setting, settings
from authmail.delivery.stores.at import missing_secret
from authmail.errors import ConfigError, Problem
from authmail.http.deadline import DEFAULT_TIMEOUT
from authmail.words.text import say

# Of all its texts; its connector bounds each of them.
_LARGEST_CONFIG = 2 * 1024 * 1024


@settings
class PaceSettings(Settings):
    """How fast messages go to one sender, of all who share the store."""

    enabled: bool = setting("Pace", default=True)
    rate: float | None = setting(
        "Messages a second",
        help="What the provider allows your account; what it publishes for every account unless said otherwise",
        default=None,
        minimum=0.001,
        maximum=1_000_000,
    )
    burst: int = setting("At once", help="So many after a quiet time", default=1, minimum=1, maximum=1_000_000)


@settings
class SenderSettings(Settings):
    """One sender: a connector with its config."""

    connector: str = setting("Connector", help="Factory id or target; see authmail connectors")
    config: Mapping[str, Any] = setting("Config", help="The connector's settings; see authmail info", max_length=_LARGEST_CONFIG)
    distribution: str | None = setting(
        "Distribution", help="Whose connector, where several have the same id or target", default=None
    )
    pace: PaceSettings = setting("Pace", help="How fast messages go to it", default=PaceSettings())

    def __repr__(self) -> str:
        return f"SenderSettings({self.connector!r})"  # the config holds secrets as they were typed


@settings
class LimitSettings(Settings):
    """So many messages in so many seconds."""

    most: int = setting("Messages", minimum=1, maximum=1_000_000_000)
    seconds: float = setting("Seconds", minimum=1, maximum=31_536_000)


@settings
class LimitsSettings(Settings):
    """Limits before anything is sent."""

    enabled: bool = setting("Limits", default=True)
    recipient: LimitSettings | None = setting(
        "Per recipient", help="10 messages in 600 seconds unless said otherwise", default=LimitSettings(most=10, seconds=600)
    )
    ip: LimitSettings | None = setting(
        "Per client address",
        help="60 messages in 600 seconds unless said otherwise; counts messages that have an ip",
        default=LimitSettings(most=60, seconds=600),
    )
    account: LimitSettings | None = setting("All together", default=None)


@settings
class DeliverySettings(Settings):
    """Attempts, order and repeats."""

    timeout: float = setting(
        "Timeout", help="Seconds for everything that a message needs", default=DEFAULT_TIMEOUT, minimum=0.1, maximum=600
    )
    order: tuple[str, ...] = setting(
        "Order", help="Names of senders, the preferred one first; all in the file's order unless said otherwise", default=()
    )
    attempts: int = setting("Attempts", help="How often the whole order is tried", default=4, minimum=1, maximum=20)
    on_unknown: Mapping[str, Literal["resend", "stop"]] = setting(
        "After an unknown outcome",
        help="Usage type to resend or stop; by default resend with a code and no link, else stop",
        default=attrs.Factory(dict),
    )
    failures: int = setting("Failures", help="So many in a row open a sender's breaker", default=5, minimum=1, maximum=1000)
    rest: float = setting("Rest", help="Seconds that a breaker stays open at first", default=10.0, minimum=0.1, maximum=3600)
    keep: float = setting(
        "Keep", help="Seconds for which the answer to an idempotency key is kept", default=86400.0, minimum=1, maximum=2_592_000
    )
    hold: float = setting(
        "Hold",
        help="Seconds for which the same code to the same person goes out once; 0 for never",
        default=30.0,
        minimum=0,
        maximum=3600,
    )


@settings
class RouteSettings(Settings):
    """A rule; everything that it names must fit."""

    name: str = setting("Name")
    senders: tuple[str, ...] = setting("Senders", help="Names of senders, the preferred one first")
    types: tuple[str, ...] = setting("Usage types", default=())
    domains: tuple[str, ...] = setting("Domains of recipients", help="qq.com, or *.cn for everything below", default=())
    applications: tuple[str, ...] = setting("Ids of applications", default=())
    organizations: tuple[str, ...] = setting("Ids of organizations", default=())
    locales: tuple[str, ...] = setting("Languages", help="zh also fits zh-CN", default=())


@settings
class AlertWebhookSettings(Settings):
    """Where alerts are posted to."""

    url: str = setting("URL", help="https:// URL that alerts are posted to, as JSON", max_length=2048, check=checks.url)
    secret: Secret = setting(
        "Signing secret",
        help="Signs every request by Standard Webhooks; whsec_ and Base64, the same at the receiver",
        check=checks.webhook_secret,
    )

    def __repr__(self) -> str:
        return "AlertWebhookSettings()"  # a path may be known to few


@settings
class AlertMailSettings(Settings):
    """Whom alerts are mailed to."""

    to: str = setting("To", help="An address of your own", check=checks.one_address)
    sender: str = setting("Sender", help="Name of a sender of this file; alerts about that one are not mailed")


@settings
class AlertsSettings(Settings):
    """Who is told of account errors, open breakers and messages in doubt; the log is told always."""

    webhook: AlertWebhookSettings | None = setting("Webhook", default=None)
    command: tuple[str, ...] = setting(
        "Command", help="A program and its arguments, run without a shell; the alert is JSON on its standard input", default=()
    )
    mail: AlertMailSettings | None = setting("Mail", help="By another sender than the one that fails", default=None)

    def __repr__(self) -> str:
        return "AlertsSettings()"  # an argument may be a secret


@settings
class StoreSettings(Settings):
    """Where limits and answers are kept."""

    store: Secret | None = setting(
        "Store",
        help="SQLite file beside this file, for the processes of this machine; redis://… or postgresql://… for many machines; in memory without",
        default=None,
    )
    store_secret: Secret | None = setting(
        "Store secret",
        help="Key of the store's hashes, the same on all machines; of a file it is made in STORE.key without",
        default=None,
    )

    def __attrs_post_init__(self) -> None:
        if problems := list(self._problems_of_store()):
            raise ConfigError(problems)

    def _problems_of_store(self) -> Iterable[Problem]:
        secret = self.store_secret
        if secret is not None and len(secret.reveal()) < 16:  # noqa: PLR2004 (128 bits)
            yield Problem("storeSecret", "needs 16 characters or more")
        if missing := missing_secret(self.store, secret):
            yield missing


@settings
class QueueSettings(Settings):
    """Messages that a worker sends."""

    keys: tuple[Secret, ...] = setting(
        "Keys", help="authmail key new makes one; the first seals, the others still open; best references"
    )
    expires: float = setting(
        "Expires", help="Seconds after which a message is not sent any more", default=600.0, minimum=1, maximum=604_800
    )
    concurrency: int = setting("Concurrency", help="So many does one worker send at a time", default=20, minimum=1, maximum=1000)
    engine: Literal["journal", "procrastinate"] | None = setting(
        "Engine", help="journal with a file as store, procrastinate with PostgreSQL, unless said otherwise", default=None
    )


@settings
class FileSettings(StoreSettings):
    """The whole file."""

    senders: Mapping[str, SenderSettings] = setting(
        "Senders", help="Add [senders.NAME] with a connector and its config, one for each account"
    )
    version: Literal[1] = setting("Version", help="Of the form of this file", default=1)
    name: str = setting(
        "Name",
        help="Keeps limits and repeats apart from those of other deliveries in the same store; stays when accounts are swapped",
        default="",
        max_length=200,
    )
    templates: str | None = setting("Templates", help="Folder of fr/SignIn.html files, beside this file", default=None)
    default_locale: str | None = setting("Default language", default=None)
    delivery: DeliverySettings = setting("Delivery", default=DeliverySettings())
    limits: LimitsSettings = setting("Limits", default=LimitsSettings())
    routes: tuple[RouteSettings, ...] = setting("Routes", default=())
    alerts: AlertsSettings | None = setting("Alerts", default=None)
    queue: QueueSettings | None = setting("Queue", default=None)

    def __attrs_post_init__(self) -> None:
        if problems := [*self._problems_of_store(), *self._unknown_senders()]:
            raise ConfigError(problems)

    def _unknown_senders(self) -> Iterable[Problem]:
        named = [("delivery.order", self.delivery.order)]
        named += [(f"routes[{index}].senders", route.senders) for index, route in enumerate(self.routes)]
        places = [(f"{path}[{index}]", name) for path, names in named for index, name in enumerate(names)]
        if self.alerts is not None and self.alerts.mail is not None:
            places.append(("alerts.mail.sender", self.alerts.mail.sender))
        for place, name in places:
            if name not in self.senders:
                known = ", ".join(self.senders)
                yield Problem(place, "is not the name of a sender", say("senders here: {known}", known=known))
        for path, names in named:
            if path != "delivery.order" and not names:
                yield Problem(path, "must not be empty")
