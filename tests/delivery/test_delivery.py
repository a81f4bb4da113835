import asyncio
import json
import logging
import traceback
from contextlib import suppress

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from authmail import AccountError, Egress, Email, Limited, Mailer, Message, NotSent, Receipt, SendError, Template, hookimpl
from authmail.delivery import Breaker, Dedupe, Delivery, Failover, Limit, Limits, MemoryStore, Retry, Route, Routes
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

TEMPLATES = [
    Template("Generic", "{{code}} is your code", "<p>Hello, your code is {{code}}.</p>"),
    Template("SignIn", "{{code}} est votre code", "<p>Bonjour, {{code}}.</p>", locale="fr"),
    Template("OrganizationInvitation", "Join", '<p><a href="{{link}}">Join</a></p>'),
]


class Listener:
    """Writes down everything that it hears."""

    def __init__(self):
        self.heard = []

    def of(self, hook):
        return [what for name, what in self.heard if name == hook]

    @hookimpl
    def attempt(self, sender, receipt, error, seconds):
        self.heard.append(("attempt", (sender, receipt or str(error.reason), seconds)))

    @hookimpl
    async def switched(self, sender, to, error):
        await asyncio.sleep(0)
        self.heard.append(("switched", (sender, to, str(error.reason))))

    @hookimpl
    def breaker(self, sender, state, seconds):
        self.heard.append(("breaker", (sender, state, seconds)))

    @hookimpl
    def message_sent(self, message, receipt):
        self.heard.append(("sent", (message, receipt)))

    @hookimpl
    def message_failed(self, message, error):
        self.heard.append(("failed", (message, error)))


def test_observers_hear_what_happens_on_the_way(scripted, in_fake_time, code):
    """Every attempt with its time, every switch with its reason, breakers, and the one answer once."""

    async def scenario():
        listener = Listener()
        one, two = scripted(AccountError("no", reason="quota"), takes=2), scripted(Receipt("2"), takes=1)
        delivery = Delivery(Retry(Failover({"one": one, "two": two})), plugins=[listener])
        receipt = await delivery.send(code)
        assert listener.heard == [
            ("attempt", ("one", "quota", 2)),
            ("breaker", ("one", "open", 10)),
            ("switched", ("one", "two", "quota")),
            ("attempt", ("two", Receipt("2"), 1)),
            ("sent", (code, receipt)),
        ]

    in_fake_time(scenario())


def test_a_breaker_is_heard_of_when_it_closes_again(scripted, in_fake_time, code):
    """Somebody who was woken should hear that it is over."""

    async def scenario():
        listener = Listener()
        delivery = Delivery(Breaker(scripted(AccountError("no"), Receipt("1")), name="main"), plugins=[listener])
        with pytest.raises(AccountError):
            await delivery.send(code)
        await asyncio.sleep(10)
        await delivery.send(code)
        assert listener.of("breaker") == [("main", "open", 10), ("main", "probing", 0), ("main", "closed", 0)]

    in_fake_time(scenario())


def test_no_observer_changes_the_answer(scripted, in_fake_time, code, caplog):
    """One that fails is logged, by its type alone."""

    class Failing:
        @hookimpl
        def attempt(self):
            raise RuntimeError("CANARY")

        @hookimpl
        async def message_sent(self):
            raise RuntimeError("CANARY")

    assert in_fake_time(Delivery(scripted(Receipt("1")), plugins=[Failing()]).send(code)) == Receipt("1")
    assert "hook of a plugin failed: RuntimeError" in caplog.text
    assert "CANARY" not in caplog.text


def test_two_deliveries_do_not_hear_each_other(scripted, in_fake_time, code):
    """Also when one runs within the other's time."""

    async def scenario():
        first, second = Listener(), Listener()
        one = Delivery(Dedupe(scripted(Receipt("1"), takes=1)), plugins=[first])
        two = Delivery(Dedupe(scripted(Receipt("2"), takes=1)), plugins=[second])
        await asyncio.gather(one.send(code), two.send(code))
        assert [what[1].message_id for what in first.of("sent") + second.of("sent")] == ["1", "2"]
        assert len(first.of("attempt")) == len(second.of("attempt")) == 1

    in_fake_time(scenario())


def test_the_log_tells_the_answer_and_nothing_confidential(scripted, in_fake_time, caplog):
    """One record per message, its fields for machines too; the recipient as a keyed hash."""
    message = Message("zoe@example.com", "SignIn", {"code": "482913", "link": "https://example.com/token-canary"})
    caplog.set_level(logging.INFO, "authmail.delivery")
    in_fake_time(Delivery(scripted(Receipt("id-1", connector="acme"))).send(message))
    with pytest.raises(NotSent):
        in_fake_time(Delivery(Retry(scripted(NotSent("down", code="E1")), attempts=2)).send(message))
    sent, failed = caplog.records
    assert (sent.levelname, failed.levelname) == ("INFO", "WARNING")
    assert {"type": "SignIn", "outcome": "accepted", "connector": "acme", "message_id": "id-1"}.items() <= sent.authmail.items()
    assert {"outcome": "not sent", "reason": "provider", "code": "E1", "attempts": 2}.items() <= failed.authmail.items()
    assert len(sent.authmail["recipient"]) == 16
    assert sent.authmail["recipient"] != failed.authmail["recipient"], "each process, and each Delivery, has a key of its own"
    for confidential in ("zoe", "482913", "canary"):
        assert confidential not in caplog.text + json.dumps([record.authmail for record in caplog.records])


def test_metrics_are_counted_by_opentelemetry(scripted, in_fake_time, code, monkeypatch):
    """Messages, attempts, switches, breakers and the time of attempts, read back by OpenTelemetry's own SDK."""
    from opentelemetry import metrics

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)

    async def scenario():
        one, two = scripted(AccountError("no", reason="quota"), takes=2), scripted(Receipt("2"), NotSent("down"), takes=1)
        delivery = Delivery(Failover({"one": one, "two": two}))
        await delivery.send(code)
        with pytest.raises(NotSent):
            await delivery.send(Message("a@b.co", "made-up", {"code": "1"}))

    in_fake_time(scenario())
    found = {
        metric.name: [
            (dict(point.attributes), getattr(point, "value", getattr(point, "sum", None))) for point in metric.data.data_points
        ]
        for metric in reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    }
    assert ({"outcome": "accepted", "type": "SignIn"}, 1) in found["authmail.messages"]
    assert ({"outcome": "not sent", "reason": "provider", "type": "other"}, 1) in found["authmail.messages"]
    assert ({"sender": "one", "outcome": "account", "reason": "quota"}, 1) in found["authmail.attempts"]
    assert ({"sender": "one", "to": "two"}, 2) in found["authmail.switches"]
    assert ({"sender": "one", "state": "open"}, 1) in found["authmail.breaker"]
    assert ({"sender": "one", "outcome": "account"}, 2.0) in found["authmail.attempt.time"]
    provider.shutdown()


@pytest.fixture
async def providers():
    """Two real Direct Mails on loopback, each with its inbox."""
    async with Sandbox({"a": DirectMailEmulator()}) as one, Sandbox({"a": DirectMailEmulator()}) as two:
        yield one, two


def mailer(sandbox):
    """A Mailer that sends into a sandbox."""
    return Mailer("aliyun-dm", sandbox.config("a"), templates=TEMPLATES, egress=Egress.ANY)


@pytest.fixture
async def delivery(providers):
    """The whole nesting, opened once from outside."""
    one, two = providers
    first = mailer(one)
    routes = Routes(
        [Route(name="cn", sender=Failover({"one": first}), domains=["*.cn"])], Failover({"one": first, "two": mailer(two)})
    )
    async with Delivery(Dedupe(Limits(Retry(routes, attempts=2, first_delay=0.01)))) as opened:
        yield opened


async def test_a_mailer_that_stands_in_two_routes_is_opened_once(delivery, providers, code):
    """And the nesting sends for real, also to whoever has all the time there is."""
    receipt = await delivery.send(code, timeout=float("inf"))
    assert receipt.connector == "aliyun-direct-mail"
    await delivery.send(Message("a@mail.cn", "SignIn", {"code": "654321"}))
    assert [len(sandbox.inbox) for sandbox in providers] == [2, 0]


async def test_fails_over_to_another_real_provider(delivery, providers):
    """After an account error at the first one; the inboxes show where it went."""
    one, two = providers
    one._emulators["a"].access_keys.clear()
    await delivery.send(Message("zoe@example.com", "SignIn", {"code": "123456"}))
    assert [len(one.inbox), len(two.inbox)] == [0, 1]


async def test_the_admins_button_is_never_a_repeat(delivery, providers):
    """Pressed twice, two mails arrive."""
    await delivery.test("admin@example.com")
    await delivery.test("admin@example.com", type="SignIn", locale="fr")
    assert [mail.code for mail in providers[0].inbox] == ["000000", "000000"]


async def test_preview_shows_the_mail_of_the_first_sender(delivery):
    """Without sending it."""
    email = await delivery.preview(Message("zoe@example.com", "SignIn", {"code": "123456", "locale": "fr-CA"}))
    assert email.subject == "123456 est votre code"


async def test_explains_which_way_a_message_would_go(delivery, scripted):
    """Deadline, repeats, limits, route, attempts, senders, template, and why; for what no template serves, too."""
    steps = await delivery.explain(Message("zoe@mail.cn", "SignIn", {"code": "123456", "locale": "fr"}))
    assert {step.what: step.decision for step in steps} == {
        "deadline": "10 s",
        "repeats": "get the first answer for 30 s",
        "limit per recipient": "10 in 600 s",
        "attempts": "at most 2",
        "unknown outcome": "send again",
        "route": "cn",
        "senders": "one",
        "template": "SignIn, fr",
    }
    assert "domains *.cn" in [step.why for step in steps]
    invitation = await delivery.explain(
        Message("zoe@example.com", "OrganizationInvitation", {"link": "https://x.example"}, resend=True)
    )
    decisions = {step.what: step.decision for step in invitation}
    assert (decisions["unknown outcome"], decisions["repeats"], decisions["senders"]) == ("stop", "go out", "one, then two")
    nothing = await delivery.explain(Message("zoe@example.com", "Notice", {}))
    assert nothing[-1].decision == "none"
    bare = await Delivery(scripted()).explain(Message("zoe@example.com", "SignIn", {}))
    assert [step.what for step in bare] == ["deadline"]
    with pytest.raises(TypeError, match="no Mailer"):
        await Delivery(scripted()).preview(Message("zoe@example.com", "SignIn", {}))


async def test_a_connector_that_takes_messages_alone_has_no_template_here(delivery):
    """A rendered Email goes through the whole nesting too."""
    receipt = await delivery.send(Email("zoe@example.com", "s", text="hello", idempotency_key="k"))
    assert receipt == await delivery.send(Email("zoe@example.com", "s", text="hello", idempotency_key="k"))


async def test_errors_hold_nothing_confidential(delivery):
    """Neither in their texts nor in the local variables of their tracebacks, which error trackers send away."""
    message = Message("quota@example.com", "SignIn", {"code": "482913", "link": "https://example.com/token-canary"})
    with pytest.raises(SendError) as caught:
        await delivery.send(message)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    for confidential in ("482913", "token-canary", "sandbox-secret"):
        assert confidential not in shown
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("steps", range(40))
def test_cancelling_at_any_await_leaves_everything_in_order(scripted, in_fake_time, steps):
    """No task is left, no mail goes out twice, and the next message finds breakers and limits as they should be."""

    async def scenario():
        one, two = scripted(NotSent("down"), name="one"), scripted(Receipt("2"), name="two")
        store = MemoryStore()
        inner = Limits(Retry(Failover([one, two]), jitter=lambda: 0.0), store=store, recipient=Limit(2, 600))
        async with Delivery(Dedupe(inner, store=store), plugins=[Listener()]) as delivery:
            message = Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key="k")
            task = asyncio.create_task(delivery.send(message))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            assert await delivery.send(message) == Receipt("2")
            assert len(two.calls) == 1
            assert await delivery.send(Message("zoe@example.com", "Notice", {"event": "signed in"})) == Receipt("2")
            with pytest.raises(Limited):
                await delivery.send(Message("zoe@example.com", "Notice", {"event": "signed out"}))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_fake_time(scenario())


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("-inf")])
@pytest.mark.parametrize("nesting", [Retry, lambda sender: Failover([sender]), Dedupe, Limits, Delivery, Breaker])
def test_without_time_nobody_is_asked(scripted, in_fake_time, code, nesting, timeout):
    """Then it is certain that nothing was sent; a connector that began might not know."""
    sender = scripted()
    with pytest.raises(NotSent) as caught:
        in_fake_time(nesting(sender).send(code, timeout=timeout))
    assert isinstance(caught.value, TimeoutError)
    assert sender.calls == []


WRONG = [
    Message("a@b.co", "SignIn", None),
    Message("a@b.co", "SignIn", [("code", "1")]),
    Message("a@b.co", "SignIn", {"code": "1"}, ip=5),
    Message("a@b.co", "SignIn", {"code": "1"}, ip="\ud800" * 100_000),
    Message("a@b.co", "SignIn", {"code": "1"}, idempotency_key=5),
    Message("a@b.co", "SignIn", {"code": ["\ud800"], "application": "x", "uiLocales": 5}, idempotency_key="\ud800"),
]


@pytest.mark.parametrize("message", WRONG, ids=range(len(WRONG)))
def test_no_message_is_too_odd_for_a_policy(scripted, in_fake_time, message):
    """What is wrong with it is the Mailer's to say, in its one answer."""
    routes = Routes([Route(name="x", sender=scripted(), domains=["*.cn"], applications=["a"], locales=["fr"])], scripted())
    delivery = Delivery(Dedupe(Limits(Retry(Failover([routes])), ip=Limit(5, 60))))
    assert in_fake_time(delivery.send(message)) == Receipt("1")
    in_fake_time(delivery.explain(message))


def test_nobody_writes_lines_of_their_own_into_the_log(scripted, in_fake_time, caplog):
    """Types come from callers and ids from providers."""
    caplog.set_level(logging.INFO, "authmail.delivery")
    message = Message("a@b.co", "SignIn\nmessage type=Made", {"code": "1"})
    in_fake_time(Delivery(scripted(Receipt("id\r\nmessage outcome=accepted" + "x" * 10_000))).send(message))
    line = caplog.records[0].getMessage()
    assert "\n" not in line
    assert "\r" not in line
    assert len(line) < 600
