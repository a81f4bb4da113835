"""Faults that are aimed at one provider, whoever the recipient is."""

import aiohttp
import pytest

from authmail import AccountError, Egress, Mailer, Message, Throttled
from authmail.sandbox import Sandbox
from authmail.sandbox.outcomes import outcomes_of
from authmail.testing.served import ServedSandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator
from authmail_resend.emulator import ResendEmulator
from authmail_smtp.emulator import SMTPEmulator

ALIYUN, RESEND, SMTP = "aliyun-direct-mail", "resend-mail", "simple-mail-transfer-protocol"
MESSAGE = Message("zoe@example.com", "SignIn", {"code": "482913"})


@pytest.fixture
async def providers():
    async with Sandbox({ALIYUN: DirectMailEmulator(), RESEND: ResendEmulator(), SMTP: SMTPEmulator()}) as running:
        yield running


def mailer(providers, connector):
    templates = [{"usageType": "Generic", "subject": "{{code}}", "content": "{{code}}"}]
    return Mailer(connector, providers.config(connector), templates=templates, egress=Egress.ANY)


@pytest.mark.parametrize(("connector", "fault"), [(ALIYUN, "throttled"), (RESEND, "throttled"), (SMTP, "throttled")])
async def test_the_next_mails_to_one_provider_fail(providers, connector, fault):
    """As often as was said, for any recipient; then all is well."""
    providers.fail(connector, fault, times=2)
    async with mailer(providers, connector) as sender:
        for _ in range(2):
            with pytest.raises(Throttled):
                await sender.send(MESSAGE)
        await sender.send(MESSAGE)
    assert len(providers.inbox) == 1


async def test_the_others_are_not_touched(providers):
    """So a failover can be seen to go on; a target names its provider too, and None takes a fault back."""
    providers.fail("aliyun-dm", "quota", times=None)
    async with mailer(providers, ALIYUN) as first, mailer(providers, RESEND) as second:
        for _ in range(3):
            with pytest.raises(AccountError):
                await first.send(MESSAGE)
        assert (await second.send(MESSAGE)).connector == RESEND
        providers.fail("aliyun-dm", None)
        assert (await first.send(MESSAGE)).connector == ALIYUN


@pytest.mark.parametrize(
    ("connector", "fault", "times", "says"),
    [
        (ALIYUN, "throtled", 1, "did you mean throttled?"),
        ("mailgun", "throttled", 1, "no provider of 'mailgun' is emulated here; there are aliyun-direct-mail"),
        (ALIYUN, "throttled", 0, "times must be"),
        (ALIYUN, "throttled", True, "times must be"),
    ],
)
async def test_what_cannot_be_aimed_is_told(providers, connector, fault, times, says):
    """With the nearest name there is."""
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        providers.fail(connector, fault, times=times)


def test_tests_without_a_loop_aim_too(raw):
    """The fixture's sandbox runs in a thread of its own."""
    from authmail.sync import Mailer as Sync

    with ServedSandbox({ALIYUN: DirectMailEmulator()}) as running:
        running.fail("aliyun-dm", "throttled")
        with Sync(ALIYUN, raw | {"endpoint": running.endpoint(ALIYUN)}, egress=Egress.ANY) as sender:
            with pytest.raises(Throttled):
                sender.send(MESSAGE)
            assert sender.send(MESSAGE).message_id


async def test_programs_in_any_language_aim_over_http(providers):
    """And read what is aimed; what is wrong is a 400 with words, and DELETE ends all."""
    async with aiohttp.ClientSession(providers.url) as session, mailer(providers, ALIYUN) as sender:
        answer = await session.post("/api/faults", json={"connector": "aliyun-dm", "fault": "throttled", "times": 2})
        assert answer.status == 204
        with pytest.raises(Throttled):
            await sender.send(MESSAGE)
        told = await (await session.get("/api/faults")).json()
        aliyun = next(one for one in told["connectors"] if one["id"] == ALIYUN)
        assert aliyun["aimed"] == {"fault": "throttled", "left": 1}
        quota = next(fault for fault in aliyun["faults"] if fault["fault"] == "quota")
        assert (quota["outcome"], quota["goesOn"]) == ("account", "yes")
        for wrong in (
            {"connector": ALIYUN, "fault": "x"},
            {"connector": 5},
            [],
            {"connector": ALIYUN, "fault": "cut", "times": "2"},
        ):
            assert (await session.post("/api/faults", json=wrong)).status == 400
        assert (await session.delete("/api/faults")).status == 204
        assert (await sender.send(MESSAGE)).message_id


async def test_every_fault_has_its_outcome():
    """Found out by sending: what it is called, and whether the next provider is asked."""
    found = await outcomes_of("aliyun-dm")
    told = {
        name: (found[name].outcome, found[name].goes_on)
        for name in ("throttled", "suppressed", "quota", "timeout", "slow", "busy")
    }
    assert told == {
        "throttled": ("throttled", "yes"),
        "suppressed": ("rejected", "no"),
        "quota": ("account", "yes"),
        "timeout": ("unknown", "codes"),
        "slow": ("accepted", "no"),
        "busy": ("not sent", "yes"),
    }
