import asyncio

import aiohttp
import httpx
import pytest
from brevo import Brevo
from brevo.core.api_error import ApiError
from brevo.transactional_emails import (
    SendTransacEmailRequestReplyTo,
    SendTransacEmailRequestSender,
    SendTransacEmailRequestToItem,
)

from authmail.sandbox import Sandbox
from authmail_brevo.emulator import BrevoEmulator

BREVO = "brevo-mail"
KEY = "xkeysib-sandbox"
SENDER = {"email": "no-reply@mail.sandbox.example"}
MAIL = {"sender": SENDER, "to": [{"email": "zoe@example.com"}], "subject": "Hi", "htmlContent": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with Brevo in it."""
    async with Sandbox({BREVO: BrevoEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own; it closes no client."""

    def ask(what, key=KEY):
        with httpx.Client() as client:
            return what(Brevo(api_key=key, base_url=f"{sandbox.endpoint(BREVO)}/v3", httpx_client=client))

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def sending(recipient, name="Ünïcode Team", retries=0, **more):
    people = [SendTransacEmailRequestToItem(email=f"{recipient}@example.com", name="Zoë")]
    sender = SendTransacEmailRequestSender(name=name, **SENDER)
    texts = {"subject": "您的验证码", "html_content": "<p>482913</p>", "text_content": "482913"}
    return lambda client: client.transactional_emails.send_transac_email(
        to=people, sender=sender, **texts, **more, request_options={"max_retries": retries}
    )


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    reply_to = SendTransacEmailRequestReplyTo(email="help@example.com", name="Help")
    answer = await sdk(sending("zoe", reply_to=reply_to, headers={"X-Flow": "1", "idempotencyKey": "k"}, tags=["signin"]))
    assert answer.message_id.endswith("@smtp-relay.mailin.fr>")
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ("Ünïcode Team <no-reply@mail.sandbox.example>", ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1", "tag 1": "signin"})


async def test_a_name_that_is_sent_as_it_is_gets_lost(sdk, sandbox):
    """As at Brevo; django-anymail's encoded word gets through."""
    await sdk(sending("zoe", name="Ünïcode, Team"))
    await sdk(sending("zoe", name="=?utf-8?b?w5xuw69jb2RlLCBUZWFt?="))
    lost, kept = sorted(sandbox.inbox, key=lambda mail: len(mail.sender))
    assert (lost.sender, kept.sender) == (SENDER["email"], f'"Ünïcode, Team" <{SENDER["email"]}>')


@pytest.mark.parametrize(
    ("recipient", "status", "code"),
    [
        ("refused", 400, "invalid_parameter"), ("unverified", 400, "invalid_parameter"), ("blocked", 400, "invalid_parameter"), ("address", 401, "unauthorized"),
        ("inactive", 403, "permission_denied"), ("not_enough_credits", 402, "not_enough_credits"), ("throttled", 429, "too_many_requests"),
        ("crash", 500, "internal_error"), ("document_not_found", 404, "document_not_found"), ("unauthorized", 401, "unauthorized"),
        ("permission_denied", 403, "permission_denied"), ("account_under_validation", 402, "account_under_validation"),
        ("too_many_requests", 429, "too_many_requests"),
    ],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, status, code):
    """By its exception, with status and code; told so, it asks once."""
    with pytest.raises(ApiError) as caught:
        await sdk(sending(recipient))
    body = caught.value.body if isinstance(caught.value.body, dict) else caught.value.body.dict()
    assert (caught.value.status_code, body["code"]) == (status, code)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_repeats_by_itself(sdk, sandbox):
    """What was accepted before the fault goes out twice, for it makes no key."""
    with pytest.raises(ApiError):
        await sdk(sending("crash-after", retries=1))
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (2, 2)


async def test_the_official_sdk_is_told_of_a_used_key(sdk, sandbox):
    """A 400 that sends no second mail, as the page has it."""
    await sdk(sending("zoe", headers={"idempotencyKey": "k"}))
    with pytest.raises(ApiError, match="duplicate_parameter"):
        await sdk(sending("zoe", headers={"idempotencyKey": "k"}))
    assert len(sandbox.inbox) == 1


async def test_the_official_sdk_is_told_of_a_wrong_key(sdk, sandbox):
    """Before anything else is looked at."""
    with pytest.raises(ApiError, match="Key not found"):
        await sdk(sending("zoe"), key="xkeysib-wrong")
    assert len(sandbox.inbox) == 0


async def test_brevos_sandbox_takes_nothing(sdk, sandbox):
    """With the answer of a success: that is why no host may ask for it."""
    assert (await sdk(sending("zoe", headers={"X-Sib-Sandbox": "drop"}))).message_id
    assert len(sandbox.inbox) == 0


async def test_the_official_sdk_asks_for_the_account(sdk):
    """As the online check does."""
    account = await sdk(lambda client: client.account.get_account())
    senders = await sdk(lambda client: client.senders.get_senders(domain="mail.sandbox.example"))
    domain = await sdk(lambda client: client.domains.get_domain_configuration("mail.sandbox.example"))
    assert (account.plan[0].credits, account.relay.enabled) == (297, True)
    assert (senders.senders[0].active, domain.authenticated) == (True, True)


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"api-key": KEY}) as session:

        async def request(method="POST", path="/v3/smtp/email", **options):
            async with session.request(method, sandbox.endpoint(BREVO) + path, **options) as response:
                return response.status, response.headers, await response.json()

        yield request


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("all-fields-201", "zoe"), ("error-400-invalid", "refused"), ("error-400-blocked", "blocked"), ("error-402-credits", "not_enough_credits"),
        ("error-429", "throttled"), ("error-500", "crash"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status, members, code, and the headers of a rate."""
    [captured] = [one["server_replies"][0] for one in vectors("brevo/captures")["captures"] if one["name"] == capture]
    status, headers, body = await ask(json=MAIL | {"to": [{"email": f"{recipient}@example.com"}]})
    assert (status, set(body), body.get("code")) == (captured["status"], set(captured["body"]), captured["body"].get("code"))
    assert all(name in headers for name in captured.get("headers", {}))


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"sender": None}, "invalid_parameter"), ({"sender": 5}, "invalid_parameter"), ({"sender": {"email": 5}}, "invalid_parameter"),
        ({"sender": {"email": "a@other.example"}}, "invalid_parameter"), ({"sender": SENDER | {"name": 5}}, "invalid_parameter"),
        ({"sender": SENDER | {"name": "=?x?b?eA==?="}}, "invalid_parameter"), ({"to": []}, "missing_parameter"), ({"to": "a@b.c"}, "missing_parameter"),
        ({"to": [5]}, "invalid_parameter"), ({"to": [{"email": "nobody"}]}, "invalid_parameter"), ({"subject": ""}, "missing_parameter"),
        ({"htmlContent": None}, "missing_parameter"), ({"htmlContent": {"a": 1}}, "missing_parameter"), ({"headers": 5}, "invalid_parameter"),
        ({"tags": 5}, "invalid_parameter"), ({"replyTo": "nobody"}, "invalid_parameter"), ({"textContent": None, "headers": None, "replyTo": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, code):
    """With no fault of its own; null is the same as leaving a field out."""
    status, _, body = await ask(json=MAIL | change)
    assert (status, body.get("code"), len(sandbox.inbox)) == (400 if code else 201, code, int(code is None))


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v3/smtp/email", {}, 404), ("POST", "/v3/account", {"json": {}}, 404), ("GET", "/v3/account", {}, 200),
        ("POST", "/v3/smtp/email", {"data": b"x"}, 400), ("POST", "/v3/smtp/email", {"json": []}, 400),
        ("POST", "/v3/smtp/email", {"json": MAIL, "headers": {"api-key": "é"}}, 401),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key."""
    got, _, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
