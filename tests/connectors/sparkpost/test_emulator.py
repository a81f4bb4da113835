import asyncio

import aiohttp
import pytest
import sparkpost
from sparkpost.exceptions import SparkPostAPIException

from authmail.sandbox import Sandbox
from authmail_sparkpost.emulator import SparkPostEmulator

SPARKPOST = "sparkpost-mail"
KEY = SparkPostEmulator().config["apiKey"]
MAIL = {
    "recipients": [{"address": {"email": "zoe@example.com"}}],
    "content": {"from": {"email": "no-reply@mail.sandbox.example"}, "subject": "Hi", "html": "<p>482913</p>"},
}


@pytest.fixture
async def sandbox():
    """A sandbox with SparkPost in it."""
    async with Sandbox({SPARKPOST: SparkPostEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
def sdk(sandbox):
    """The official SDK, in a thread of its own. It knows https alone, so its one resource is told where to go."""

    def ask(recipient, key=KEY, **more):
        transmissions = sparkpost.SparkPost(key).transmissions
        transmissions.base_uri = f"{sandbox.endpoint(SPARKPOST)}/api/v1"
        try:
            return transmissions.send(
                recipients=[{"address": {"email": f"{recipient}@example.com", "name": "Zoë"}}],
                from_email="Ünïcode Team <no-reply@mail.sandbox.example>", subject="您的验证码", text="482913", html="<p>482913</p>", **more,
            )  # fmt: skip
        finally:
            transmissions.transport.sess.close()

    return lambda *args, **options: asyncio.to_thread(ask, *args, **options)


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds counts and id."""
    answer = await sdk(
        "zoe", reply_to="Help <help@example.com>", custom_headers={"X-Flow": "1"}, campaign="signin", perform_substitutions=False,
        track_opens=False, track_clicks=False, transactional=True,
    )  # fmt: skip
    assert (answer["total_accepted_recipients"], answer["total_rejected_recipients"], answer["id"].isdigit()) == (1, 0, True)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ("Ünïcode Team <no-reply@mail.sandbox.example>", ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "Help <help@example.com>")
    assert (received.text, received.html, received.extra) == ("482913", "<p>482913</p>", {"X-Flow": "1", "campaign": "signin"})


@pytest.mark.parametrize(
    ("recipient", "key", "status", "code"),
    [("zoe", "wrong", 401, "none"), ("unverified", KEY, 400, "7001"), ("quota", KEY, 420, "2102"), ("throttled", KEY, 429, "none"), ("crash", KEY, 500, "none")],
)  # fmt: skip
async def test_the_official_sdk_reads_the_errors(sdk, sandbox, recipient, key, status, code):
    """With the status and the code; it asks once."""
    with pytest.raises(SparkPostAPIException) as caught:
        await sdk(recipient, key=key)
    assert (caught.value.status, f"Code: {code} " in caught.value.errors[0]) == (status, True)
    assert (len(sandbox.inbox), len(list(sandbox.inbox.exchanges))) == (0, 1)


async def test_the_official_sdk_takes_a_200_that_accepted_nobody_for_success(sdk, sandbox):
    """It shows the counts, and not what was wrong; authmail tells both."""
    answer = await sdk("nobody")
    assert (answer["total_accepted_recipients"], answer["total_rejected_recipients"], len(sandbox.inbox)) == (0, 1, 0)


# The answers have the captured shapes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"Authorization": KEY}) as session:

        async def request(method="POST", path="/api/v1/transmissions", **options):
            async with session.request(method, sandbox.endpoint(SPARKPOST) + path, **options) as response:
                return response.status, await response.json()

        yield request


def to(recipient):
    return MAIL | {"recipients": [{"address": {"email": f"{recipient}@example.com"}}]}


@pytest.mark.parametrize(
    ("capture", "recipient"),
    [
        ("minimal-200", "zoe"), ("error-400-domain", "7001"), ("error-401-tenant", "1303"), ("error-420-daily", "quota"), ("error-420-hourly", "2101"),
        ("error-422-invalid", "1400"), ("error-422-template", "1603"),
    ],
)  # fmt: skip
async def test_answers_have_the_captured_shapes(ask, vectors, capture, recipient):
    """Status, members, and the code of an error."""
    [captured] = [one["server_replies"][0] for one in vectors("sparkpost/captures")["captures"] if one["name"] == capture]
    status, body = await ask(json=to(recipient))
    (ours,), (theirs,) = (list(one.values()) for one in (body, captured["body"]))
    assert (status, body.keys()) == (captured["status"], captured["body"].keys())
    ours, theirs = (one[0] if isinstance(one, list) else one for one in (ours, theirs))
    assert (ours.keys(), ours.get("code")) == (theirs.keys(), theirs.get("code"))


async def test_a_200_that_accepted_nobody_has_the_captured_shape(ask, vectors):
    """With what is wrong with each recipient besides, as the page *Transmissions* has it."""
    [captured] = [
        one["server_replies"][0] for one in vectors("sparkpost/captures")["captures"] if one["name"] == "rejected-in-200"
    ]
    status, body = await ask(json=to("nobody"))
    assert body["results"].pop("rcpt_to_errors")
    assert (status, body | {"results": body["results"] | {"id": ""}}) == (
        200,
        captured["body"] | {"results": captured["body"]["results"] | {"id": ""}},
    )


# Whatever else comes.


def content(**change):
    return {"content": MAIL["content"] | change}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"content": None}, "1400"), ({"content": 5}, "1400"), ({"options": []}, "1400"), (content(**{"from": None}), "1300"), (content(**{"from": "nobody"}), "1300"),
        (content(**{"from": {"email": 5}}), "1300"), (content(html=None), "1300"), (content(html=""), "1400"), (content(subject=5), "1300"), (content(headers=[]), "1300"),
        ({"recipients": []}, "5002"), ({"recipients": {"list_id": "x"}}, "5002"), ({"recipients": [5]}, "5002"), ({"recipients": [{"address": {"email": "nobody"}}]}, "1300"),
        (content(**{"from": "a@other.example"}), "7001"), ({"recipients": [{"address": "zoe@example.com"}]}, None), (content(**{"from": "A <a@mail.sandbox.example>"}), None),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, change, code):
    """With no fault of its own; an address may be a text, too."""
    status, body = await ask(json=MAIL | change)
    assert (status == 200, body.get("errors", [{}])[0].get("code")) == (code is None, code)
    assert len(sandbox.inbox) == (code is None)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/api/v1/transmissions", {}, 404), ("POST", "/api/v1/other", {"json": MAIL}, 404), ("POST", "/api/v1/account", {"json": {}}, 404),
        ("POST", "/api/v1/transmissions", {"data": b"x"}, 422), ("POST", "/api/v1/transmissions", {"json": []}, 422),
        ("POST", "/api/v1/transmissions", {"json": MAIL, "headers": {"Authorization": "é"}}, 401),
        ("POST", "/api/v1/transmissions", {"json": MAIL, "headers": {"Authorization": f"Bearer {KEY}"}}, 401), ("GET", "/api/v1/account", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and key, which goes alone."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)


async def test_a_slash_at_the_end_makes_no_difference(ask, sandbox):
    """By SparkPost's page *API overview*; django-anymail writes one."""
    assert ((await ask(path="/api/v1/transmissions/", json=MAIL))[0], len(sandbox.inbox)) == (200, 1)


async def test_the_template_language_is_on_unless_switched_off(ask, sandbox):
    """By the page *Transmissions*; of a mail without values an expression is empty."""
    assert (await ask(json=MAIL | content(html="<p>{{code}}!</p>")))[0] == 200
    assert [mail.html for mail in sandbox.inbox] == ["<p>!</p>"]
