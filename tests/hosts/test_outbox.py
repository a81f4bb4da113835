"""What every host hands its messages to."""

import json
import os
import subprocess
import sys

import pytest

from authmail import ConfigError, Message
from authmail.hosts import outbox as outbox_module
from authmail.hosts.languages import languages_of
from authmail.hosts.outbox import Outbox
from authmail.queue import new_key

from .conftest import EXAMPLES, FIRST, SECOND


@pytest.fixture
def outbox(settings):
    """One of the dict that an authmail.toml would be."""
    made = Outbox(settings)
    yield made
    made.close()


def message(address, code="123456"):
    return Message(address, "SignIn", {"code": code, "uiLocales": "fr en"})


def test_it_opens_by_itself_and_again(outbox, providers):
    """Closing waits for what was handed over."""
    outbox.put(message("first@example.com"))
    outbox.close()
    assert providers.inbox.messages("first@example.com")[0].subject == "123456 est votre code de connexion"
    outbox.put(message("again@example.com"))
    assert outbox.wait()
    assert len(providers.inbox.messages("again@example.com")) == 1


def test_a_queue_takes_the_message(settings, providers, tmp_path, monkeypatch, caplog):
    """It is written down, and a worker sends it; what would never be sent is told."""
    monkeypatch.setenv("AUTHMAIL_QUEUE_KEY", new_key())
    queue = {"store": "authmail.db", "queue": {"keys": [{"env": "AUTHMAIL_QUEUE_KEY"}]}}
    made = Outbox({**settings, **queue}, tmp_path)
    made.put(message("later@example.com"))
    made.put(Message("later@example.com", "Register", {"code": "no template has a code"}))
    made.close()
    assert providers.inbox.messages("later@example.com") == []
    assert (tmp_path / "authmail.db").exists()
    assert "a message of type Register was not queued: aliyun-direct-mail: rejected (template)" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking with threads is what is tried
def test_a_forked_worker_sends(outbox, providers):
    """Whatever its parent did before, and the parent goes on."""
    outbox.put(message("parent@example.com"))
    outbox.wait()
    child = os.fork()
    if child == 0:
        outbox.put(message("child@example.com"))
        os._exit(0 if outbox.wait() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    outbox.put(message("parent@example.com", "654321"))
    assert outbox.wait()
    assert len(providers.inbox.messages("parent@example.com")) == 2
    assert len(providers.inbox.messages("child@example.com")) == 1


def test_a_process_that_ends_sends_what_it_was_given(settings, providers, tmp_path):
    """Also where nobody closes anything, and a store that is asked in threads; nothing is said of it."""
    (tmp_path / "authmail.json").write_text(json.dumps({**settings, "store": "authmail.db"}))
    code = """
from authmail import Message
from authmail.hosts.outbox import Outbox
Outbox.kept = Outbox("authmail.json")
Outbox.kept.put(Message("last@example.com", "SignIn", {"code": "123456"}))
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stderr == ""
    assert [mail.code for mail in providers.inbox.messages("last@example.com")] == ["123456"]


def test_no_more_wait_than_have_room(outbox, providers, monkeypatch, caplog):
    """Where every provider hangs, the next message is dropped and told, without its address or code."""
    monkeypatch.setattr(outbox_module, "_MOST_WAITING", 2)
    for name in (FIRST, SECOND):
        providers.fail(name, "slow", times=None)
    try:
        for number in range(3):
            outbox.put(message(f"crowd{number}@example.com"))
        assert "a message of type SignIn was dropped" in caplog.text
        assert "crowd" not in caplog.text
        assert outbox.wait()
    finally:
        for name in (FIRST, SECOND):
            providers.fail(name, None)
    assert providers.inbox.messages("crowd2@example.com") == []


@pytest.mark.parametrize("example", ["fastapi_users", "flask_security", "supertokens"])
def test_the_examples_files_are_usable(example):
    """As they stand, with `authmail sandbox` beside."""
    Outbox("authmail.toml", EXAMPLES / example)


def test_what_is_no_config_is_refused():
    """A dict or a path."""
    with pytest.raises(ConfigError, match="AUTHMAIL: must be the path of an authmail.toml or a dict, got a list"):
        Outbox([])


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, ""),
        ("fr", "fr"),
        ("en;q=0.5, fr-CA, fr;q=0.9", "fr-CA fr en"),
        ("*, de;q=0, en;q=x, it; q=0.4", "it"),
        ("<script>, zh-Hant-TW", "zh-Hant-TW"),
        ("a," * 400, " ".join(["a"] * 10)),
    ],
)
def test_languages_of_a_browser(header, languages):
    """The best first; what is none is left out, and a long header is cut."""
    assert languages_of(header) == languages
