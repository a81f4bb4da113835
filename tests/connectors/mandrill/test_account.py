import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_mandrill.emulator import MandrillEmulator

MANDRILL = "mandrill-mail"
INFO = {"username": "sandbox", "public_id": "x", "reputation": 95, "hourly_quota": 250, "backlog": 0}


class Told(MandrillEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers

    def tell(self, request):
        name = request.path.rpartition("/")[2].removesuffix(".json")
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response(self.answers[name])


async def check(emulator, **change):
    connector = authmail.get_connector(MANDRILL)
    async with Sandbox({MANDRILL: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(MANDRILL) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


def domain(**change):
    return [
        {"domain": "other.example", "valid_signing": True},
        {"domain": "Mail.Sandbox.Example", "valid_signing": True} | change,
    ]


async def test_tells_quota_and_domain():
    """And what waits, without sending mail."""
    report = await check(MandrillEmulator())
    assert report.facts == {"Mails an hour": "250", "Mails waiting": "0", "Reputation": "95", "Domain": "mail.sandbox.example"}
    assert report.warnings == ()


async def test_a_domain_is_found_whatever_its_case():
    """Names of domains have none."""
    assert (await check(Told(domains=domain()))).warnings == ()


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"domains": []}, "from"), ({"domains": [5]}, "from"), ({"domains": domain(valid_signing=False)}, "from"),
        ({"domains": domain(domain="mail.example")}, "from"), ({"info": INFO | {"backlog": 12}}, "apiKey"),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path):
    """In every language: a domain that cannot sign, mails that wait."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == [path]
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].message_in(language) != report.warnings[0].message
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (MandrillEmulator(), {"apiKey": "md-wrong"}, Reason.CREDENTIALS), (Told(info=Refusal(401, "Invalid_Key", "x")), {}, Reason.CREDENTIALS),
        (Told(info=Refusal(500, "PaymentRequired", "x")), {}, Reason.QUOTA), (Told(domains=Refusal(500, "PoorReputation", "x")), {}, Reason.ACCOUNT),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """Though most of it is a 500."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, MANDRILL)


@pytest.mark.parametrize(
    "answers", [{"info": None}, {"info": {}}, {"info": []}, {"domains": {}}, {"domains": Refusal(500, "GeneralError", "x")}]
)
async def test_what_cannot_be_read_tells_nothing(answers):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(**answers))
