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
    TemplateError,
    Throttled,
)
from authmail.outcomes import ConnectionCut, NoAnswerInTime
from authmail.sandbox import Sandbox
from authmail_postmark.emulator import PostmarkEmulator

POSTMARK = "postmark-mail"
TEMPLATES = [Template("SignIn", "{{code}} is your code", "<p>Hello, <b>{{code}}</b></p>")]
TYPES = ("SignIn", "Register", "ForgotPassword", "Generic")
AT_POSTMARK = [{"usageType": name, "templateAlias": f"acme-{name}"} for name in TYPES]


@pytest.fixture
async def sandbox():
    """A sandbox with Postmark in it."""
    async with Sandbox({POSTMARK: PostmarkEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(sandbox):
    def make(templates=TEMPLATES, config_templates=(), **change):
        change |= {"templates": list(config_templates)}
        return Mailer(POSTMARK, sandbox.config(POSTMARK) | change, templates=templates, egress=Egress.ANY)

    return make


def code_for(recipient, **more):
    return Email(f"{recipient}@example.com", "482913 is your code", html="<p>Hello, <b>482913</b></p>", repeatable=True, **more)


async def test_a_mail_arrives_as_it_was_sent(mailer_with, sandbox):
    """With sender, reply address, tag, stream, headers and the provider's id."""
    async with mailer_with(replyTo="Help <help@example.com>", tag="acme", messageStream="outbound") as mailer:
        receipt = await mailer.send(code_for("o'brien+tag", from_name="小红, Acme", headers={"X-Flow": "1"}))
    [mail] = sandbox.inbox
    assert (mail.to, mail.sender) == (("o'brien+tag@example.com",), '"小红, Acme" <no-reply@mail.sandbox.example>')
    assert (mail.reply_to, mail.code) == ("Help <help@example.com>", "482913")
    assert mail.extra == {"X-Flow": "1", "tag": "acme", "stream": "outbound"}
    assert (len(receipt.message_id), receipt.connector) == (36, POSTMARK)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"serverToken": "0f0f0f0f-0000-4000-8000-00000000fa4e"}, Reason.CREDENTIALS), ({"fromEmail": "no-reply@other.example"}, Reason.SENDER),
        ({"messageStream": "otp"}, Reason.CONFIG),
    ],
)  # fmt: skip
async def test_wrong_settings_are_account_errors(mailer_with, change, reason):
    """With a hint for whoever can put them right."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert (caught.value.reason, bool(caught.value.hint)) == (reason, True)


FAULTS = {
    "suppressed": MessageRejected, "throttled": Throttled, "quota": AccountError, "unverified": AccountError, "refused": MessageRejected,
    "maintenance": NotSent, "crash": OutcomeUnknown, "crash-after": OutcomeUnknown, "no-id": OutcomeUnknown, "html": OutcomeUnknown,
    "garbage": OutcomeUnknown, "cut": ConnectionCut, "cut-after": ConnectionCut, "timeout": NoAnswerInTime, "redirect": AccountError,
}  # fmt: skip
ACCEPTED = ("crash-after", "cut-after", "timeout")


@pytest.mark.parametrize("recipient", FAULTS)
async def test_each_fault_has_its_outcome(mailer_with, sandbox, recipient):
    """As the table of the sandbox's page says; without an idempotency key nothing is ever sent twice."""
    async with mailer_with() as mailer:
        with pytest.raises(FAULTS[recipient]) as caught:
            await mailer.send(code_for(recipient), timeout=0.7)
    assert caught.value.connector == POSTMARK
    assert len(sandbox.inbox) == (recipient in ACCEPTED)
    assert len(list(sandbox.inbox.exchanges)) == 1


@pytest.mark.parametrize("recipient", sorted(set(PostmarkEmulator.faults) - set(FAULTS) - {"slow"}))
async def test_each_code_is_known(mailer_with, recipient):
    """Every code has a meaning of its own, and none is taken for success."""
    fault = PostmarkEmulator.faults[recipient]
    async with mailer_with() as mailer:
        with pytest.raises((MessageRejected, AccountError, Throttled, NotSent)) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code, caught.value.status) == (fault.code, fault.status)
    assert "its words tell more" not in caught.value.hint


# Which of both kinds a message gets.


async def test_a_message_is_rendered_and_sent(mailer_with, sandbox):
    """HTML, and the text that comes of it."""
    async with mailer_with() as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "7777777"}))
    assert [(mail.code, mail.text) for mail in sandbox.inbox] == [("7777777", "Hello, 7777777")]


@pytest.mark.parametrize(("usage_type", "alias"), [("SignIn", "acme-SignIn"), ("MfaVerification", "acme-Generic")])
async def test_postmark_writes_a_mail_from_its_template(mailer_with, sandbox, usage_type, alias):
    """From the one of the type, else Generic; what a stranger typed is cleaned, and the recipient is an address alone."""
    async with mailer_with(templates=None, config_templates=AT_POSTMARK) as mailer:
        await mailer.send(
            Message("zoe@example.com", usage_type, {"code": "482913", "user": {"name": "Zoë\r\nBcc: evil.example"}})
        )
    [mail] = sandbox.inbox
    assert (mail.to, mail.subject, mail.code) == (("zoe@example.com",), f"Template {alias}", "482913")
    assert "\\r" not in mail.text
    assert "evil.example" not in mail.text


async def test_the_readers_language_chooses_the_template(mailer_with, sandbox):
    """As among authmail's own; Logto's connector knows one template for all."""
    french = {"usageType": "SignIn", "templateAlias": "acme-fr", "languageTag": "fr"}
    async with mailer_with(templates=None, config_templates=[french, *AT_POSTMARK]) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913", "locale": "fr-CA"}))
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913", "locale": "de"}))
    assert [mail.subject for mail in sandbox.inbox] == ["Template acme-fr", "Template acme-SignIn"]


async def test_both_kinds_serve_one_config(mailer_with, sandbox):
    """Rendered where there is a text, at Postmark where there is an alias; an Email of the host's goes as it is."""
    own = {"usageType": "Register", "subject": "{{code}}", "content": "<p>{{code}}</p>"}
    async with mailer_with(templates=None, config_templates=[AT_POSTMARK[0], own, *AT_POSTMARK[2:]]) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "111111"}))
        await mailer.send(Message("zoe@example.com", "Register", {"code": "222222"}))
        await mailer.send(code_for("zoe"))
    assert [mail.subject for mail in sandbox.inbox] == ["Template acme-SignIn", "222222", "482913 is your code"]


async def test_the_hosts_templates_come_before_those_at_postmark(mailer_with, sandbox):
    """As before every other template of a config."""
    async with mailer_with(config_templates=AT_POSTMARK) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
    assert [mail.subject for mail in sandbox.inbox] == ["482913 is your code"]


async def test_a_template_that_is_missing_is_the_accounts_trouble(mailer_with):
    """Another provider may have one."""
    missing = [{"usageType": name, "templateAlias": "missing"} for name in TYPES]
    async with mailer_with(templates=None, config_templates=missing) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
    assert (caught.value.reason, caught.value.code) == (Reason.TEMPLATE, "1101")


async def test_what_postmark_writes_has_no_preview(mailer_with):
    """Its alias is told in place of it."""
    mailer = mailer_with(templates=None, config_templates=AT_POSTMARK)
    with pytest.raises(TemplateError, match="from its template acme-SignIn"):
        await mailer.preview(Message("zoe@example.com", "SignIn", {"code": "482913"}))
