import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_smtp2go.emulator import SMTP2GOEmulator

SMTP2GO = "smtp2go-email-service"


class Told(SMTP2GOEmulator):
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
        return web.json_response({"request_id": "r", "data": self.answers[name]})


async def check(emulator, **change):
    connector = authmail.get_connector(SMTP2GO)
    async with Sandbox({SMTP2GO: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(SMTP2GO) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


def domain(**change):
    return {
        "domains": [{"domain": {"fulldomain": "Mail.Sandbox.Example", "dkim_verified": True, "rpath_verified": True} | change}]
    }


async def test_tells_quota_and_domain():
    """As far as the key may see them, without sending mail."""
    report = await check(SMTP2GOEmulator())
    assert report.facts == {
        "Mails in this cycle": "1000", "Mails left": "997", "Reset": "2026-12-01T00:00:00+00:00", "Domain": "mail.sandbox.example",
    }  # fmt: skip
    assert report.warnings == ()


@pytest.mark.parametrize("told", [["/email/send"], [{"request_id": "r", "data": ["/email/send", 5]}]])
async def test_a_key_that_may_only_send_is_good(told):
    """In both forms that the page has; what it may not see is not asked for, and said."""
    refused = Refusal(400, "ENDPOINT_PERMISSION_DENIED", "You do not have permission to access this API endpoint")
    report = await check(Told(permissions=told, email_cycle=refused, view=refused))
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["apiKey"])


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"email_cycle": {"cycle_remaining": 0}}, "apiKey"), ({"view": {"domains": []}}, "sender"), ({"view": {"domains": 5}}, "sender"),
        ({"view": domain(dkim_verified=False)}, "sender"), ({"view": domain(rpath_verified=False)}, "sender"), ({"view": domain(fulldomain="other.example")}, "sender"),
        ({"view": {"domains": [5, {"domain": 5}]}}, "sender"),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path):
    """Mail above the quota is held, and a single sender needs no domain."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == [path]
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


async def test_a_domain_is_found_whatever_its_case():
    """Names of domains have none."""
    assert (await check(Told(view=domain()))).warnings == ()


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (SMTP2GOEmulator(), {"apiKey": "api-wrong"}, Reason.CREDENTIALS), (Told(permissions=["/domain/view"]), {}, Reason.PERMISSION),
        (Told(permissions=Refusal(400, "API_EXCEPTION", "Your account has been suspended")), {}, Reason.ACCOUNT),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong key, one that may not send, an account that is stopped."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, SMTP2GO)


@pytest.mark.parametrize(
    "answers", [{"permissions": None}, {"email_cycle": None}, {"view": Refusal(500, "API_EXCEPTION", "internal")}]
)
async def test_what_cannot_be_read_tells_nothing(answers):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(**answers))
