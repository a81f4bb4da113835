import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, MessageRejected, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_mailgun.emulator import MailgunEmulator

MAILGUN = "mailgun-email"
ACTIVE = {"name": "mg.sandbox.example", "state": "active", "type": "custom", "is_disabled": False}


class Told(MailgunEmulator):
    """An account that tells something else of its domain, or answers a message without anything otherwise."""

    def __init__(self, domain=None, sending=None):
        super().__init__()
        self.domain, self.sending = domain, sending

    def tell(self, request):
        if self.domain is None or "/domains/" not in request.path:
            return super().tell(request)
        if isinstance(self.domain, Refusal):
            raise self.domain
        return web.json_response(self.domain)

    def read(self, request, body):
        if self.sending is not None:
            raise self.sending
        return super().read(request, body)


async def check(emulator, **change):
    connector = authmail.get_connector(MAILGUN)
    async with Sandbox({MAILGUN: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(MAILGUN) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_the_state_of_the_domain():
    """After the right to send, without sending mail."""
    report = await check(MailgunEmulator())
    assert (report.facts, report.warnings) == ({"Domain": "mg.sandbox.example", "State": "active"}, ())


async def test_the_captured_answer_is_read(vectors):
    """What the official SDK gets for the domain."""
    [captured] = [one for one in vectors("mailgun/captures")["captures"] if one["name"] == "domain-check-200"]
    assert captured["requests"][0]["target"] == "/v3/domains/mail.example.com"
    report = await check(Told(captured["server_replies"][0]["body"]))
    assert report.facts["State"] == "active"


async def test_a_key_that_may_only_send_is_good():
    """What it may not see is said."""
    report = await check(MailgunEmulator(), apiKey="sending-key-local")
    assert (report.facts, [warning.path for warning in report.warnings]) == ({"Domain": "mg.sandbox.example"}, ["apiKey"])
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


@pytest.mark.parametrize("words", ["to parameter is missing", "Need at least one of 'text' or 'html' parameters specified"])
async def test_any_parameter_may_be_missed_first(words):
    """What matters is that the message was read."""
    assert (await check(Told(sending=Refusal(400, "", words)))).facts["State"] == "active"


async def test_a_sandbox_domain_is_a_warning():
    """It reaches those alone that the account has authorized."""
    report = await check(Told({"domain": ACTIVE | {"type": "sandbox"}}))
    assert (report.facts["State"], [warning.path for warning in report.warnings]) == ("active", ["domain"])


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (MailgunEmulator(), {"apiKey": "key-wrong"}, Reason.CREDENTIALS), (MailgunEmulator(), {"domain": "other.sandbox.example"}, Reason.CONFIG),
        (Told(sending=Refusal(403, "", "Domain mg.sandbox.example is not allowed to send: Business Verification")), {}, Reason.ACCOUNT),
        (Told(sending=Refusal(400, "", "Please activate your Mailgun account.")), {}, Reason.ACCOUNT), (Told(sending=Refusal(403, "", "parameter")), {}, Reason.PERMISSION),
        (Told(sending=Refusal(200, "MAGNIFICENT_API", "")), {}, Reason.ENDPOINT), (Told(sending=Refusal(200, "", "")), {}, Reason.ENDPOINT),
        (Told({"domain": ACTIVE | {"state": "unverified"}}), {}, Reason.SENDER), (Told({"domain": ACTIVE | {"is_disabled": True}}), {}, Reason.SENDER),
        (Told(Refusal(404, "", "Domain not found: mg.sandbox.example")), {}, Reason.CONFIG),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong key, region or domain, an account that is stopped, an endpoint of somebody else."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, MAILGUN)
    assert caught.value.hint


@pytest.mark.parametrize("domain", [{}, {"domain": {}}, {"domain": [ACTIVE]}, Refusal(500, "", "Internal Server Error")])
async def test_what_cannot_be_read_tells_nothing(domain):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(domain))


@pytest.mark.parametrize("sending", [Refusal(500, "", "Internal Server Error"), Refusal(400, "", "no")])
async def test_what_is_said_of_an_empty_message_otherwise_is_told(sending):
    """As it is of any mail."""
    with pytest.raises(OutcomeUnknown if sending.status == 500 else MessageRejected):
        await check(Told(sending=sending))
