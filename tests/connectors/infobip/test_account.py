import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_infobip.emulator import InfobipEmulator

INFOBIP = "infobip-mail"


class Told(InfobipEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def tell(self, request):
        name = "balance" if request.path.endswith("/balance") else "domain"
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response(self.answers[name])


async def check(emulator, **change):
    connector = authmail.get_connector(INFOBIP)
    async with Sandbox({INFOBIP: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(INFOBIP) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


FORBIDDEN, LEGACY = Refusal(403, "E403", "Permission denied."), Refusal(403, "FORBIDDEN", "Permission denied.")
DOMAIN = {"domainName": "mail.sandbox.example", "active": True, "blocked": False}


async def test_tells_balance_and_domain():
    """As far as the key may see them, without sending mail."""
    report = await check(InfobipEmulator())
    assert (report.facts, report.warnings) == ({"Balance": "47.79 EUR", "Domain": "mail.sandbox.example"}, ())


@pytest.mark.parametrize("refused", [FORBIDDEN, LEGACY])
async def test_a_key_that_may_only_send_is_good(refused):
    """What it may not see is said."""
    report = await check(Told(balance=refused, domain=refused))
    assert (report.facts, [warning.path for warning in report.warnings]) == ({"Domain": "mail.sandbox.example"}, ["apiKey"])


@pytest.mark.parametrize(
    "answers",
    [{"domain": DOMAIN | {"active": False}}, {"domain": DOMAIN | {"blocked": True}}, {"domain": Refusal(404, "E404", "Requested resource not found.")}],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers):
    """A domain that is not there, not verified, or blocked for its bounces."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == ["from"]
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint
    assert report.warnings[0].message.endswith(": mail.sandbox.example")


@pytest.mark.parametrize(
    "balance", [{}, [], {"balance": "47"}, {"balance": True}, *(Refusal(status, "", "x") for status in (401, 403, 404, 500))]
)
async def test_a_balance_that_is_not_told_is_left_out(balance):
    """Accounts on contract have none, and few keys may see it: that is no trouble."""
    assert (await check(Told(balance=balance))).facts == {"Domain": "mail.sandbox.example"}


async def test_a_balance_may_lack_its_currency():
    """It is told all the same."""
    assert (await check(Told(balance={"balance": 1234567}))).facts["Balance"] == "1234567.00"


async def test_a_wrong_key_is_an_error():
    """Every mail would be refused."""
    with pytest.raises(AccountError) as caught:
        await check(InfobipEmulator(), apiKey="wrong")
    assert (caught.value.reason, caught.value.connector) == (Reason.CREDENTIALS, INFOBIP)


@pytest.mark.parametrize("answer", [[], {}, {"active": 1}, Refusal(500, "E500", "x"), Refusal(502, "E502", "x")])
async def test_what_cannot_be_read_tells_nothing(answer):
    """Somebody else may have answered, or Infobip has a fault."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(domain=answer))


async def test_an_error_of_somebody_elses_is_no_answer_about_the_domain(monkeypatch):
    """Such as that of a proxy that knows no such page."""
    monkeypatch.setattr(InfobipEmulator, "tell", lambda *_: web.json_response({"error": "no route"}, status=404))
    with pytest.raises(AccountError) as caught:
        await check(InfobipEmulator())
    assert caught.value.reason == Reason.ENDPOINT
