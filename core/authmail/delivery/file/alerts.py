"""From the table ``[alerts]`` of a file to what tells somebody."""

from collections.abc import Iterable, Iterator, Mapping

from authmail.delivery.alert_ways import AlertCommand, AlertMail, AlertWay, AlertWebhook
from authmail.delivery.alerts import Alerts
from authmail.delivery.file.settings import AlertsSettings, FileSettings
from authmail.delivery.sender import MessageSender
from authmail.delivery.stores import Store
from authmail.errors import Problem
from authmail.http.egress import Egress
from authmail.words.text import say


def problems_of_alerts(settings: AlertsSettings | None, egress: Egress, *, of_owner: bool) -> Iterable[Problem]:
    """Yield what a file may not say of alerts.

    Args:
        settings: the table; None where there is none.
        egress: where connections may go.
        of_owner: the file is its owner's, who may run programs of this machine.
    """
    if settings is None:
        return
    if settings.command and not of_owner:
        yield Problem("alerts.command", say("would run a program of this machine"), say("only its owner's file may say so"))
    if settings.webhook is not None and (refusal := egress.refusal(settings.webhook.url)) is not None:
        yield Problem("alerts.webhook.url", refusal)


def alerts_of(
    settings: FileSettings, senders: Mapping[str, MessageSender], egress: Egress, store: Store, *, name: str = ""
) -> Alerts:
    """Return what tells somebody; without the table the log, the metrics and plugins alone.

    Args:
        settings: the file.
        senders: of the file, by name.
        egress: where a webhook may connect.
        store: of the file.
        name: of the delivery.
    """
    return Alerts(_ways(settings, senders, egress), delivery=name, store=store)


def _ways(settings: FileSettings, senders: Mapping[str, MessageSender], egress: Egress) -> Iterator[AlertWay]:
    alerts = settings.alerts or AlertsSettings()
    if alerts.webhook is not None:
        yield AlertWebhook(alerts.webhook.url, alerts.webhook.secret, egress=egress)
    if alerts.command:
        yield AlertCommand(alerts.command)
    if alerts.mail is not None:
        yield AlertMail(alerts.mail.to, senders[alerts.mail.sender], locale=settings.default_locale)
