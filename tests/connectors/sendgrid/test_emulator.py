import asyncio

import aiohttp
import pytest
from python_http_client import exceptions as sdk_errors
from sendgrid import SendGridAPIClient
from sendgrid.helpers import mail as sdk_mail

from authmail.sandbox import Sandbox
from authmail_sendgrid.emulator import SendGridEmulator

SENDGRID = "sendgrid-email-service"
KEY = "SG.local-key"
MAIL = {
    "from": {"email": "no-reply@mail.sandbox.example", "name": "Acme"},
    "personalizations": [{"to": [{"email": "zoe@example.com"}]}],
    "subject": "Hi",
    "content": [{"type": "text/html", "value": "<p>482913</p>"}],
}


@pytest.fixture
async def sandbox():
    """A sandbox with SendGrid in it."""
    async with Sandbox({SENDGRID: SendGridEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own."""

    def ask(what, key=KEY):
        return what(SendGridAPIClient(key, host=sandbox.endpoint(SENDGRID)))

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def mail_to(recipient):
    return sdk_mail.Mail(
        from_email=("no-reply@mail.sandbox.example", "Ünïcode, Team"), to_emails=[(f"{recipient}@example.com", "Zoë")],
        subject="您的验证码", plain_text_content="482913", html_content="<p>482913</p>",
    )  # fmt: skip


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    mail = mail_to("zoe")
    mail.reply_to = sdk_mail.ReplyTo("help@example.com", "Help")
    mail.add_header(sdk_mail.Header("X-Flow", "1"))
    mail.add_category(sdk_mail.Category("signin"))
    mail.add_custom_arg(sdk_mail.CustomArg("tenant", "acme"))
    mail.tracking_settings = sdk_mail.TrackingSettings(sdk_mail.ClickTracking(False, False), sdk_mail.OpenTracking(False))
    answer = await sdk(lambda client: client.send(mail))
    assert (answer.status_code, answer.body, len(answer.headers["X-Message-Id"])) == (202, b"", 22)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html) == ("482913", "<p>482913</p>")
    assert received.extra == {"X-Flow": "1", "category 1": "signin"}


async def test_sandbox_mode_takes_nothing(sdk, sandbox):
    """A 200 without an id, which authmail would take for unknown."""
    mail = mail_to("zoe")
    mail.mail_settings = sdk_mail.MailSettings(sandbox_mode=sdk_mail.SandBoxMode(enable=True))
    answer = await sdk(lambda client: client.send(mail))
    assert (answer.status_code, answer.headers["X-Message-Id"], len(sandbox.inbox)) == (200, None, 0)


@pytest.mark.parametrize(
    ("recipient", "key", "kind", "says"),
    [
        ("zoe", "SG.wrong", sdk_errors.UnauthorizedError, b"invalid, expired, or revoked"),
        ("quota", KEY, sdk_errors.UnauthorizedError, b"Maximum credits exceeded"), ("unverified", KEY, sdk_errors.ForbiddenError, b"verified Sender Identity"),
        ("refused", KEY, sdk_errors.BadRequestsError, b"personalizations.0.to.0.email"), ("too-large", KEY, sdk_errors.PayloadTooLargeError, b"too large"),
        ("throttled", KEY, sdk_errors.TooManyRequestsError, b"oo many requests"), ("crash", KEY, sdk_errors.InternalServerError, b"server error"),
        ("busy", KEY, sdk_errors.ServiceUnavailableError, b"unavailable"),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, key, kind, says):
    """Each by the exception that it has for the status, with the words; it asks once."""
    with pytest.raises(kind) as caught:
        await sdk(lambda client: client.send(mail_to(recipient)), key=key)
    assert says in caught.value.body
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_reads_the_account(sdk):
    """Rights, credits and domains."""
    scopes = await sdk(lambda client: client.client.scopes.get())
    assert "mail.send" in scopes.to_dict["scopes"]
    assert (await sdk(lambda client: client.client.user.credits.get())).to_dict["remain"] == 97
    assert (await sdk(lambda client: client.client.whitelabel.domains.get())).to_dict[0]["valid"] is True


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:

        async def request(method="POST", path="/v3/mail/send", **options):
            async with session.request(method, sandbox.endpoint(SENDGRID) + path, **options) as response:
                body = await response.json() if response.content_type == "application/json" else await response.text()
                return response.status, body, dict(response.headers)

        yield request


def shape(value):
    """The names and kinds of a JSON value; what a field is called stays as it is, and any help is help."""
    if isinstance(value, dict):
        return {name: member if name == "field" else name if name == "help" else shape(member) for name, member in value.items()}
    return [shape(member) for member in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("minimal-202", "zoe"), ("error-403-sender", "unverified"), ("node-401-credits", "quota"), ("error-413", "too-large"),
        ("error-429", "throttled"), ("error-500", "crash"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status, members and headers that tell something."""
    [captured] = [one["server_replies"][0] for one in vectors("sendgrid/captures")["captures"] if one["name"] == capture]
    status, body, headers = await ask(json=MAIL | {"personalizations": [{"to": [{"email": f"{recipient}@example.com"}]}]})
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))
    own = set(captured.get("headers", {})) & {"X-Message-Id", "X-RateLimit-Reset"}
    assert own <= set(headers)


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from": None}, "from.email"), ({"from": "a@mail.sandbox.example"}, "from.email"), ({"from": {"email": "nobody"}}, "from.email"),
        ({"from": {"email": "a@other.example"}}, "from"), ({"personalizations": []}, "personalizations.0.to.0.email"),
        ({"personalizations": 5}, "personalizations.0.to.0.email"), ({"personalizations": [{"to": ["a@b.c"]}]}, "personalizations.0.to.0.email"),
        ({"personalizations": [{"to": [{"email": "a@b.c"}, 5]}]}, "personalizations.0.to.1.email"), ({"reply_to": "a@b.c"}, "reply_to.email"),
        ({"subject": ""}, "subject"), ({"subject": 5}, "subject"), ({"content": None}, "content.0.value"), ({"content": 5}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": ""}]}, "content.0.value"), ({"content": ["x"]}, "content.0.value"),
        ({"content": [{"type": "text/html", "value": "h"}, {"type": "text/plain", "value": "t"}]}, "content"),
        ({"content": [{"type": "text/calendar", "value": "t"}]}, "content"), ({"headers": [5]}, "headers"), ({"categories": 5}, "headers"),
        ({"mail_settings": 5}, "mail_settings"), ({"reply_to": None, "headers": None, "categories": None, "mail_settings": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, field):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body, _ = await ask(json=MAIL | change)
    assert status == (202 if field is None else 403 if field == "from" else 400)
    assert field is None or body["errors"][0]["field"] == field
    assert len(sandbox.inbox) == (field is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v3/mail/send", {}, 404), ("POST", "/v3/other", {"json": MAIL}, 404), ("POST", "/v3/scopes", {"json": {}}, 404),
        ("POST", "/v3/mail/send", {"data": b"x"}, 400), ("POST", "/v3/mail/send", {"json": []}, 400),
        ("POST", "/v3/mail/send", {"json": MAIL, "headers": {"Authorization": "Basic x"}}, 401),
        ("GET", "/v3/scopes", {"headers": {"Authorization": "Bearer é"}}, 401), ("GET", "/v3/scopes", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key."""
    got, _, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
