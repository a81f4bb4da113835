import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason
from authmail.sandbox import Refusal, Sandbox
from authmail_scaleway_tem.emulator import ScalewayTEMEmulator

SCALEWAY = "scaleway-tem-mail"
DOMAIN = "mail.sandbox.example"
NO = Refusal(403, "permissions_denied", "insufficient permissions")


class Told(ScalewayTEMEmulator):
    """A project that tells something else of itself; by the last part of the path, or of its domain."""

    def __init__(self, change=None, **answers):
        super().__init__()
        self.change, self.answers = change or {}, answers

    def tell(self, request):
        answer = self.answers.get(request.path.rpartition("/")[2].replace("-", "_"))
        if isinstance(answer, Refusal):
            raise answer
        return super().tell(request) if answer is None else web.json_response(answer)

    @property
    def domain(self):
        return super().domain | self.change


async def check(emulator, **change):
    connector = authmail.get_connector(SCALEWAY)
    async with Sandbox({SCALEWAY: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(SCALEWAY) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


async def test_tells_domain_reputation_and_mails():
    """Without sending mail."""
    report = await check(ScalewayTEMEmulator())
    assert report.facts == {"Domain": DOMAIN, "State": "checked", "Reputation": "excellent", "Mails this month": "3"}
    assert report.warnings == ()


async def test_a_key_that_may_only_send_is_good():
    """What it may not see is said; so is a project that is perhaps wrong."""
    report = await check(Told(domains=NO))
    assert (report.facts, [warning.path for warning in report.warnings]) == ({}, ["secretKey"])
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


@pytest.mark.parametrize("answer", [NO, {}, {"monthly_emails_count": None}])
async def test_the_mails_of_the_month_may_be_missing(answer):
    """The domain is what counts."""
    report = await check(Told(project_consumption=answer))
    assert report.facts == {"Domain": DOMAIN, "State": "checked", "Reputation": "excellent"}


async def test_a_bad_reputation_is_a_warning():
    """Scaleway blocks such domains."""
    [warning] = (await check(Told({"reputation": {"status": "bad", "score": 10}}))).warnings
    assert (warning.path, DOMAIN in warning.message) == ("from", True)
    for language in ("fr", "zh-CN"):
        assert warning.hint_in(language) != warning.hint


async def test_a_domain_is_found_whatever_its_case():
    """Names of domains have none; a reputation may not be known yet."""
    report = await check(Told({"name": "Mail.Sandbox.Example", "reputation": None}))
    assert report.facts == {"Domain": DOMAIN, "State": "checked", "Mails this month": "3"}


async def test_the_captured_answer_is_read(vectors):
    """A project without domains."""
    [captured] = [one for one in vectors("scaleway_tem/captures")["captures"] if one["name"] == "check-domains-200"]
    with pytest.raises(AccountError, match="not there"):
        await check(Told(domains=captured["server_replies"][0]["body"]))


@pytest.mark.parametrize(
    ("emulator", "change", "reason"),
    [
        (ScalewayTEMEmulator(), {"secretKey": "22222222-2222-4222-8222-000000000000"}, Reason.CREDENTIALS),
        (ScalewayTEMEmulator(), {"from": "a@other.example"}, Reason.SENDER),
        *((Told({"status": state}), {}, Reason.SENDER) for state in ("unchecked", "invalid", "locked", "revoked", "pending", "autoconfiguring")),
        (Told({"name": "other.example"}), {}, Reason.SENDER), (Told(domains=Refusal(404, "unknown_path", "no")), {}, Reason.ENDPOINT),
    ],
)  # fmt: skip
async def test_what_would_stop_every_mail_is_an_error(emulator, change, reason):
    """A wrong key, a domain that is not checked or not there, an endpoint of somebody else."""
    with pytest.raises(AccountError) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, SCALEWAY)
    for language in ("fr", "zh-CN"):
        assert caught.value.hint_in(language) != caught.value.hint


@pytest.mark.parametrize("answer", [{}, {"domains": None}, {"domains": "x"}, Refusal(500, "internal", "internal error")])
async def test_what_cannot_be_read_tells_nothing(answer):
    """Somebody else may have answered."""
    with pytest.raises(OutcomeUnknown):
        await check(Told(domains=answer))
