import pytest

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Sandbox
from authmail_ses.emulator import SESEmulator

SES = "aws-ses-mail"
QUOTA = {"Max24HourSend": 200.0, "MaxSendRate": 1.0, "SentLast24Hours": 3.0}
GOOD = {"EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": True, "SendingEnabled": True, "SendQuota": QUOTA}


def identity(name, *, usable=True):
    return {"IdentityName": name, "IdentityType": "DOMAIN", "SendingEnabled": usable, "VerificationStatus": "SUCCESS"}


async def check(told=None, **change):
    connector = authmail.get_connector(SES)
    async with Sandbox({SES: SESEmulator(told)}) as sandbox:
        config = connector.validate_config(sandbox.config(SES) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_state_quota_and_sender(vectors):
    """As the captured answer has it; the sandbox is a warning."""
    [captured] = [one for one in vectors("ses/captures")["captures"] if one["name"] == "get-account-200"]
    report = await check({"account": captured["server_replies"][0]["body"]})
    assert report.facts == {
        "Reputation": "HEALTHY", "Access": "sandbox", "Mails in 24 hours": "200", "Sent in 24 hours": "3", "Mails a second": "1",
        "Sender": "mail.sandbox.example",
    }  # fmt: skip
    assert [warning.path for warning in report.warnings] == ["region"]


async def test_a_good_account_has_no_warning():
    """The sandbox's own, and one without a limit."""
    report = await check()
    assert (report.warnings, report.facts["Access"]) == ((), "production")
    unlimited = await check({"account": GOOD | {"SendQuota": QUOTA | {"Max24HourSend": -1}}})
    assert unlimited.facts["Mails in 24 hours"] == "unlimited"


@pytest.mark.parametrize("quota", [None, 5, {}, {"Max24HourSend": "many", "SentLast24Hours": 1, "MaxSendRate": 1}])
async def test_a_quota_that_is_not_told_is_left_out(quota):
    """All else is told."""
    report = await check({"account": GOOD | {"SendQuota": quota}})
    assert set(report.facts) == {"Reputation", "Access", "Sender"}


@pytest.mark.parametrize("name", ["no-reply@mail.sandbox.example", "mail.sandbox.example", "sandbox.example"])
async def test_the_sender_is_verified_by_address_or_domain_or_one_above(name):
    """Whatever else is listed, also that which may not send."""
    rows = [identity("other.sandbox.example"), identity("mail.sandbox.example", usable=False), identity(name.upper()), 5]
    report = await check({"list-identities": {"EmailIdentities": rows}})
    assert report.facts["Sender"] == name


@pytest.mark.parametrize(
    ("told", "change", "reason", "says"),
    [
        ({}, {"accessKeyId": "AKIAOTHER"}, Reason.CREDENTIALS, "access key"), ({}, {"accessKeySecret": "wrong-one"}, Reason.CREDENTIALS, "signature"),
        ({}, {"region": "us-east-1"}, Reason.CONFIG, "another region"),
        ({"account": GOOD | {"SendingEnabled": False}}, {}, Reason.ACCOUNT, "paused"), ({"account": GOOD | {"EnforcementStatus": "SHUTDOWN"}}, {}, Reason.ACCOUNT, "paused"),
        ({"account": GOOD | {"SendQuota": QUOTA | {"SentLast24Hours": 200}}}, {}, Reason.QUOTA, "24 hours"),
        ({}, {"emailAddress": "no-reply@other.example"}, Reason.SENDER, "neither"),
        ({"list-identities": {"EmailIdentities": [identity("mail.sandbox.example", usable=False)]}}, {}, Reason.SENDER, "not yet"),
        ({}, {"configurationSetName": "other"}, Reason.CONFIG, "configurationSetName"),
        ({"configuration-sets/mails": {"SendingOptions": {"SendingEnabled": False}}}, {"configurationSetName": "mails"}, Reason.ACCOUNT, "configuration set"),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(told, change, reason, says):
    """Key, region, state, quota, sender and configuration set."""
    with pytest.raises(AccountError, match=says) as caught:
        await check(told, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, SES)


async def test_a_key_that_may_only_send_is_a_warning():
    """One for each question; least rights are good practice."""
    told = {"account": None, "list-identities": None, "configuration-sets/mails": None}
    report = await check(told, configurationSetName="mails")
    assert report.facts == {}
    assert [warning.message for warning in report.warnings] == [
        "may not ask GetAccount", "may not ask ListEmailIdentities", "may not ask GetConfigurationSet",
    ]  # fmt: skip


async def test_an_account_under_review_is_a_warning():
    """It still sends."""
    report = await check({"account": GOOD | {"EnforcementStatus": "PROBATION"}})
    assert [warning.path for warning in report.warnings] == ["accessKeyId"]


async def test_more_identities_than_are_listed_is_a_warning():
    """The sender may be among the others."""
    report = await check({"list-identities": {"EmailIdentities": [identity("a.example")], "NextToken": "more"}})
    assert [warning.path for warning in report.warnings] == ["emailAddress"]


async def test_an_identity_of_another_account_is_not_looked_for():
    """This account does not list it."""
    arn = "arn:aws:ses:eu-central-1:123456789012:identity/other.example"
    report = await check({}, emailAddress="no-reply@other.example", emailAddressIdentityArn=arn)
    assert "Sender" not in report.facts


@pytest.mark.parametrize("account", [[], {}, {"a": 1}, "text"])
async def test_what_is_no_account_tells_nothing(account):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check({"account": account})
