import asyncio
from base64 import b64encode

import aiohttp
import pytest
from mailgun.client import Client
from mailgun.config import RetryPolicy

from authmail.sandbox import Sandbox
from authmail_mailgun.emulator import MailgunEmulator

MAILGUN = "mailgun-email"
DOMAIN, KEY = "mg.sandbox.example", "key-local-mailgun"
PATH = f"/v3/{DOMAIN}/messages"
MAIL = {"from": f"Acme <no-reply@{DOMAIN}>", "to": "zoe@example.com", "subject": "Hi", "html": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with Mailgun in it."""
    async with Sandbox({MAILGUN: MailgunEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own, and repeats without waiting."""

    def ask(what, key=KEY):
        at_once = RetryPolicy(base_delay=0.0, max_delay=0.0)
        with Client(auth=("api", key), api_url=sandbox.endpoint(MAILGUN), retry_policy=at_once) as client:
            return what(client)

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    mail = {
        "from": f'"Ünïcode, Team" <no-reply@{DOMAIN}>', "to": "Zoë <zoe@example.com>", "subject": "您的验证码", "text": "482913", "html": "<p>482913</p>",
        "h:Reply-To": "Help <help@example.com>", "h:X-Flow": "1", "o:tag": ["auth", "signin"], "o:tracking": "no",
    }  # fmt: skip
    answer = await sdk(lambda client: client.messages.create(data=mail, domain=DOMAIN))
    assert (answer.status_code, answer.json()["message"]) == (200, "Queued. Thank you.")
    assert answer.json()["id"].endswith(f"@{DOMAIN}>")
    [received] = sandbox.inbox
    assert (received.sender, received.to) == (f'"Ünïcode, Team" <no-reply@{DOMAIN}>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html) == ("482913", "<p>482913</p>")
    assert received.extra == {"X-Flow": "1", "tag 1": "auth", "tag 2": "signin"}


async def test_a_template_at_mailgun_arrives_by_its_name(sdk, sandbox):
    """With the variables, by either of their names."""
    for name in ("t:variables", "h:X-Mailgun-Variables"):
        data = {"from": MAIL["from"], "to": MAIL["to"], "template": "sign-in", name: '{"code": "482913"}'}
        assert (await sdk(lambda client, data=data: client.messages.create(data=data, domain=DOMAIN))).status_code == 200
    assert [mail.text for mail in sandbox.inbox] == ['sign-in {"code": "482913"}'] * 2


async def test_test_mode_takes_nothing(sdk, sandbox):
    """It is answered as a send is; authmail never asks for it."""
    answer = await sdk(lambda client: client.messages.create(data=MAIL | {"o:testmode": "yes"}, domain=DOMAIN))
    assert (answer.status_code, "id" in answer.json(), len(sandbox.inbox)) == (200, True, 0)


@pytest.mark.parametrize(
    ("recipient", "key", "status", "says", "requests"),
    [
        ("zoe", "key-wrong", 401, "Forbidden", 1), ("refused", KEY, 400, "'to' parameter", 1), ("unverified", KEY, 403, "unverified", 1),
        ("limit_exceeded", KEY, 420, "try again after", 1), ("too-large", KEY, 413, "too large", 1), ("magnificent_api", KEY, 200, "Magnificent", 1),
        # It repeats a send by itself, which may make several mails: why no SDK is ever in between.
        ("crash", KEY, 500, "Server Error", 4), ("busy", KEY, 503, "navailable", 4), ("crash-after", KEY, 500, "accepted", 4),
    ],
)  # fmt: skip
async def test_the_official_sdk_gets_the_errors(sdk, sandbox, recipient, key, status, says, requests):
    """It raises on none of them."""
    mail = MAIL | {"to": f"{recipient}@example.com"}
    answer = await sdk(lambda client: client.messages.create(data=mail, domain=DOMAIN), key=key)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert len(list(sandbox.inbox.exchanges)) == requests
    assert len(sandbox.inbox) == (4 if recipient == "crash-after" else 0)


async def test_the_official_sdk_reads_the_domain(sdk):
    """As the account check does."""
    answer = await sdk(lambda client: client.domains.get(domain_name=DOMAIN))
    assert answer.json()["domain"]["state"] == "active"


# The answers have the captured shapes.


def as_user(name, key):
    return {"Authorization": f"Basic {b64encode(f'{name}:{key}'.encode()).decode()}"}


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers=as_user("api", KEY)) as session:

        async def request(method="POST", path=PATH, **options):
            async with session.request(method, sandbox.endpoint(MAILGUN) + path, **options) as response:
                body = await response.json() if response.content_type == "application/json" else await response.text()
                return response.status, body, dict(response.headers)

        yield request


def shape(value):
    """The names and kinds of a JSON value; a plain text stays as it is."""
    return {name: type(member) for name, member in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("minimal-200", "zoe"), ("error-400-to", "refused"), ("error-401-plain", "forbidden"), ("error-403-business", "unverified"),
        ("error-429", "throttled"), ("error-500", "crash"), ("magnificent-200-wrong-base", "magnificent_api"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status, members and headers that tell something."""
    [captured] = [one["server_replies"][0] for one in vectors("mailgun/captures")["captures"] if one["name"] == capture]
    status, body, headers = await ask(data=MAIL | {"to": f"{recipient}@example.com"})
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))
    assert set(captured.get("headers", {})) <= set(headers)


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"from": None}, "from parameter is missing"), ({"to": None}, "to parameter is missing"), ({"from": "nobody"}, "'from' parameter"),
        ({"to": "nobody"}, "'to' parameter"), ({"html": None}, "Need at least one"), ({"html": ""}, "Need at least one"), ({"subject": None}, "Queued"),
        ({"html": None, "text": "482913"}, "Queued"), ({"h:X-A": "1", "v:b": "2"}, "Queued"),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, says):
    """With no fault of its own."""
    form = {name: value for name, value in (MAIL | change).items() if value is not None}
    status, body, _ = await ask(data=form)
    assert (status, says in body["message"]) == (200 if says == "Queued" else 400, True)
    assert len(sandbox.inbox) == (says == "Queued")


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", PATH, {}, 404), ("POST", "/v3/other.example/messages", {"data": MAIL}, 404), ("POST", "/v3/domains", {"data": {}}, 404),
        ("POST", PATH, {"data": b""}, 400), ("POST", PATH, {"json": MAIL}, 400), ("GET", f"/v3/domains/{DOMAIN}", {}, 200),
        ("POST", PATH, {"data": MAIL, "headers": as_user("api", "x")}, 401), ("POST", PATH, {"data": MAIL, "headers": as_user("me", KEY)}, 401),
        ("GET", f"/v3/domains/{DOMAIN}", {"headers": as_user("api", "sending-key-local")}, 401),
        ("POST", PATH, {"data": {}, "headers": as_user("api", "sending-key-local")}, 400),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key; a sending key may send alone."""
    got, _, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
