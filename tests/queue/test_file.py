"""The table ``[queue]``: what it makes, and every problem of it at once."""

import asyncio
import json

import pytest

from authmail import ConfigError, Message, load
from authmail.delivery.file import composition
from authmail.queue import Journal, Queue, new_key, work
from authmail.testing.queues.subject import eventually

SENDERS = {"one": {"connector": "http-email", "config": {"endpoint": "https://mail.example/"}}}
KEY = new_key()


def _file(folder, queue, **more):
    path = folder / "authmail.json"
    path.write_text(json.dumps({"senders": SENDERS, "queue": queue, "store": "authmail.db", **more}))
    return path


def test_it_makes_a_journal_in_the_stores_file(tmp_path):
    """With what the table says."""
    delivery = load(_file(tmp_path, {"keys": [KEY, new_key()], "expires": 300, "concurrency": 7}))
    assert isinstance(delivery.queue, Queue)
    assert isinstance(delivery.queue.engine, Journal)
    assert delivery.queue.engine.place == str(tmp_path / "authmail.db")
    assert repr(delivery.queue) == "Queue(Journal('authmail.db'))"
    assert (delivery.queue.expires, delivery.queue.concurrency, len(delivery.queue.keys.ids)) == (300, 7, 2)


def test_without_the_table_there_is_no_queue(tmp_path):
    """And nothing of it is loaded."""
    assert load(_file(tmp_path, None)).queue is None


def test_a_key_may_be_a_reference(tmp_path, monkeypatch):
    """As every secret of the file's owner."""
    monkeypatch.setenv("AUTHMAIL_QUEUE_KEY", KEY)
    assert load(_file(tmp_path, {"keys": [{"env": "AUTHMAIL_QUEUE_KEY"}]})).queue is not None


@pytest.mark.parametrize(
    ("queue", "more", "problems"),
    [
        ({}, {}, ["queue.keys"]),
        ({"keys": []}, {}, ["queue.keys"]),
        ({"keys": ["short", KEY, "shorter"]}, {}, ["queue.keys[0]", "queue.keys[2]"]),
        ({"keys": [{"env": "AUTHMAIL_NOT_SET"}]}, {}, ["queue.keys[0]"]),
        ({"keys": [KEY]}, {"store": None}, ["queue"]),
        ({"keys": [KEY]}, {"store": "redis://localhost", "storeSecret": "a secret of sixteen bytes or more"}, ["queue"]),
        ({"keys": ["short"], "engine": "procrastinate"}, {}, ["queue.keys[0]", "queue.engine"]),
        ({"keys": [KEY], "engine": "celery"}, {}, ["queue.engine"]),
        ({"keys": [KEY], "expires": 0}, {}, ["queue.expires"]),
        ({"keys": [KEY], "expires": 604_801}, {}, ["queue.expires"]),
        ({"keys": [KEY], "concurrency": 0}, {}, ["queue.concurrency"]),
        ({"keys": [KEY], "worker": 2}, {}, ["queue.worker"]),
    ],
)
def test_every_problem_is_told_at_its_place(tmp_path, queue, more, problems):
    """And no key is."""
    with pytest.raises(ConfigError) as caught:
        load(_file(tmp_path, queue, **more))
    assert [problem.path for problem in caught.value.problems] == problems
    assert KEY not in str(caught.value)
    assert "short" not in str(caught.value).replace("shorter", "")


def test_what_is_not_installed_is_told(tmp_path, monkeypatch):
    """With what installs it."""

    def missing(name):
        raise ImportError(name, name="cryptography")

    monkeypatch.setattr(composition, "import_module", missing)
    with pytest.raises(ConfigError, match=r"needs cryptography.*authmail\[queue\]"):
        load(_file(tmp_path, {"keys": [KEY]}))


async def test_it_sends(tmp_path, served, aliyun):
    """From the file to the provider."""
    path = _file(tmp_path, {"keys": [KEY]}, name="tenant")
    config = served.config(aliyun.id) | {"templates": []}
    settings = json.loads(path.read_text())
    settings["senders"] = {
        "one": {"connector": aliyun.id, "config": {key: value for key, value in config.items() if key != "templates"}}
    }
    settings["templates"] = "templates"
    (tmp_path / "templates" / "en").mkdir(parents=True)
    for usage in ("SignIn", "Register", "ForgotPassword", "Generic"):
        (tmp_path / "templates" / "en" / f"{usage}.html").write_text("<title>{{code}}</title><p>{{code}}</p>")
    path.write_text(json.dumps(settings))
    async with load(path) as delivery:
        stop = asyncio.Event()
        working = asyncio.create_task(work(delivery, stop=stop))
        ticket = await delivery.enqueue(Message("zoe@example.com", "SignIn", {"code": "123456"}))
        mail = await served.inbox.wait(to="zoe@example.com")
        await eventually("it is sent", lambda: _is_sent(delivery, ticket))
        stop.set()
        await working
    assert mail.code == "123456"


async def _is_sent(delivery, ticket):
    return (await delivery.state(ticket.id)).name == "sent"
