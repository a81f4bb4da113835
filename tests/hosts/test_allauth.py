"""django-allauth, from its API to the inbox: docs/examples/allauth by uvicorn, every kind of mail in this process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import allauth
import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client, RequestFactory, override_settings
from django.utils.translation import override
from django_project import prepare

from .conftest import EXAMPLES, FIRST, SECOND

prepare()

from allauth.account.adapter import get_adapter  # noqa: E402 (Django's settings come first)
from allauth.account.models import EmailAddress  # noqa: E402
from allauth.core.context import request_context  # noqa: E402

from authmail import Email, Message  # noqa: E402
from authmail.hosts.allauth import KINDS, event_of  # noqa: E402
from authmail.hosts.django import delivery  # noqa: E402

EXAMPLE = EXAMPLES / "allauth"
API = "/_allauth/app/v1"
PASSWORD = "correct horse battery"


# ── docs/examples/allauth, by uvicorn: on an event loop ──


@pytest.fixture(scope="module")
def settings(settings):
    quick = {"timeout": 5.0, "rest": 0.1}  # a provider that failed is asked again at once
    return {**settings, "templates": str(EXAMPLE / "mails"), "delivery": quick}


@pytest.fixture(scope="module")
def app(start, tmp_path_factory):
    places = {"DATABASE": str(tmp_path_factory.mktemp("members") / "db.sqlite3"), "RATE_LIMITS": "off"}
    subprocess.run([sys.executable, EXAMPLE / "manage.py", "migrate", "-v0", "--skip-checks"], env=places, check=True)
    return start("uvicorn", "--app-dir", str(EXAMPLE), "members.asgi:application", "--port", "0", **places)


def asked(app, path, session="", language="en", **data):
    """Post to allauth's API; return status, session and answer. 401 with a session is its way to ask for more."""
    answer = app.post(f"{API}{path}", data=data, X_Session_Token=session, Accept_Language=language)
    meta = answer.json().get("meta", {}) if answer.text.startswith("{") else {}
    return answer.status, meta.get("session_token", session), answer


def signed_up(app, inbox, email, language="en"):
    """Sign up, and confirm the address by the code in the mail."""
    status, session, _ = asked(app, "/auth/signup", language=language, email=email, password=PASSWORD)
    assert status == 401
    letter = inbox.get(to=email, timeout=60)
    assert app.post(f"{API}/auth/email/verify", data={"key": letter.code}, X_Session_Token=session).status == 200
    return letter


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [("en", "confirms your address", "is your sign-in code"), ("fr-CA", "confirme votre adresse", "est votre code de connexion")],
)
def test_a_member_signs_up_and_in_by_code(app, providers, language, first, second):
    """allauth's own kind of code, in the browser's language, typed back."""
    email = f"{language.lower()}@example.com"
    letter = signed_up(app, providers.inbox, email, language)
    assert letter.subject == f"{letter.code} {first}"
    _, session, _ = asked(app, "/auth/code/request", language=language, email=email)
    letter = providers.inbox.get(to=email, after=letter.id)
    assert letter.subject == f"{letter.code} {second}"
    status, _, answer = asked(app, "/auth/code/confirm", session, code=letter.code)
    assert (status, answer.json()["data"]["user"]["email"]) == (200, email)


@pytest.mark.parametrize(("language", "subject"), [("en", "Choose a new password"), ("fr", "Choisissez un nouveau mot de passe")])
def test_a_password_is_reset_by_link(app, providers, language, subject):
    """The key in the link sets a new one, and allauth's own words tell of it in the same language."""
    email = f"reset-{language}@example.com"
    first = signed_up(app, providers.inbox, email)
    asked(app, "/auth/password/request", language=language, email=email)
    letter = providers.inbox.get(to=email, after=first.id)
    assert letter.subject == subject
    key = urlsplit(letter.link).path.rpartition("/")[2]
    asked(app, "/auth/password/reset", language=language, key=key, password="battery staple 7")
    notice = providers.inbox.get(to=email, after=letter.id)
    assert {"en": "password has been reset", "fr": "mot de passe"}[language] in notice.readable
    assert asked(app, "/auth/login", email=email, password="battery staple 7")[0] == 200


def test_many_members_at_once_and_the_second_provider_where_the_first_fails(app, providers):
    """Each of 50 gets a mail of their own, whether there is an account or not."""
    people = [f"member{number}@example.com" for number in range(50)]

    def code_of(email):
        asked(app, "/auth/code/request", email=email)
        return providers.inbox.get(to=email, timeout=60)

    providers.fail(FIRST, "quota", times=None)
    try:
        with ThreadPoolExecutor(len(people)) as pool:
            letters = list(pool.map(code_of, people))
    finally:
        providers.fail(FIRST, None)
    assert {letter.connector for letter in letters} == {SECOND}


# ── in this process ──


@pytest.fixture
def config(settings, providers):
    with override_settings(AUTHMAIL=settings):
        yield settings
    for name in (FIRST, SECOND):
        providers.fail(name, None)
    EmailAddress.objects.all().delete()
    get_user_model().objects.all().delete()
    connections.close_all()


@pytest.fixture
def adapter(config):
    """allauth's adapter, within a request of a client."""
    with request_context(RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")):
        yield get_adapter()


NEWS = {"ip": "203.0.113.7", "user_agent": "Browser", "timestamp": None}


@pytest.mark.parametrize(("prefix", "context", "usage_type", "payload"), [
    ("account/email/login_code", {"code": "WXMG-HDDS"}, "SignIn", {"code": "WXMG-HDDS"}),
    ("account/email/email_confirmation_signup", {"code": "WXMG-HDDS"}, "Register", {"code": "WXMG-HDDS"}),
    ("account/email/email_confirmation", {"code": "WXMG-HDDS"}, "BindNewIdentifier", {"code": "WXMG-HDDS"}),
    ("account/email/password_reset_key", {"password_reset_url": "https://app.example.com/reset/1-k", "key": "1-k", "uid": "1"},
     "ForgotPassword", {"link": "https://app.example.com/reset/1-k"}),
    ("account/email/password_changed", NEWS, "PasswordChanged", {"ip": "203.0.113.7"}),
])  # fmt: skip
def test_what_a_mail_means_follows_from_prefix_and_context(adapter, prefix, context, usage_type, payload):
    """A code or a link by what the context has; client, language and site besides, and no key twice."""
    with override("fr"):
        message = adapter.authmail_mail(prefix, "zoe@example.com", context)
    assert isinstance(message, Message)
    assert (message.type, message.ip, message.payload["locale"]) == (usage_type, "203.0.113.7", "fr")
    assert payload.items() <= message.payload.items()
    assert not {"key", "uid", "password_reset_url", "request"} & message.payload.keys()


@pytest.mark.parametrize(("prefix", "context", "usage_type", "words"), [
    ("account/email/email_confirmation_signup", {"activate_url": "https://app.example.com/confirm/k", "user": "zoe"}, "Register",
     "https://app.example.com/confirm/k"),
    ("account/email/password_reset_code", {"code": "WXMG-HDDS"}, "ForgotPassword", "WXMG-HDDS"),
    ("account/email/account_already_exists", {"signup_url": "https://app.example.com/s", "password_reset_url": "https://app.example.com/r"},
     "Notice", "https://app.example.com/r"),
    ("account/email/unknown_account", {"signup_url": "https://app.example.com/s"}, "Notice", "https://app.example.com/s"),
    ("account/email/email_changed", {**NEWS, "from_email": "a@example.com", "to_email": "b@example.com"}, "Notice", "b@example.com"),
    ("account/email/email_deleted", {**NEWS, "deleted_email": "a@example.com"}, "Notice", "a@example.com"),
    ("account/email/email_confirm", NEWS, "Notice", "203.0.113.7"),
    ("account/email/password_set", NEWS, "Notice", "203.0.113.7"),
    ("account/email/password_reset", NEWS, "Notice", "203.0.113.7"),
    *((f"mfa/email/{name}", NEWS, "Notice", "203.0.113.7") for name in (
        "totp_activated", "totp_deactivated", "recovery_codes_generated", "webauthn_added", "webauthn_removed")),
    *((f"socialaccount/email/{name}", {**NEWS, "provider": "GitHub", "account": None}, "Notice", "203.0.113.7") for name in (
        "account_connected", "account_disconnected")),
])  # fmt: skip
def test_what_authmail_has_no_template_for_is_said_in_allauths_own_words(adapter, prefix, context, usage_type, words):
    """A template that is missing loses no mail: a link where the template has a place for a code, and news of all kinds."""
    email = adapter.authmail_mail(prefix, "zoe@example.com", {**context, "user": get_user_model()(username="zoe")})
    assert isinstance(email, Email)
    assert (email.usage_type, email.ip) == (usage_type, "203.0.113.7")
    assert words in email.text


def test_every_mail_that_allauth_ships_is_known():
    """Those with a code or link by their prefix; all others are news, also those of later releases."""
    found = {
        str(subject.relative_to(templates)).removesuffix("_subject.txt")
        for templates in [Path(allauth.__file__).parent / "templates"]
        for subject in templates.glob("*/email/*_subject.txt")
    }
    with_code_or_link = {
        prefix
        for prefix in found
        if event_of(prefix)
        in {"EmailConfirmationSignup", "EmailConfirmation", "LoginCode", "PasswordResetCode", "PasswordResetKey"}
    }
    assert with_code_or_link == set(KINDS)


def test_nobody_learns_who_has_an_account_where_every_provider_fails(config, providers, caplog):
    """The answers are alike, and no page of error 500; what became of the mails is in the log, without addresses."""
    user = get_user_model().objects.create_user("cleo", "cleo@example.com", PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    for name in (FIRST, SECOND):
        providers.fail(name, "quota", times=None)
    for path in ("/auth/code/request", "/auth/password/request", "/auth/signup"):
        data = {"password": PASSWORD} if path == "/auth/signup" else {}
        known, unknown = (
            Client().post(f"{API}{path}", {"email": email, **data}, content_type="application/json")
            for email in ("cleo@example.com", "nobody@example.com")
        )
        assert (known.status_code, known.json().get("data")) == (unknown.status_code, unknown.json().get("data"))
        assert known.status_code in (200, 401)
    delivery().wait()
    assert caplog.text.count("attempts=2") == 6  # one line for each mail
    assert not any(text in caplog.text for text in ("cleo@", "nobody@"))


def test_a_mail_waits_for_no_provider(adapter, providers):
    """Also where both hang; a mail for an address that is none breaks no page."""
    for name in (FIRST, SECOND):
        providers.fail(name, "timeout", times=None)
    adapter.send_mail("account/email/login_code", "eve@example.com", {"code": "WXMG-HDDS"})
    assert not delivery().wait(0)
    adapter.send_mail("account/email/login_code", "no address", {"code": "WXMG-HDDS"})
    delivery().wait()


def test_a_test_of_a_host_reads_the_inbox(sandbox, inbox):
    """With the fixtures of authmail and Django's own client: a new user's code, typed back."""
    sender = {"connector": "aliyun-dm", "config": sandbox.config("aliyun-dm")}
    with override_settings(AUTHMAIL={"templates": str(EXAMPLE / "mails"), "senders": {"main": sender}}):
        client = Client(headers={"Accept-Language": "fr"})
        person = {"email": "zoe@example.com", "password": PASSWORD}
        answer = client.post(f"{API}/auth/signup", person, content_type="application/json")
        letter = inbox.get(to="zoe@example.com")
        assert letter.subject == f"{letter.code} confirme votre adresse"
        session = {"X-Session-Token": answer.json()["meta"]["session_token"]}
        answer = client.post(f"{API}/auth/email/verify", {"key": letter.code}, content_type="application/json", headers=session)
        assert answer.status_code == 200
    EmailAddress.objects.all().delete()
    get_user_model().objects.all().delete()
    connections.close_all()
