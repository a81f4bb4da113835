import asyncio

import aiohttp
import mailjunky
import pytest

from authmail.sandbox import Sandbox
from authmail_mailjunky.emulator import MailJunkyEmulator

MAILJUNKY = "mailjunky-email-service"
KEY = "mj_live_sandbox"
MAIL = {"from": "no-reply@mail.sandbox.example", "to": "zoe@example.com", "subject": "Hi", "html": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with MailJunky in it."""
    async with Sandbox({MAILJUNKY: MailJunkyEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own."""

    def ask(what, key=KEY):
        with mailjunky.Client(api_key=key, base_url=sandbox.endpoint(MAILJUNKY)) as client:
            return what(client)

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def sending(recipient, **more):
    mail = {
        "from_": '"Ünïcode, Team" <no-reply@mail.sandbox.example>',
        "to": [f"Zoë <{recipient}@example.com>"],
        "subject": "您的验证码",
    }
    return lambda client: client.emails.send(**mail, html="<p>482913</p>", text="482913", **more)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    answer = await sdk(
        sending("zoe", reply_to="Help <help@example.com>", headers={"X-Flow": "1"}, tags=["signin"], metadata={"a": 1})
    )
    assert (answer["id"][:6], answer["status"]) == ("email_", "queued")
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1"})


@pytest.mark.parametrize(
    ("recipient", "kind", "status"),
    [
        ("refused", mailjunky.ValidationError, 422), ("throttled", mailjunky.RateLimitError, 429), ("quota", mailjunky.APIError, 402),
        ("unverified", mailjunky.APIError, 403), ("conflict", mailjunky.APIError, 409), ("crash", mailjunky.ServerError, 500), ("busy", mailjunky.ServerError, 503),
    ],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, kind, status):
    """By exceptions of its own, with the words; it asks once."""
    with pytest.raises(kind) as caught:
        await sdk(sending(recipient))
    assert (type(caught.value), caught.value.status, bool(caught.value.message)) == (kind, status, True)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_is_told_of_a_wrong_key(sdk, sandbox):
    """Before anything else is looked at."""
    with pytest.raises(mailjunky.AuthenticationError, match="Invalid API key"):
        await sdk(sending("zoe"), key="mj_live_wrong")
    assert len(sandbox.inbox) == 0


async def test_the_official_sdk_takes_a_failure_for_a_success(sdk, sandbox):
    """It leaves the status to its caller."""
    assert (await sdk(sending("failed")))["status"] == "failed"
    assert len(sandbox.inbox) == 0


async def test_the_official_sdk_asks_for_contacts(sdk):
    """As the online check does."""
    assert await sdk(lambda client: client.contacts.list(limit=1)) == {"data": [], "total": 0}


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:

        async def request(method="POST", path="/api/v1/emails/send", **options):
            async with session.request(method, sandbox.endpoint(MAILJUNKY) + path, **options) as response:
                return response.status, await response.json()

        yield request


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [("all-fields-200", "zoe"), ("node-failed-in-200", "failed"), ("error-402", "quota"), ("error-503", "busy")],
)
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status and members; a code only where it is told, since none is documented."""
    [captured] = [one["server_replies"][0] for one in vectors("mailjunky/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json=MAIL | {"to": f"{recipient}@example.com"})
    assert (status, set(body) | {"code"}) == (captured["status"], set(captured["body"]) | {"code"})


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"from": None}, 422), ({"from": 5}, 422), ({"from": "nobody"}, 422), ({"from": "a@other.example"}, 403), ({"to": []}, 422), ({"to": [5]}, 422),
        ({"to": "nobody"}, 422), ({"to": {"a": 1}}, 422), ({"subject": ""}, 422), ({"subject": 5}, 422), ({"html": None}, 422), ({"html": {"a": 1}}, 422),
        ({"headers": 5}, 422), ({"reply_to": "nobody"}, 422), ({"text": None, "headers": None, "reply_to": None}, 200),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, status):
    """With no fault of its own; null is the same as leaving a field out."""
    got, _ = await ask(json=MAIL | change)
    assert (got, len(sandbox.inbox)) == (status, int(status == 200))


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/api/v1/emails/send", {}, 404), ("POST", "/api/v1/emails/batch", {"json": {"emails": [MAIL]}}, 404), ("GET", "/api/v1/contacts", {}, 200),
        ("POST", "/api/v1/emails/send", {"data": b"x"}, 422), ("POST", "/api/v1/emails/send", {"json": []}, 422),
        ("POST", "/api/v1/emails/send", {"json": MAIL, "headers": {"Authorization": "é"}}, 401),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
