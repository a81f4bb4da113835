import pytest
from aiohttp import web

import authmail
from authmail import AccountError, Egress, OutcomeUnknown, Reason, Throttled
from authmail.sandbox import Refusal, Sandbox
from authmail_brevo.emulator import BrevoEmulator

BREVO = "brevo-mail"
PLAN = {"type": "free", "creditsType": "sendLimit", "credits": 297}
SMS = {"type": "sms", "creditsType": "sendLimit", "credits": 5}


class Told(BrevoEmulator):
    """An account that tells something else of itself."""

    def __init__(self, **answers):
        super().__init__()
        self.answers = answers
        self.asked = []

    def tell(self, request):
        self.asked.append(request.path_qs)
        name = "domain" if "/domains/" in request.path else request.path.rpartition("/")[2]
        if name not in self.answers:
            return super().tell(request)
        if isinstance(self.answers[name], Refusal):
            raise self.answers[name]
        return web.json_response(self.answers[name])


async def check(emulator, **change):
    connector = authmail.get_connector(BREVO)
    async with Sandbox({BREVO: emulator}) as sandbox:
        config = connector.validate_config(sandbox.config(BREVO) | change, templates=True)
        report = await connector.check_account(config, egress=Egress.ANY)
        assert len(sandbox.inbox) == 0
        return report


def senders(**change):
    return {"senders": [{"id": 1, "email": "No-Reply@mail.sandbox.example", "active": True} | change]}


OPEN = {"domain": "mail.sandbox.example", "authenticated": False, "verified": True}
UNKNOWN = Refusal(404, "document_not_found", "Domain does not exist")


async def test_tells_plan_credits_and_domain():
    """And nothing of the persons and keys that the account's answer names."""
    report = await check(BrevoEmulator())
    assert report.facts == {"Plan": "free", "Credits left": "297", "Domain": "mail.sandbox.example"}
    assert report.warnings == ()


@pytest.mark.parametrize(
    ("plans", "facts"),
    [
        ([PLAN, PLAN | {"type": "payAsYouGo", "credits": 3}, SMS], {"Plan": "free, payAsYouGo", "Credits left": "300"}), ([SMS], {}), ([], {}), (5, {}),
        ([5, {"type": "free"}], {}), ([PLAN | {"credits": None}], {"Plan": "free"}), ([PLAN | {"credits": 1}], {"Plan": "free", "Credits left": "1"}),
    ],
)  # fmt: skip
async def test_credits_are_those_of_mails(plans, facts):
    """An account may have several plans; what is not told is no warning."""
    report = await check(Told(account={"plan": plans, "relay": {"enabled": True}}))
    assert (report.facts, report.warnings) == (facts | {"Domain": "mail.sandbox.example"}, ())


@pytest.mark.parametrize(
    ("answers", "path"),
    [
        ({"account": {"plan": [PLAN | {"credits": 0}]}}, "apiKey"), ({"domain": OPEN}, "from"), ({"domain": {}}, "from"), ({"domain": UNKNOWN}, "from"),
        ({"domain": OPEN, "senders": senders()}, "from"), ({"domain": Refusal(400, "invalid_parameter", "x")}, "from"),
    ],
)  # fmt: skip
async def test_what_may_stop_mail_is_a_warning(answers, path):
    """No credits; a sender that is known, of a domain that is not authenticated."""
    report = await check(Told(**answers))
    assert [warning.path for warning in report.warnings] == [path]
    assert "{" not in report.warnings[0].message
    for language in ("fr", "zh-CN"):
        assert report.warnings[0].hint_in(language) != report.warnings[0].hint


async def test_asks_few_questions():
    """Brevo takes a hundred an hour: those of the one domain, and of its senders only where it is not authenticated."""
    emulators = (Told(), Told(domain=OPEN, senders=senders()))
    for emulator in emulators:
        await check(emulator)
    first = ["/v3/account", "/v3/senders/domains/mail.sandbox.example"]
    assert [emulator.asked for emulator in emulators] == [first, [*first, "/v3/senders?domain=mail.sandbox.example"]]


@pytest.mark.parametrize("told", [{"senders": []}, senders(active=False), Refusal(429, "too_many_requests", "x")])
async def test_an_authenticated_domain_is_enough(told):
    """Its senders need not be listed, and are not asked for."""
    assert (await check(Told(senders=told))).warnings == ()


@pytest.mark.parametrize(
    "told", [{"senders": []}, senders(active=False), senders(email="other@mail.sandbox.example"), {"senders": [5]}, {}]
)
async def test_a_sender_that_brevo_does_not_know_is_an_error(told):
    """It would take the mail with a 201, and drop it."""
    with pytest.raises(AccountError) as caught:
        await check(Told(senders=told, domain=OPEN))
    assert (caught.value.reason, caught.value.connector) == (Reason.SENDER, BREVO)
    assert "mail.sandbox.example" in caught.value.hint
    for language in ("fr", "zh-CN"):
        assert caught.value.hint_in(language) != caught.value.hint


@pytest.mark.parametrize(
    ("emulator", "change", "kind", "reason"),
    [
        (BrevoEmulator(), {"apiKey": "xkeysib-wrong"}, AccountError, Reason.CREDENTIALS),
        (Told(account={"relay": {"enabled": False}}), {}, AccountError, Reason.ACCOUNT),
        (Told(account=Refusal(401, "unauthorized", "unrecognised IP address")), {}, AccountError, Reason.PERMISSION),
        (Told(domain=UNKNOWN, senders=Refusal(429, "too_many_requests", "x")), {}, Throttled, Reason.RATE),
        (Told(account=[]), {}, OutcomeUnknown, Reason.PROVIDER),
        (Told(domain=Refusal(500, "internal_error", "x")), {}, OutcomeUnknown, Reason.PROVIDER),
        (Told(domain=Refusal(404, "", "x")), {}, AccountError, Reason.ENDPOINT),
    ],
)
async def test_what_would_stop_every_mail_is_an_error(emulator, change, kind, reason):
    """And what cannot be read tells nothing: somebody else may have answered."""
    with pytest.raises(kind) as caught:
        await check(emulator, **change)
    assert (caught.value.reason, caught.value.connector) == (reason, BREVO)
