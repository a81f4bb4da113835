import pytest

from authmail import AccountError, Egress, Email, Mailer, Message, MessageRejected, OutcomeUnknown, Reason, Template, Throttled
from authmail.outcomes import ConnectionCut
from authmail.sandbox import Sandbox
from authmail_resend.emulator import FAULTS, ResendEmulator

RESEND = "resend-mail"
TEMPLATES = [
    Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>"),
    Template("OrganizationInvitation", "Join", '<a href="{{link}}">Join</a>'),
]


def code_for(recipient):
    return Message(f"{recipient}@example.com", "SignIn", {"code": "482913"})


@pytest.fixture
async def sandbox():
    """A sandbox with Resend in it."""
    async with Sandbox({RESEND: ResendEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    return lambda **change: Mailer(RESEND, sandbox.config(RESEND) | change, templates=TEMPLATES, egress=Egress.ANY)


async def test_a_message_becomes_a_mail(mailer_with, sandbox):
    """With HTML and text, sender, reply address, tags and the provider's id."""
    async with mailer_with(replyTo="help@example.com", tags={"app": "acme"}) as mailer:
        receipt = await mailer.send(code_for("zoe"))
    mail = await sandbox.inbox.wait()
    assert (mail.sender, mail.reply_to, mail.extra) == (
        "Sandbox <no-reply@mail.sandbox.example>",
        "help@example.com",
        {"tag app": "acme"},
    )
    assert (mail.html, mail.text, mail.code) == ("<p>Hello, <b>482913</b></p>", "Hello, 482913", "482913")
    assert (len(receipt.message_id), receipt.connector) == (36, RESEND)


async def test_awkward_texts_arrive_as_they_are(mailer_with, sandbox):
    """Unicode, quotes and markup survive; headers go along."""
    email = Email("o'brien+tag@example.com", "* ~ +%20 你好🎉", html="<p>a+b&c=d; \"'!()</p>", headers={"X-Entity-Ref-ID": "1"})
    async with mailer_with() as mailer:
        await mailer.send(email)
    mail = await sandbox.inbox.wait()
    assert (mail.to, mail.subject, mail.html, mail.extra) == (
        ("o'brien+tag@example.com",),
        email.subject,
        email.html,
        dict(email.headers),
    )


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"apiKey": "re_wrong"}, "invalid_api_key", Reason.CREDENTIALS),
        ({"from": "no-reply@other.example"}, "validation_error", Reason.SENDER),
    ],
)
async def test_wrong_settings_are_account_errors(mailer_with, change, code, reason):
    """Each with the name that the service gives it, and a hint."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.hint


async def test_a_key_that_may_only_send_is_enough(mailer_with, sandbox):
    """The least that works."""
    async with mailer_with(apiKey="re_sandbox_sending_access") as mailer:
        assert await mailer.send(code_for("zoe"))


KINDS = {
    "throttled": Throttled, "quota": AccountError, "unverified": AccountError, "crash": OutcomeUnknown, "no-id": OutcomeUnknown,
    "html": OutcomeUnknown, "garbage": OutcomeUnknown, "cut": ConnectionCut, "redirect": AccountError,
}  # fmt: skip
ACCEPTED = {"lost", "timeout", "cut-after", "crash-after", "in-flight", "slow"}


@pytest.mark.parametrize("recipient", KINDS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's documentation says."""
    async with mailer_with() as mailer:
        with pytest.raises(KINDS[recipient]) as caught:
            await mailer.send(code_for(recipient))
    assert caught.value.connector == RESEND
    assert recipient != "throttled" or caught.value.retry_after == 3
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize("recipient", sorted(set(FAULTS) - set(KINDS) - ACCEPTED - {"concurrent_idempotent_requests"}))
async def test_each_name_is_known(mailer_with, recipient):
    """Every documented error has a meaning of its own, and none is taken for success."""
    async with mailer_with() as mailer:
        with pytest.raises((MessageRejected, AccountError, Throttled, OutcomeUnknown)) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code, caught.value.status) == (FAULTS[recipient].code, FAULTS[recipient].status)
    assert "its name tells more" not in caught.value.hint


# One mail, whatever happens in between.


@pytest.mark.parametrize(
    "payload", [("SignIn", {"code": "482913"}), ("OrganizationInvitation", {"link": "https://example.com/j?t=1"})]
)
@pytest.mark.parametrize("recipient", sorted(ACCEPTED - {"slow"}))
async def test_the_same_request_again_gives_the_answer(mailer_with, sandbox, recipient, payload):
    """After silence, a cut or a fault: Resend joins both, so an invitation too may be asked for again. One mail goes out."""
    usage_type, values = payload
    async with mailer_with() as mailer:
        receipt = await mailer.send(Message(f"{recipient}@example.com", usage_type, values), timeout=1.2)
    assert len(receipt.message_id) == 36
    assert len(sandbox.inbox) == 1


async def test_work_that_does_not_end_stays_unknown(mailer_with):
    """It is asked for a few times while there is time, no longer."""
    async with mailer_with() as mailer:
        with pytest.raises(OutcomeUnknown, match="asked once more") as caught:
            await mailer.send(code_for("concurrent_idempotent_requests"), timeout=1)
    assert caught.value.code == "concurrent_idempotent_requests"


async def test_a_hosts_key_makes_one_mail_of_its_own_retries(mailer_with, sandbox):
    """The same message again has the same id; another one under its key is refused. However long the key is."""
    for key in ("sign-in/42", "k" * 300, "clé 1"):
        sandbox.inbox.clear()
        async with mailer_with() as mailer:
            message = Message("zoe@example.com", "SignIn", {"code": "482913"}, idempotency_key=key)
            assert await mailer.send(message) == await mailer.send(message)
            with pytest.raises(MessageRejected) as caught:
                await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777"}, idempotency_key=key))
        assert caught.value.code == "invalid_idempotent_request"
        assert len(sandbox.inbox) == 1


async def test_two_messages_are_two_mails(mailer_with, sandbox):
    """Without a key of the host's, even if they are alike."""
    async with mailer_with() as mailer:
        first, second = await mailer.send(code_for("zoe")), await mailer.send(code_for("zoe"))
    assert first.message_id != second.message_id
    assert len(sandbox.inbox) == 2
