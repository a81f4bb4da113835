import asyncio
import json
import socket
import time
from datetime import UTC, datetime

import pytest
from aiohttp import web
from standardwebhooks import Webhook

from authmail import AccountError, Egress, Email, Mailer, Message, MessageRejected, NotSent, OutcomeUnknown, Reason, Throttled
from authmail.outcomes import ConnectionCut, NoAnswerInTime
from authmail.sandbox import Sandbox
from authmail_http.config import HttpConfig
from authmail_http.emulator import FAULTS, EndpointEmulator
from authmail_http.request import post

HTTP = "http-email"
INVITATION = {"link": "https://example.com/join?t=Qx7", "organization": {"name": "Acme"}}


def code_for(recipient):
    return Message(f"{recipient}@example.com", "SignIn", {"code": "482913"})


@pytest.fixture
async def endpoint():
    """A sandbox with an endpoint in it."""
    async with Sandbox({HTTP: EndpointEmulator()}) as running:
        yield running


@pytest.fixture
def mailer_with(endpoint):
    return lambda **change: Mailer(HTTP, endpoint.config(HTTP) | change, egress=Egress.ANY)


async def test_a_message_arrives_as_its_values(mailer_with, endpoint):
    """Nothing is rendered, no template is needed; the receipt has the endpoint's id."""
    async with mailer_with() as mailer:
        receipt = await mailer.send(Message("zoe@example.com", "Anything", {"code": "482913"}, ip="203.0.113.7"))
    mail = await endpoint.inbox.wait()
    assert (mail.subject, json.loads(mail.text), mail.extra) == ("Anything", {"code": "482913"}, {"ip": "203.0.113.7"})
    assert (mail.code, len(receipt.message_id), receipt.connector) == ("482913", 36, HTTP)


async def test_a_rendered_mail_arrives_as_it_is(mailer_with, endpoint):
    """The second shape."""
    async with mailer_with() as mailer:
        await mailer.send(
            Email("zoe@example.com", "Hi", html="<p>h</p>", text="t", reply_to="help@example.com", headers={"X-A": "1"})
        )
    mail = await endpoint.inbox.wait()
    assert (mail.subject, mail.html, mail.text, mail.reply_to, mail.extra) == (
        "Hi",
        "<p>h</p>",
        "t",
        "help@example.com",
        {"X-A": "1"},
    )


async def test_the_recipient_is_checked_though_nothing_is_rendered(mailer_with, endpoint):
    """A list of addresses never leaves."""
    async with mailer_with() as mailer:
        with pytest.raises(MessageRejected) as caught:
            await mailer.send(Message("a@b.c, d@e.f", "SignIn", {"code": "1"}))
    assert caught.value.reason is Reason.RECIPIENT
    assert len(endpoint.inbox) == 0


@pytest.mark.parametrize(
    ("change", "reason", "says"),
    [
        ({"authorization": "Bearer wrong"}, Reason.CREDENTIALS, "Authorization"),
        ({"authorization": None}, Reason.CREDENTIALS, "Authorization"),
        ({"signingSecret": None}, Reason.CREDENTIALS, "not signed"),
        ({"signingSecret": "whsec_b3RoZXItc2lnbmluZy1zZWNyZXQtMTIzNDU2"}, Reason.CREDENTIALS, "signature is wrong"),
    ],
)
async def test_wrong_settings_are_account_errors(mailer_with, change, reason, says):
    """With the endpoint's words."""
    async with mailer_with(**change) as mailer:
        with pytest.raises(AccountError, match=says) as caught:
            await mailer.send(code_for("zoe"))
    assert (caught.value.reason, caught.value.status) == (reason, 401)


KINDS = {
    "invalid": MessageRejected, "too-large": MessageRejected, "unauthorized": AccountError, "forbidden": AccountError, "not-found": AccountError,
    "known": OutcomeUnknown, "throttled": Throttled, "crash": OutcomeUnknown, "busy": NotSent, "unavailable": OutcomeUnknown, "late": OutcomeUnknown,
    "html": OutcomeUnknown, "cut": ConnectionCut, "redirect": AccountError,
}  # fmt: skip


@pytest.mark.parametrize("recipient", KINDS)
async def test_each_fault_has_its_outcome(mailer_with, recipient):
    """As the table of the sandbox's documentation says."""
    async with mailer_with() as mailer:
        with pytest.raises(KINDS[recipient]) as caught:
            await mailer.send(code_for(recipient))
    assert (caught.value.code, caught.value.connector) == (FAULTS[recipient].code, HTTP)
    assert caught.value.retry_after == FAULTS[recipient].retry_after
    assert set(FAULTS) == {*KINDS, "empty", "lost", "timeout", "cut-after", "slow"}


async def test_an_empty_answer_is_acceptance(mailer_with, endpoint):
    """The id is the one that was sent."""
    async with mailer_with() as mailer:
        receipt = await mailer.send(Message("empty@example.com", "SignIn", {"code": "1"}, idempotency_key="sign-in-7"))
    assert receipt.message_id == "sign-in-7"
    assert len(endpoint.inbox) == 1


@pytest.mark.parametrize("recipient", ["lost", "timeout", "cut-after"])
async def test_after_silence_the_same_id_is_posted_again(mailer_with, endpoint, recipient):
    """An endpoint that honours it answers, and one mail goes out."""
    async with mailer_with() as mailer:
        receipt = await mailer.send(code_for(recipient), timeout=1)
    assert len(receipt.message_id) == 36
    assert len(endpoint.inbox) == 1


@pytest.mark.parametrize(
    ("change", "payload"), [({"replayOnTimeout": False}, {"code": "482913"}), ({}, INVITATION), ({}, INVITATION | {"code": "1"})]
)
async def test_nothing_is_repeated_where_a_second_mail_would_harm(mailer_with, endpoint, change, payload):
    """Whether the endpoint honours the id is not known, so an invitation is posted once."""
    begun = time.monotonic()
    async with mailer_with(**change) as mailer:
        with pytest.raises(NoAnswerInTime):
            await mailer.send(Message("lost@example.com", "Invite", payload), timeout=0.5)
    assert time.monotonic() - begun > 0.4
    assert len(endpoint.inbox) == 0


async def test_a_key_belongs_to_one_message(mailer_with, endpoint):
    """The same message again is one mail; another one under its key is refused."""
    async with mailer_with() as mailer:
        message = Message("zoe@example.com", "SignIn", {"code": "1"}, idempotency_key="k")
        assert await mailer.send(message) == await mailer.send(message)
        with pytest.raises(MessageRejected) as caught:
            await mailer.send(Message("zoe@example.com", "SignIn", {"code": "2"}, idempotency_key="k"))
    assert caught.value.code == "key_reused"
    assert len(endpoint.inbox) == 1


@pytest.fixture
async def receiver():
    """A server that writes down requests and gives the answers it is told to."""
    seen, answers = [], []

    async def handle(request):
        seen.append((request.path_qs, dict(request.headers), await request.read()))
        answer = answers.pop(0) if answers else web.Response()
        if answer is None:
            await asyncio.Event().wait()
        return answer

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen, answers
    await runner.cleanup()


async def test_the_wire_is_the_references(receiver, vectors):
    """Request target and authorization as the published package sent them, over a real connection; bodies: test_request."""
    url, seen, _ = receiver
    for case in vectors("http_email/requests")["cases"]:
        seen.clear()
        config = {"endpoint": url + case["path"], **case["config"]}
        message = Message.from_dict(json.loads(case["message"]))
        async with Mailer(HTTP, config, egress=Egress.ANY) as mailer:
            await mailer.send(message)
        [(target, headers, body)] = seen
        assert target == case["url"]
        assert headers.get("Authorization") == (case["authorization"] or None)
        assert body == post(message, HttpConfig.from_dict(config), key="x", now=datetime.now(UTC)).body


async def test_a_repeat_is_the_very_same_request(receiver):
    """Id, time, signature and bytes; the published library verifies both, as one message."""
    url, seen, answers = receiver
    answers.append(None)
    secret = EndpointEmulator().signing_secret
    async with Mailer(HTTP, {"endpoint": url, "signingSecret": secret}, egress=Egress.ANY) as mailer:
        await mailer.send(code_for("zoe"), timeout=1)
    (_, first, body), (_, second, repeated) = seen
    assert (first, body) == (second, repeated)
    assert Webhook(secret).verify(repeated, second)["payload"] == {"code": "482913"}


async def test_two_messages_have_two_ids(receiver):
    """Unless the host says that they are one."""
    url, seen, _ = receiver
    async with Mailer(HTTP, {"endpoint": url}, egress=Egress.ANY) as mailer:
        for _ in range(2):
            await mailer.send(code_for("zoe"))
    assert len({headers["Idempotency-Key"] for _, headers, _ in seen}) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(receiver, status):
    """The code would leave for another place."""
    url, seen, answers = receiver
    answers.append(web.Response(status=status, headers={"Location": "/b"}))
    async with Mailer(HTTP, {"endpoint": url, "authorization": "Bearer s3cret"}, egress=Egress.ANY) as mailer:
        with pytest.raises(AccountError) as caught:
            await mailer.send(code_for("zoe"))
    assert (caught.value.reason, caught.value.status, len(seen)) == (Reason.ENDPOINT, status, 1)


async def test_what_an_endpoint_echoes_is_struck_out(receiver):
    """Credential, code and header values of the request in its answer."""
    url, _, answers = receiver
    answers.append(web.json_response({"message": "no: Bearer s3cret-token, k3y-value, 482913"}, status=400))
    config = {"endpoint": url, "authorization": "Bearer s3cret-token", "headers": {"X-Key": "k3y-value"}}
    async with Mailer(HTTP, config, egress=Egress.ANY) as mailer:
        with pytest.raises(MessageRejected) as caught:
            await mailer.send(code_for("zoe"))
    assert not [secret for secret in ("s3cret-token", "k3y-value", "482913") if secret in str(caught.value)]


async def test_nobody_listening_is_not_sent():
    """A refused connection cannot have taken anything."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    async with Mailer(HTTP, {"endpoint": url}, egress=Egress.ANY) as mailer:
        with pytest.raises(NotSent):
            await mailer.send(code_for("zoe"))


async def test_a_tenants_endpoint_does_not_reach_the_hosts_network(receiver):
    """Egress applies to it as to every other."""
    url, seen, _ = receiver
    async with Mailer(HTTP, {"endpoint": url.replace("http", "https")}) as mailer:
        with pytest.raises(AccountError, match="egress"):
            await mailer.send(code_for("zoe"))
    assert seen == []
