"""SuperTokens, from its forms to the inbox, as docs/examples/supertokens runs it; a stand-in for its core answers the SDK."""

import asyncio
import json
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from supertokens_python.recipe.emailverification.asyncio import send_email_verification_email
from supertokens_python.recipe.passwordless.types import PasswordlessLoginEmailTemplateVars
from supertokens_python.types import RecipeUserId

from authmail import ConfigError
from authmail.hosts.outbox import Outbox
from authmail.hosts.supertokens import EmailService

from .conftest import EXAMPLES, FIRST, SECOND, loaded
from .supertokens_core import ServedCore

PASSWORD = "correct horse 1"


@pytest.fixture(scope="module")
def core():
    with ServedCore() as served:
        yield served.core, served.url


@pytest.fixture(scope="module")
def example(settings, core, tmp_path_factory):
    """The example in this process, which SuperTokens can be set up in once."""
    file = tmp_path_factory.mktemp("supertokens") / "authmail.json"
    file.write_text(json.dumps(settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTHMAIL", str(file))
        patch.setenv("SUPERTOKENS_CORE", core[1])
        yield loaded(EXAMPLES / "supertokens" / "app.py", patch)


@pytest.fixture
def client(example):
    """A browser of the application, which starts and ends."""
    with TestClient(example.app) as opened:
        yield opened


@pytest.fixture
def sends_by(example, settings, monkeypatch):
    """Let the example send by other settings."""
    made = []

    def changed(**changes):
        made.append(Outbox({**settings, **changes}))
        monkeypatch.setattr(example.mail, "outbox", made[-1])
        return made[-1]

    yield changed
    for outbox in made:
        outbox.close()


def fields(**values):
    return {"formFields": [{"id": name, "value": value} for name, value in values.items()]}


def code_typed_back(client, asked, code):
    device = {name: asked.json()[name] for name in ("deviceId", "preAuthSessionId")}
    return client.post("/auth/signinup/code/consume", json={**device, "userInputCode": code}).json()["status"]


@pytest.mark.parametrize(("language", "words"), [("en", "is your sign-in code"), ("fr", "est votre code de connexion")])
def test_a_user_signs_up_and_in_by_code(client, providers, language, words):
    """In the browser's language; the code that is typed back is good, another is not."""
    email = f"{language}@example.com"
    asked = client.post("/auth/signinup/code", json={"email": email}, headers={"Accept-Language": f"{language}-CA,de;q=0.1"})
    mail = providers.inbox.get(to=email)
    assert mail.subject == f"{mail.code} {words}"
    assert code_typed_back(client, asked, "000000" if mail.code != "000000" else "111111") == "INCORRECT_USER_INPUT_CODE_ERROR"
    assert code_typed_back(client, asked, mail.code) == "OK"


def test_a_password_is_reset(client, providers):
    """By the link; the new one signs in, and an unknown address is answered the same and gets no mail."""
    assert client.post("/auth/signup", json=fields(email="ben@example.com", password=PASSWORD)).json()["status"] == "OK"
    known, unknown = (
        client.post("/auth/user/password/reset/token", json=fields(email=email), headers={"Accept-Language": "fr"})
        for email in ("ben@example.com", "nobody@example.com")
    )
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (200, {"status": "OK"})
    mail = providers.inbox.get(to="ben@example.com")
    assert mail.subject == "Choisissez un nouveau mot de passe"
    token = parse_qs(urlsplit(mail.link).query)["token"][0]
    reset = client.post("/auth/user/password/reset", json={**fields(password="another one 2"), "token": token, "method": "token"})
    assert reset.json()["status"] == "OK"
    assert client.post("/auth/signin", json=fields(email="ben@example.com", password="another one 2")).json()["status"] == "OK"
    assert providers.inbox.messages("nobody@example.com") == []


async def test_an_address_is_confirmed(example, client, core, providers):
    """By the link; outside a request there is no reader's language, and the template's first serves."""
    client.post("/auth/signup", json=fields(email="cleo@example.com", password=PASSWORD))
    user = next(user["id"] for user in core[0].users.values() if user["email"] == "cleo@example.com")
    await send_email_verification_email("public", user, RecipeUserId(user), "cleo@example.com")
    mail = await providers.inbox.wait(to="cleo@example.com")
    assert mail.subject == "Confirm your address"
    token = parse_qs(urlsplit(mail.link).query)["token"][0]
    assert client.post("/auth/user/email/verify", json={"method": "token", "token": token}).json()["status"] == "OK"


def test_a_second_factor_and_a_link(example, providers):
    """A code of a second factor has a type of its own; a magic link is a link."""
    request = SimpleNamespace(request=SimpleNamespace(remote_addr="192.0.2.1"), get_header=lambda _: "fr")
    second = PasswordlessLoginEmailTemplateVars("public", 900_000, "pre", "dora@example.com", False, user_input_code="482913")
    asyncio.run(example.mail.send_email(second, {"_default": {"request": request}}))  # as with Flask: another loop each time
    assert providers.inbox.get(to="dora@example.com").subject == "482913 est votre second facteur"


def test_the_second_provider_sends_where_the_first_fails(client, providers):
    """Nobody notices."""
    providers.fail(FIRST, "quota", times=None)
    try:
        assert client.post("/auth/signinup/code", json={"email": "eve@example.com"}).json()["status"] == "OK"
        assert providers.inbox.get(to="eve@example.com").connector == SECOND
    finally:
        providers.fail(FIRST, None)


async def test_many_users_at_once(example, providers):
    """Each of 50 gets a code of their own. (The recipes' own work for each takes half a second: they are left out.)"""
    people = {f"person{number}@example.com": f"{100_000 + number}" for number in range(50)}
    said = [
        PasswordlessLoginEmailTemplateVars("public", 900_000, "pre", email, is_first_factor=True, user_input_code=code)
        for email, code in people.items()
    ]
    await asyncio.gather(*(example.mail.send_email(mail, {}) for mail in said))
    assert {email: (await providers.inbox.wait(to=email, timeout=60)).code for email in people} == people


@pytest.mark.parametrize("fault", ["quota", "timeout"])
def test_the_answer_says_nothing_of_a_provider_that_fails(client, sends_by, providers, fault, caplog):
    """It comes at once, also where the provider hangs; what became of the mail is in the log, without code or address."""
    caplog.set_level("INFO", "authmail.delivery")
    outbox = sends_by(delivery={"timeout": 1.0})
    for name in (FIRST, SECOND):
        providers.fail(name, fault, times=None)
    try:
        assert client.post("/auth/signinup/code", json={"email": "flo@example.com"}).json()["status"] == "OK"
        if fault == "timeout":
            assert not outbox.wait(0)  # it is still being sent
    finally:
        outbox.wait()
        for name in (FIRST, SECOND):
            providers.fail(name, None)
    (told,) = [record.message for record in caplog.records if record.name == "authmail.delivery"]
    assert {"quota": "outcome=account", "timeout": "outcome="}[fault] in told  # a code may be asked for again, and come through
    assert "flo@" not in caplog.text


def test_a_template_that_is_missing_is_told_in_the_log(client, sends_by, tmp_path, caplog):
    """The user's answer is as always."""
    (tmp_path / "Register.html").write_text("<title>Welcome</title><p>{{link}}</p>")
    outbox = sends_by(templates=str(tmp_path))
    assert client.post("/auth/signinup/code", json={"email": "gus@example.com"}).json()["status"] == "OK"
    outbox.wait()
    assert "reason=template" in caplog.text


def test_a_test_of_a_host_reads_the_inbox(client, sends_by, sandbox, inbox):
    """With the fixtures of authmail, and FastAPI's client."""
    sends_by(senders={"main": {"connector": "aliyun-dm", "config": sandbox.config("aliyun-dm")}})
    asked = client.post("/auth/signinup/code", json={"email": "zoe@example.com"})
    assert code_typed_back(client, asked, inbox.get(to="zoe@example.com").code) == "OK"


def test_a_wrong_config_keeps_the_application_from_starting():
    """Every problem at once."""
    with pytest.raises(ConfigError, match="accessKeySecret"):
        EmailService({"senders": {"main": {"connector": "aliyun-dm", "config": {"accessKeyId": "key"}}}})
