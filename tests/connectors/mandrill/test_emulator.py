import asyncio

import aiohttp
import mailchimp_transactional
import pytest
from mailchimp_transactional.api_client import ApiClientError

from authmail.sandbox import Sandbox
from authmail_mandrill.emulator import MandrillEmulator

MANDRILL = "mandrill-mail"
KEY = "md-local-key"
MAIL = {
    "from_email": "no-reply@mail.sandbox.example",
    "to": [{"email": "zoe@example.com"}],
    "subject": "Hi",
    "html": "<p>482913</p>",
}


@pytest.fixture
async def sandbox():
    """A sandbox with Mandrill in it."""
    async with Sandbox({MANDRILL: MandrillEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own."""

    def ask(what, key=KEY):
        client = mailchimp_transactional.Client(key)
        client.api_client.host = f"{sandbox.endpoint(MANDRILL)}/api/1.3"
        return what(client)

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def send(recipient, **more):
    message = MAIL | {"from_name": "Ünïcode, Team", "to": [{"email": f"{recipient}@example.com", "name": "Zoë", "type": "to"}]}
    return lambda client: client.messages.send({"message": message | {"subject": "您的验证码", "text": "482913"} | more})


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds state and id."""
    headers = {"Reply-To": "Help <help@example.com>", "X-Flow": "1"}
    [told] = await sdk(send("zoe", headers=headers, tags=["signin"], metadata={"tenant": "acme"}, track_clicks=False))
    assert (told["status"], len(told["_id"])) == ("sent", 32)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1", "tag 1": "signin"})


@pytest.mark.parametrize(
    ("recipient", "key", "status", "name"),
    [
        ("zoe", "md-wrong", 500, "Invalid_Key"), ("refused", KEY, 500, "ValidationError"), ("paymentrequired", KEY, 500, "PaymentRequired"),
        ("throttled", KEY, 429, "RateLimit"), ("maintenance", KEY, 503, "ServiceUnavailable"), ("crash", KEY, 500, "GeneralError"),
    ],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, key, status, name):
    """Its exception has no text of its own, but status and answer; it asks once."""
    with pytest.raises(ApiClientError) as caught:
        await sdk(send(recipient), key=key)
    assert (caught.value.status_code, caught.value.text["name"]) == (status, name)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


@pytest.mark.parametrize(
    ("recipient", "state", "reason"),
    [
        ("suppressed", "rejected", "hard-bounce"),
        ("unverified", "rejected", "unsigned"),
        ("invalid", "invalid", None),
        ("held", "queued", "account-suspended"),
    ],
)
async def test_the_official_sdk_takes_a_200_for_success(sdk, sandbox, recipient, state, reason):
    """Also one that refuses, or holds the mail, which is why authmail looks at the state and its reason."""
    [told] = await sdk(send(recipient))
    assert (told["status"], told["reject_reason"] or told["queued_reason"], len(sandbox.inbox)) == (state, reason, 0)


async def test_the_official_sdk_reads_the_account(sdk):
    """What the account check asks for, too; and its own question whether the key is right."""
    assert await sdk(lambda client: client.users.ping2()) == {"PING": "PONG!"}
    assert (await sdk(lambda client: client.users.info()))["hourly_quota"] == 250
    assert (await sdk(lambda client: client.senders.domains()))[0]["valid_signing"] is True


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession() as session:

        async def request(path="/api/1.3/messages/send.json", method="POST", **options):
            async with session.request(method, sandbox.endpoint(MANDRILL) + path, **options) as response:
                return response.status, await response.json()

        yield request


def shape(value):
    """The names and kinds of a JSON value; states, reasons and names stay as they are."""
    if isinstance(value, dict):
        kept = ("status", "name", "code", "reject_reason")
        return {name: member if name in kept else shape(member) for name, member in value.items() if name != "queued_reason"}
    return [shape(member) for member in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("capture", "recipient", "key"),
    [
        ("all-fields-200", "zoe", KEY), ("rejected-in-200", "suppressed", KEY), ("invalid-in-200", "invalid", KEY), ("error-500-invalid-key", "zoe", "x"),
        ("error-500-validation", "zoe", None), ("error-500-general", "crash", KEY),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient, key):
    """Status, members, names and numbers."""
    [captured] = [one["server_replies"][0] for one in vectors("mandrill/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json={"key": key, "message": MAIL | {"to": [{"email": f"{recipient}@example.com"}]}})
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"from_email": None}, "from_email"), ({"from_email": 5}, "from_email"), ({"from_email": "nobody"}, "from_email"), ({"to": []}, "to"), ({"to": ["a@b.c"]}, "to"),
        ({"to": 5}, "to"), ({"to": [{"email": "nobody"}]}, "to"), ({"headers": [5]}, "to"), ({"headers": None, "tags": None, "text": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, field):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(json={"key": KEY, "message": MAIL | change})
    assert (status, len(sandbox.inbox)) == ((200, 1) if field is None else (500, 0))
    assert field is None or f'"message":{{"{field}"' in body["message"]


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/api/1.0/messages/send.json", {"json": {"key": KEY, "message": MAIL}}, 200), ("/api/2.0/messages/send.json", {"json": {"key": KEY}}, 404),
        ("/api/1.3/messages/send.json", {"data": b"x"}, 500), ("/api/1.3/messages/send.json", {"json": []}, 500), ("/api/1.3/messages/send.json", {"json": {"key": 5}}, 500),
        ("/api/1.3/messages/send.json", {"json": {"key": KEY, "message": 5}}, 500), ("/api/1.3/users/info.json", {"json": {"key": "é"}}, 500),
        ("/api/1.3/users/info.json", {"json": {"key": KEY}}, 200), ("/api/1.3/users/info.json", {"json": {"key": KEY}, "method": "GET"}, 404),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, path, options, status):
    """Path, method, body and key."""
    got, _ = await ask(path, **options)
    assert (got, len(sandbox.inbox)) == (status, "1.0" in path)
