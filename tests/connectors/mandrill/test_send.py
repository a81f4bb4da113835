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
    SendError,
    Template,
    Throttled,
)
from authmail.outcomes import ConnectionCut, NoAnswerInTime
from authmail.sandbox import Sandbox
from authmail_mandrill.emulator import MandrillEmulator

MANDRILL = "mandrill-mail"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]


@pytest.fixture
async def sandbox():
    """A sandbox with Mandrill in it."""
    async with Sandbox({MANDRILL: MandrillEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(MANDRILL, sandbox.config(MANDRILL) | change, templates=TEMPLATES, egress=Egress.ANY)


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, headers, tags and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>", tags=["acme"]) as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.code) == (("o'brien+tag@example.com",), "482913")
    assert mail.sender == '"小红, Acme" <no-reply@mail.sandbox.example>'
    assert (mail.reply_to, mail.extra) == ("Help <help@example.com>", {"X-Flow": "1", "tag 1": "acme"})
    assert (len(receipt.message_id), receipt.connector) == (32, MANDRILL)


@pytest.mark.parametrize(
    ("change", "reason"), [({"apiKey": "md-wrong"}, Reason.CREDENTIALS), ({"from": "no-reply@other.example"}, Reason.SENDER)]
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right, though one is a 500 and the other a 200."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert caught.value.reason == reason
    assert caught.value.hint


FAULTS = {
    "throttled": (Throttled, Reason.RATE), "refused": (MessageRejected, Reason.RECIPIENT), "unverified": (AccountError, Reason.SENDER),
    "suppressed": (MessageRejected, Reason.SUPPRESSED), "held": (AccountError, Reason.ACCOUNT), "maintenance": (NotSent, Reason.PROVIDER),
    "crash": (OutcomeUnknown, Reason.PROVIDER), "crash-after": (OutcomeUnknown, Reason.PROVIDER), "no-id": (OutcomeUnknown, Reason.PROVIDER),
    "html": (OutcomeUnknown, Reason.PROVIDER), "garbage": (OutcomeUnknown, Reason.PROVIDER), "cut": (ConnectionCut, Reason.NETWORK),
    "cut-after": (ConnectionCut, Reason.NETWORK), "timeout": (NoAnswerInTime, Reason.TIMEOUT), "redirect": (AccountError, Reason.ENDPOINT),
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    kind, reason = FAULTS[recipient]
    async with mailer_with() as mailer:
        with pytest.raises(kind) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert (caught.value.connector, caught.value.reason) == (MANDRILL, reason)
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


@pytest.mark.parametrize("recipient", sorted(set(MandrillEmulator.faults) - set(FAULTS) - {"slow"}))
async def test_each_code_is_known(mailer_with, sandbox, recipient):
    """None is taken for success."""
    async with mailer_with() as mailer:
        with pytest.raises(SendError) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code.lower(), len(sandbox.inbox)) == (recipient, 0)


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]
