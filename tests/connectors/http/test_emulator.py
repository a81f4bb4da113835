import aiohttp
import pytest

from authmail.sandbox import Sandbox
from authmail_http.emulator import EndpointEmulator

MESSAGE = {"to": "zoe@example.com", "type": "SignIn", "payload": {"code": "482913"}}
MAIL = {"to": "zoe@example.com", "email": {"subject": "Hi", "text": "t"}}


@pytest.fixture
async def endpoint():
    """An endpoint that asks for neither authorization nor signature."""
    async with Sandbox({"http-email": EndpointEmulator(authorization="", signing_secret="")}) as running:
        yield running


@pytest.fixture
async def post(endpoint):
    async with aiohttp.ClientSession() as session:

        async def request(json=None, **options):
            async with session.request(
                options.pop("method", "POST"), endpoint.endpoint("http-email"), json=json, **options
            ) as response:
                return response.status, (await response.json())["error"]["code"] if response.status >= 400 else None

        yield request


async def test_takes_both_shapes(post, endpoint):
    """From any client that was let in."""
    assert endpoint.config("http-email") == {"endpoint": endpoint.endpoint("http-email")}
    for body in (MESSAGE, MAIL, MAIL | {"email": MAIL["email"] | {"from": {"name": "Acme"}, "headers": {"X": "y"}}}):
        assert await post(body) == (202, None)
    assert [mail.subject for mail in endpoint.inbox] == ["SignIn", "Hi", "Hi"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_to"), ([], "missing_to"), ({"to": 5}, "missing_to"), ({"to": "a@b.c"}, "wrong_shape"), (MESSAGE | {"type": 5}, "wrong_shape"),
        (MESSAGE | {"payload": []}, "wrong_shape"), (MESSAGE | {"to": "a@b.c,d@e.f"}, "invalid_recipient"), (MESSAGE | {"to": "x"}, "invalid_recipient"),
        (MAIL | {"email": {"subject": "s"}}, "wrong_shape"), (MAIL | {"email": {"subject": 5, "text": "t"}}, "wrong_shape"),
        (MAIL | {"email": {"subject": "s", "text": 5}}, "wrong_shape"), (MAIL | {"email": {"subject": "s", "text": "t", "from": []}}, "wrong_shape"),
        (MAIL | {"email": {"subject": "s", "text": "t", "from": {"name": 5}}}, "wrong_shape"), (MAIL | {"email": "x"}, "wrong_shape"),
        (MAIL | {"email": {"subject": "s", "text": "t", "headers": {"X": []}}}, "wrong_shape"),
    ],
)  # fmt: skip
async def test_refuses_what_is_neither(post, endpoint, body, code):
    """By name, and with no fault of its own."""
    assert await post(body) == (422, code)
    assert len(endpoint.inbox) == 0


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"method": "GET"}, 405, "method_not_allowed"),
        ({"data": b"{}"}, 415, "not_json"),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400, "not_json"),
        ({"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}, 400, "not_json"),
    ],
)
async def test_refuses_what_is_no_post_of_json(post, options, status, code):
    """As a real one would."""
    assert await post(**options) == (status, code)


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"webhook-id": "é"}, {"webhook-id": "x", "webhook-timestamp": "soon", "webhook-signature": "v1,x"},
        {"webhook-id": "x", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, {"webhook-id": "x", "webhook-timestamp": "9" * 30},
    ],
)  # fmt: skip
async def test_asks_for_a_signature(headers):
    """Missing, malformed, old and from the future are refused alike."""
    async with Sandbox({"http-email": EndpointEmulator(authorization="")}) as sandbox, aiohttp.ClientSession() as session:
        async with session.post(sandbox.endpoint("http-email"), json=MESSAGE, headers=headers) as response:
            assert response.status == 401
        assert len(sandbox.inbox) == 0
