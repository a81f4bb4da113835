import asyncio
from base64 import b64encode

import aiohttp
import pytest
from mailjet_rest import Client
from mailjet_rest import errors as sdk_errors

from authmail.sandbox import Sandbox
from authmail_mailjet.emulator import MailjetEmulator

MAILJET = "mailjet-mail"
KEYS = (MailjetEmulator().config["apiKey"], MailjetEmulator().config["secretKey"])
MAIL = {
    "From": {"Email": "no-reply@mail.sandbox.example"},
    "To": [{"Email": "zoe@example.com"}],
    "Subject": "Hi",
    "HTMLPart": "<p>482913</p>",
}


@pytest.fixture
async def sandbox():
    """A sandbox with Mailjet in it."""
    async with Sandbox({MAILJET: MailjetEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, which talks to the sandbox from a thread of its own; with `repeats` as it does to Mailjet itself."""

    def ask(what, keys=KEYS, *, repeats=False):
        with Client(auth=keys, version="v3.1", api_url=sandbox.endpoint(MAILJET)) as client:
            if repeats:
                adapter = client.session.get_adapter("https://api.mailjet.com")
                adapter.max_retries = adapter.max_retries.new(backoff_factor=0)  # its times between are no matter here
                client.session.mount("http://", adapter)
            return what(client)

    return lambda what, **options: asyncio.to_thread(ask, what, **options)


def send(recipient, **more):
    mail = {"From": MAIL["From"] | {"Name": "Ünïcode, Team"}, "To": [{"Email": f"{recipient}@example.com", "Name": "Zoë"}]}
    mail |= {"Subject": "您的验证码", "TextPart": "482913", "HTMLPart": "<p>482913</p>"}
    return lambda client: client.send.create(data={"Messages": [mail | more]})


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the number."""
    reply_to = {"ReplyTo": {"Email": "help@example.com", "Name": "Help"}, "Headers": {"X-Flow": "1"}}
    answer = await sdk(send("zoe", **reply_to, CustomID="acme-1", TrackClicks="disabled", TrackOpens="disabled"))
    [told] = answer.json()["Messages"]
    assert (answer.status_code, told["Status"], told["To"][0]["MessageID"] > 2**53) == (200, "success", True)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1"})


@pytest.mark.parametrize(
    ("recipient", "keys", "kind", "says"),
    [
        ("zoe", (KEYS[0], "0" * 32), sdk_errors.MailjetAuthError, "authentication"), ("suspended", KEYS, sdk_errors.MailjetAuthError, "suspended"),
        ("unverified", KEYS, sdk_errors.MailjetAuthError, "ot an authorized sender"), ("mj-0013", KEYS, sdk_errors.ValidationError, "mj-0013"),
        ("throttled", KEYS, sdk_errors.ApiRateLimitError, "Too many"), ("crash", KEYS, sdk_errors.ApiError, "500"),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, keys, kind, says):
    """Each by the exception that it has for the status."""
    with pytest.raises(kind, match=says):
        await sdk(send(recipient), keys=keys)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


@pytest.mark.parametrize("recipient", ["refused", "failed"])
async def test_the_official_sdk_takes_a_200_for_success(sdk, sandbox, recipient):
    """Also one with an error in it, which is why authmail looks at the mail's own status."""
    answer = await sdk(send(recipient))
    assert (answer.status_code, answer.json()["Messages"][0]["Status"], len(sandbox.inbox)) == (200, "error", 0)


async def test_the_official_sdk_sends_again_what_may_have_gone_out(sdk, sandbox):
    """By its own default: four mails for one call, which is why it is no transport for codes; authmail asks once."""
    with pytest.raises(sdk_errors.ApiError):
        await sdk(send("crash-after"), repeats=True)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (4, 4)


async def test_the_official_sdk_reads_the_senders(sdk, sandbox):
    """Which the account check asks for, too."""

    def senders(_):
        with Client(auth=KEYS, version="v3", api_url=sandbox.endpoint(MAILJET)) as client:
            return client.sender.get()

    answer = await sdk(senders)
    assert [(row["Email"], row["Status"]) for row in answer.json()["Data"]] == [("*@mail.sandbox.example", "Active")]


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession() as session:

        async def request(method="POST", path="/v3.1/send", keys=KEYS, **options):
            address = sandbox.endpoint(MAILJET) + path
            headers = {"Authorization": f"Basic {b64encode(':'.join(keys).encode()).decode()}"}
            async with session.request(method, address, headers=headers, **options) as response:
                return response.status, await response.json()

        yield request


def shape(value):
    """The names and kinds of a JSON value; codes and states stay as they are."""
    if isinstance(value, dict):
        return {
            name: member if name in ("ErrorCode", "Status", "ErrorRelatedTo") else shape(member) for name, member in value.items()
        }
    return [shape(member) for member in value] if isinstance(value, list) else type(value)


@pytest.mark.parametrize(
    ("capture", "change"),
    [
        ("all-fields-200", {}), ("error-in-200", {"To": [{"Email": "refused@example.com"}]}), ("error-400-per-message", {"To": [{"Email": "mj-0013@example.com"}]}),
        ("error-400-missing", {"To": [{"Email": "mj-0003@example.com"}]}), ("error-429", {"To": [{"Email": "throttled@example.com"}]}),
        ("error-500", {"To": [{"Email": "crash@example.com"}]}),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, change):
    """Status and members; who is blamed for a missing field is the capture's own."""
    [captured] = [one["server_replies"][0] for one in vectors("mailjet/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json={"Messages": [MAIL | change]})
    expected = shape(captured["body"])
    if capture == "error-400-missing":
        expected["Messages"][0]["Errors"][0]["ErrorRelatedTo"] = ["To[0].Email"]
    assert (status, shape(body)) == (captured["status"], expected)


async def test_sandbox_mode_takes_nothing(ask, sandbox):
    """A success with the number 0, as the guide has it."""
    status, body = await ask(json={"Messages": [MAIL], "SandboxMode": True})
    [told] = body["Messages"]
    assert (status, told["Status"], told["To"][0]["MessageID"], told["To"][0]["MessageUUID"]) == (200, "success", 0, "")
    assert len(sandbox.inbox) == 0


# Whatever else comes.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"From": None}, "mj-0003"), ({"From": "a@mail.sandbox.example"}, "mj-0003"), ({"From": {"Email": "nobody"}}, "mj-0013"),
        ({"From": {"Email": "a@other.example"}}, "send-0008"), ({"To": []}, "mj-0007"), ({"To": ["a@b.c"]}, "mj-0003"), ({"To": 5}, "mj-0003"),
        ({"To": [{"Email": "nobody"}]}, "mj-0013"), ({"ReplyTo": [{"Email": "a@b.c"}]}, "mj-0003"), ({"Headers": [5]}, "mj-0003"),
        ({"HTMLPart": None}, "send-0003"), ({"HTMLPart": {"a": 1}}, "send-0003"), ({"ReplyTo": None, "Headers": None, "TextPart": None}, None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, code):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(json={"Messages": [MAIL | change]})
    errors = body["Messages"][0].get("Errors", [{}])
    assert (status == 200, errors[0].get("ErrorCode"), len(sandbox.inbox)) == (code is None, code, code is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/v3.1/send", {}, 404), ("POST", "/v3/send", {"json": {}}, 404), ("POST", "/v3/REST/sender", {}, 404), ("GET", "/v3/REST/sender", {}, 200),
        ("POST", "/v3.1/send", {"data": b"x"}, 400), ("POST", "/v3.1/send", {"json": []}, 400), ("POST", "/v3.1/send", {"json": {"Messages": 5}}, 400),
        ("POST", "/v3.1/send", {"json": {}, "keys": (KEYS[0], "0")}, 401), ("GET", "/v3/REST/apikey", {"keys": ("x", KEYS[1])}, 401),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and keys."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
