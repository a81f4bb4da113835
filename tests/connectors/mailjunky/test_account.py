import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason, Throttled
from authmail.sandbox import Refusal, Sandbox
from authmail_mailjunky.emulator import MailJunkyEmulator

MAILJUNKY = "mailjunky-email-service"


class Told(MailJunkyEmulator):
    """An account that tells something else of itself."""

    def __init__(self, told):
        super().__init__()
        self.told = told

    def tell(self, request):
        if isinstance(self.told, Refusal):
            raise self.told
        return web.json_response(self.told)


async def check(emulator, **change):
    connector = authmail.get_connector(MAILJUNKY)
    async with Sandbox({MAILJUNKY: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(MAILJUNKY) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


@pytest.mark.parametrize(
    "emulator", [MailJunkyEmulator(), Told({"data": [{"id": "ct_1", "email": "ann@example.com"}], "total": 1})]
)
async def test_tells_what_was_not_looked_at(emulator):
    """The key is right, and the domain unknown. Nothing is told of a person."""
    report = await check(emulator)
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["fromEmail"])
    assert "ann" not in repr(report)
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].message_in(language) != report.warnings[0].message


@pytest.mark.parametrize("status", [403, 404, 405])
async def test_what_is_not_answered_is_no_error(status):
    """A key that may only send is good, and so is a host that takes mails alone."""
    report = await check(Told(Refusal(status, "", "not here")))
    assert [warning.path for warning in report.warnings] == ["fromEmail", "apiKey"]


@pytest.mark.parametrize(
    ("emulator", "change", "kind", "reason"),
    [
        (MailJunkyEmulator(), {"apiKey": "mj_live_wrong"}, AccountError, Reason.CREDENTIALS),
        (Told(Refusal(402, "", "Payment required")), {}, AccountError, Reason.QUOTA),
        (Told(Refusal(429, "", "Too many requests")), {}, Throttled, Reason.RATE),
        (Told([]), {}, OutcomeUnknown, Reason.PROVIDER),
        (Told(Refusal(500, "", "internal")), {}, OutcomeUnknown, Reason.PROVIDER),
    ],
)
async def test_what_would_stop_every_mail_is_an_error(emulator, change, kind, reason):
    """And what cannot be read tells nothing: somebody else may have answered."""
    with pytest.raises(kind) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, MAILJUNKY)
