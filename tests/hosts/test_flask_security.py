"""Flask-Security, from its forms to the inbox, as docs/examples/flask_security runs it."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import flask_babel
import pytest
from flask_security.utils import send_mail

from authmail import ConfigError
from authmail.hosts.flask_security import MailUtil

from .conftest import EXAMPLES, FIRST, SECOND, loaded

# Flask-Security's forms, with the newest WTForms.
pytestmark = pytest.mark.filterwarnings("ignore:Passing SelectField choices as tuples:DeprecationWarning")

PASSWORD = "correct horse battery"
JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def app(start):
    """The example in gunicorn, made before its worker is forked."""
    return start("gunicorn", "--pythonpath", str(EXAMPLES / "flask_security"), "--preload", "--threads", "8",
                 "--bind", "127.0.0.1:0", "app:app")  # fmt: skip


@pytest.fixture
def make(settings, monkeypatch):
    """Make the example in this process, with settings of its own."""
    monkeypatch.setenv("AUTHMAIL", str(EXAMPLES / "flask_security" / "authmail.toml"))
    module = loaded(EXAMPLES / "flask_security" / "app.py", monkeypatch)
    made = []

    def make_app(**config):
        made.append(module.create_app(**{"AUTHMAIL": settings, "TESTING": True} | config))
        return made[-1]

    yield make_app
    for app in made:
        app.extensions["authmail"].close()


def has_account(app, email):
    """An account whose address is confirmed; hashing its password is Flask-Security's work, and takes long."""
    with app.app_context():
        now = dt.datetime.now(dt.UTC)
        return app.extensions["users"].create_user(email=email, password=PASSWORD, confirmed_at=now)


def registered(app, email, **headers):
    return app.post("/register", data={"email": email, "password": PASSWORD}, **headers)


def path_of(mail, app):
    assert mail.link.startswith(app.url)
    return mail.link.removeprefix(app.url)


def confirmed(app, providers, email, **headers):
    """Sign up and open the link; return the mail that had it."""
    assert registered(app, email, **headers).status == 200
    mail = providers.inbox.get(to=email)
    app.post(path_of(mail, app), method="GET")
    return mail


@pytest.mark.parametrize(
    ("language", "subject", "words"),
    [("en", "Confirm your address", "is your sign-in code"), ("fr", "Confirmez votre adresse", "est votre code de connexion")],
)
def test_a_new_user_confirms_the_address_and_signs_in_by_code(app, providers, language, subject, words):
    """In the browser's language; the code that is typed back is good, another is not."""
    email = f"{language}@example.com"
    mail = confirmed(app, providers, email, Accept_Language=f"{language}-CA,{language};q=0.9,de;q=0.1")
    assert mail.subject == subject
    ask = {"identity": email, "chosen_method": "email"}
    assert app.post("/us-signin/send-code", data=ask, Accept_Language=language).status == 200
    mail = providers.inbox.get(to=email, after=mail.id)
    assert mail.subject == f"{mail.code} {words}"
    wrong = "000000" if mail.code != "000000" else "111111"
    assert app.post("/us-signin", data={"identity": email, "passcode": wrong}).status == 400
    assert app.post("/us-signin", data={"identity": email, "passcode": mail.code}).status == 200


def test_a_password_is_reset_and_told(app, providers):
    """By the link; a notice says so."""
    first = confirmed(app, providers, "ben@example.com")
    app.post("/reset", data={"email": "ben@example.com"}, Accept_Language="fr")
    mail = providers.inbox.get(to="ben@example.com", after=first.id)
    assert mail.subject == "Choisissez un nouveau mot de passe"
    assert (
        app.post(path_of(mail, app), data={"password": "another long one", "password_confirm": "another long one"}).status == 200
    )
    assert "reset_notice" in providers.inbox.get(to="ben@example.com", after=mail.id).readable


def test_nobody_learns_who_has_an_account(make, providers):
    """The pages are the same, and whoever has one is told of a second sign-up. (Those in JSON differ, in Flask-Security itself.)"""
    app = make()
    has_account(app, "cleo@example.com")

    def answer(path, email, **values):
        got = app.test_client().post(path, data={"email": email, "identity": email, **values})
        return got.status_code, got.location, got.text.replace(email, "")

    for path, values in (
        ("/reset", {}),
        ("/us-signin/send-code", {"chosen_method": "email"}),
        ("/register", {"password": PASSWORD}),
    ):
        assert answer(path, "cleo@example.com", **values) == answer(path, "nobody@example.com", **values)
    app.extensions["authmail"].wait()
    assert any("welcome_existing" in mail.readable for mail in providers.inbox.messages("cleo@example.com"))
    assert [mail.subject for mail in providers.inbox.messages("nobody@example.com")] == ["Confirm your address"]


def test_the_second_provider_sends_where_the_first_fails(app, providers):
    """Nobody notices."""
    providers.fail(FIRST, "quota", times=None)
    try:
        assert registered(app, "dora@example.com").status == 200
        assert providers.inbox.get(to="dora@example.com").connector == SECOND
    finally:
        providers.fail(FIRST, None)


def test_many_users_at_once(make, providers):
    """Each of 50 gets a code of their own, and signs in by it."""
    app = make()
    people = [f"person{number}@example.com" for number in range(50)]
    for email in people:
        has_account(app, email)

    def signs_in(email):
        client = app.test_client()
        client.post("/us-signin/send-code", json={"identity": email, "chosen_method": "email"}, headers=JSON)
        code = providers.inbox.get(to=email, timeout=60).code
        return client.post("/us-signin", json={"identity": email, "passcode": code}, headers=JSON).status_code

    with ThreadPoolExecutor(len(people)) as pool:
        assert set(pool.map(signs_in, people)) == {200}


@pytest.mark.parametrize("fault", ["quota", "timeout"])
def test_the_answer_says_nothing_of_a_provider_that_fails(make, settings, providers, fault, caplog):
    """It comes at once, also where the provider hangs; what became of the mail is in the log, without link or address."""
    app = make(AUTHMAIL={**settings, "delivery": {"timeout": 1.0}})
    has_account(app, "eve@example.com")
    outbox = app.extensions["authmail"]
    for name in (FIRST, SECOND):
        providers.fail(name, fault, times=None)
    try:
        known, unknown = (
            app.test_client().post("/reset", json={"email": email}, headers=JSON)
            for email in ("eve@example.com", "nobody@example.com")
        )
        assert (known.status_code, unknown.status_code) == (200, 200)
        if fault == "timeout":
            assert not outbox.wait(0)  # it is still being sent
    finally:
        outbox.wait()
        for name in (FIRST, SECOND):
            providers.fail(name, None)
    (told,) = [record.message for record in caplog.records if record.name == "authmail.delivery"]
    assert {"quota": "outcome=account", "timeout": "outcome=unknown"}[fault] in told
    assert not any(text in caplog.text for text in ("eve@", "/reset/", PASSWORD))


def test_a_template_that_is_missing_is_told_in_the_log(make, settings, tmp_path, caplog):
    """The user's answer is as always."""
    (tmp_path / "SignIn.html").write_text("<title>{{code}}</title><p>{{code}}</p>")
    app = make(AUTHMAIL={**settings, "templates": str(tmp_path)})
    has_account(app, "flo@example.com")
    assert app.test_client().post("/reset", json={"email": "flo@example.com"}, headers=JSON).status_code == 200
    app.extensions["authmail"].wait()
    assert "reason=template" in caplog.text
    assert "/reset/" not in caplog.text


def test_a_test_of_a_host_reads_the_inbox(make, sandbox, inbox):
    """With the fixtures of authmail, and Flask's own client."""
    senders = {"main": {"connector": "aliyun-dm", "config": sandbox.config("aliyun-dm")}}
    app = make(AUTHMAIL={"templates": str(EXAMPLES / "mails"), "senders": senders})
    has_account(app, "zoe@example.com")
    client = app.test_client()
    client.post("/us-signin/send-code", json={"identity": "zoe@example.com", "chosen_method": "email"}, headers=JSON)
    code = inbox.get(to="zoe@example.com").code
    assert client.post("/us-signin", json={"identity": "zoe@example.com", "passcode": code}, headers=JSON).status_code == 200


LINK = "https://app.example.com/page/WyJhIl0.token"


@pytest.mark.parametrize(
    ("template", "context", "subject", "link", "code"),
    [
        ("welcome", {"confirmation_link": LINK, "confirmation_token": "a"}, "Confirm your address", LINK, None),
        ("welcome", {"confirmation_link": None}, "A change to your account", None, None),
        ("confirmation_instructions", {"confirmation_link": LINK}, "Confirm your address", LINK, None),
        ("reset_instructions", {"reset_link": LINK, "within": "1 day"}, "Choose a new password", LINK, None),
        ("us_instructions", {"login_token": "482913", "login_link": LINK}, "482913 is your sign-in code", None, "482913"),
        ("us_instructions", {"login_token": "482913", "login_link": None}, "482913 sets up sign-in by mail", None, "482913"),
        ("two_factor_instructions", {"token": "482913", "username": "ada"}, "482913 is your second step", None, "482913"),
        ("change_email_instructions", {"link": LINK, "token": "WyJhIl0"}, "Confirm your new address", LINK, None),
        ("change_notice", {}, "A change to your account", None, None),
        ("change_username_notice", {}, "A change to your account", None, None),
        ("reset_notice", {}, "A change to your account", None, None),
        ("two_factor_rescue", {}, "A change to your account", None, None),
        ("username_recovery", {"username": "ada"}, "A change to your account", None, None),
        ("welcome_existing", {"reset_link": LINK, "recovery_link": LINK}, "A change to your account", None, None),
        ("welcome_existing_username", {"username": "ada", "email": "x@example.com"}, "A change to your account", None, None),
    ],
)
def test_each_mail_of_flask_security(make, providers, template, context, subject, link, code):
    """With its own templates and contexts, as its functions send them."""
    app = make()
    address = f"{template}.{subject.replace(' ', '')}@example.com".lower()
    user = has_account(app, address)
    with app.test_request_context("/"):
        send_mail("Flask-Security's own subject", address, f"security/email/{template}", user=user, **context)
    mail = providers.inbox.get(to=address)
    assert (mail.subject, mail.link, mail.code) == (subject, link, code)


def test_each_template_that_flask_security_ships_is_known(make):
    """So a new one of another release is noticed here."""
    shipped = {name.rpartition("/")[2].removesuffix(".txt") for name in make().jinja_env.list_templates()
               if name.startswith("security/email/") and name.endswith(".txt")}  # fmt: skip
    assert shipped == set(MailUtil.mails)


def test_a_mail_of_your_own_goes_out_as_it_was_rendered(make, providers, tmp_path):
    """A template that is nobody else's."""
    app = make()
    (tmp_path / "party.txt").write_text("Come to the party.")
    (tmp_path / "party.html").write_text("<p>Come to the <b>party</b>.</p>")
    app.jinja_loader.searchpath.append(str(tmp_path))
    with app.test_request_context("/"):
        send_mail("A party", "gus@example.com", "party")
    mail = providers.inbox.get(to="gus@example.com")
    assert (mail.subject, mail.html, mail.text) == ("A party", "<p>Come to the <b>party</b>.</p>", "Come to the party.")


def test_the_language_of_flask_babel_comes_first(make, providers):
    """As the user set it, whatever the browser says; without a request, too."""
    app = make()
    flask_babel.Babel(app, locale_selector=lambda: "fr_CA")
    user = has_account(app, "hal@example.com")
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        send_mail("Reset", user.email, "security/email/reset_instructions", user=user, reset_link=LINK, within="1 day")
    assert providers.inbox.get(to="hal@example.com").subject == "Choisissez un nouveau mot de passe"
    with app.app_context():
        assert app.extensions["security"].mail_util.languages() == "fr-CA"


def test_a_wrong_config_keeps_the_application_from_starting(make):
    """Every problem at once."""
    with pytest.raises(ConfigError, match="accessKeySecret"):
        make(AUTHMAIL={"senders": {"main": {"connector": "aliyun-dm", "config": {"accessKeyId": "key"}}}})
