import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_mailersend.emulator import MailerSendEmulator

MAILERSEND = "mailersend-mail"


class Told(MailerSendEmulator):
    """An account that tells something else of itself."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def tell(self, request):
        if isinstance(self.answer, Refusal):
            raise self.answer
        return web.json_response(self.answer, headers={"Date": "Wed, 25 Nov 2026 23:00:00 GMT"})


async def check(emulator, **change):
    connector = authmail.get_connector(MAILERSEND)
    async with Sandbox({MAILERSEND: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(MAILERSEND) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_the_quota(vectors):
    """As the captured answer has it, without sending mail."""
    [captured] = [one for one in vectors("mailersend/captures")["captures"] if one["name"] == "api-quota-200"]
    report = await check(Told(captured["server_replies"][0]["body"]))
    assert report.facts == {"Requests a day": "1000", "Requests left": "997", "Reset": "2026-11-26T00:00:00Z"}
    assert report.warnings == ()


async def test_the_sandbox_has_a_quota():
    """The same as the capture's."""
    assert (await check(MailerSendEmulator())).facts["Requests left"] == "997"


async def test_a_token_that_may_only_send_is_a_warning():
    """Least rights are good practice."""
    report = await check(Told(Refusal(403, "MS40301", "This action is unauthorized.")))
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["apiKey"])


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (MailerSendEmulator(), {"apiKey": "mlsn.wrong"}, Reason.CREDENTIALS),
        (Told(Refusal(403, "MS40304", "Suspended.")), {}, Reason.ACCOUNT),
        (Told({"quota": 100, "remaining": 0, "reset": "2026-11-26T00:00:00Z"}), {}, Reason.QUOTA),
    ],
)
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong token, a suspended account, a quota that is used up."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, MAILERSEND)
    assert reason != Reason.QUOTA or caught.value.retry_after == 3600


@pytest.mark.parametrize("answer", [{}, [], {"remaining": None}, {"remaining": True}])
async def test_what_is_no_quota_tells_nothing(answer):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(answer))
