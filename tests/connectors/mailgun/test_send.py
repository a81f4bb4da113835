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
from authmail_mailgun.emulator import MailgunEmulator

MAILGUN = "mailgun-email"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with Mailgun in it."""
    async with Sandbox({MAILGUN: MailgunEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(MAILGUN, sandbox.config(MAILGUN) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, tags, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>", tags=["acme", "sign-in"]) as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender) == (("o'brien+tag@example.com",), '"小红, Acme" <no-reply@mg.sandbox.example>')
    assert (mail.code, mail.reply_to) == ("482913", "Help <help@example.com>")
    assert mail.extra == {"X-Flow": "1", "tag 1": "acme", "tag 2": "sign-in"}
    assert receipt.message_id.endswith("@mg.sandbox.example>")


async def test_deliveries_of_logto_are_sent(sandbox):
    """HTML is rendered here, a template is Mailgun's; Generic serves for types without one."""
    deliveries = {
        "SignIn": {"template": "sign-in", "subject": "{{code}}"},
        "Generic": {"html": "<p>{{code}}</p>", "subject": "Generic {{code}}"},
    }
    async with Mailer(MAILGUN, sandbox.config(MAILGUN) | {"deliveries": deliveries}, egress=Egress.ANY) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
        await mailer.send(Message("zoe@example.com", "Register", {"code": "7777777"}))
    told = [(mail.subject, mail.text, mail.html) for mail in sandbox.inbox]
    assert told == [("482913", 'sign-in {"code":"482913"}', None), ("Generic 7777777", "7777777", "<p>7777777</p>")]


@pytest.mark.parametrize(
    ("change", "reason"), [({"apiKey": "key-wrong"}, Reason.CREDENTIALS), ({"domain": "other.sandbox.example"}, Reason.CONFIG)]
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right, which names the region."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError, match="region") as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason


FAULTS = {
    "throttled": (Throttled, Reason.RATE), "soon": (Throttled, Reason.RATE), "limit_exceeded": (AccountError, Reason.QUOTA),
    "forbidden": (AccountError, Reason.CREDENTIALS), "unverified": (AccountError, Reason.SENDER), "review": (AccountError, Reason.ACCOUNT),
    "sandbox": (AccountError, Reason.ACCOUNT), "plan": (AccountError, Reason.QUOTA), "refused": (MessageRejected, Reason.RECIPIENT),
    "template": (AccountError, Reason.TEMPLATE), "too-large": (MessageRejected, Reason.CONTENT), "busy": (NotSent, Reason.PROVIDER),
    "magnificent_api": (AccountError, Reason.ENDPOINT), "no-id": (OutcomeUnknown, Reason.PROVIDER),
    "crash": (OutcomeUnknown, Reason.PROVIDER), "crash-after": (OutcomeUnknown, Reason.PROVIDER), "html": (OutcomeUnknown, Reason.PROVIDER),
    "garbage": (OutcomeUnknown, Reason.PROVIDER), "cut": (ConnectionCut, Reason.NETWORK), "cut-after": (ConnectionCut, Reason.NETWORK),
    "timeout": (NoAnswerInTime, Reason.TIMEOUT), "redirect": (AccountError, Reason.ENDPOINT),
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


def test_every_fault_is_in_the_table():
    """But the slow one, which is accepted."""
    assert set(MailgunEmulator.faults) == {*FAULTS, "slow"}


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    kind, reason = FAULTS[recipient]
    async with mailer_with() as mailer:
        with pytest.raises(kind) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert (caught.value.connector, caught.value.reason) == (MAILGUN, reason)
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


@pytest.mark.parametrize("recipient", ["throttled", "soon"])
async def test_the_delay_is_told(mailer_with, recipient):
    """By a header, or by a date in the words, which counts whole seconds."""
    async with mailer_with() as mailer:
        with pytest.raises(Throttled) as caught:
            await mailer.send(code_for(recipient))
    assert 2 <= caught.value.retry_after <= 5


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
