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
from authmail_sendgrid.emulator import SendGridEmulator

SENDGRID = "sendgrid-email-service"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with SendGrid in it."""
    async with Sandbox({SENDGRID: SendGridEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(SENDGRID, sandbox.config(SENDGRID) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, categories, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>", categories=["acme"]) as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender, mail.code) == (
        ("o'brien+tag@example.com",),
        '"小红, Acme" <no-reply@mail.sandbox.example>',
        "482913",
    )
    assert (mail.reply_to, mail.extra) == ("Help <help@example.com>", {"X-Flow": "1", "category 1": "acme"})
    assert (len(receipt.message_id), receipt.connector) == (22, SENDGRID)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"apiKey": "SG.wrong"}, Reason.CREDENTIALS), ({"fromEmail": "no-reply@other.example"}, Reason.SENDER)],
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason
    assert caught.value.hint


FAULTS = {
    "throttled": (Throttled, Reason.RATE), "quota": (AccountError, Reason.QUOTA), "review": (AccountError, Reason.ACCOUNT),
    "forbidden": (AccountError, Reason.PERMISSION), "unverified": (AccountError, Reason.SENDER), "refused": (MessageRejected, Reason.RECIPIENT),
    "subject": (MessageRejected, Reason.CONTENT), "too-large": (MessageRejected, Reason.CONTENT), "busy": (NotSent, Reason.PROVIDER),
    "crash": (OutcomeUnknown, Reason.PROVIDER), "crash-after": (OutcomeUnknown, Reason.PROVIDER), "html": (OutcomeUnknown, Reason.PROVIDER),
    "garbage": (OutcomeUnknown, Reason.PROVIDER), "cut": (ConnectionCut, Reason.NETWORK), "cut-after": (ConnectionCut, Reason.NETWORK),
    "timeout": (NoAnswerInTime, Reason.TIMEOUT), "redirect": (AccountError, Reason.ENDPOINT),
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


def test_every_fault_is_in_the_table():
    """But the slow one, which is accepted."""
    assert set(SendGridEmulator.faults) == {*FAULTS, "slow"}


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    kind, reason = FAULTS[recipient]
    async with mailer_with() as mailer:
        with pytest.raises(kind) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert (caught.value.connector, caught.value.reason) == (SENDGRID, reason)
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


async def test_the_delay_is_told(mailer_with):
    """In whole seconds of Unix time, so it may be a second more."""
    async with mailer_with() as mailer:
        with pytest.raises(Throttled) as caught:
            await mailer.send(code_for("throttled"))
    assert 3 <= caught.value.retry_after <= 5


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
