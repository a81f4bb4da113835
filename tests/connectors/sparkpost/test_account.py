import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_sparkpost.emulator import SparkPostEmulator

SPARKPOST = "sparkpost-mail"


class Told(SparkPostEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def tell(self, request):
        name = "account" if request.path.endswith("/account") else "domain"
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response({"results": self.answers[name]})


async def check(emulator, **change):
    connector = authmail.get_connector(SPARKPOST)
    async with Sandbox({SPARKPOST: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(SPARKPOST) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


def usage(used, limit):
    return {"status": "active", "usage": {"day": {"used": used, "limit": limit}}}


def domain(**change):
    return {"status": {"ownership_verified": True, "dkim_status": "valid", "compliance_status": "valid"} | change}


FORBIDDEN = Refusal(403, "", "Forbidden.")


async def test_tells_plan_quota_and_domain():
    """As far as the key may see them, without sending mail."""
    report = await check(SparkPostEmulator())
    assert report.facts == {"Plan": "500", "Mails today": "3/100", "Mails this month": "40/500", "Domain": "mail.sandbox.example"}
    assert report.warnings == ()


async def test_a_key_that_may_only_send_is_good():
    """What it may not see is said."""
    report = await check(Told(account=FORBIDDEN, domain=FORBIDDEN))
    assert (report.facts, [warning.path for warning in report.warnings]) == (
        {"Domain": "mail.sandbox.example"},
        ["apiKey", "apiKey"],
    )


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"account": usage(100, 100)}, "apiKey"), ({"account": usage(101, 100)}, "apiKey"), ({"domain": domain(ownership_verified=False)}, "from"),
        ({"domain": domain(compliance_status="blocked")}, "from"), ({"domain": domain(compliance_status="pending")}, "from"), ({"domain": {"status": 5}}, "from"), ({"domain": Refusal(404, "1600", "not found")}, "from"),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path):
    """An account whose limit is reached, a domain that is not there, not verified, or barred."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == [path]
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint
    assert path != "from" or report.warnings[0].message.endswith(": mail.sandbox.example")


@pytest.mark.parametrize("day", [{"used": "3"}, {"used": 3}, {"limit": 100}, {"used": None, "limit": 0}, 5])
async def test_what_an_account_does_not_tell_is_left_out(day):
    """An Enterprise account has no usage."""
    report = await check(Told(account={"status": "active", "usage": {"day": day}}, domain=domain()))
    assert (report.facts, report.warnings) == ({"Domain": "mail.sandbox.example"}, ())


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (SparkPostEmulator(), {"apiKey": "wrong"}, Reason.CREDENTIALS), (Told(account={"status": "suspended"}), {}, Reason.ACCOUNT),
        (Told(account=Refusal(401, "1303", "Invalid customer id")), {}, Reason.CREDENTIALS),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong key, an account that is stopped."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, SPARKPOST)


@pytest.mark.parametrize("answers", [{"account": None}, {"domain": None}, {"domain": Refusal(500, "1501", "database")}])
async def test_what_cannot_be_read_tells_nothing(answers):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(**answers))


@pytest.mark.parametrize(("status", "reason"), [(403, Reason.PERMISSION), (404, Reason.ENDPOINT)])
@pytest.mark.parametrize("path", ["account", "sending-domains"])
async def test_an_error_of_somebody_elses_is_no_answer(monkeypatch, status, reason, path):
    """Such as that of a proxy in between: nothing is known then."""
    tell = SparkPostEmulator.tell

    def told(emulator, request):
        return web.json_response({"error": "no route"}, status=status) if path in request.path else tell(emulator, request)

    monkeypatch.setattr(SparkPostEmulator, "tell", told)
    with pytest.raises(AccountError) as caught:
        await check(SparkPostEmulator())
    assert caught.value.reason == reason


async def test_an_account_that_is_not_there_is_an_error():
    """Unlike a domain."""
    with pytest.raises(AccountError) as caught:
        await check(Told(account=Refusal(404, "1600", "resource not found")))
    assert caught.value.code == "1600"
