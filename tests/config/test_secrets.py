import attrs
import pytest

from authmail import AccountError, ConfigError, Email, Message, References, Secret, Settings, setting, settings
from authmail.config.references import resolve_references
from authmail.config.secrets import map_secrets, secrets_in
from authmail.config.shown import merge_secrets, redact_secrets
from authmail.privacy import Confidential
from authmail.words.striking import Spellings


@settings
class Login(Settings):
    user: str = setting("User")
    password: Secret = setting("Password")


@settings
class Config(Settings):
    api_key: Secret = setting("Key")
    host: str | None = setting("Host", default=None, destination=True)
    name: str = setting("Name", default="")
    login: Login | None = setting("Login", default=None)
    logins: tuple[Login, ...] = setting("Logins", default=())
    keys: tuple[Secret, ...] | None = setting("Keys", default=None)
    tokens: dict[str, Secret] = setting("Tokens", default=attrs.Factory(dict))


STORED = {"apiKey": "K1", "host": "a", "login": {"user": "u", "password": "P1"}, "logins": [{"user": "v", "password": "P2"}]}


def test_hides_every_secret():
    """Nested ones, and whatever stands under an unknown key; the stored config is not changed."""
    raw = STORED | {"apiKye": "K2", "smtpPassword": "P3", "note": "hello"}
    shown = redact_secrets(raw, Config)
    assert shown["apiKey"] == shown["apiKye"] == shown["smtpPassword"] == "***"
    assert shown["login"] == {"user": "u", "password": "***"}
    assert shown["logins"] == [{"user": "v", "password": "***"}]
    assert (shown["host"], shown["note"]) == ("a", "***")
    assert raw["login"]["password"] == "P1"


def test_a_reference_is_no_secret():
    """Where a secret is kept may be shown to whoever may edit it."""
    assert redact_secrets({"apiKey": {"env": "AUTHMAIL_X"}}, Config) == {"apiKey": {"env": "AUTHMAIL_X"}}


@pytest.mark.parametrize(
    "raw",
    [
        {"apiKey": {"value": "K1"}}, {"apiKey": {"env": ["K1"]}}, {"apiKey": {"env": "X", "value": "K1"}}, {"apiKeys": ["K1"]}, {"keys": ["K1"]},
        {"tokens": {"a": "K1"}}, {"config": {"apiKey": "K1"}}, {"config": [{"login": {"password": "K1"}}]}, {"login": [[{"password": "K1"}]]},
    ],
)  # fmt: skip
def test_a_secret_in_the_wrong_place_is_hidden_too(raw):
    """An admin page shows configs that are not valid yet: with a secret wrapped, in a list or a level too deep."""
    shown = redact_secrets(raw, Config)
    assert "K1" not in str(shown)
    assert merge_secrets(raw, shown, Config) == raw


def test_endless_nesting_is_hidden_too():
    """What is nested more deeply than anybody means is shown as a secret, not followed."""
    deep = {"apiKey": "K1"}
    for _ in range(300):
        deep = {"config": [deep]}
    shown = redact_secrets(deep, Config)
    assert "***" in str(shown)
    assert len(str(shown)) < 200
    assert merge_secrets(deep, shown, Config) == deep


def test_what_came_back_hidden_is_kept():
    """The round trip of an admin page: redacted, edited, merged."""
    edited = redact_secrets(STORED, Config) | {"name": "new"}
    assert merge_secrets(STORED, edited, Config) == STORED | {"name": "new"}
    edited["login"] = {"user": "u", "password": "P9"}
    assert merge_secrets(STORED, edited, Config)["login"]["password"] == "P9"


def test_a_hidden_mark_without_an_old_secret_stays_a_problem():
    """Nothing is kept where nothing was; validation then asks for the secret."""
    with pytest.raises(ConfigError, match="type the secret again"):
        Config.from_dict(merge_secrets({}, {"apiKey": "***"}, Config))


def test_a_stored_secret_is_not_sent_to_a_new_place():
    """Whoever edits the host without knowing the secret cannot have it sent to a server of their own."""
    edited = redact_secrets(STORED, Config) | {"host": "evil.example"}
    with pytest.raises(ConfigError) as caught:
        merge_secrets(STORED, edited, Config)
    assert [problem.path for problem in caught.value.problems] == ["apiKey", "login.password", "logins[0].password"]
    assert "K1" not in str(caught.value)
    typed = {"apiKey": "K9", "host": "evil.example"}
    assert merge_secrets(STORED, typed, Config) == typed


def test_finds_the_secrets_of_a_typed_config():
    """Nested ones too."""
    config = Config.from_dict(STORED | {"keys": ["K2"], "tokens": {"a": "T1"}})
    assert secrets_in(config) == ["K1", "P1", "P2", "K2", "T1"]


def test_knows_what_of_a_message_is_confidential():
    """Code, link and tokens of a payload; in a rendered mail what looks like them."""
    message = Message(
        "a@b.c", "X", {"code": "123456", "link": "https://x/y", "resetToken": "t0", "locale": "fr", "organization": {}}
    )
    assert message.vital == ("123456", "https://x/y", "t0")
    email = Email("a@b.c", "Code 482913", html='<a href="https://x/y?t=1">ABC</a> K7Q2MX')
    assert set(email.vital) == {"482913", "https://x/y?t=1", "K7Q2MX"}


def test_words_of_an_answer_cannot_write_the_log():
    """They are one line that can be written as UTF-8, whatever a broken proxy spelt in its JSON."""
    error = Confidential(Spellings(())).clean_error(AccountError(detail="no\r\nINFO all is well\x1b[2J\ud800"), "acme")
    assert error.detail == "no INFO all is well [2J\ufffd"


@pytest.mark.parametrize(
    "echo",
    [
        "your link https://x.y/z?t=a&b=ü", "https%3A%2F%2Fx.y%2Fz%3Ft%3Da%26b%3D%C3%BC", "https%253A%252F%252Fx.y%252Fz%253Ft%253Da%2526b%253D%25C3%25BC",
        "https://x.y/z?t=a&amp;b=ü", "https:\\/\\/x.y\\/z?t=a&b=ü",
    ],
)  # fmt: skip
def test_strikes_every_spelling(echo):
    """What a provider echoes, encoded once, twice, as HTML or JSON, is struck out."""
    assert "x.y" not in Spellings(["https://x.y/z?t=a&b=ü"]).strike(f"<{echo}>")
    assert Spellings(["12"]).strike("abc 12 abc") == "abc 12 abc"


@settings
class Headed(Settings):
    headers: dict[str, Secret] = setting("Headers", default=attrs.Factory(dict))


def test_an_object_of_secrets_hides_each_value():
    """Its names are shown and its values are not; one that came back hidden is kept, and references are resolved."""
    stored = {"headers": {"X-Key": "S3CRET", "X-Tenant": "acme"}}
    shown = redact_secrets(stored, Headed)
    assert shown == {"headers": {"X-Key": "***", "X-Tenant": "***"}}
    assert merge_secrets(stored, {"headers": shown["headers"] | {"X-Tenant": "other"}}, Headed) == {
        "headers": {"X-Key": "S3CRET", "X-Tenant": "other"}
    }
    config = Headed.from_dict(stored)
    assert "S3CRET" not in repr(config)
    assert secrets_in(config) == ["S3CRET", "acme"]
    raw, problems = resolve_references({"headers": {"X-Key": {"env": "NOBODY_SET"}}}, Headed, References(env=("NOBODY_*",)))
    assert [problem.path for problem in problems] == ["headers.X-Key"]
    assert Headed.from_dict(raw)
    with pytest.raises(ConfigError) as caught:
        Headed.from_dict({"headers": {"X-Key": 5}})
    assert [problem.path for problem in caught.value.problems] == ["headers.X-Key"]


@settings
class Keyed(Settings):
    """Settings with a list of secrets."""

    keys: tuple[Secret, ...] = setting("Keys", default=())


def test_a_list_of_secrets_is_hidden_and_comes_back():
    """Each by itself; a reference stays, as of a single one, and is resolved where that is allowed."""
    raw = {"keys": ["first secret", {"env": "AUTHMAIL_TEST_KEY"}, "second secret"]}
    shown = redact_secrets(raw, Keyed)
    assert shown == {"keys": ["***", {"env": "AUTHMAIL_TEST_KEY"}, "***"]}
    assert merge_secrets(raw, shown, Keyed) == raw
    changed = map_secrets(raw, Keyed, lambda path, value: path)
    assert changed == {"keys": ["keys[0]", "keys[1]", "keys[2]"]}
