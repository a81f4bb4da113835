"""The recipes of docs/hosts/recipes.md, word for word, each with its own framework."""

import re
import sys
import types
import warnings
from urllib.parse import parse_qs, urlsplit

import pytest
import tomlkit
from fastapi.testclient import TestClient
from flask import Flask
from flask_mailman import EmailMultiAlternatives, Mail
from litestar.testing import TestClient as LitestarClient

from authmail import AccountError

from .conftest import EXAMPLES, FIRST, SECOND

with warnings.catch_warnings():  # its OpenID imports what is deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    from social_core.backends.email import EmailAuth
    from social_core.storage import BaseStorage, CodeMixin
    from social_core.strategy import BaseStrategy

PAGE = EXAMPLES.parent / "hosts" / "recipes.md"
RECIPES = dict(re.findall(r"^## ([\w-]+)$.*?^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL))


@pytest.fixture
def recipe(settings, tmp_path, monkeypatch):
    """Run a recipe as a module, in a folder with an authmail.toml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "authmail.toml").write_text(tomlkit.dumps(settings), "utf-8")

    def run(name):
        module = types.ModuleType(f"recipe_{name.lower().replace('-', '_')}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(RECIPES[name], f"{PAGE.name}: {name}", "exec"), vars(module))
        return module

    return run


@pytest.fixture
def all_fail(providers):
    """Let every provider refuse for a while."""

    def fail(fault):
        for name in (FIRST, SECOND):
            providers.fail(name, fault, times=None)

    yield fail
    fail(None)


def test_fastapi(recipe, providers, all_fail):
    """The page says what became of the mail."""
    with TestClient(recipe("FastAPI").app) as client:
        asked = client.post("/code", params={"email": "fastapi@example.com"}, headers={"Accept-Language": "fr"})
        assert asked.json() == {"sent": True}
        assert providers.inbox.get(to="fastapi@example.com").subject == "123456 est votre code de connexion"
        all_fail("quota")
        asked = client.post("/code", params={"email": "nobody@example.com"})
        assert asked.json() == {"sent": False, "outcome": "account"}


def test_starlette(recipe, providers):
    """The end of the application waits for what was handed over."""
    with TestClient(recipe("Starlette").app) as client:
        assert client.post("/code", json={"email": "starlette@example.com"}).json() == {"sent": True}
    assert [mail.code for mail in providers.inbox.messages("starlette@example.com")] == ["123456"]


def test_litestar(recipe, providers):
    """The delivery is handed out by its own injection."""
    with LitestarClient(recipe("Litestar").app) as client:
        asked = client.post("/code", json={"email": "litestar@example.com"}, headers={"Accept-Language": "fr-CA"})
        assert asked.json() == {"connector": FIRST}
    assert providers.inbox.get(to="litestar@example.com").subject == "123456 est votre code de connexion"


def test_flask_mailman(recipe, providers, all_fail):
    """What was rendered goes out as it is, to each recipient; a fault is raised, unless the caller wants silence."""
    module = recipe("Flask-Mailman")
    app = Flask(__name__)
    app.config.update(MAIL_BACKEND=f"{module.__name__}.EmailBackend", MAIL_DEFAULT_SENDER="no-reply@example.com")
    Mail(app)
    with app.app_context():
        people = ["mailman@example.com", "mailman2@example.com"]
        mail = EmailMultiAlternatives("A party", "Come.", to=people[:1], bcc=people[1:])
        mail.attach_alternative("<p>Come.</p>", "text/html")
        mail.send()
        for address in people:
            got = providers.inbox.get(to=address)
            assert (got.subject, got.text, got.html) == ("A party", "Come.", "<p>Come.</p>")
        all_fail("quota")
        with pytest.raises(AccountError):
            mail.send()
        assert EmailMultiAlternatives("A party", "Come.", to=people).send(fail_silently=True) == 0
    module.delivery().close()


class Code(CodeMixin):
    """Codes of social-auth, in memory."""

    kept = {}

    def save(self):
        self.kept[self.code] = self

    @classmethod
    def get_code(cls, code):
        return cls.kept.get(code)


class Storage(BaseStorage):
    code = Code


class Strategy(BaseStrategy):
    """An application's strategy: settings, addresses and the reader's language."""

    def get_setting(self, name):
        return {"SOCIAL_AUTH_EMAIL_VALIDATION_FUNCTION": "recipe_social_auth.send_validation"}[name]

    def build_absolute_uri(self, path=None):
        return f"https://app.example.com{path}"

    def get_language(self):
        return "fr"

    def request_data(self, merge=True):
        return {}


def test_social_auth(recipe, providers):
    """The code that the link brings back is good once, for this address."""
    module = recipe("social-auth")
    strategy = Strategy(Storage)
    strategy.send_email_validation(EmailAuth(strategy), "social@example.com", "partial")
    mail = providers.inbox.get(to="social@example.com")
    assert mail.subject == "Confirmez votre adresse"
    link = urlsplit(mail.link)
    query = parse_qs(link.query)
    assert (link.path, query["partial_token"]) == ("/complete/email/", ["partial"])
    (code,) = query["verification_code"]
    assert not strategy.validate_email("eve@example.com", code)
    assert strategy.validate_email("social@example.com", code)
    assert not strategy.validate_email("social@example.com", code)
    module.outbox.close()
