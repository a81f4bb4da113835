import pytest

import authmail
from authmail import AccountError, Egress, Reason
from authmail.sandbox import Sandbox
from authmail_resend.emulator import ResendEmulator

RESEND = "resend-mail"


async def check(change=None, **domain):
    connector = authmail.get_connector(RESEND)
    emulator = ResendEmulator(domains={"mail.sandbox.example": domain})
    async with Sandbox({RESEND: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(RESEND) | (change or {}), templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_the_domain():
    """Its state and region, and what was sent, without sending mail."""
    report = await check()
    assert report.facts == {
        "Domain": "mail.sandbox.example", "Status": "verified", "Region": "eu-west-1", "Sent today": "3", "Sent this month": "42",
    }  # fmt: skip
    assert report.warnings == ()


async def test_a_key_that_may_only_send_is_a_warning():
    """Least rights are good practice."""
    report = await check({"apiKey": "re_sandbox_sending_access"})
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["apiKey"])


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ({"click_tracking": True}, "rewrites links"),
        ({"open_tracking": True}, "picture"),
        ({"status": "temporary_failure"}, "completely"),
    ],
)
async def test_tracking_and_half_verified_domains_warn(domain, says):
    """Tracking is the domain's setting, so authmail can only say so."""
    [warning] = (await check(**domain)).warnings
    assert (warning.path, says in warning.message) == ("from", True)


async def test_the_test_sender_is_a_warning():
    """It needs no domain, and reaches nobody else."""
    [warning] = (await check({"from": "onboarding@resend.dev"})).warnings
    assert "nobody but yourself" in warning.message


@pytest.mark.parametrize(
    ("change", "domain", "reason"),
    [
        ({"apiKey": "re_wrong"}, {}, Reason.CREDENTIALS),
        ({"from": "a@sandbox.example"}, {}, Reason.SENDER),
        ({"from": "a@other.mail.sandbox.example"}, {}, Reason.SENDER),
        ({}, {"status": "pending"}, Reason.SENDER),
        ({}, {"status": "failed"}, Reason.SENDER),
    ],
)
async def test_what_would_stop_every_mail_is_an_error(change, domain, reason):
    """A wrong key; a domain that is not added, also one below it, or not verified."""
    with pytest.raises(AccountError) as caught:
        await check(change, **domain)
    assert (caught.value.reason, caught.value.connector) == (reason, RESEND)
