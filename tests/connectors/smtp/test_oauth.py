import asyncio
import base64
import json
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from click.testing import CliRunner

from authmail import AccountError, Egress, Mailer, NotSent, Reason, hookimpl
from authmail.cli import main
from authmail.delivery import Delivery, Failover
from authmail.templates.samples import starter_templates

from .conftest import CODE, SMTP, TEMPLATES

REFRESH = {
    "type": "OAuth2",
    "user": "zoe@example.com",
    "clientId": "client",
    "clientSecret": "s3cret-client",
    "refreshToken": "r3fresh-token",
}


@asynccontextmanager
async def token_server(*answers, delay=0.0):
    """Give the answers in turn, the last one for ever: a JSON object, a status, or None for silence."""
    asked, left = [], list(answers)

    async def handle(request):
        asked.append(dict(await request.post()))
        await asyncio.sleep(delay)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if answer is None:
            await asyncio.Event().wait()
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        return web.json_response(body, status=status)

    application = web.Application()
    application.router.add_post("/token", handle)
    runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token", asked
    finally:
        await runner.cleanup()


def tokens_said(server):
    words = [
        base64.b64decode(line.removeprefix("AUTH XOAUTH2 ")).decode() for line in server.heard if line.startswith("AUTH XOAUTH2")
    ]
    return [word.partition("auth=Bearer ")[2].rstrip("\x01") for word in words]


async def test_an_access_token(scripted, mailer_to):
    """As it is; the form is that of Google and Microsoft."""
    auth = {"type": "oauth2", "user": "zoe@example.com", "accessToken": "tok"}
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        await mailer.send(CODE)
    assert base64.b64decode(server.heard[1].removeprefix("AUTH XOAUTH2 ")) == b"user=zoe@example.com\x01auth=Bearer tok\x01\x01"


async def test_a_refresh_token(scripted, mailer_to):
    """One token for many mails and connections, fetched once for all who wait."""
    async with (
        token_server({"access_token": "fresh", "expires_in": 3600}, delay=0.1) as (url, asked),
        scripted() as server,
        mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, maxConnections=10) as mailer,
    ):
        await asyncio.gather(*(mailer.send(CODE) for _ in range(10)))
    assert asked == [
        {"grant_type": "refresh_token", "refresh_token": "r3fresh-token", "client_id": "client", "client_secret": "s3cret-client"}
    ]
    assert set(tokens_said(server)) == {"fresh"}
    assert server.connections > 1


async def test_an_expired_token_is_renewed(scripted, mailer_to):
    """By its expiry in the config, in milliseconds; a valid one is used."""
    async with token_server({"access_token": "fresh"}) as (url, asked), scripted() as server:
        for left, said in ((-1, "fresh"), (3600, "given")):
            auth = REFRESH | {"accessUrl": url, "accessToken": "given", "expires": (time.time() + left) * 1000}
            async with mailer_to(server.port, auth=auth) as mailer:
                await mailer.send(CODE)
            assert tokens_said(server)[-1] == said
    assert len(asked) == 1


async def test_an_expired_token_alone_is_told(scripted, mailer_to):
    """Nothing can renew it."""
    auth = {"type": "oauth2", "user": "u", "accessToken": "given", "expires": 1000}
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        with pytest.raises(AccountError, match="expired") as caught:
            await mailer.send(CODE)
    assert caught.value.reason is Reason.CREDENTIALS


async def test_a_token_refused_before_its_time_is_renewed_once(scripted, mailer_to):
    """Over the same connection; the second refusal is told, with nothing of the token in it."""
    async with token_server({"access_token": "fresh-token-1"}) as (url, asked):
        auth = REFRESH | {"accessUrl": url, "accessToken": "revoked"}
        async with (
            scripted({"AUTH": ["334 eyJ9", "235 ok"], "": "535 5.7.8 no"}) as server,
            mailer_to(server.port, auth=auth) as mailer,
        ):
            await mailer.send(CODE)
        assert (tokens_said(server), server.connections, len(asked)) == (["revoked", "fresh-token-1"], 1, 1)
        async with scripted({"AUTH": "535 5.7.8 no fresh-token-1"}) as server, mailer_to(server.port, auth=auth) as mailer:
            with pytest.raises(AccountError) as caught:
                await mailer.send(CODE)
        assert "fresh-token-1" not in str(caught.value)
        assert len(tokens_said(server)) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        ((400, {"error": "invalid_grant", "error_description": "Token revoked"}), AccountError, Reason.CREDENTIALS),
        ((401, {"error": "invalid_client"}), AccountError, Reason.CREDENTIALS), ((404, {}), AccountError, Reason.ENDPOINT), ((503, {}), NotSent, Reason.PROVIDER),
        ((200, {}), NotSent, Reason.PROVIDER), ((200, {"access_token": 5}), NotSent, Reason.PROVIDER), ((200, {"access_token": "a\r\nb"}), NotSent, Reason.PROVIDER),
        ((200, []), NotSent, Reason.PROVIDER), (None, NotSent, Reason.TIMEOUT),
    ],
)  # fmt: skip
async def test_no_token_is_no_mail(scripted, mailer_to, answer, kind, reason):
    """Never an unknown outcome, and no secret in the error; whoever waited is told the same."""
    async with (
        token_server(answer) as (url, asked),
        scripted() as server,
        mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, timeout=1) as mailer,
    ):
        errors = await asyncio.gather(*(mailer.send(CODE) for _ in range(3)), return_exceptions=True)
    for error in errors:
        assert isinstance(error, kind), error
        assert error.reason is reason or answer is None
        assert not any(secret in f"{error!r}{error}" for secret in ("s3cret", "r3fresh"))
    assert server.mails == []
    assert len(asked) >= 1


async def test_whoever_fetches_may_be_cancelled(scripted, mailer_to):
    """The next one fetches."""
    async with (
        token_server(None, {"access_token": "fresh"}) as (url, asked),
        scripted() as server,
        mailer_to(server.port, auth=REFRESH | {"accessUrl": url}) as mailer,
    ):
        first = asyncio.ensure_future(mailer.send(CODE))
        while not asked:  # noqa: ASYNC110 (nothing tells it)
            await asyncio.sleep(0.01)
        second = asyncio.ensure_future(mailer.send(CODE))
        await asyncio.sleep(0.1)
        first.cancel()
        await second
    assert len(asked) == 2


async def test_the_token_server_is_under_the_egress_policy(scripted, mailer_to):
    """As every connection of a tenant's config is."""
    auth = REFRESH | {"accessUrl": "http://169.254.169.254/latest"}
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        with pytest.raises(AccountError, match="egress") as caught:
            await mailer.send(CODE)
    assert caught.value.reason is Reason.ENDPOINT


async def test_no_xoauth2_offered(scripted, mailer_to):
    """The token is not fetched."""
    async with scripted(extensions=("AUTH PLAIN",)) as server, mailer_to(server.port, auth=REFRESH) as mailer:
        with pytest.raises(AccountError, match="offers PLAIN"):
            await mailer.send(CODE)


@pytest.mark.parametrize("passphrase", [None, "hunter2"])
async def test_a_service_account(scripted, mailer_to, passphrase):
    """Its key signs the request for a token (RFC 7523); the signature is checked with another library's call."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    key = rsa.generate_private_key(65537, 2048)
    encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()
    auth = {"type": "oauth2", "user": "zoe@example.com", "serviceClient": "robot@example.com"}
    auth["privateKey"] = {"key": pem, "passphrase": passphrase} if passphrase else pem.replace("\n", "\\n")
    async with (
        token_server({"access_token": "signed"}) as (url, asked),
        scripted() as server,
        mailer_to(server.port, auth=auth | {"accessUrl": url}) as mailer,
    ):
        await mailer.send(CODE)
    assert tokens_said(server) == ["signed"]
    signed, _, signature = asked[0]["assertion"].rpartition(".")
    decoded = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (*signed.split("."), signature)]
    key.public_key().verify(decoded[2], signed.encode(), padding.PKCS1v15(), SHA256())
    claims = json.loads(decoded[1])
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("robot@example.com", "zoe@example.com", url)
    assert claims["exp"] - claims["iat"] == 3600


async def test_a_key_that_is_none(scripted, mailer_to):
    """Is told by the setting's name."""
    auth = {"type": "oauth2", "user": "u", "serviceClient": "c", "privateKey": "k"}
    async with scripted() as server, mailer_to(server.port, auth=auth) as mailer:
        with pytest.raises(AccountError, match=r"auth\.privateKey is not an RSA key"):
            await mailer.send(CODE)


# A token server that gives a new refresh token each time, and ends the one before.


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    """What one test's account was given is not another's."""
    from authmail_smtp import grants

    monkeypatch.setattr(grants, "_grants", grants.OrderedDict())
    monkeypatch.setattr(grants, "_in_use", grants.WeakValueDictionary())


@asynccontextmanager
async def rotating(*, expires_in=3600):
    """Serve it: ``r3fresh-token``, then ``refresh-2``, ``refresh-3``…; a token that ended is refused."""
    asked, live = [], ["r3fresh-token"]

    async def handle(request):
        form = await request.post()
        asked.append(form["refresh_token"])
        if form["refresh_token"] != live[0]:
            return web.json_response({"error": "invalid_grant", "error_description": "already redeemed"}, status=400)
        live[0] = f"refresh-{len(asked) + 1}"
        return web.json_response({"access_token": f"access-{len(asked)}", "expires_in": expires_in, "refresh_token": live[0]})

    application = web.Application()
    application.router.add_post("/token", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/token", asked
    finally:
        await runner.cleanup()


class Store:
    """A host that keeps configs, here one refresh token."""

    def __init__(self):
        self.told = []

    @hookimpl
    async def token_refreshed(self, connector, setting, token, replaces):
        self.told.append((connector, setting, token.reveal(), replaces.reveal()))


async def test_a_new_refresh_token_is_used_and_told(scripted, mailer_to):
    """By the next Mailer of the same config too, which tells its own host; the token before would be refused."""
    first, second = Store(), Store()
    async with rotating() as (url, asked), scripted() as server:
        for store in (first, second):
            async with mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, plugins=[store]) as mailer:
                await mailer.send(CODE)
                await mailer.send(CODE)
    assert asked == ["r3fresh-token", "refresh-2"]
    assert first.told == [(SMTP, "auth.refreshToken", "refresh-2", "r3fresh-token")]
    assert second.told == [(SMTP, "auth.refreshToken", "refresh-3", "r3fresh-token")]


async def test_a_host_that_stored_the_new_token_goes_on_with_it(scripted, mailer_to):
    """After a restart, when nothing is remembered; each further one replaces the one that it stored."""
    from authmail_smtp import grants

    store, stored = Store(), "r3fresh-token"
    async with rotating() as (url, asked), scripted() as server:
        for _ in range(3):
            auth = REFRESH | {"accessUrl": url, "refreshToken": stored}
            async with mailer_to(server.port, auth=auth, plugins=[store]) as mailer:
                await mailer.send(CODE)
            stored = store.told[-1][2]
            grants._grants.clear()
    assert asked == ["r3fresh-token", "refresh-2", "refresh-3"]
    assert [told[2:] for told in store.told] == [
        ("refresh-2", "r3fresh-token"),
        ("refresh-3", "refresh-2"),
        ("refresh-4", "refresh-3"),
    ]


async def test_two_mailers_of_one_account_do_not_end_each_others_token(scripted, mailer_to):
    """Whoever is slower takes the token that the other was given."""
    async with rotating() as (url, asked), scripted() as server:
        auth = REFRESH | {"accessUrl": url}
        async with mailer_to(server.port, auth=auth) as one, mailer_to(server.port, auth=auth) as other:
            await asyncio.gather(one.send(CODE), other.send(CODE))
    assert len(server.mails) == 2
    assert len(asked) <= 3


async def test_plugins_of_a_delivery_hear_of_a_new_token(scripted, mailer_to):
    """Those of the Mailer, and those of the Delivery around it."""
    inner, outer = Store(), Store()
    async with rotating() as (url, _), scripted() as server:
        mailer = mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, plugins=[inner])
        async with Delivery(Failover({"main": mailer}), plugins=[outer]) as delivery:
            await delivery.send(CODE)
    assert inner.told == outer.told == [(SMTP, "auth.refreshToken", "refresh-2", "r3fresh-token")]


async def test_a_host_that_cannot_store_a_token_changes_nothing(scripted, mailer_to, caplog):
    """The mail goes out; the log names the kind of failure and no token."""

    class Broken:
        @hookimpl
        def token_refreshed(self, token):
            raise OSError(token.reveal())

    async with (
        rotating() as (url, _),
        scripted() as server,
        mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, plugins=[Broken()]) as mailer,
    ):
        await mailer.send(CODE)
    assert len(server.mails) == 1
    assert "token_refreshed" in caplog.text
    assert "refresh-2" not in caplog.text


async def test_a_slow_host_holds_up_no_mail_and_loses_no_token(scripted, mailer_to):
    """The mail is out while it stores; whoever closes waits for it."""
    stored, go_on = [], asyncio.Event()

    class Slow:
        @hookimpl
        async def token_refreshed(self, token):
            await go_on.wait()
            stored.append(token.reveal())

    async with (
        rotating() as (url, _),
        scripted() as server,
        mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, plugins=[Slow()]) as mailer,
    ):
        await mailer.send(CODE)
        assert (len(server.mails), stored) == (1, [])
        go_on.set()
    assert stored == ["refresh-2"]


async def test_a_check_says_that_it_cannot_store_a_token(scripted, smtp, raw):
    """And the Mailer that comes after it in this process has it all the same."""
    store = Store()
    async with rotating() as (url, asked), scripted() as server:
        config = smtp.validate_config(raw | {"port": server.port, "auth": REFRESH | {"accessUrl": url}}, templates=TEMPLATES)
        report = await smtp.check_account(config, egress=Egress.ANY)
        async with Mailer(smtp, config, templates=TEMPLATES, egress=Egress.ANY, plugins=[store]) as mailer:
            await mailer.send(CODE)
    assert "auth.refreshToken" in [warning.path for warning in report.warnings]
    assert asked == ["r3fresh-token", "refresh-2"]
    assert store.told[-1][2] == "refresh-3"


async def test_the_command_line_says_that_it_cannot_store_a_token(scripted, raw, tmp_path):
    """Whoever tries a file hears that its token is not the newest any more, and never which one is."""
    templates = [template.to_dict() for template in starter_templates() if template.locale == "en"]
    async with rotating() as (url, _), scripted() as server:
        config = raw | {"port": server.port, "auth": REFRESH | {"accessUrl": url}, "templates": templates}
        (file := tmp_path / "smtp.json").write_text(json.dumps({"connector": "smtp", "config": config}))
        done = await asyncio.to_thread(CliRunner().invoke, main, ["send", str(file), "--to", "zoe@example.com"])
    assert done.exit_code == 0, done.output
    assert "auth.refreshToken: the provider gave a new refresh token" in done.output
    assert "refresh-2" not in done.output


@pytest.mark.parametrize("given", [None, "", 5, "r3fresh-token", "two\nlines", "x" * 20_000])
async def test_what_is_no_new_token_replaces_none(scripted, mailer_to, given):
    """Google gives none; the same one is none."""
    store = Store()
    answer = {"access_token": "fresh", "refresh_token": given}
    async with token_server(answer) as (url, asked), scripted() as server:
        for _ in range(2):
            async with mailer_to(server.port, auth=REFRESH | {"accessUrl": url}, plugins=[store]) as mailer:
                await mailer.send(CODE)
    assert [form["refresh_token"] for form in asked] == ["r3fresh-token"] * 2
    assert store.told == []


def test_what_is_remembered_is_bounded_and_of_one_account():
    """Another address, client or user is another grant, whatever the token; the oldest are forgotten."""
    from authmail import Secret
    from authmail_smtp import grants
    from authmail_smtp.login import Login

    auth = REFRESH | {"accessUrl": "https://login.example.com/token"}
    login = Login.from_dict(auth)
    grant = grants.Grant.of(login)
    grant.renew(login, Secret("refresh-2"))
    assert grants.Grant.of(login) is grant
    assert grants.Grant.of(Login.from_dict(auth | {"refreshToken": "refresh-2"})) is grants.Grant.of(login)
    for other in ({"accessUrl": "https://evil.example/token"}, {"clientId": "other"}, {"user": "x@example.com"}):
        assert grants.Grant.of(Login.from_dict(auth | other)).newest.reveal() == "r3fresh-token"
    for number in range(grants._MOST):
        one = Login.from_dict(auth | {"refreshToken": f"old-{number}"})
        grants.Grant.of(one).renew(one, Secret(f"new-{number}"))
    assert len(grants._grants) == grants._MOST
    del grant
    assert grants.Grant.of(login).newest.reveal() == "r3fresh-token"
