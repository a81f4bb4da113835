import asyncio

import aiohttp
import pytest
from aiohttp import web

from authmail import AccountError, Egress, Mailer, Message
from authmail.sandbox import Inbox, Sandbox

ALIYUN = "aliyun-direct-mail"


class Echoing:
    """A provider with an API key in a header and JSON bodies, which repeats in its answer all that it was told."""

    @property
    def config(self):
        return {"apiKey": "configured-key"}

    async def handle(self, request, inbox):
        if request.path == "/cut":
            request.transport.abort()
        if request.path == "/hang":
            await asyncio.Event().wait()
        if request.path == "/fault":
            raise web.HTTPServiceUnavailable
        body = await request.json()
        inbox.add(connector="echo", sender="x", to=(body["to"],), subject=body["subject"])
        return web.json_response({"headers": dict(request.headers), "body": body}, status=202)


@pytest.fixture
async def echo():
    """A sandbox with that provider, and a function to ask it."""
    async with Sandbox({"echo": Echoing()}) as sandbox, aiohttp.ClientSession() as session:

        async def ask(path="/", **options):
            async with session.post(sandbox.endpoint("echo") + path, **options) as reply:
                return reply.status

        yield sandbox, ask


@pytest.mark.parametrize("signature", ["v3", "v1"])
async def test_an_exchange_is_recorded_with_its_mail(sandbox, raw, signature):
    """Parameters as the provider saw them, and its answer, linked both ways; the signature and secret nowhere."""
    config = {**raw, "endpoint": sandbox.endpoint(ALIYUN), "signature": signature, "securityToken": "sandbox-token"}
    async with Mailer(ALIYUN, config, egress=Egress.ANY) as mailer:
        await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
    (exchange,) = sandbox.inbox.exchanges
    (mail,) = sandbox.inbox
    assert (exchange.request, exchange.ending, exchange.status, exchange.mails) == ("POST /", "answered", 200, [1])
    assert (mail.exchange, exchange.recipients, exchange.subject) == (exchange.id, "zoe@example.com", "482913 for SignIn")
    assert '"EnvId"' in exchange.answer
    record = str(exchange.to_dict()) + repr(exchange)
    assert "sandbox-secret" not in record
    assert "sandbox-token" not in record
    hidden = exchange.headers["Authorization"] if signature == "v3" else exchange.parameters["Signature"]
    assert hidden == "***"


async def test_an_echo_shows_no_secret(sandbox, raw):
    """A refused signature is answered with the string that was signed, the token in it: percent-encoded twice."""
    token = "st/ar+with=signs"
    config = {**raw, "endpoint": sandbox.endpoint(ALIYUN), "signature": "v1", "accessKeySecret": "wrong", "securityToken": token}
    async with Mailer(ALIYUN, config, egress=Egress.ANY) as mailer:
        with pytest.raises(AccountError):
            await mailer.send(Message("zoe@example.com", "SignIn", {"code": "482913"}))
    (exchange,) = sandbox.inbox.exchanges
    assert "string to sign" in exchange.answer
    assert "SecurityToken%3D***%26" in exchange.answer
    assert not [part for part in ("ar%", "with%", "signs") if part in str(exchange.to_dict())]


async def test_secrets_are_struck_out_of_any_providers_record(echo):
    """By the name of header or member, inside of objects too, and wherever the answer repeats them."""
    sandbox, ask = echo
    body = {"to": "zoe@example.com", "subject": "s", "auth": {"api_key": "nested-key", "user": "acme"}, "about": "configured-key"}
    headers = {"Authorization": "Bearer live-bearer-key", "X-Acme-Server-Token": "server-token-1"}
    assert await ask(json=body, headers=headers) == 202
    (exchange,) = sandbox.inbox.exchanges
    record = str(exchange.to_dict())
    for secret in ("nested-key", "configured-key", "live-bearer-key", "server-token-1"):
        assert secret not in record
    assert exchange.parameters["auth"] == '{\n  "api_key": "***",\n  "user": "acme"\n}'
    assert exchange.headers == {"Authorization": "***", "X-Acme-Server-Token": "***"}


@pytest.mark.parametrize(
    ("body", "content_type", "parameters"),
    [
        (b"a=1&b=%C3%A9", "application/x-www-form-urlencoded", {"a": "1", "b": "é"}),
        (b'{"a": [1], "b": "x"}', "application/vnd.acme+json", {"a": "[\n  1\n]", "b": "x"}),
        (b'["x"]', "application/json", {"body": '[\n  "x"\n]'}),
        (b"{not json", "application/json", {"body": "{not json"}),
        (b"<mail/>", "text/xml", {"body": "<mail/>"}),
        (b"\xff", "application/octet-stream", {"body": "\ufffd"}),
        (b"[" * 100_000, "application/json", {"body": "[" * 20_000 + "…"}),
    ],
)
async def test_any_body_can_be_recorded(echo, body, content_type, parameters):
    """Forms and JSON by their members, anything else as text; long ones are cut."""
    sandbox, ask = echo
    await ask("/fault", data=body, headers={"Content-Type": content_type})
    (exchange,) = sandbox.inbox.exchanges
    assert exchange.parameters == parameters


@pytest.mark.parametrize(("path", "ending"), [("/cut", "cut"), ("/hang", "unanswered"), ("/fault", "failed")])
async def test_how_an_exchange_ends_is_told(echo, path, ending):
    """Where there is no answer; while it goes on, it is open."""
    sandbox, ask = echo
    task = asyncio.create_task(ask(path, json={"to": "zoe@example.com", "subject": "s"}))
    while not list(sandbox.inbox.exchanges):
        await sandbox.inbox.changes.next()
    (exchange,) = sandbox.inbox.exchanges
    if ending == "unanswered":
        assert (exchange.ending, exchange.seconds) == ("open", None)
        task.cancel()
    await asyncio.wait([task])
    task.cancelled() or task.exception()
    while exchange.seconds is None:
        await sandbox.inbox.changes.next()
    assert (exchange.ending, exchange.status) == (ending, None)


async def test_an_emulator_of_another_protocol_records_by_itself():
    """Around one message; the mail is linked."""
    inbox = Inbox()
    parameters = {"MAIL FROM": "a@b.c", "RCPT TO": "zoe@example.com", "AUTH password": "hunter22"}
    with inbox.exchanges.record("smtp", "message over SMTP", parameters) as exchange:
        mail = inbox.add(connector="smtp", sender="a@b.c", to=("zoe@example.com",), subject="s")
        exchange.answered(250, "2.0.0 queued, hunter22")
    assert (mail.exchange, exchange.mails, exchange.recipients) == (1, [1], "zoe@example.com")
    assert (exchange.parameters["AUTH password"], exchange.answer) == ("***", "2.0.0 queued, ***")
    assert inbox.add(connector="smtp", sender="a@b.c", to=(), subject="s").exchange is None


def test_only_the_newest_are_kept():
    """And none without its mail: it holds the same code."""
    inbox = Inbox()
    for number in range(600):
        with inbox.exchanges.record("x", str(number), {}):
            mail = inbox.add(connector="x", sender="x", to=(), subject="s")
    assert [exchange.id for exchange in inbox.exchanges] == list(range(101, 601))
    inbox.delete(mail.id)
    assert inbox.exchanges.get(600) is None
    inbox.clear()
    assert list(inbox.exchanges) == []
