import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from scaleway import Client
from scaleway.tem.v1alpha1 import CreateEmailRequestAddress, CreateEmailRequestHeader, TemV1Alpha1API
from scaleway_core.api import ScalewayException

from authmail.sandbox import Sandbox
from authmail_scaleway_tem.emulator import ScalewayTEMEmulator

SCALEWAY = "scaleway-tem-mail"
DOMAIN = "mail.sandbox.example"
KEY, PROJECT = "22222222-2222-4222-8222-222222222222", "11111111-1111-4111-8111-111111111111"
ROOT = "/transactional-email/v1alpha1/regions/fr-par"
MAIL = {
    "from": {"email": f"no-reply@{DOMAIN}", "name": "Acme"}, "to": [{"email": "zoe@example.com"}], "subject": "Your code",
    "text": "482913", "html": "<p>482913</p>", "project_id": PROJECT,
}  # fmt: skip


@pytest.fixture
async def sandbox():
    """A sandbox with Scaleway in it."""
    async with Sandbox({SCALEWAY: ScalewayTEMEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own."""

    def ask(what, key=KEY):
        client = Client(
            access_key="SCWXXXXXXXXXXXXXXXXX", secret_key=key, default_project_id=PROJECT, default_region="fr-par",
            api_url=sandbox.endpoint(SCALEWAY),
        )  # fmt: skip
        return what(TemV1Alpha1API(client))

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def sending_to(recipient, **more):
    return lambda api: api.create_email(
        from_=CreateEmailRequestAddress(email=f"no-reply@{DOMAIN}", name="Ünïcode, Team"), subject="您的验证码", text="482913", html="<p>482913</p>",
        to=[CreateEmailRequestAddress(email=f"{recipient}@example.com", name="Zoë")], **more,
    )  # fmt: skip


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it reads the answer."""
    headers = [
        CreateEmailRequestHeader(key="Reply-To", value="Help <help@example.com>"),
        CreateEmailRequestHeader(key="X-Flow", value="1"),
    ]
    answer = await sdk(sending_to("zoe", additional_headers=headers, send_before=datetime(2026, 11, 25, 13, 35, tzinfo=UTC)))
    [told] = answer.emails
    assert (told.status, told.try_count, told.flags, told.project_id) == ("new", 0, [], PROJECT)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == (f'"Ünïcode, Team" <no-reply@{DOMAIN}>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html) == ("482913", "<p>482913</p>")
    assert received.extra == {"X-Flow": "1", "send before": "2026-11-25T13:35:00+00:00"}


@pytest.mark.parametrize(
    ("recipient", "key", "status", "says"),
    [
        ("zoe", "22222222-2222-4222-8222-000000000000", 401, "denied_authentication"), ("quota", KEY, 403, "quotas_exceeded"), ("forbidden", KEY, 403, "permissions_denied"),
        ("unverified", KEY, 404, "not_found"), ("refused", KEY, 400, "to[0].email"), ("throttled", KEY, 429, "too_many_requests"),
        ("crash", KEY, 500, "internal"), ("busy", KEY, 503, "unavailable"), ("crash-after", KEY, 500, "internal"),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, key, status, says):
    """By its one exception, with the words; it asks once."""
    with pytest.raises(ScalewayException) as caught:
        await sdk(sending_to(recipient), key=key)
    assert (caught.value.status_code, says in str(caught.value)) == (status, True)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (recipient == "crash-after", 1)


async def test_the_official_sdk_reads_the_project(sdk):
    """Mails of the month, as the account check does."""
    assert (await sdk(lambda api: api.get_project_consumption())).monthly_emails_count == 3


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"X-Auth-Token": KEY}) as session:

        async def request(method="POST", path=f"{ROOT}/emails", **options):
            async with session.request(method, sandbox.endpoint(SCALEWAY) + path, **options) as response:
                return response.status, await response.json()

        yield request


def shape(value):
    """The names and kinds of a JSON value; what an error is called stays as it is."""
    if isinstance(value, dict):
        return {name: member if name == "type" else shape(member) for name, member in value.items()}
    return [shape(member) for member in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("capture", "change"),
    [
        ("all-fields-200", {}), ("error-400", {"from": {"email": "nobody"}}), ("error-404-domain", {"from": {"email": "a@other.example"}}),
        ("error-429", {"to": [{"email": "throttled@example.com"}]}), ("error-500", {"to": [{"email": "crash@example.com"}]}),
        ("check-domains-200", None),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, change):
    """Status and members; the captured project has no domain."""
    [captured] = [one["server_replies"][0] for one in vectors("scaleway_tem/captures")["captures"] if one["name"] == capture]
    if change is None:
        status, body = await ask("GET", f"{ROOT}/domains?project_id={PROJECT}&name=other.example")
    else:
        status, body = await ask(json=MAIL | change)
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"from": None}, "from.email"), ({"from": "a@b.c"}, "from.email"), ({"to": []}, "to[0].email"), ({"to": 5}, "to[0].email"), ({"to": ["a@b.c"]}, "to[0].email"),
        ({"subject": None}, "subject"), ({"text": None}, "text"), ({"html": 5}, "html"), ({"additional_headers": [5]}, "additional_headers"),
        ({"additional_headers": 5}, "additional_headers"), ({"additional_headers": None, "send_before": None}, None), ({"text": ""}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, argument):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(json=MAIL | change)
    assert status == (200 if argument is None else 400)
    assert argument is None or body["details"][0]["argument_name"] == argument
    assert len(sandbox.inbox) == (argument is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", f"{ROOT}/emails", {}, 404), ("POST", "/transactional-email/v1alpha1/regions/nl-ams/emails", {"json": MAIL}, 404), ("POST", f"{ROOT}/domains", {"json": {}}, 404),
        ("POST", f"{ROOT}/emails", {"data": b"x"}, 403), ("POST", f"{ROOT}/emails", {"json": []}, 403), ("POST", f"{ROOT}/emails", {"json": MAIL | {"project_id": "x"}}, 403),
        ("POST", f"{ROOT}/emails", {"json": MAIL, "headers": {"X-Auth-Token": "x"}}, 401), ("GET", f"{ROOT}/domains", {"headers": {"X-Auth-Token": "é"}}, 401),
        ("GET", f"{ROOT}/domains?project_id=x", {}, 403), ("GET", f"{ROOT}/domains", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, region, method, body, project and key."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
