"""Somebody is told: by real receivers, real commands and real mails; the hours are jumped over."""

import asyncio
import json
import logging
import stat
import sys
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import attrs
import pytest
from aiohttp import web
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from standardwebhooks import Webhook

from authmail import (
    AccountError,
    Egress,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Receipt,
    Secret,
    SendError,
    Template,
    hookimpl,
)
from authmail.delivery import (
    AlertCommand,
    AlertMail,
    Alerts,
    AlertWebhook,
    Breaker,
    Dedupe,
    Delivery,
    Failover,
    Limits,
    MemoryStore,
    Retry,
    StoreError,
)
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

SECRET = "whsec_YSBzZWNyZXQgb2YgdHdlbnR5LWZvdXIgYnl0ZXMu"
REVOKED = AccountError("the key is revoked", reason="credentials", code="InvalidKey", connector="acme-mail")
DOWN = NotSent("no connection", reason="network", connector="acme-mail")
IN_DOUBT = OutcomeUnknown("no answer", reason="timeout", connector="acme-mail")
TAKEN = Receipt("1", connector="acme-mail")


class Pager:
    """A way of a host's own: remembers what it was told."""

    name, place = "pager", "a list"

    def __init__(self):
        self.alerts = []

    async def tell(self, alert):
        self.alerts.append(alert.to_dict())

    @property
    def told(self):
        return [(one["alert"], one["state"], one["count"]) for one in self.alerts]


@pytest.fixture
def pager():
    return Pager()


async def outcome(delivery, message):
    """Send, whatever comes of it, and let what goes on beside go on."""
    try:
        return await delivery.send(message)
    except SendError as error:
        return error
    finally:
        await asyncio.sleep(0.001)


# When somebody is told


def test_an_account_error_is_told_with_all_that_helps(scripted, in_fake_time, code, pager):
    """Its keys are stable, its times UTC; who is written to and what is written stand nowhere."""

    async def scenario():
        delivery = Delivery(Failover({"main": scripted(REVOKED)}), plugins=[Alerts([pager], delivery="acme")])
        await outcome(delivery, code)

    in_fake_time(scenario())
    (alert,) = pager.alerts
    since = alert.pop("since")
    assert alert.pop("time") == since
    assert len(since) == len("2026-01-31T08:15:00Z")
    assert since.endswith("Z")
    assert alert == {
        "alert": "account_error",
        "state": "on",
        "delivery": "acme",
        "sender": "main",
        "connector": "acme-mail",
        "outcome": "account",
        "reason": "credentials",
        "code": "InvalidKey",
        "hint": "the key is revoked",
        "count": 1,
    }


def test_ten_thousand_failing_messages_are_one_alert(scripted, in_fake_time, code, pager):
    """And one more when it is over, with their number."""

    async def scenario():
        sender = scripted(REVOKED, name="main")
        delivery = Delivery(Retry(sender), plugins=[Alerts([pager])])
        await asyncio.gather(*(outcome(delivery, code) for _ in range(10_000)))
        sender.answers = [TAKEN]
        await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1), ("account_error", "over", 10_000)]


def test_what_goes_on_is_told_again_after_an_hour(scripted, in_fake_time, code, pager):
    """With how many messages met it, and since when."""

    async def scenario():
        delivery = Delivery(Retry(scripted(REVOKED, name="main")), plugins=[Alerts([pager])])
        for _ in range(7):
            await outcome(delivery, code)
            await asyncio.sleep(600)

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1), ("account_error", "on", 7)]
    assert pager.alerts[0]["since"] == pager.alerts[1]["since"] == pager.alerts[0]["time"]


def test_what_comes_and_goes_is_told_once_an_hour(scripted, in_fake_time, code, pager):
    """What came meanwhile is counted with the next that is told."""

    async def scenario():
        sender = scripted(REVOKED, TAKEN, REVOKED, TAKEN, REVOKED, TAKEN, name="main")
        delivery = Delivery(Retry(sender), plugins=[Alerts([pager])])
        for pause in (0, 60, 60, 60, 3600, 60):
            await asyncio.sleep(pause)
            await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [
        ("account_error", "on", 1), ("account_error", "over", 1), ("account_error", "on", 2), ("account_error", "over", 2)
    ]  # fmt: skip


def test_senders_and_reasons_are_causes_of_their_own(scripted, in_fake_time, code, pager):
    """A wrong key and a used-up quota want different acts."""

    async def scenario():
        quota = AccountError("used up", reason="quota")
        delivery = Delivery(Failover({"main": scripted(REVOKED), "spare": scripted(quota)}), plugins=[Alerts([pager])])
        await outcome(delivery, code)

    in_fake_time(scenario())
    assert [(alert["sender"], alert["reason"]) for alert in pager.alerts] == [("main", "credentials"), ("spare", "quota")]


def test_a_breaker_is_told_when_it_opens_and_closes(scripted, in_fake_time, code, pager):
    """Whatever the reasons of an outage, it is one trouble. A provider that refuses a recipient works."""

    async def scenario():
        works = MessageRejected("no such mailbox", reason="recipient", phase="after")
        sender = scripted(*[DOWN] * 5, NotSent("slow", reason="timeout"), works)
        delivery = Delivery(Breaker(sender, name="main"), plugins=[Alerts([pager])])
        for pause in (0, 0, 0, 0, 0, 11, 60):
            await asyncio.sleep(pause)
            await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("breaker_open", "on", 1), ("breaker_open", "over", 2)]
    assert pager.alerts[0]["reason"] == "network"


def test_a_breaker_that_another_process_closed_is_over_with_the_next_receipt(scripted, in_fake_time, code, pager):
    """Here nobody hears that it closed; that the sender takes messages again, is heard."""

    async def scenario():
        alerts = Alerts([pager])
        delivery = Delivery(Retry(scripted(TAKEN, name="main")), plugins=[alerts])
        alerts.breaker("main", "open", DOWN)
        await asyncio.sleep(60)
        await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("breaker_open", "on", 1), ("breaker_open", "over", 1)]


def test_a_store_that_fails_is_told_and_that_it_works_again(scripted, in_fake_time, code, pager):
    """Messages go out meanwhile, and nobody would notice that nothing is counted."""

    class Store(MemoryStore):
        works = False

        async def begin(self, claim, *, timeout):
            if not self.works:
                raise StoreError("the store redis://192.0.2.1:6379/0 cannot be used: it did not answer in time")
            return await super().begin(claim, timeout=timeout)

    async def scenario():
        store = Store()
        delivery = Delivery(Dedupe(Limits(scripted(TAKEN), store=store), store=store), plugins=[Alerts([pager])])
        for works in (False, False, True, True):
            store.works = works
            await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("store", "on", 1), ("store", "over", 2)]
    assert pager.alerts[0]["sender"] == "Store"
    assert pager.alerts[0]["hint"] == "the store redis://192.0.2.1:6379/0 cannot be used: it did not answer in time"


def test_a_message_that_was_on_its_way_before_is_no_sign_of_order(scripted, in_fake_time, code, pager):
    """It was handed over while the key was still valid."""

    async def scenario():
        sender = scripted(TAKEN, REVOKED, TAKEN, name="main")
        delivery = Delivery(Retry(sender), plugins=[Alerts([pager])])
        sender.takes = 5
        slow = asyncio.create_task(outcome(delivery, code))
        await asyncio.sleep(1)
        sender.takes = 0
        await outcome(delivery, code)
        await slow
        assert pager.told == [("account_error", "on", 1)]
        await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1), ("account_error", "over", 1)]


def test_an_account_error_that_opens_a_breaker_is_one_alert(scripted, in_fake_time, code, pager):
    """One trouble, one alert."""

    async def scenario():
        delivery = Delivery(Breaker(scripted(REVOKED, TAKEN), name="main"), plugins=[Alerts([pager])])
        await outcome(delivery, code)
        await asyncio.sleep(60)
        assert await outcome(delivery, code) == TAKEN

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1), ("account_error", "over", 1)]


def test_a_message_in_doubt_is_told_with_its_sender(scripted, in_fake_time, invitation, pager):
    """It is over when none was for an hour, and not with the next that is taken."""

    async def scenario():
        sender = scripted(IN_DOUBT, TAKEN, IN_DOUBT, TAKEN)
        delivery = Delivery(Failover({"main": sender}), plugins=[Alerts([pager])])
        for pause in (0, 60, 60, 60, 3600):
            await asyncio.sleep(pause)
            await outcome(delivery, invitation)

    in_fake_time(scenario())
    assert pager.told == [("in_doubt", "on", 1), ("in_doubt", "over", 2)]
    assert {alert["sender"] for alert in pager.alerts} == {"main"}


def test_a_repeat_of_a_message_in_doubt_is_not_another_one(scripted, in_fake_time, invitation, pager):
    """It gets the first one's answer, and no mail is on its way for it."""

    async def scenario():
        delivery = Delivery(Dedupe(Retry(scripted(IN_DOUBT, name="main"))), plugins=[Alerts([pager])])
        for _ in range(3):
            await outcome(delivery, invitation)
        await asyncio.sleep(3600)
        await outcome(delivery, attrs.evolve(invitation, resend=True))

    in_fake_time(scenario())
    assert pager.told == [("in_doubt", "on", 1), ("in_doubt", "on", 2)]


def test_what_a_second_attempt_settles_is_not_in_doubt(scripted, in_fake_time, code, pager):
    """A code goes out again after an unknown outcome; its one answer is what counts."""

    async def scenario():
        delivery = Delivery(Retry(scripted(IN_DOUBT, TAKEN)), plugins=[Alerts([pager])])
        assert await outcome(delivery, code) == TAKEN

    in_fake_time(scenario())
    assert pager.told == []


def test_a_template_that_is_refused_is_not_over_with_another_ones_mail(scripted, in_fake_time, code, pager):
    """A sender address may be one template's: others are accepted all the while."""

    async def scenario():
        refused = AccountError("not verified", reason="sender")
        delivery = Delivery(Retry(scripted(*[refused, TAKEN] * 3, TAKEN, name="main")), plugins=[Alerts([pager])])
        for pause in (0, 60, 60, 60, 60, 60, 3600):
            await asyncio.sleep(pause)
            await outcome(delivery, code)

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1), ("account_error", "over", 3)]


def test_processes_that_share_a_store_tell_once(scripted, in_fake_time, code):
    """One of them by its ways, also of the end; after an hour whichever meets it first."""

    async def scenario():
        store = MemoryStore(clock=asyncio.get_running_loop().time)
        pagers, senders = [Pager(), Pager()], [scripted(REVOKED, name="main"), scripted(REVOKED, name="main")]
        deliveries = [
            Delivery(Retry(sender), plugins=[Alerts([pager], store=store)]) for pager, sender in zip(pagers, senders, strict=True)
        ]
        for pause in (0, 60, 3545):
            await asyncio.sleep(pause)
            for delivery in deliveries:
                await outcome(delivery, code)
        for delivery, sender in zip(deliveries, senders, strict=True):
            sender.answers = [TAKEN]
            await outcome(delivery, code)
        return [pager.told for pager in pagers]

    first, second = in_fake_time(scenario())
    assert first == [("account_error", "on", 1), ("account_error", "on", 3), ("account_error", "over", 3)]
    assert second == []


# Who hears of it without any way


def test_the_log_has_a_line_for_each_alert(scripted, in_fake_time, code, caplog):
    """ERROR when it is on, INFO when it is over; the fields for machines too."""

    async def scenario():
        delivery = Delivery(Retry(scripted(REVOKED, TAKEN, name="main")), plugins=[Alerts()])
        await outcome(delivery, code)
        await outcome(delivery, code)

    caplog.set_level(logging.INFO, "authmail.alerts")
    in_fake_time(scenario())
    on, over = (record for record in caplog.records if record.name == "authmail.alerts")
    assert (on.levelname, over.levelname) == ("ERROR", "INFO")
    assert on.authmail | {"state": "over", "time": over.authmail["time"]} == over.authmail
    words = "alert account_error is on: sender=main outcome=account reason=credentials code=InvalidKey count=1 since="
    assert on.getMessage().startswith(words)
    assert on.getMessage().endswith("Z the key is revoked")


def test_metrics_and_plugins_hear_of_it(scripted, in_fake_time, code, monkeypatch):
    """The counter is read back by OpenTelemetry's own SDK; a host's plugin gets the same keys."""
    from opentelemetry import metrics

    class Listener:
        heard = []

        @hookimpl
        def alert(self, alert):
            self.heard.append((alert["alert"], alert["state"]))

    reader = InMemoryMetricReader()
    monkeypatch.setattr(metrics, "get_meter", MeterProvider([reader]).get_meter)

    async def scenario():
        delivery = Delivery(Retry(scripted(REVOKED, TAKEN, name="main")), plugins=[Alerts(), Listener()])
        await outcome(delivery, code)
        await outcome(delivery, code)

    in_fake_time(scenario())
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    points = {metric.name: metric.data.data_points for metric in scope.metrics}["authmail.alerts"]
    assert {tuple(sorted(point.attributes.items())): point.value for point in points} == {
        (("alert", "account_error"), ("sender", "main"), ("state", "on")): 1,
        (("alert", "account_error"), ("sender", "main"), ("state", "over")): 1,
    }
    assert Listener.heard == [("account_error", "on"), ("account_error", "over")]


# Ways


@asynccontextmanager
async def receiver(*statuses):
    """A receiver on loopback that answers so, the last for ever, and remembers; yields its URL and what came."""
    answers, came = list(statuses), []

    async def handle(request):
        came.append((dict(request.headers), await request.read()))
        status = answers.pop(0) if len(answers) > 1 else answers[0]
        if status is None:
            await asyncio.Event().wait()
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/alerts", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/alerts", came
    finally:
        await runner.cleanup()


def webhook(url):
    return AlertWebhook(url, Secret(SECRET), egress=Egress.ANY)


async def told_by(way):
    """Return what came of a test."""
    ((_, why),) = await Alerts([way]).test()
    return why


async def test_a_webhook_is_verified_by_the_published_library(scripted, code):
    """Headers and body as they came over the wire."""
    async with receiver(204) as (url, came):
        async with Delivery(Retry(scripted(REVOKED, name="main")), plugins=[Alerts([webhook(url)])]) as delivery:
            await outcome(delivery, code)
        ((headers, body),) = came
    alert = Webhook(SECRET).verify(body, {name.lower(): value for name, value in headers.items()})
    assert (alert["alert"], alert["state"], alert["sender"]) == ("account_error", "on", "main")
    assert headers["Content-Type"] == "application/json"


async def test_a_receiver_that_is_not_there_for_a_moment_is_asked_again(monkeypatch):
    """With the same id, so that it can tell; what it refuses is not told again."""
    monkeypatch.setattr(import_module("authmail.delivery.alert_ways"), "_WAITS", (0, 0))
    async with receiver(503, 200) as (url, came):
        assert await told_by(webhook(url)) is None
        assert len({headers["webhook-id"] for headers, _ in came}) == 1
        assert len(came) == 2
    async with receiver(401) as (url, came):
        assert await told_by(webhook(url)) == "the receiver answered 401"
        assert len(came) == 1


async def test_a_redirect_is_not_followed():
    """A webhook keeps to where it was set to go."""
    async with receiver(307, 200) as (url, came):
        assert "redirect" in await told_by(webhook(url))
        assert len(came) == 1


async def test_a_strangers_webhook_does_not_reach_this_machine(caplog):
    """By the egress policy; the log names the kind of trouble alone."""
    async with receiver(200) as (url, came):
        assert "the egress policy refuses" in await told_by(AlertWebhook(url, Secret(SECRET)))
        assert came == []
    assert "test (on) could not be told by webhook: AccountError" in caplog.text
    assert url not in caplog.text


def program(folder, text):
    path = folder / "page"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


async def test_a_command_gets_the_alert_on_its_standard_input(tmp_path, monkeypatch):
    """Its arguments as they are, without a shell; of our environment only what is no secret."""
    monkeypatch.setenv("AUTHMAIL_ALIYUN_SECRET", "CANARY")
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    out = tmp_path / "out.json"
    script = (
        "import json, os, sys\n"
        f"json.dump([json.load(sys.stdin), sys.argv[1:], dict(os.environ)], open({str(out)!r}, 'w'))\nprint('x' * 100_000)"
    )
    assert await told_by(AlertCommand([program(tmp_path, script), "--team", "$HOME; mail"])) is None
    alert, arguments, environment = json.loads(out.read_text())
    assert alert["alert"] == "test"
    assert arguments == ["--team", "$HOME; mail"]
    assert {"PATH", "LANG"} <= set(environment) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"} <= {"PATH", "HOME", "LANG"}


async def test_a_command_that_fails_is_told():
    """Its exit code, or why it could not be started."""
    assert await told_by(AlertCommand(["false"])) == "the command ended with 1"
    assert await told_by(AlertCommand(["/nonexistent/page"])) == "the command could not be started: No such file or directory"


async def test_a_command_that_hangs_is_killed_with_its_children(tmp_path, monkeypatch):
    """Nothing of it is left running."""
    for module in ("alerts", "alert_ways"):
        monkeypatch.setattr(import_module(f"authmail.delivery.{module}"), "ALERT_TIMEOUT", 1.0)
    pid = tmp_path / "pid"
    why = await told_by(AlertCommand(["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"]))
    assert why == "not done after 1 seconds"
    child = int(pid.read_text())
    await asyncio.to_thread(_until_gone, child)


def _until_gone(pid):
    """Wait until a process is gone, or is only waited for by whoever inherited it."""
    while True:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except FileNotFoundError:
            return


TEMPLATES = [Template("Generic", "{{code}} is your code", "<p>Hello, your code is {{code}}.</p>")]


@asynccontextmanager
async def two_accounts():
    """Two accounts at sandboxes, the key of the first one revoked: a sandbox, and senders by name."""
    async with Sandbox({"main": DirectMailEmulator(), "spare": DirectMailEmulator()}) as sandbox:
        configs = {"main": sandbox.config("main") | {"accessKeySecret": "revoked"}, "spare": sandbox.config("spare")}
        yield (
            sandbox,
            {
                name: Breaker(Mailer("aliyun-dm", config, templates=TEMPLATES, egress=Egress.ANY), name=name)
                for name, config in configs.items()
            },
        )


async def test_an_alert_is_mailed_by_the_other_sender(code):
    """In plain words of the language that the operator set."""
    async with two_accounts() as (sandbox, senders):
        alerts = Alerts([AlertMail("ops@example.com", senders["spare"], locale="fr-CA")])
        async with Delivery(Failover(senders.values()), plugins=[alerts]) as delivery:
            await outcome(delivery, code)
        mail = await sandbox.inbox.wait(to="ops@example.com")
    assert mail.subject == "Alerte e-mail, main : le compte ou ses réglages sont refusés"
    assert "raison: credentials" in mail.text
    assert mail.html is None


async def test_a_sender_does_not_mail_of_its_own_failure(scripted, code, caplog):
    """The log tells of it."""
    sender = scripted(REVOKED, name="main")
    async with Delivery(Retry(sender), plugins=[Alerts([AlertMail("ops@example.com", sender)])]) as delivery:
        await outcome(delivery, code)
    assert [message for _, message, _ in sender.calls] == [code]
    assert "alert account_error is on: sender=main" in caplog.text


# Beside messages


async def test_a_receiver_that_hangs_holds_up_no_message_and_no_end(scripted, code, monkeypatch):
    """The message has its answer while the receiver still hangs; closing gives up."""
    monkeypatch.setattr(import_module("authmail.delivery.alerts"), "_CLOSING", 0.2)
    async with receiver(None) as (url, came):
        async with Delivery(
            Failover({"main": scripted(REVOKED), "spare": scripted(TAKEN)}), plugins=[Alerts([webhook(url)])]
        ) as delivery:
            assert await delivery.send(code) == TAKEN
            while not came:  # noqa: ASYNC110 (what came is a list)
                await asyncio.sleep(0.01)
            assert await delivery.send(code) == TAKEN
        assert len(came) == 1


def test_the_end_is_never_told_before_the_beginning(scripted, in_fake_time, code):
    """Also where the beginning takes its time."""

    class Slow(Pager):
        async def tell(self, alert):
            await asyncio.sleep(5 if alert.state == "on" else 0)
            await super().tell(alert)

    async def scenario():
        slow = Slow()
        async with Delivery(Retry(scripted(REVOKED, TAKEN, name="main")), plugins=[Alerts([slow])]) as delivery:
            await outcome(delivery, code)
            await outcome(delivery, code)
            assert slow.told == []
            await asyncio.sleep(6)
        return slow.told

    assert in_fake_time(scenario()) == [("account_error", "on", 1), ("account_error", "over", 1)]


def test_a_way_that_fails_is_logged_and_changes_nothing(scripted, in_fake_time, code, pager, caplog):
    """By its type alone; the other ways tell all the same."""

    class Failing(Pager):
        async def tell(self, alert):
            raise RuntimeError("CANARY")

    async def scenario():
        delivery = Delivery(Failover({"main": scripted(REVOKED), "spare": scripted(TAKEN)}), plugins=[Alerts([Failing(), pager])])
        assert await outcome(delivery, code) == TAKEN

    in_fake_time(scenario())
    assert pager.told == [("account_error", "on", 1)]
    assert "account_error (on) could not be told by pager: RuntimeError" in caplog.text
    assert "CANARY" not in caplog.text


async def test_nothing_confidential_is_told(tmp_path, caplog):
    """Recipient, code, link and secret: in no alert, log record or argument of a process, also where the provider repeats them."""
    caplog.set_level(logging.DEBUG)
    arguments, told = tmp_path / "arguments", tmp_path / "told"
    command = program(tmp_path, f"import sys\nopen({str(arguments)!r}, 'a').write(open('/proc/self/cmdline').read())\n"
                                f"open({str(told)!r}, 'a').write(sys.stdin.read())")  # fmt: skip
    pager = Pager()
    async with receiver(200) as (url, came), two_accounts() as (sandbox, senders):
        ways = [pager, webhook(url), AlertCommand([command]), AlertMail("ops@example.com", senders["spare"])]
        async with Delivery(Failover(senders.values()), plugins=[Alerts(ways)]) as delivery:
            payload = {"code": "482913", "link": "https://example.com/token-canary"}
            await outcome(delivery, Message("zoe.martin@example.com", "SignIn", payload))
        mail = await sandbox.inbox.wait(to="ops@example.com")
    everything = [json.dumps(pager.alerts), *(body.decode() for _, body in came), arguments.read_text(), told.read_text(),
                  mail.subject, mail.text, caplog.text, *(json.dumps(vars(one), default=str) for one in caplog.records if one.name == "authmail.alerts")]  # fmt: skip
    assert told.read_text().count("account_error") == len(came) == 1
    for confidential in ("zoe.martin", "482913", "canary", "revoked", SECRET):
        assert [text for text in everything if confidential in text] == []
