"""Every public name, as hosts and connector authors use it. Type-checked by `.ci/run`, never run."""

from pathlib import Path
from typing import Any, Literal

import authmail
import authmail.sync
from authmail import (
    AccountError,
    AccountReport,
    AuthmailError,
    BrokenConnector,
    ConfigError,
    Connector,
    ConnectorMetadata,
    ConnectorNotFound,
    Connectors,
    Egress,
    Email,
    FormItem,
    Http,
    Limited,
    Mailbox,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Phase,
    Problem,
    Reason,
    Receipt,
    References,
    Reply,
    Secret,
    SendError,
    Settings,
    Template,
    TemplateError,
    Throttled,
    UsageType,
    hookimpl,
    setting,
    settings,
)
from authmail.sandbox import Emulator, Inbox, ReceivedMail, Sandbox
from authmail.templates import render


@settings
class AcmeConfig(Settings):
    api_key: Secret = setting("API key", help="Console > Keys")
    region: Literal["eu", "us"] = setting("Region", default="eu")
    templates: tuple[Template, ...] = setting("Templates", default=())


class Acme:
    @hookimpl
    def get_metadata(self) -> ConnectorMetadata:
        return ConnectorMetadata.load(Path(), settings=AcmeConfig)

    @hookimpl
    def validate_config(self, config: dict[str, Any]) -> AcmeConfig:
        return AcmeConfig.from_dict(config)

    @hookimpl
    async def send_message(self, email: Email, config: AcmeConfig, http: Http, deadline: float) -> Receipt:
        reply: Reply = await http.post(
            "https://api.acme.example", json={}, headers={"X": config.api_key.reveal()}, limit=deadline
        )
        if reply.status == 401:
            raise AccountError(reason="credentials", code="401", hint="Is the key active?")
        raise reply.failure(code="x")

    @hookimpl
    async def check_account(self, config: AcmeConfig) -> AccountReport:
        return AccountReport({"Quota": "1"}, [Problem("x", "y")])


async def host(connector: Connector, raw: dict[str, Any]) -> object:
    names: list[str] = authmail.connector_ids()
    found: Connectors = authmail.connectors(allow=names, deny=["x"])
    broken: tuple[BrokenConnector, ...] = found.broken
    config = AcmeConfig(api_key=Secret("k"), region="us")
    typed: Any = connector.validate_config(raw, references=References(env=("AUTHMAIL_*",), files=("/run/secrets",)))
    items: tuple[FormItem, ...] = connector.form_items
    warnings: list[Problem] = connector.warnings(raw)
    merged: dict[str, Any] = connector.merge(connector.redacted(raw), raw)
    report: AccountReport | None = await connector.check_account(typed)
    async with Mailer(
        connector, config, templates=Path("mails"), egress=Egress(hosts=["x"]), timeout=5.0, default_locale="fr"
    ) as mailer:
        try:
            receipt: Receipt = await mailer.send(Message("a@b.c", UsageType.SIGN_IN, {"code": "1"}), timeout=1)
            await mailer.send(Email(Mailbox("a@b.c"), "s", text="t", from_name="n"))
            await mailer.test("a@b.c", type="SignIn", locale="fr")
        except Throttled as error:
            delay: float | None = error.retry_after
        except (MessageRejected, TemplateError, AccountError, NotSent, OutcomeUnknown, Limited) as error:
            reason: Reason = error.reason
            phase: Phase = error.phase
        email: Email = await mailer.preview(Message.from_dict({}))
    text: str = render("{{a}}", {"a": 1}, html=True)
    with authmail.sync.Mailer("acme", raw) as synchronous:
        again: Receipt = synchronous.send(Message("a@b.c", "SignIn", {}))
    return names, broken, items, warnings, merged, report, receipt, delay, reason, phase, email, text, again


async def sandbox(emulator: Emulator) -> ReceivedMail:
    async with Sandbox({"x": emulator}, host="127.0.0.1", port=0) as running:
        inbox: Inbox = running.inbox
        return await inbox.wait(to="a@b.c", after=0, timeout=1.0)


def errors(error: AuthmailError) -> None:
    kinds: tuple[type[AuthmailError], ...] = (ConfigError, ConnectorNotFound, SendError)
    assert isinstance(error, kinds)
