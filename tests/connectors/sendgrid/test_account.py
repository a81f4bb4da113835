import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_sendgrid.emulator import SendGridEmulator

SENDGRID = "sendgrid-email-service"
ALL = {"scopes": ["mail.send", "user.credits.read", "whitelabel.read"]}


class Told(SendGridEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def tell(self, request):
        name = request.path.rpartition("/")[2]
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response(self.answers[name])


async def check(emulator, **change):
    connector = authmail.get_connector(SENDGRID)
    async with Sandbox({SENDGRID: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(SENDGRID) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_credits_and_domain():
    """As far as the key may see them, without sending mail."""
    report = await check(SendGridEmulator())
    assert report.facts == {"Credits": "100", "Credits left": "97", "Reset": "2026-12-01", "Domain": "mail.sandbox.example"}
    assert report.warnings == ()


async def test_a_key_that_may_only_send_is_good(vectors):
    """As in the captured answer: what it may not see is not asked for, and said."""
    [captured] = [one for one in vectors("sendgrid/captures")["captures"] if one["name"] == "scopes-check-200"]
    refused = Refusal(403, "", "access forbidden")
    report = await check(Told(scopes=captured["server_replies"][0]["body"], credits=refused, domains=refused))
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["apiKey"])


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"credits": {"remain": 0, "total": 100}}, "apiKey"), ({"domains": []}, "fromEmail"), ({"domains": {}}, "fromEmail"),
        ({"domains": [{"domain": "mail.sandbox.example", "valid": False}]}, "fromEmail"), ({"domains": [{"domain": "other.example", "valid": True}]}, "fromEmail"),
        ({"domains": ["mail.sandbox.example"]}, "fromEmail"),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path):
    """Plans may go beyond their credits, and a single sender needs no domain."""
    report = await check(Told(scopes=ALL, **answers))
    assert [warning.path for warning in report.warnings] == [path]
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


@pytest.mark.parametrize("name", ["Mail.Sandbox.Example", "mail.sandbox.example"])
async def test_a_domain_is_found_whatever_its_case(name):
    """Names of domains have none."""
    assert (await check(Told(domains=[{"domain": name, "valid": True}]))).warnings == ()


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (SendGridEmulator(), {"apiKey": "SG.wrong"}, Reason.CREDENTIALS), (Told(scopes={"scopes": ["alerts.read"]}), {}, Reason.PERMISSION),
        (Told(scopes=Refusal(403, "", "Your account is under review.")), {}, Reason.ACCOUNT), (Told(scopes={"scopes": "mail.send"}), {}, Reason.ENDPOINT),
        (Told(scopes=[]), {}, Reason.ENDPOINT),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong key, one that may not send, an account that is stopped, an endpoint of somebody else."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, SENDGRID)


@pytest.mark.parametrize("answers", [{"scopes": None}, {"credits": None}, {"domains": Refusal(500, "", "internal server error")}])
async def test_what_cannot_be_read_tells_nothing(answers):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(**answers))
