import aiohttp
import pytest
from postmark import ServerClient, exceptions

from authmail.sandbox import Sandbox
from authmail_postmark.emulator import PostmarkEmulator

POSTMARK = "postmark-mail"
KEY = "5a4d6b0c-0000-4000-8000-73616e64626f"
MAIL = {"From": "Acme <no-reply@mail.sandbox.example>", "To": "zoe@example.com", "Subject": "Hi", "HtmlBody": "<p>482913</p>"}


@pytest.fixture
async def sandbox():
    """A sandbox with Postmark in it."""
    async with Sandbox({POSTMARK: PostmarkEmulator()}) as running:
        yield running


# The official SDK.


@pytest.fixture
async def sdk(sandbox):
    """The official SDK; by itself it would repeat what failed."""
    clients = []

    def make(key=KEY, **options):
        clients.append(ServerClient(key, base_url=sandbox.endpoint(POSTMARK), **{"retries": 0} | options))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


def mail_to(recipient):
    return {
        "sender": '"Ünïcode, Team" <no-reply@mail.sandbox.example>', "to": f'"Zoé" <{recipient}@example.com>', "subject": "您的验证码",
        "html_body": "<p>482913</p>", "text_body": "482913", "reply_to": "help@example.com", "tag": "signin", "track_opens": False,
        "track_links": "None", "message_stream": "outbound", "headers": [{"Name": "X-Flow", "Value": "1"}],
    }  # fmt: skip


async def test_the_official_sdk_sends(sdk, sandbox):
    """With all that it has for a mail like ours; it finds the id."""
    answer = await sdk().outbound.send(mail_to("zoe"))
    assert (answer.error_code, answer.message, len(answer.message_id)) == (0, "OK", 36)
    [received] = sandbox.inbox
    assert (received.sender, received.to) == ('"Ünïcode, Team" <no-reply@mail.sandbox.example>', ("zoe@example.com",))
    assert (received.subject, received.code, received.reply_to) == ("您的验证码", "482913", "help@example.com")
    assert received.extra == {"X-Flow": "1", "tag": "signin", "stream": "outbound"}


async def test_the_official_sdk_has_a_mail_written_there(sdk, sandbox):
    """By an alias and values."""
    given = {
        "sender": "no-reply@mail.sandbox.example",
        "to": "zoe@example.com",
        "template_alias": "acme",
        "template_model": {"code": "482913"},
    }
    assert (await sdk().outbound.send_with_template(given)).error_code == 0
    assert [(mail.subject, mail.code) for mail in sandbox.inbox] == [("Template acme", "482913")]
    with pytest.raises(exceptions.ValidationException, match="1101"):
        await sdk().outbound.send_with_template(given | {"template_alias": "missing"})


@pytest.mark.parametrize(
    ("recipient", "kind", "code", "status"),
    [
        ("suppressed", exceptions.InactiveRecipientException, 406, 422), ("quota", exceptions.ValidationException, 405, 422),
        ("unverified", exceptions.ValidationException, 401, 422), ("throttled", exceptions.RateLimitException, 429, 429),
        ("refused", exceptions.ValidationException, 300, 422), ("maintenance", exceptions.ServerException, 100, 503),
        ("crash", exceptions.ServerException, 0, 500),
    ],
)  # fmt: skip
async def test_the_official_sdk_knows_the_errors(sdk, sandbox, recipient, kind, code, status):
    """Each by the exception that it has for the number."""
    with pytest.raises(kind) as caught:
        await sdk().outbound.send(mail_to(recipient))
    assert (caught.value.error_code, caught.value.http_status, len(sandbox.inbox)) == (code, status, 0)


async def test_the_official_sdk_is_told_of_a_wrong_key(sdk):
    """By an exception of its own."""
    with pytest.raises(exceptions.InvalidAPIKeyException):
        await sdk(key="0f0f0f0f-0000-4000-8000-00000000fa4e").outbound.send(mail_to("zoe"))


async def test_the_official_sdk_repeats_what_may_have_been_sent(sdk, sandbox):
    """Where authmail does not: with one repeat two mails are there."""
    with pytest.raises(exceptions.ServerException):
        await sdk(retries=1).outbound.send(mail_to("crash-after"))
    assert len(sandbox.inbox) == 2


async def test_the_official_sdk_reads_server_stream_and_template(sdk):
    """In the shapes that the account check reads too."""
    client = sdk()
    server, stream, template = await client.server.get(), await client.stream.get("broadcast"), await client.templates.get("acme")
    assert (server.name, server.delivery_type, server.api_tokens) == ("Sandbox", "Live", [KEY])
    assert (stream.message_stream_type, stream.archived_at, template.active) == ("Broadcasts", None, True)


# Whatever else comes.


@pytest.fixture
async def ask(sandbox):
    async with aiohttp.ClientSession(headers={"X-Postmark-Server-Token": KEY}) as session:

        async def request(method="POST", path="/email", **options):
            async with session.request(method, sandbox.endpoint(POSTMARK) + path, **options) as response:
                return response.status, await response.json()

        yield request


async def test_an_acceptance_has_the_captured_members(ask, vectors):
    """No more, no less."""
    [captured] = [one["server_replies"][0] for one in vectors("postmark/captures")["captures"] if one["name"] == "all-fields-200"]
    status, body = await ask(json=MAIL)
    assert (status, {name: type(value) for name, value in body.items()}) == (
        200,
        {name: type(value) for name, value in captured["body"].items()},
    )


@pytest.mark.parametrize(
    ("path", "change", "code"),
    [
        ("/email", {"From": None}, 300), ("/email", {"From": "nobody"}, 300), ("/email", {"From": ["a@b.c"]}, 300), ("/email", {"To": 5}, 300),
        ("/email", {"From": "a@other.example"}, 400), ("/email", {"HtmlBody": None}, 300), ("/email", {"ReplyTo": "x"}, 300),
        ("/email", {"Headers": [5]}, 300), ("/email", {"Headers": 5}, 300), ("/email", {"MessageStream": "broadcast"}, 1235),
        ("/email/withTemplate", {}, 1101), ("/email/withTemplate", {"TemplateAlias": "a"}, 403),
        ("/email", {"HtmlBody": None, "TextBody": "t", "ReplyTo": None, "Headers": None}, 0),
        ("/email/withTemplate", {"TemplateAlias": "a", "TemplateModel": {"n": [1]}}, 0),
    ],
)  # fmt: skip
async def test_fields_are_checked(ask, sandbox, path, change, code):
    """With no fault of its own; null is the same as leaving a field out."""
    status, body = await ask(path=path, json=MAIL | change)
    assert (status, body["ErrorCode"], len(sandbox.inbox)) == (422 if code else 200, code, not code)


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/email", {}, 404), ("POST", "/other", {"json": MAIL}, 404), ("POST", "/email", {"data": b"x"}, 422), ("POST", "/email", {"json": []}, 422),
        ("POST", "/email", {"json": MAIL, "headers": {"X-Postmark-Server-Token": "é"}}, 401), ("GET", "/message-streams/otp", {}, 404),
        ("GET", "/templates/missing", {}, 404), ("GET", "/server", {}, 200),
    ],
)  # fmt: skip
async def test_calls_are_checked(ask, sandbox, method, path, options, status):
    """Path, method, body and token."""
    got, _ = await ask(method, path, **options)
    assert (got, len(sandbox.inbox)) == (status, 0)
