import asyncio
from contextlib import contextmanager

import aiohttp
import infobip_api_client as infobip
import pytest
from infobip_api_client.api.email_api import EmailApi
from infobip_api_client.exceptions import ApiException

from authmail.sandbox import Sandbox
from authmail_infobip.emulator import InfobipEmulator

INFOBIP = "infobip-mail"
KEY = InfobipEmulator().config["apiKey"]
ID = "acme-0001"


def mail(recipient="zoe", **change):
    message = {
        "sender": "no-reply@mail.sandbox.example", "destinations": [{"to": [{"destination": f"{recipient}@example.com"}]}],
        "content": {"subject": "Hi", "html": "<p>482913</p>"},
    }  # fmt: skip
    return {"messages": [message | change]}


@pytest.fixture
async def sandbox():
    """A sandbox with Infobip in it."""
    async with Sandbox({INFOBIP: InfobipEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, in a thread of its own; it takes http on this machine alone."""

    @contextmanager
    def closing_pool(key):
        client = infobip.ApiClient(infobip.Configuration(host=sandbox.endpoint(INFOBIP), api_key=key))
        try:
            yield EmailApi(client)
        finally:
            client.rest_client.pool_manager.clear()

    def send(recipient, key=KEY):
        to = infobip.EmailToDestination(destination=f"{recipient}@example.com", messageId=ID)
        message = infobip.EmailMessage(
            sender='"Ünïcode, Team" <no-reply@mail.sandbox.example>',
            destinations=[infobip.EmailGroupDestination(to=[to], replyTo="help@example.com")],
            content=infobip.EmailMessageContent(
                subject="您的验证码", text="482913", html="<p>482913</p>", headers='{"X-Flow": "1"}'
            ),
            options=infobip.EmailMessageOptions(campaignReferenceId="signin"),
        )
        with closing_pool(key) as api:
            return api.send_email(infobip.EmailRequest(messages=[message]))

    def domain():
        with closing_pool(KEY) as api:
            return api.get_domain_details("mail.sandbox.example")

    calls = {"send": send, "domain": domain}
    return lambda name, *args, **options: asyncio.to_thread(calls[name], *args, **options)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the status, and the id that it chose."""
    [message] = (await sdk("send", "zoe")).messages
    assert (message.status.group_id, message.status.name, message.message_id, message.destination) == (
        1,
        "PENDING_ACCEPTED",
        ID,
        "zoe@example.com",
    )
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "help@example.com")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1", "campaign": "signin"})


@pytest.mark.parametrize(
    ("recipient", "key", "status", "code"),
    [
        ("zoe", "wrong", 401, "E401"), ("refused", KEY, 400, "E400"), ("bad_request", KEY, 400, "BAD_REQUEST"), ("forbidden", KEY, 403, "E403"), ("throttled", KEY, 429, "E429"),
        ("crash", KEY, 500, "E500"),
    ],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, key, status, code):
    """With the status and the code; it asks once."""
    with pytest.raises(ApiException) as caught:
        await sdk("send", recipient, key=key)
    assert (caught.value.status, code in caught.value.body) == (status, True)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_sees_a_200_that_refuses(sdk, sandbox):
    """By the status of the mail."""
    [message] = (await sdk("send", "credit")).messages
    assert (message.status.group_id, message.status.group_name, message.status.name) == (
        5,
        "REJECTED",
        "REJECTED_NOT_ENOUGH_CREDITS",
    )
    assert len(sandbox.inbox) == 0


async def test_the_official_sdk_reads_the_domain(sdk):
    """That our check asks for."""
    domain = await sdk("domain")
    assert (domain.domain_name, domain.active, domain.blocked) == ("mail.sandbox.example", True, False)


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": f"App {KEY}"}) as session:

        async def request(method="POST", path="/email/4/messages", **options):
            async with session.request(method, sandbox.endpoint(INFOBIP) + path, **options) as response:
                return response.status, await response.json()

        yield request


@pytest.mark.parametrize(
    ("capture", "recipient", "name"),
    [("all-fields-200", "zoe", "PENDING_ACCEPTED"), ("rejected-in-200", "credit", "REJECTED_NOT_ENOUGH_CREDITS")],
)
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient, name):
    """And the address by its name in the description besides."""
    [captured] = [one["server_replies"][0]["body"] for one in vectors("infobip/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json=mail(recipient))
    [ours], [theirs] = body["messages"], captured["messages"]
    assert (status, body.keys(), ours.keys()) == (200, captured.keys(), theirs.keys() | {"destination"})
    assert (ours["status"].keys(), ours["status"]["groupId"], ours["status"]["name"]) == (
        theirs["status"].keys(),
        theirs["status"]["groupId"],
        name,
    )


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [("error-400-legacy", "bad_request"), ("error-401-legacy", "unauthorized"), ("error-401-platform", "e401"), ("error-429", "too_many_requests"), ("error-500", "general_error")],
)  # fmt: skip
async def test_errors_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Of both makes."""
    [captured] = [one["server_replies"][0] for one in vectors("infobip/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json=mail(recipient))
    assert (status, body.keys()) == (captured["status"], captured["body"].keys())
    ours, theirs = (one.get("requestError", {}).get("serviceException", one) for one in (body, captured["body"]))
    assert theirs.keys() <= ours.keys()
    assert [ours.get(name) for name in ("messageId", "errorCode")] == [theirs.get(name) for name in ("messageId", "errorCode")]


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sender": None}, "E400"), ({"sender": "nobody"}, "E400"), ({"destinations": []}, "E400"), ({"destinations": [{"to": []}]}, "E400"), ({"destinations": [{"to": [5]}]}, "E400"),
        ({"destinations": [{"to": [{"destination": "nobody"}]}]}, "E400"), ({"content": None}, "E400"), ({"content": {"subject": "s"}}, "E400"), ({"content": {"text": "t"}}, "E400"),
        ({"content": {"subject": "s", "text": "t", "headers": "no JSON"}}, "E400"), ({"content": {"subject": "s", "text": "t", "headers": {"X": "1"}}}, "E400"),
        ({"options": 5}, "E400"), ({"sender": "a@other.example"}, "REJECTED_VALIDATION_FAILED"), ({"options": None}, "PENDING_ACCEPTED"),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, name):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(json=mail(**change))
    assert (status == 400, body.get("errorCode") or body["messages"][0]["status"]["name"]) == (name == "E400", name)
    assert len(sandbox.inbox) == (name == "PENDING_ACCEPTED")


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/email/4/messages", {}, 404), ("POST", "/email/3/send", {"json": mail()}, 404), ("GET", "/email/1/domains/other.example", {}, 404),
        ("POST", "/email/4/messages", {"data": b"x"}, 400), ("POST", "/email/4/messages", {"json": []}, 400), ("POST", "/email/4/messages", {"json": {"messages": []}}, 400),
        ("POST", "/email/4/messages", {"json": mail(), "headers": {"Authorization": "App é"}}, 401), ("POST", "/email/4/messages", {"json": mail(), "headers": {"Authorization": KEY}}, 401),
        ("GET", "/account/1/balance", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key, with its word before it."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
