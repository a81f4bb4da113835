"""FastAPI Users, from its forms to the inbox, as docs/examples/fastapi_users runs it."""

import asyncio
import threading
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from fastapi_users.password import PasswordHelper

from authmail import ConfigError

from .conftest import EXAMPLES, FIRST, SECOND, loaded

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def app(start):
    """The example, served by uvicorn."""
    return start("uvicorn", "--app-dir", str(EXAMPLES / "fastapi_users"), "app:app", "--port", "0")


@pytest.fixture
def example(settings, monkeypatch):
    """The example in this process, with no user yet; it is not started."""
    module = loaded(EXAMPLES / "fastapi_users" / "app.py", monkeypatch)
    module.UserManager.authmail = settings
    yield module
    if module.UserManager._outbox is not None:
        module.UserManager._outbox.close()


def registered(app, email, **headers):
    return app.post("/register", data={"email": email, "password": PASSWORD}, **headers)


def token_in(mail):
    return parse_qs(urlsplit(mail.link).query)["token"][0]


def form(app, **fields):
    return app.post("/login", data=urlencode(fields).encode(), Content_Type="application/x-www-form-urlencoded")


def test_a_new_user_confirms_the_address(app, providers):
    """By the link in the mail, which is in the browser's language; a second sign-up mails nobody."""
    assert registered(app, "ada@example.com", Accept_Language="fr-CA,fr;q=0.9,en;q=0.5").status == 201
    mail = providers.inbox.get(to="ada@example.com")
    assert mail.subject == "Confirmez votre adresse"
    assert app.post("/verify", data={"token": token_in(mail)}).json()["is_verified"] is True
    assert registered(app, "ada@example.com").status == 400
    assert len(providers.inbox.messages("ada@example.com")) == 1


@pytest.mark.parametrize(("language", "words"), [("en", "is your sign-in code"), ("fr", "est votre code de connexion")])
def test_a_user_signs_in_by_code(app, providers, language, words):
    """The code that is typed back is good once."""
    email = f"{language}@example.com"
    registered(app, email)
    first = providers.inbox.get(to=email)
    assert app.post("/code", data={"email": email}, Accept_Language=language).status == 202
    mail = providers.inbox.get(to=email, after=first.id)
    assert mail.subject == f"{mail.code} {words}"
    assert "access_token" in app.post("/sign-in", data={"email": email, "code": mail.code}).json()
    assert app.post("/sign-in", data={"email": email, "code": mail.code}).status == 403


def test_a_password_is_reset_and_told(app, providers):
    """By the link; the notice says what happened; a change by the user is told too, and a new address is to be confirmed."""
    registered(app, "ben@example.com")
    first = providers.inbox.get(to="ben@example.com")
    app.post("/forgot-password", data={"email": "ben@example.com"}, Accept_Language="fr")
    mail = providers.inbox.get(to="ben@example.com", after=first.id)
    assert mail.subject == "Choisissez un nouveau mot de passe"
    assert app.post("/reset-password", data={"token": token_in(mail), "password": "another one"}).status == 200
    notice = providers.inbox.get(to="ben@example.com", after=mail.id)
    assert "password_reset" in notice.readable

    session = form(app, username="ben@example.com", password="another one").json()["access_token"]
    change = {"password": "a third one", "email": "benjamin@example.com"}
    assert app.post("/users/me", data=change, method="PATCH", Authorization=f"Bearer {session}").status == 200
    subjects = {providers.inbox.get(to="benjamin@example.com").subject}
    subjects.add(providers.inbox.get(to="benjamin@example.com", after=providers.inbox.get(to="benjamin@example.com").id).subject)
    assert subjects == {"Confirm your address", "A change to your account"}


def test_nobody_learns_who_has_an_account(app, providers):
    """The answers are the same, and an unknown address gets no mail."""
    registered(app, "cleo@example.com")
    for path in ("/forgot-password", "/request-verify-token", "/code"):
        known = app.post(path, data={"email": "cleo@example.com"})
        assert known == app.post(path, data={"email": "nobody@example.com"})
        assert known.status == 202
    assert providers.inbox.messages("nobody@example.com") == []


def test_the_second_provider_sends_where_the_first_fails(app, providers):
    """Nobody notices."""
    providers.fail(FIRST, "quota", times=None)
    try:
        assert registered(app, "dora@example.com").status == 201
        assert providers.inbox.get(to="dora@example.com").connector == SECOND
    finally:
        providers.fail(FIRST, None)


async def test_many_users_at_once(example, providers):
    """Each of 50 gets a code of their own, and signs in by it."""
    people = [f"person{number}@example.com" for number in range(50)]
    for email in people:  # hashing fifty passwords is FastAPI Users' work, and takes long
        await example.database.create({"email": email, "hashed_password": ""})

    async def signs_in(client, email):
        assert (await client.post("/code", json={"email": email})).status_code == 202
        code = (await providers.inbox.wait(to=email, timeout=60)).code
        return (await client.post("/sign-in", json={"email": email, "code": code})).status_code

    async with httpx.AsyncClient(transport=httpx.ASGITransport(example.app), base_url="http://host") as client:
        assert set(await asyncio.gather(*(signs_in(client, email) for email in people))) == {200}


def test_a_reset_is_answered_before_it_is_hashed(example, providers, caplog):
    """Which FastAPI Users does for a known address alone. A hook that fails is told, and the answer is as always."""
    answered = threading.Event()
    helper = PasswordHelper()
    hashed = helper.hash

    def hash_later(password):
        assert answered.wait(30)
        return hashed(password)

    helper.hash = hash_later
    example.app.dependency_overrides[example.users.get_user_manager] = lambda: example.UserManager(example.database, helper)
    with TestClient(example.app) as client:
        client.portal.call(example.database.create, {"email": "kim@example.com", "hashed_password": hashed(PASSWORD)})
        assert client.post("/forgot-password", json={"email": "kim@example.com"}).status_code == 202
        answered.set()
        token = token_in(providers.inbox.get(to="kim@example.com"))
        assert client.post("/reset-password", json={"token": token, "password": "another one"}).status_code == 200
        helper.hash = None
        assert client.post("/forgot-password", json={"email": "kim@example.com"}).status_code == 202
    assert "a reset of a password was not begun: TypeError" in caplog.text


@pytest.mark.parametrize("fault", ["quota", "timeout"])
def test_the_answer_says_nothing_of_a_provider_that_fails(example, settings, providers, fault, caplog):
    """It comes at once, also where the provider hangs; what became of the mail is in the log, without link or address."""
    example.UserManager.authmail = {**settings, "delivery": {"timeout": 1.0}}
    for name in (FIRST, SECOND):
        providers.fail(name, fault, times=None)
    try:
        with TestClient(example.app) as client:
            assert client.post("/register", json={"email": "eve@example.com", "password": PASSWORD}).status_code == 201
            known = client.post("/forgot-password", json={"email": "eve@example.com"})
            unknown = client.post("/forgot-password", json={"email": "nobody@example.com"})
            assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"null")
            if fault == "timeout":
                assert not example.UserManager.outbox().wait(0)  # it is still being sent
    finally:
        for name in (FIRST, SECOND):
            providers.fail(name, None)
    outcome = {"quota": "outcome=account", "timeout": "outcome=unknown"}[fault]
    told = [record.message for record in caplog.records if record.name == "authmail.delivery"]
    assert [outcome in line for line in told] == [True, True]
    assert not any(text in caplog.text for text in ("eve@", "token=", PASSWORD))


def test_a_template_that_is_missing_is_told_in_the_log(example, settings, tmp_path, caplog):
    """The user's answer is as always."""
    (tmp_path / "SignIn.html").write_text("<title>{{code}}</title><p>{{code}}</p>")
    example.UserManager.authmail = {**settings, "templates": str(tmp_path)}
    client = TestClient(example.app)
    assert client.post("/register", json={"email": "flo@example.com", "password": PASSWORD}).status_code == 201
    example.UserManager.outbox().wait()
    assert "reason=template" in caplog.text
    assert "token=" not in caplog.text


def test_a_test_of_a_host_reads_the_inbox(example, sandbox, inbox):
    """With the fixtures of authmail, and FastAPI's own client."""
    example.UserManager.authmail = {
        "templates": str(EXAMPLES / "mails"),
        "senders": {"main": {"connector": "aliyun-dm", "config": sandbox.config("aliyun-dm")}},
    }
    with TestClient(example.app) as client:
        client.post("/register", json={"email": "zoe@example.com", "password": PASSWORD}, headers={"Accept-Language": "fr"})
        token = token_in(inbox.get(to="zoe@example.com"))
        assert client.post("/verify", json={"token": token}).json()["is_verified"]


def test_a_wrong_config_keeps_the_application_from_starting(example, settings):
    """Every problem at once, where FastAPI starts."""
    example.UserManager.authmail = {**settings, "senders": {"main": {"connector": "aliyun-dm", "config": {"accessKeyId": "key"}}}}
    with pytest.raises(ConfigError, match="accessKeySecret"), TestClient(example.app):
        pass
    example.UserManager.authmail = settings
    example.UserManager.reset_link = "https://app.example.com/reset"
    with pytest.raises(ConfigError, match="reset_link"), TestClient(example.app):
        pass
