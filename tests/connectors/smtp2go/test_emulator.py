import asyncio
import importlib
import logging

import aiohttp
import pytest

from authmail.sandbox import Sandbox
from authmail_smtp2go.emulator import SMTP2GOEmulator

SMTP2GO = "smtp2go-email-service"
KEY = "api-local-key"
MAIL = {"sender": "no-reply@mail.sandbox.example", "to": ["zoe@example.com"], "subject": "Hi", "html_body": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with SMTP2GO in it."""
    async with Sandbox({SMTP2GO: SMTP2GOEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox, monkeypatch):
    """The official SDK, in a thread of its own. Its import would set up logging for everybody, and its host is a constant."""
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    core = importlib.import_module("smtp2go.core")
    monkeypatch.setattr(core, "API_ROOT", f"{sandbox.endpoint(SMTP2GO)}/v3/")

    def ask(recipient, key=KEY, **more):
        mail = {"sender": '"Ünïcode, Team" <no-reply@mail.sandbox.example>', "recipients": [f"Zoë <{recipient}@example.com>"]}
        return core.Smtp2goClient(key).send(**mail, subject="您的验证码", text="482913", html="<p>482913</p>", **more)

    return lambda *args, **options: asyncio.to_thread(ask, *args, **options)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds count and id."""
    answer = await sdk("zoe", custom_headers={"Reply-To": "Help <help@example.com>", "X-Flow": "1"})
    assert (answer.success, answer.status_code, bool(answer.json["data"]["email_id"])) == (True, 200, True)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra["X-Flow"]) == ("482913", "<p>482913</p>", "1")


@pytest.mark.parametrize(
    ("recipient", "key", "status", "code"),
    [
        ("zoe", "api-wrong", 401, "API_KEY_INVALID"), ("refused", KEY, 400, "NON_VALIDATING_IN_PAYLOAD"), ("throttled", KEY, 429, "API_EXCEPTION"),
        ("endpoint_permission_denied", KEY, 400, "ENDPOINT_PERMISSION_DENIED"), ("crash", KEY, 500, "API_EXCEPTION"),
    ],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, key, status, code):
    """No success, with the status and the code; it asks once."""
    answer = await sdk(recipient, key=key)
    assert (answer.success, answer.status_code) == (False, status)
    assert answer.json["data"]["error_code"] == f"E_ApiResponseCodes.{code}"
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_sees_a_200_that_failed(sdk, sandbox):
    """By the count, with the words."""
    answer = await sdk("unverified")
    assert (answer.success, answer.status_code, answer.errors) == (False, 200, ["Unable to verify sender address."])
    assert len(sandbox.inbox) == 0


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"X-Smtp2go-Api-Key": KEY}) as session:

        async def request(method="POST", path="/v3/email/send", **options):
            async with session.request(method, sandbox.endpoint(SMTP2GO) + path, **options) as response:
                return response.status, await response.json()

        yield request


def shape(value):
    """The names and kinds of a JSON value; codes stay as they are."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return value if isinstance(value, str) and value.startswith("E_") else type(value)


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("all-fields-200", "zoe"), ("failed-in-200", "failed"), ("error-400-validation", "refused"), ("error-429", "throttled"), ("error-500", "crash"),
        ("error-400-endpoint-permission", "endpoint_permission_denied"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status and members."""
    [captured] = [one["server_replies"][0] for one in vectors("smtp2go/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json=MAIL | {"to": [f"{recipient}@example.com"]})
    assert (status, shape(body)) == (captured["status"], shape(captured["body"]))


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sender": None}, "sender"), ({"sender": 5}, "sender"), ({"sender": "nobody"}, "sender"), ({"to": []}, "to"), ({"to": "a@b.c"}, "to"),
        ({"to": [5]}, "to"), ({"to": ["nobody"]}, "to"), ({"subject": ""}, "subject"), ({"subject": 5}, "subject"), ({"html_body": None}, "html_body"),
        ({"html_body": {"a": 1}}, "html_body"), ({"custom_headers": 5}, "custom_headers"), ({"custom_headers": [5]}, "custom_headers"),
        ({"custom_headers": [{"header": "X"}]}, "custom_headers"), ({"text_body": None, "custom_headers": None, "template_id": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, field):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(json=MAIL | change)
    assert (status, body["data"].get("field_validation_errors", {}).get("fieldname")) == (200 if field is None else 400, field)
    assert len(sandbox.inbox) == (field is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v3/email/send", {}, 404), ("POST", "/v3/other", {"json": MAIL}, 404), ("GET", "/v3/domain/view", {}, 404),
        ("POST", "/v3/email/send", {"data": b"x"}, 400), ("POST", "/v3/email/send", {"json": []}, 400),
        ("POST", "/v3/email/send", {"json": MAIL, "headers": {"X-Smtp2go-Api-Key": "é"}}, 401), ("POST", "/v3/domain/view", {"json": {}}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
