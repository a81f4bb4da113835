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
from authmail_mailjunky.emulator import MailJunkyEmulator

MAILJUNKY = "mailjunky-email-service"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with MailJunky in it."""
    async with Sandbox({MAILJUNKY: MailJunkyEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(MAILJUNKY, sandbox.config(MAILJUNKY) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>") as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.code) == (("o'brien+tag@example.com",), "482913")
    assert mail.sender == '"小红, Acme" <no-reply@mail.sandbox.example>'
    assert (mail.reply_to, mail.extra) == ("Help <help@example.com>", {"X-Flow": "1"})
    assert (receipt.message_id[:6], receipt.connector) == ("email_", MAILJUNKY)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"apiKey": "mj_live_wrong"}, Reason.CREDENTIALS), ({"fromEmail": "no-reply@other.example"}, Reason.SENDER)],
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right; words tell the sender from the key's rights."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason
    assert caught.value.hint


FAULTS = {
    "failed": (MessageRejected, Reason.PROVIDER), "throttled": (Throttled, Reason.RATE), "quota": (AccountError, Reason.QUOTA),
    "forbidden": (AccountError, Reason.PERMISSION), "unverified": (AccountError, Reason.SENDER), "refused": (MessageRejected, Reason.RECIPIENT),
    "conflict": (OutcomeUnknown, Reason.PROVIDER), "busy": (NotSent, Reason.PROVIDER), "crash": (OutcomeUnknown, Reason.PROVIDER),
    "crash-after": (OutcomeUnknown, Reason.PROVIDER), "no-id": (OutcomeUnknown, Reason.PROVIDER), "html": (OutcomeUnknown, Reason.PROVIDER),
    "garbage": (OutcomeUnknown, Reason.PROVIDER), "cut": (ConnectionCut, Reason.NETWORK), "cut-after": (ConnectionCut, Reason.NETWORK),
    "timeout": (NoAnswerInTime, Reason.TIMEOUT), "redirect": (AccountError, Reason.ENDPOINT),
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    kind, reason = FAULTS[recipient]
    async with mailer_with() as mailer:
        with pytest.raises(kind) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert (caught.value.connector, caught.value.reason) == (MAILJUNKY, reason)
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


def test_every_fault_is_tried():
    """But the slow one, which is accepted."""
    assert set(MailJunkyEmulator.faults) - {"slow"} == set(FAULTS)


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
