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
from authmail_ses.emulator import SESEmulator

SES = "aws-ses-mail"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with SES in it."""
    async with Sandbox({SES: SESEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(SES, sandbox.config(SES) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, tags, headers and SES's ids, signed with temporary credentials."""
    settings = {"replyTo": "Help <help@example.com>", "tags": {"type": "signin"}, "configurationSetName": "mails"}
    async with mailer_with(**settings, sessionToken=SESEmulator.token) as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender, mail.code) == (
        ("o'brien+tag@example.com",),
        '"小红, Acme" <no-reply@mail.sandbox.example>',
        "482913",
    )
    assert (mail.reply_to, mail.extra) == (
        "Help <help@example.com>",
        {"X-Flow": "1", "tag type": "signin", "ConfigurationSetName": "mails"},
    )
    assert receipt.message_id.startswith("0107-")
    assert (len(receipt.request_id), receipt.connector) == (36, SES)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accessKeyId": "AKIAOTHER"}, Reason.CREDENTIALS), ({"accessKeySecret": "wrong-one"}, Reason.CREDENTIALS), ({"sessionToken": "old-token"}, Reason.CREDENTIALS),
        ({"region": "us-east-1"}, Reason.CONFIG), ({"emailAddress": "no-reply@other.example"}, Reason.SENDER),
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
    "sandbox": AccountError, "unverified": AccountError, "suspended": AccountError, "paused": AccountError, "throttled": Throttled, "quota": AccountError,
    "refused": MessageRejected, "busy": NotSent, "crash": OutcomeUnknown, "crash-after": OutcomeUnknown, "no-id": OutcomeUnknown, "html": OutcomeUnknown,
    "garbage": OutcomeUnknown, "cut": ConnectionCut, "cut-after": ConnectionCut, "timeout": NoAnswerInTime, "redirect": AccountError,
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    async with mailer_with() as mailer:
        with pytest.raises(FAULTS[recipient]) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert caught.value.connector == SES
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


@pytest.mark.parametrize(("recipient", "reason"), [("sandbox", Reason.ACCOUNT), ("unverified", Reason.SENDER)])
async def test_the_sandbox_is_told_from_an_unverified_sender(mailer_with, recipient, reason):
    """Both come as a rejected message."""
    async with mailer_with() as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.reason, caught.value.code) == (reason, "MessageRejected")


@pytest.mark.parametrize("recipient", sorted(set(SESEmulator.faults) - set(FAULTS) - {"slow"}))
async def test_each_type_is_known(mailer_with, recipient):
    """Every type of the table has a meaning of its own, and none is taken for success."""
    fault = SESEmulator.faults[recipient]
    async with mailer_with() as mailer:
        with pytest.raises((MessageRejected, AccountError, Throttled, NotSent, OutcomeUnknown)) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code, caught.value.status) == (fault.code, fault.status)
    assert "its words tell more" not in caught.value.hint


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
