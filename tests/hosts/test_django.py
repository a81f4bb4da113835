"""Django, from its forms and from ``send_mail`` to the inbox: docs/examples/django by gunicorn, the rest in this process."""

import asyncio
import json
import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

import django
import pytest
import tomlkit
from django.core import mail
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connections, transaction
from django.test import AsyncClient, Client, override_settings
from django_project import prepare

from authmail import AccountError, ConfigError, Message, MessageRejected, Receipt, load
from authmail.delivery.ticket import Ticket
from authmail.queue import work
from authmail.queue.sealing import new_key

from .conftest import EXAMPLES, FIRST, SECOND

prepare()

from authmail.hosts.django import EmailBackend, delivery, post  # noqa: E402 (Django's settings come first)

EXAMPLE = EXAMPLES / "django"


# ── docs/examples/django, by gunicorn: a forked worker of a loaded application, with threads ──


@pytest.fixture(scope="module")
def app(start, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    places = {"DATABASE": str(folder / "db.sqlite3"), "CACHE": str(folder / "cache"), "PYTHONPATH": str(EXAMPLE)}
    subprocess.run(
        [sys.executable, EXAMPLE / "manage.py", "migrate", "-v0", "--skip-checks"],
        env={**places, "AUTHMAIL": "unused"},
        check=True,
    )
    options = ("--preload", "--workers", "1", "--threads", "50", "--bind", "127.0.0.1:0")
    return start("gunicorn", *options, "shop.wsgi", **places)


@pytest.fixture(scope="module")
def settings(settings):
    quick = {"timeout": 5.0, "rest": 0.1}  # a provider that failed is asked again at once
    return {**settings, "templates": str(EXAMPLE / "mails"), "delivery": quick}


def signed_up(app, inbox, email, language="en", **password):
    assert app.post("/sign-up", data={"email": email}, Accept_Language=language).status == 202
    letter = inbox.get(to=email, timeout=60)
    assert app.post("/code", data={"email": email, "code": letter.code, **password}).status == 200
    return letter


@pytest.mark.parametrize(("language", "words"), [("en", "is your sign-in code"), ("fr-CA", "est votre code de connexion")])
def test_a_user_signs_up_and_in_by_code(app, providers, language, words):
    """In the browser's language; a code is good once."""
    email = f"{language}@example.com"
    first = signed_up(app, providers.inbox, email, language)
    app.post("/sign-in", data={"email": email}, Accept_Language=language)
    letter = providers.inbox.get(to=email, after=first.id)
    assert letter.subject == f"{letter.code} {words}"
    assert app.post("/code", data={"email": email, "code": "no"}).status == 403
    assert app.post("/code", data={"email": email, "code": letter.code}).json() == {"text": f"Welcome, {email.lower()}."}
    assert app.post("/code", data={"email": email, "code": letter.code}).status == 403


@pytest.mark.parametrize(("language", "subject"), [("en", "Choose a new password"), ("fr", "Choisissez un nouveau mot de passe")])
def test_a_password_is_reset_by_djangos_own_pages(app, providers, language, subject):
    """Its form, the link in the mail, its second form, and the new password signs in."""
    email = f"reset-{language}@example.com"
    first = signed_up(app, providers.inbox, email, password="correct horse")
    browser = build_opener(HTTPCookieProcessor(CookieJar()))

    def submitted(url, **fields):
        with browser.open(Request(url, headers={"Accept-Language": language})) as form:
            page, address = form.read().decode(), form.url
        fields["csrfmiddlewaretoken"] = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', page)[1]
        request = Request(address, urlencode(fields).encode(), {"Accept-Language": language})
        with browser.open(request) as answer:
            return urlsplit(answer.url).path

    assert submitted(f"{app.url}/reset/", email=email) == "/reset/done/"
    letter = providers.inbox.get(to=email, after=first.id)
    assert letter.subject == subject
    assert submitted(letter.link, new_password1="battery staple 7", new_password2="battery staple 7") == "/reset/complete/"
    assert submitted(f"{app.url}/reset/", email="nobody@example.com") == "/reset/done/"
    assert providers.inbox.messages("nobody@example.com") == []


def test_an_invitation_is_sent_by_send_mail_and_says_if_it_went(app, providers):
    """Also where all providers fail: no page of error 500."""
    assert app.post("/invite", data={"email": "guest@example.com"}).json() == {"text": "Invited."}
    assert providers.inbox.get(to="guest@example.com").link.endswith("/sign-up")
    for name in (FIRST, SECOND):
        providers.fail(name, "quota", times=None)
    try:
        assert app.post("/invite", data={"email": "late@example.com"}).status == 503
        assert app.post("/sign-up", data={"email": "late@example.com"}).status == 202
    finally:
        providers.fail(SECOND, None)
        while app.post("/invite", data={"email": "well@example.com"}).status != 200:
            pass  # its breaker is open for a moment; other tests begin with a second provider that works
        providers.fail(FIRST, None)
    assert "late@" not in app.log.read_text()


def test_many_users_at_once_and_the_second_provider_where_the_first_fails(app, providers):
    """Each of 50 signs up by a code of their own, in a forked worker with threads."""
    people = [f"person{number}@example.com" for number in range(50)]
    providers.fail(FIRST, "quota", times=None)
    try:
        with ThreadPoolExecutor(len(people)) as pool:
            letters = list(pool.map(lambda email: signed_up(app, providers.inbox, email), people))
    finally:
        providers.fail(FIRST, None)
    assert {letter.connector for letter in letters} == {SECOND}


# ── in this process: what Django's own code calls ──


@pytest.fixture
def config(settings, providers):
    """The setting AUTHMAIL; both providers work again afterwards, and Django has closed its connections."""
    with override_settings(AUTHMAIL=settings):
        yield settings
    for name in (FIRST, SECOND):
        providers.fail(name, None)
    connections.close_all()


def failing(providers, fault="quota"):
    for name in (FIRST, SECOND):
        providers.fail(name, fault, times=None)


def test_what_send_mail_sends_arrives_as_it_was_written(config, providers):
    """Both parts, names, reply address and headers; each recipient gets a mail alone; the message has the answers."""
    message = mail.EmailMultiAlternatives(
        "Bonjour",
        "texte",
        "Boutique <no-reply@mail.sandbox.example>",
        ["Zoé <zoe@example.com>"],
        cc=["cc@example.com"],
        reply_to=["help@example.com"],
        headers={"X-User-Shop": "7"},
    )
    message.attach_alternative("<p>texte</p>", "text/html")
    assert message.send() == 1
    letters = [providers.inbox.get(to=address) for address in ("zoe@example.com", "cc@example.com")]
    assert {(one.sender, one.subject, one.text, one.html, one.reply_to, len(one.to)) for one in letters} == {
        ("Boutique <no-reply@mail.sandbox.example>", "Bonjour", "texte", "<p>texte</p>", "help@example.com", 1)
    }
    assert list(message.authmail_receipts) == ["Zoé <zoe@example.com>", "cc@example.com"]
    assert all(isinstance(one, Receipt) for one in message.authmail_receipts.values())


def test_the_sender_is_the_configured_one_where_django_has_none(config, providers):
    """webmaster@localhost is what Django writes where nobody has set anything."""
    mail.send_mail("Subject", "text", None, ["plain@example.com"])
    assert "localhost" not in providers.inbox.get(to="plain@example.com").sender


def test_a_message_may_say_what_it_means(config, providers):
    """Then authmail's template writes it, and what Django rendered stays unsent."""
    message = mail.EmailMessage("unsent", "unsent", to=["typed@example.com"])
    message.authmail = Message("anybody@example.com", "SignIn", {"code": "482913", "locale": "fr"})
    assert message.send() == 1
    assert providers.inbox.get(to="typed@example.com").subject == "482913 est votre code de connexion"


@pytest.mark.parametrize("change", [
    lambda message: message.attach("a.txt", "words", "text/plain"),
    lambda message: message.reply_to.extend(["a@example.com", "b@example.com"]),
    lambda message: message.extra_headers.update({"To": "list@example.com"}),
    lambda message: message.attach_alternative("BEGIN:VCALENDAR", "text/calendar"),
    lambda message: message.to.append("two@example.com, three@example.com"),
])  # fmt: skip
def test_what_cannot_be_carried_is_refused_and_never_left_out(config, change):
    """An error before anything is sent; with fail_silently 0 messages."""
    message = mail.EmailMultiAlternatives("Subject", "text")
    change(message)
    message.to = message.to or ["zoe@example.com"]
    with pytest.raises(MessageRejected):
        message.send()
    assert EmailBackend(fail_silently=True).send_messages([message]) == 0


def test_an_error_is_raised_or_kept_silent(config, providers, caplog):
    """With every provider failing; the message has the error either way, and no log has the address."""
    failing(providers)
    message = mail.EmailMessage("482913 is your code", "482913", to=["eve@example.com"])
    with pytest.raises(AccountError):
        message.send()
    assert EmailBackend(fail_silently=True).send_messages([message]) == 0
    assert isinstance(message.authmail_receipts["eve@example.com"], AccountError)
    assert not any(text in caplog.text for text in ("eve@", "482913"))


def test_admins_hear_of_an_error_page(config, providers):
    """By Django's own handler, which also must not fail where the config is wrong."""
    log = logging.getLogger("shop.errors")
    from django.utils.log import AdminEmailHandler

    log.addHandler(handler := AdminEmailHandler(**({"using": "admins"} if django.VERSION >= (6, 1) else {})))
    admins = ["ada@example.com"] if django.VERSION >= (6, 0) else [("Ada", "ada@example.com")]
    try:
        with override_settings(ADMINS=admins):
            log.error("the shop is on fire")
        assert "the shop is on fire" in providers.inbox.get(to="ada@example.com").subject
        with override_settings(ADMINS=admins, AUTHMAIL={"senders": {}}):
            log.error("and nobody hears of it")
    finally:
        log.removeHandler(handler)


def test_one_delivery_serves_the_process(config):
    """Backends and views share it, whatever thread they are in."""
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: delivery(), range(50)))
    assert found == {delivery()}


@pytest.mark.parametrize("path", ["/code", "/async/code"])
def test_a_test_of_a_host_reads_the_inbox(sandbox, inbox, path):
    """With the fixtures of authmail and Django's own clients, of WSGI and of ASGI."""
    sender = {"connector": "aliyun-dm", "config": sandbox.config("aliyun-dm")}
    with override_settings(AUTHMAIL={"templates": str(EXAMPLE / "mails"), "senders": {"main": sender}}):
        if path == "/code":
            Client().get(path, {"email": "zoe@example.com"}, headers={"Accept-Language": "fr"})
        else:
            asyncio.run(AsyncClient().get(path, {"email": "zoe@example.com"}, headers={"Accept-Language": "fr"}))
        letter = inbox.get(to="zoe@example.com")
        assert (letter.code, letter.subject) == ("482913", "482913 est votre code de connexion")


def test_a_posted_message_waits_for_no_provider_and_is_no_error_page(config, providers, caplog):
    """The answer is there while the provider hangs; what became of a mail is in the log, without code or address."""
    failing(providers, "timeout")
    assert Client().get("/code", {"email": "eve@example.com"}).status_code == 200
    assert not delivery().wait(0)
    delivery().wait()
    failing(providers)
    assert Client().get("/code", {"email": "fay@example.com"}).status_code == 200
    delivery().wait()
    assert "outcome=account" in caplog.text
    assert not any(text in caplog.text for text in ("eve@", "fay@", "482913"))


def test_an_error_page_shows_no_secret(settings):
    """Not even Django's own, with every local variable and setting, of a config that cannot be used."""
    sender = {"connector": "aliyun-dm", "config": {"accessKeyId": "k", "accessKeySecret": "v3ry-s3cr3t", "regionId": "no"}}
    with override_settings(DEBUG=True, AUTHMAIL={**settings, "senders": {"main": sender}}):
        answer = Client(raise_request_exception=False).get("/code", {"email": "zoe@example.com"})
    assert answer.status_code == 500
    assert "regionId" in answer.content.decode()
    assert "v3ry-s3cr3t" not in answer.content.decode()


def test_a_template_that_is_missing_is_told_in_the_log(config, caplog):
    """A user's page is as always."""
    post(Message("flo@example.com", "MfaVerification", {"code": "482913"}))
    delivery().wait()
    assert "reason=template" in caplog.text


def test_a_message_goes_with_its_transaction(config, providers):
    """Not at all if that is rolled back; after the commit else."""
    with transaction.atomic():
        post(Message("rolled@example.com", "SignIn", {"code": "482913"}))
        transaction.set_rollback(True)
    with transaction.atomic():
        post(Message("kept@example.com", "SignIn", {"code": "482913"}))
        assert delivery().wait(0)
        assert providers.inbox.messages("kept@example.com") == []
    providers.inbox.get(to="kept@example.com")
    delivery().wait()
    assert providers.inbox.messages("rolled@example.com") == []


# ── with a queue ──


def worked(path):
    """Send what waits in a queue."""

    async def until_empty():
        stop = asyncio.Event()
        async with load(path) as opened:
            worker = asyncio.create_task(work(opened, stop=stop))
            # A worker tells nobody that nothing is left.
            while {"queued", "sending"} & {*(await opened.queue.engine.statistics()).states}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            stop.set()
            await worker

    asyncio.run(until_empty())


@pytest.fixture
def queued(settings, tmp_path):
    """The setting AUTHMAIL as a file with a queue in a journal."""
    whole = {**settings, "store": "authmail.db", "queue": {"keys": [new_key()]}}
    (tmp_path / "authmail.toml").write_text(tomlkit.dumps(whole), "utf-8")
    with override_settings(AUTHMAIL=str(tmp_path / "authmail.toml")):
        yield tmp_path / "authmail.toml"
    connections.close_all()


def test_a_queue_takes_what_the_backend_and_a_view_send(queued, providers):
    """Each message has its ticket; within a transaction it is queued after the commit, and not at all if that is rolled back."""
    message = mail.EmailMessage("Hello", "from the queue", to=["q1@example.com"])
    assert message.send() == 1
    assert isinstance(message.authmail_receipts["q1@example.com"], Ticket)
    with transaction.atomic():
        mail.send_mail("Hello", "never", None, ["q2@example.com"])
        post(Message("q2@example.com", "SignIn", {"code": "482913"}))
        transaction.set_rollback(True)
    with transaction.atomic():
        late = mail.EmailMessage("Hello", "after the commit", to=["q3@example.com"])
        assert late.send() == 1
        assert late.authmail_receipts == {"q3@example.com": None}
    post(Message("q4@example.com", "SignIn", {"code": "482913"}))
    worked(queued)
    assert [len(providers.inbox.messages(f"q{number}@example.com")) for number in range(1, 5)] == [1, 0, 1, 1]


def test_a_queue_in_djangos_own_database_joins_the_transaction(settings, providers, postgres_server, own, tmp_path):
    """The ticket is there at once, and the commit decides."""
    store = {"store": f"{postgres_server.url}", "storeSecret": "0123456789abcdef", "name": own}
    whole = {**settings, **store, "queue": {"keys": [new_key()]}}
    (tmp_path / "authmail.toml").write_text(tomlkit.dumps(whole), "utf-8")
    from django.db.backends.postgresql.base import DatabaseWrapper

    parameters = urlsplit(postgres_server.url)
    values = {"ENGINE": "django.db.backends.postgresql", "NAME": parameters.path[1:], "HOST": parameters.hostname,
              "PORT": parameters.port, "USER": parameters.username or "", "PASSWORD": parameters.password or ""}  # fmt: skip
    sqlite = connections["default"]
    connections["default"] = DatabaseWrapper({**sqlite.settings_dict, **values, "OPTIONS": {}}, "default")
    try:
        with override_settings(AUTHMAIL=str(tmp_path / "authmail.toml")):
            with transaction.atomic():
                mail.send_mail("Hello", "never", None, ["p1@example.com"])
                transaction.set_rollback(True)
            with transaction.atomic():
                message = mail.EmailMessage("Hello", "committed", to=["p2@example.com"])
                message.send()
                assert isinstance(message.authmail_receipts["p2@example.com"], Ticket)
        worked(tmp_path / "authmail.toml")
    finally:
        connections["default"].close()
        connections["default"] = sqlite
    assert [len(providers.inbox.messages(f"p{number}@example.com")) for number in (1, 2)] == [0, 1]


# ── checks and commands ──


def test_manage_check_shows_every_problem_of_the_config(settings):
    """Each with its path and what to do; nothing of a config that is right; one that is missing is named."""
    wrong = {
        **settings,
        "senders": {"main": {"connector": "aliyun-dm", "config": {"accessKeyId": "k"}}, "spare": {"connector": "no"}},
    }
    with override_settings(AUTHMAIL=wrong), pytest.raises(SystemCheckError) as caught:
        call_command("check")
    assert all(text in str(caught.value) for text in ("senders.main.config.accessKeySecret", "senders.spare", "authmail.E001"))
    with pytest.raises(SystemCheckError, match="AUTHMAIL is not set"):
        call_command("check")
    with override_settings(AUTHMAIL="nowhere.toml"), pytest.raises(SystemCheckError, match="E002"):
        call_command("check")
    with override_settings(AUTHMAIL=settings):
        call_command("check")


@pytest.mark.parametrize("form", ["path", "dict"])
def test_manage_authmail_is_the_command_line_with_the_settings_config(settings, providers, tmp_path, capsys, form):
    """check, preview and send; its exit code is the command's; a dict gets into no file."""
    (tmp_path / "authmail.toml").write_text(tomlkit.dumps(settings), "utf-8")
    with override_settings(AUTHMAIL=settings if form == "dict" else tmp_path / "authmail.toml"):
        call_command("authmail", "check")
        call_command("authmail", "preview", "--type", "SignIn", "--locale", "fr")
        assert "est votre code de connexion" in capsys.readouterr().out
        call_command("authmail", "send", "--to", f"{form}@example.com", "--type", "SignIn", "--json")
        assert json.loads(capsys.readouterr().out)["sent"]
        with pytest.raises(SystemExit):
            call_command("authmail", "send", "--to", "no address")
    assert providers.inbox.get(to=f"{form}@example.com").code == "000000"


def test_a_config_that_is_wrong_is_no_silent_loss(settings):
    """Whoever sends by it hears every problem."""
    with override_settings(AUTHMAIL={**settings, "senders": {}}), pytest.raises(ConfigError):
        mail.send_mail("Subject", "text", None, ["zoe@example.com"])
