import pytest

from authmail import (
    AccountError,
    Egress,
    Email,
    Mailer,
    Message,
    MessageRejected,
    NotSent,
    OutcomeUnknown,
    Reason,
    Template,
    Throttled,
)
from authmail.outcomes import ConnectionCut, NoAnswerInTime
from authmail.sandbox import Sandbox
from authmail_scaleway_tem.answers import ANSWERS
from authmail_scaleway_tem.emulator import ScalewayTEMEmulator

SCALEWAY = "scaleway-tem-mail"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with Scaleway in it."""
    async with Sandbox({SCALEWAY: ScalewayTEMEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(SCALEWAY, sandbox.config(SCALEWAY) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>") as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender) == (("o'brien+tag@example.com",), '"小红, Acme" <no-reply@mail.sandbox.example>')
    assert (mail.code, mail.reply_to, mail.extra) == ("482913", "Help <help@example.com>", {"X-Flow": "1"})
    assert len(receipt.message_id) == 36


async def test_a_code_has_an_end(mailer_with, sandbox):
    """A message with a code and a link has none."""
    async with mailer_with(codeMinutes=10) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777", "link": "https://app.example/x"}))
    assert ["send before" in mail.extra for mail in sandbox.inbox] == [True, False]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"secretKey": "22222222-2222-4222-8222-000000000000"}, Reason.CREDENTIALS), ({"projectId": "11111111-1111-4111-8111-000000000000"}, Reason.PERMISSION),
        ({"from": "no-reply@other.example"}, Reason.SENDER), ({"region": "nl-ams"}, Reason.ENDPOINT),
    ],
)  # fmt: skip
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason
    assert caught.value.hint


FAULTS = {
    "throttled": (Throttled, Reason.RATE), "quota": (AccountError, Reason.QUOTA), "forbidden": (AccountError, Reason.PERMISSION),
    "unverified": (AccountError, Reason.SENDER), "refused": (MessageRejected, Reason.RECIPIENT), "short": (MessageRejected, Reason.CONTENT),
    "blocklisted": (MessageRejected, Reason.SUPPRESSED), "too-large": (MessageRejected, Reason.CONTENT), "busy": (NotSent, Reason.PROVIDER),
    "no-id": (OutcomeUnknown, Reason.PROVIDER), "crash": (OutcomeUnknown, Reason.PROVIDER), "crash-after": (OutcomeUnknown, Reason.PROVIDER),
    "html": (OutcomeUnknown, Reason.PROVIDER), "garbage": (OutcomeUnknown, Reason.PROVIDER), "cut": (ConnectionCut, Reason.NETWORK),
    "cut-after": (ConnectionCut, Reason.NETWORK), "timeout": (NoAnswerInTime, Reason.TIMEOUT), "redirect": (AccountError, Reason.ENDPOINT),
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


def test_every_fault_is_in_the_table():
    """But the slow one, which is accepted, and the types, which test_answers.py has."""
    types = {code.lower() for code, _ in ANSWERS.codes()}
    assert set(ScalewayTEMEmulator.faults) - types == {*FAULTS, "slow"}


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    kind, reason = FAULTS[recipient]
    async with mailer_with() as mailer:
        with pytest.raises(kind) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert (caught.value.connector, caught.value.reason) == (SCALEWAY, reason)
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
