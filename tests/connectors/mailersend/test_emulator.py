import asyncio

import aiohttp
import pytest
from mailersend import EmailBuilder, MailerSendClient
from mailersend import exceptions as sdk_errors

from authmail.sandbox import Sandbox
from authmail_mailersend.emulator import MailerSendEmulator

MAILERSEND = "mailersend-mail"
KEY = "mlsn.sandbox"
MAIL = {
    "from": {"email": "no-reply@mail.sandbox.example", "name": "Acme"},
    "to": [{"email": "zoe@example.com"}],
    "subject": "Hi",
    "html": "<p>482913</p>",
}


@pytest.fixture
async def sandbox():
    """A sandbox with MailerSend in it."""
    async with Sandbox({MAILERSEND: MailerSendEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own; by itself it would repeat what failed."""

    def ask(what, key=KEY):
        with MailerSendClient(api_key=key, base_url=f"{sandbox.endpoint(MAILERSEND)}/v1/", max_retries=0) as client:
            return what(client)

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def mail_to(recipient):
    builder = EmailBuilder().from_email("no-reply@mail.sandbox.example", "Ünïcode, Team").to(f"{recipient}@example.com", "Zoë")
    return builder.subject("您的验证码").html("<p>482913</p>").text("482913")


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    mail = mail_to("zoe").reply_to("help@example.com", "Help").tag("signin").header("X-Flow", "1").tracking(clicks=False).build()
    answer = await sdk(lambda client: client.emails.send(mail))
    assert (answer.status_code, answer.success, len(answer["id"])) == (202, True, 24)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert received.extra == {"X-Flow": "1", "tag 1": "signin"}


async def test_the_official_sdk_is_told_of_a_wrong_key(sdk, sandbox):
    """By an exception of its own."""
    with pytest.raises(sdk_errors.AuthenticationError, match="Unauthenticated"):
        await sdk(lambda client: client.emails.send(mail_to("zoe").build()), key="mlsn.wrong")
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize(
    ("recipient", "kind", "says"),
    [
        ("refused", sdk_errors.BadRequestError, "#MS42208"), ("unverified", sdk_errors.BadRequestError, "#MS42207"),
        ("ms40301", sdk_errors.BadRequestError, "#MS40301"), ("maintenance", sdk_errors.BadRequestError, "maintenance"),
        # What it would repeat it tells without status and words.
        ("throttled", sdk_errors.MailerSendError, "429"), ("crash", sdk_errors.MailerSendError, "500"),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, kind, says):
    """Each by the exception that it has for the status."""
    with pytest.raises(kind, match=says):
        await sdk(lambda client: client.emails.send(mail_to(recipient).build()))
    assert len(sandbox.inbox) == 0


@pytest.mark.parametrize("recipient", ["suppressed", "paused"])
async def test_the_official_sdk_takes_a_202_for_success(sdk, sandbox, recipient):
    """Also those that send nothing, which is why authmail looks at more than the status."""
    answer = await sdk(lambda client: client.emails.send(mail_to(recipient).build()))
    assert (answer.success, len(sandbox.inbox)) == (True, 0)


async def test_the_official_sdk_reads_the_quota(sdk):
    """A number that is left, of a number."""
    answer = await sdk(lambda client: client.api_quota.get_quota())
    assert (answer["quota"], answer["remaining"]) == (1000, 997)


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:

        async def request(method="POST", path="/v1/email", **options):
            async with session.request(method, sandbox.endpoint(MAILERSEND) + path, **options) as response:
                body = await response.json() if response.content_type == "application/json" else await response.text()
                return response.status, body, dict(response.headers)

        yield request


def shape(value):
    """The names and kinds of a JSON value; codes stay as they are."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return value.rpartition("#")[2][:7] if isinstance(value, str) and "#MS" in value else type(value)


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("all-fields-202", "zoe"), ("paused-202", "paused"), ("error-403-scope", "ms40301"), ("error-422-from", "unverified"),
        ("error-422-to", "refused"), ("error-422-quota", "ms42204"), ("error-429-rate", "throttled"), ("error-500", "crash"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status, members and headers."""
    [captured] = [one["server_replies"][0] for one in vectors("mailersend/captures")["captures"] if one["name"] == capture]
    status, body, headers = await ask(json=MAIL | {"to": [{"email": f"{recipient}@example.com"}]})
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))
    own = {name for name in captured.get("headers", {}) if name != "x-ratelimit-reset"}
    assert own <= {name.lower() for name in headers}


async def test_a_suppressed_recipient_has_the_captured_shape(ask, vectors):
    """The type decides; who it is, MailerSend repeats and the sandbox does not."""
    [captured] = [
        one["server_replies"][0] for one in vectors("mailersend/captures")["captures"] if one["name"] == "anymail-refused"
    ]
    status, body, headers = await ask(json=MAIL | {"to": [{"email": "suppressed@example.com"}]})
    assert (status, body["message"]) == (captured["status"], captured["body"]["message"])
    assert body["warnings"][0]["type"] == captured["body"]["warnings"][0]["type"]
    assert "x-message-id" not in headers


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"from": None}, "MS42208"), ({"from": "a@mail.sandbox.example"}, "MS42208"), ({"from": {"email": "nobody"}}, "MS42208"),
        ({"from": {"email": "a@other.example"}}, "MS42207"), ({"to": []}, "MS42208"), ({"to": ["a@b.c"]}, "MS42208"), ({"to": 5}, "MS42208"),
        ({"reply_to": "a@b.c"}, "MS42208"), ({"reply_to": [{"email": "a@b.c"}]}, "MS42208"), ({"headers": [5]}, "MS42208"), ({"tags": 5}, "MS42208"),
        ({"subject": ""}, "MS42209"), ({"subject": 5}, "MS42209"), ({"html": None}, "MS42211"), ({"html": {"a": 1}}, "MS42211"),
        ({"reply_to": None, "headers": None, "tags": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, code):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body, _ = await ask(json=MAIL | change)
    assert status == (202 if code is None else 422)
    assert code is None or body["message"].endswith(f"#{code}")
    assert len(sandbox.inbox) == (code is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v1/email", {}, 404), ("POST", "/v1/other", {"json": MAIL}, 404), ("POST", "/v1/email", {"data": b"x"}, 422),
        ("POST", "/v1/email", {"json": []}, 422), ("POST", "/v1/email", {"json": MAIL, "headers": {"Authorization": "Basic x"}}, 401),
        ("GET", "/v1/api-quota", {"headers": {"Authorization": "Bearer é"}}, 401), ("GET", "/v1/api-quota", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and token."""
    got, _, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
