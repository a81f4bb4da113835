import pytest

import authmail
from authmail import AccountError, Egress, Reason
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

ALIYUN = "aliyun-direct-mail"


async def check(raw, change=None, **emulator):
    connector = authmail.get_connector(ALIYUN)
    async with Sandbox({ALIYUN: DirectMailEmulator(**emulator)}) as sandbox:
        config = connector.validate_config(raw | {"endpoint": sandbox.endpoint(ALIYUN)} | (change or {}))
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


@pytest.mark.parametrize("signature", ["v3", "v1"])
async def test_tells_quota_and_sender(raw, signature):
    """Without sending mail."""
    report = await check(raw, {"signature": signature})
    assert report.facts["Daily quota"] == "2000"
    assert report.facts["Sender"] == raw["accountName"]
    assert report.warnings == ()


async def test_a_key_that_may_only_send_is_a_warning(raw):
    """Least rights are good practice."""
    report = await check(raw, read_rights=False)
    assert report.facts == {}
    assert [warning.path for warning in report.warnings] == ["accessKeyId", "accessKeyId"]
    assert "dm:DescAccountSummary" in report.warnings[0].hint


@pytest.mark.parametrize(
    ("change", "emulator", "reason"),
    [
        ({"accessKeySecret": "wrong"}, {}, Reason.CREDENTIALS),
        ({"accountName": "other@mail.sandbox.example"}, {}, Reason.SENDER),
        ({}, {"user_status": 2}, Reason.ACCOUNT),
        ({}, {"user_status": 1}, Reason.ACCOUNT),
    ],
)
async def test_what_would_stop_every_mail_is_an_error(raw, change, emulator, reason):
    """A wrong key, an unknown sender, an account that is frozen or overdue."""
    with pytest.raises(AccountError) as caught:
        await check(raw, change, **emulator)
    assert (caught.value.reason, caught.value.connector) == (reason, ALIYUN)


async def test_a_reply_address_that_is_not_verified_is_a_warning(raw):
    """replyToAddress needs a verified address in the console."""
    report = await check(raw, {"replyToAddress": True})
    assert [warning.path for warning in report.warnings] == ["replyToAddress"]


async def test_egress_applies(raw):
    """A tenant's endpoint does not reach the host's network here either."""
    connector = authmail.get_connector(ALIYUN)
    config = connector.validate_config(raw | {"endpoint": "https://127.0.0.1:1"})
    with pytest.raises(AccountError, match="egress"):
        await connector.check_account(config)
