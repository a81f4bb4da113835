"""``store``: one word from a laptop to a cluster, which may hold a password and shows none."""

import sys
import traceback

import jsonschema
import pytest

from authmail import ConfigError, References
from authmail.config.secret import Secret
from authmail.delivery import Claim, MemoryStore, SQLiteStore, compose, file_schema
from authmail.delivery.file.store import read_store
from authmail.delivery.sharing import where_shared

SENDERS = {"main": {"connector": "http-email", "config": {"endpoint": "https://mail.example.com", "authorization": "Bearer x"}}}
SECRET = "a secret of sixteen or more"


@pytest.fixture
def composed(tmp_path):
    """Make a delivery of its owner's config, and give its store."""
    return lambda **raw: compose({"senders": SENDERS, **raw}, tmp_path, references=References()).inside[0].store


def problems_of(call, **raw):
    with pytest.raises(ConfigError) as caught:
        call(**raw)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "CANARY" not in shown
    return {problem.path: problem for problem in caught.value.problems}


def test_without_a_word_it_is_memory(composed):
    """Also where the word is empty."""
    assert isinstance(composed(), MemoryStore)
    assert isinstance(composed(store=""), MemoryStore)


def test_a_path_is_a_file_beside_it(composed, tmp_path):
    """With or without a secret."""
    assert composed(store="authmail.db") == SQLiteStore(tmp_path / "authmail.db")
    assert composed(store="authmail.db", storeSecret=SECRET).place == str(tmp_path / "authmail.db")


async def test_a_url_is_a_server(composed, redis_server, postgres_server):
    """Which is shown without user and password, and says whose messages it knows."""
    redis = composed(store=redis_server.url, storeSecret=SECRET)
    postgres = composed(store=postgres_server.url, storeSecret=SECRET)
    for store, kind in ((redis, "RedisStore"), (postgres, "PostgresStore")):
        assert type(store).__name__ == kind
        assert where_shared(store) == f"for all machines that share {store.place}"
        async with store:
            assert (await store.begin(Claim(), timeout=5)).wait == 0


def test_a_url_may_be_a_reference(composed, monkeypatch):
    """It may hold a password, which stands nowhere."""
    monkeypatch.setenv("AUTHMAIL_STORE", "redis://user:CANARY@redis.example.com:6380/2")
    store = composed(store={"env": "AUTHMAIL_STORE"}, storeSecret=SECRET)
    assert where_shared(store) == "for all machines that share redis://redis.example.com:6380/2"
    assert "CANARY" not in repr(store)
    monkeypatch.delenv("AUTHMAIL_STORE")
    assert set(problems_of(composed, store={"env": "AUTHMAIL_STORE"}, storeSecret=SECRET)) == {"store"}


@pytest.mark.parametrize("url", ["redis://user:CANARY@host/0", "postgresql://user:CANARY@host/authmail"])
def test_a_server_needs_the_secret(composed, url):
    """Of 16 characters: each machine with one of its own would not know what the others sent."""
    missing = problems_of(composed, store=url)
    assert missing["storeSecret"].message == "is required for a store on a server"
    assert "same on all machines" in missing["storeSecret"].hint
    assert set(problems_of(composed, store=url, storeSecret="short")) == {"storeSecret"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "mysql://user:CANARY@host/db",
            "known are redis://, rediss://, unix://, valkey://, valkeys://, postgresql://, postgres://",
        ),
        ("sqlite:///CANARY.db", "and a path for an SQLite file"),
        ("postgresql+psycopg://user:CANARY@host/db", "known are"),
        ("REDIS://user:CANARY@host/0", "known are"),
        ("redis://user:CAN/ARY:CANARY@host/0", "redis://user:password@host:6379/0"),
        ("redis://user:CANARY@host:port/0", "redis://user:password@host:6379/0"),
        ("postgresql://user:CANARY%zz@host/db", "postgresql://user:password@host:5432/database"),
    ],
)
def test_a_url_that_cannot_be_used_is_told_at_its_place(composed, url, says):
    """With the kinds that there are, or the form of the one that was meant; never the URL."""
    problems = problems_of(composed, store=url, storeSecret=SECRET)
    assert set(problems) == {"store"}
    assert says in problems["store"].hint


@pytest.mark.parametrize(("url", "extra"), [("redis://host/0", "redis"), ("postgresql://host/db", "postgres")])
def test_an_extra_that_is_not_installed_is_named(composed, monkeypatch, url, extra):
    """With the command that installs it."""
    monkeypatch.delitem(sys.modules, f"authmail.delivery.stores.{extra}", raising=False)
    monkeypatch.setitem(sys.modules, {"redis": "redis.asyncio", "postgres": "psycopg"}[extra], None)
    problem = problems_of(composed, store=url, storeSecret=SECRET)["store"]
    assert "not installed" in problem.message
    assert problem.hint == f"pip install 'authmail[{extra}]'"


@pytest.mark.parametrize("url", ["redis://10.0.0.5/0", "mysql://10.0.0.5/x", Secret("postgresql://10.0.0.5/db")])
def test_a_tenants_config_names_no_server(tmp_path, url):
    """It would be asked from inside the host's network."""

    def composed(**raw):
        compose({"senders": SENDERS, **raw}, tmp_path)

    problem = problems_of(composed, store=url, storeSecret=SECRET)["store"]
    assert "names a server" in problem.message
    assert problem.hint == "only its owner's file may say so"


def test_a_secret_path_stays_in_the_folder_too(tmp_path):
    """A host may have made the values secrets itself."""

    def composed(**raw):
        compose({"senders": SENDERS, **raw}, tmp_path)

    assert "leads out of the folder" in problems_of(composed, store=Secret("../authmail.db"))["store"].message


def test_every_problem_is_told_at_once(composed):
    """Of the store, and of the rest."""
    problems = problems_of(
        composed, store="mysql://h/d", storeSecret=SECRET, senders={"main": {"connector": "nobody", "config": {}}}
    )
    assert set(problems) == {"store", "senders.main.config"}


def test_a_store_is_read_whatever_is_wrong_with_the_rest(tmp_path):
    """Whoever makes the tables has none of the providers' keys."""
    raw = {"store": "authmail.db", "senders": {"main": {"connector": "nobody", "config": {"key": {"env": "AUTHMAIL_NOWHERE"}}}}}
    assert read_store(raw, tmp_path, References()) == SQLiteStore(tmp_path / "authmail.db")
    with pytest.raises(ConfigError, match="storeSecret"):
        read_store(raw | {"store": "redis://h/0"}, tmp_path, References())
    with pytest.raises(ConfigError, match="cannot be read"):
        read_store(raw | {"store": {"env": "AUTHMAIL_NOWHERE"}}, tmp_path, References())


def test_editors_take_both():
    """A text or a reference."""
    check = jsonschema.Draft202012Validator(file_schema())
    for store in ("authmail.db", "redis://host/0", {"env": "AUTHMAIL_STORE"}, {"file": "/run/secrets/store"}):
        assert list(check.iter_errors({"senders": SENDERS, "store": store})) == []
    assert list(check.iter_errors({"senders": SENDERS, "store": 5})) != []
