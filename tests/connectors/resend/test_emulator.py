import asyncio

import aiohttp
import pytest
import resend

from authmail.sandbox import Sandbox
from authmail_resend.emulator import ResendEmulator

RESEND = "resend-mail"
MAIL = {"from": "Acme <no-reply@mail.sandbox.example>", "to": "zoe@example.com", "subject": "Hi", "html": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with Resend in it."""
    async with Sandbox({RESEND: ResendEmulator()}) as running:
        yield running


@pytest.fixture
def sdk(sandbox, monkeypatch):
    """The official SDK, which talks to the sandbox from a thread of its own."""
    monkeypatch.setattr(resend, "api_url", sandbox.endpoint(RESEND))
    monkeypatch.setattr(resend, "api_key", "re_sandbox_full_access")
    return asyncio.to_thread


# The official SDK.


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail."""
    mail = MAIL | {
        "to": ["Zoë <zoe@example.com>", "sam@example.com"], "reply_to": ["help@example.com"], "text": "482913",
        "headers": {"X-Entity-Ref-ID": "1"}, "tags": [{"name": "app", "value": "acme"}],
    }  # fmt: skip
    answer = await sdk(resend.Emails.send, mail)
    assert len(answer["id"]) == 36
    assert answer["http_headers"]["ratelimit-limit"] == "5"
    [received] = sandbox.inbox
    assert (received.to, received.reply_to, received.code) == (
        ("zoe@example.com", "sam@example.com"),
        "help@example.com",
        "482913",
    )
    assert received.extra == {"X-Entity-Ref-ID": "1", "tag app": "acme"}


async def test_the_official_sdk_is_held_to_its_idempotency_key(sdk, sandbox):
    """The same again is one mail with one id; another one under the same key is refused."""
    options = {"idempotency_key": "sign-in/42"}
    first, second = await sdk(resend.Emails.send, MAIL, options), await sdk(resend.Emails.send, MAIL, options)
    assert (first["id"], len(sandbox.inbox)) == (second["id"], 1)
    with pytest.raises(resend.exceptions.ResendError) as caught:
        await sdk(resend.Emails.send, MAIL | {"subject": "other"}, options)
    assert (caught.value.code, caught.value.error_type) == (409, "invalid_idempotent_request")


@pytest.mark.parametrize(
    ("recipient", "kind"),
    [
        ("throttled", resend.exceptions.RateLimitError), ("quota", resend.exceptions.RateLimitError),
        ("invalid_api_key", resend.exceptions.InvalidApiKeyError), ("crash", resend.exceptions.ApplicationError),
        ("missing_required_field", resend.exceptions.MissingRequiredFieldsError), ("missing_api_key", resend.exceptions.MissingApiKeyError),
        ("validation_error", resend.exceptions.ValidationError),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, recipient, kind):
    """By status and name, as its own table has them; with the delay."""
    with pytest.raises(kind) as caught:
        await sdk(resend.Emails.send, MAIL | {"to": f"{recipient}@example.com"})
    assert recipient != "throttled" or caught.value.headers["retry-after"] == "3"


async def test_the_official_sdk_lists_domains(sdk):
    """And reads the tracking of one."""
    [domain] = (await sdk(resend.Domains.list))["data"]
    assert (domain["name"], domain["status"]) == ("mail.sandbox.example", "verified")
    assert (await sdk(resend.Domains.get, domain["id"]))["click_tracking"] is False


# Whatever else comes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer re_sandbox_full_access"}) as session:

        async def request(method, path, **options):
            async with session.request(method, sandbox.endpoint(RESEND) + path, **options) as response:
                return response.status, (await response.json()).get("name")

        yield request


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"from": None}, "missing_required_field"), ({"to": []}, "missing_required_field"), ({"subject": ""}, "missing_required_field"),
        ({"html": None}, "missing_required_field"), ({"from": 5}, "validation_error"), ({"from": "Acme"}, "validation_error"),
        ({"from": ["a@mail.sandbox.example"]}, "validation_error"), ({"to": "nobody"}, "validation_error"), ({"to": [5]}, "validation_error"),
        ({"to": {"a": "b"}}, "validation_error"), ({"to": ["a@b.c"] * 51}, "validation_error"), ({"reply_to": "x"}, "validation_error"),
        ({"subject": 5}, "validation_error"), ({"html": {"a": 1}}, "validation_error"), ({"headers": []}, "validation_error"),
        ({"tags": [{"name": "a b", "value": "c"}]}, "validation_error"), ({"tags": [5]}, "validation_error"), ({"tags": 5}, "validation_error"),
        ({"tags": [{"name": 5, "value": []}]}, "validation_error"), ({"tags": None}, None), ({"headers": None, "reply_to": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, name):
    """As the service does, and with no fault of its own; null is the same as leaving a field out."""
    status, got = await ask("POST", "/emails", json=MAIL | change)
    assert (status, got) == (200 if name is None else 422, name)
    assert len(sandbox.inbox) == (name is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "name"),
    [
        ("GET", "/emails", {}, 405, "method_not_allowed"), ("POST", "/other", {}, 404, "not_found"), ("GET", "/domains/x", {}, 404, "not_found"),
        ("POST", "/emails", {"data": b"x"}, 400, "validation_error"), ("POST", "/emails", {"json": []}, 400, "validation_error"),
        ("POST", "/emails", {"json": MAIL, "headers": {"Idempotency-Key": "k" * 257}}, 400, "invalid_idempotency_key"),
        ("POST", "/emails", {"json": MAIL, "headers": {"Idempotency-Key": ""}}, 400, "invalid_idempotency_key"),
        ("POST", "/emails", {"json": MAIL, "headers": {"Authorization": "Basic x"}}, 401, "missing_api_key"),
        ("POST", "/emails", {"json": MAIL, "headers": {"Authorization": "Bearer re_other"}}, 403, "invalid_api_key"),
        ("POST", "/emails", {"json": MAIL, "headers": {"Authorization": "Bearer é"}}, 403, "invalid_api_key"),
        ("GET", "/domains", {"headers": {"Authorization": "Bearer re_sandbox_sending_access"}}, 401, "restricted_api_key"),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status, name):
    """Path, method, body and keys."""
    assert await ask(method, path, **options) == (status, name)
    assert len(sandbox.inbox) == 0
