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
from authmail_mailersend.emulator import MailerSendEmulator

MAILERSEND = "mailersend-mail"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with MailerSend in it."""
    async with Sandbox({MAILERSEND: MailerSendEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(MAILERSEND, sandbox.config(MAILERSEND) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, tags, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>", tags=["acme"]) as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender, mail.code) == (
        ("o'brien+tag@example.com",),
        '"小红, Acme" <no-reply@mail.sandbox.example>',
        "482913",
    )
    assert (mail.reply_to, mail.extra) == ("Help <help@example.com>", {"X-Flow": "1", "tag 1": "acme"})
    assert (len(receipt.message_id), receipt.connector) == (24, MAILERSEND)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"apiKey": "mlsn.wrong"}, Reason.CREDENTIALS), ({"from": "no-reply@other.example"}, Reason.SENDER)],
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason
    assert caught.value.hint


FAULTS = {
    "suppressed": MessageRejected, "paused": AccountError, "throttled": Throttled, "quota": AccountError, "unverified": AccountError,
    "refused": MessageRejected, "maintenance": NotSent, "busy": NotSent, "crash": OutcomeUnknown, "crash-after": OutcomeUnknown,
    "no-id": OutcomeUnknown, "html": OutcomeUnknown, "garbage": OutcomeUnknown, "cut": ConnectionCut, "cut-after": ConnectionCut,
    "timeout": NoAnswerInTime, "redirect": AccountError,
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    async with mailer_with() as mailer:
        with pytest.raises(FAULTS[recipient]) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert caught.value.connector == MAILERSEND
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


async def test_delays_are_told(mailer_with):
    """Of a rate the seconds, of a quota the time until the day ends."""
    async with mailer_with() as mailer:
        with pytest.raises(Throttled) as throttled:
            await mailer.send(code_for("throttled"))
        with pytest.raises(AccountError) as spent:
            await mailer.send(code_for("quota"))
    assert throttled.value.retry_after == 3
    assert 0 <= spent.value.retry_after <= 86400


@pytest.mark.parametrize("recipient", sorted(set(MailerSendEmulator.faults) - set(FAULTS) - {"slow"}))
async def test_each_code_is_known(mailer_with, recipient):
    """Every code has a meaning of its own, and none is taken for success."""
    fault = MailerSendEmulator.faults[recipient]
    async with mailer_with() as mailer:
        with pytest.raises((MessageRejected, AccountError, Throttled)) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code, caught.value.status) == (fault.code, fault.status)
    assert "its words tell more" not in caught.value.hint


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
