"""Real servers with several workers, and bare forks: nothing twice, everything counted, nobody held up. The long form is tests/long/forks.py."""

import asyncio
import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections import Counter
from functools import cached_property
from importlib.util import find_spec

import django_project
import pytest
from forking import servers
from forking.asks import asks
from forking.judge import Answered, Promise, judge
from forking.runs import run

import authmail
from authmail.delivery import Limit, SQLiteStore
from authmail.delivery.stores import Claim
from authmail.words.once import once

NUMBER = 60
PROMISE = Promise(most=3, seconds=5)


def installed(kind):
    """Skip where a server is not installed, but never in CI."""
    program = kind.split()[0]
    if program != "bare" and find_spec(program) is None and not os.environ.get("CI"):
        pytest.skip(f"{program} is not installed; the extra dev has it")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need a system that has them")
@pytest.mark.parametrize("kind", ["gunicorn", "gunicorn --preload", "uvicorn --workers", "celery prefork"])
def test_workers_of_a_server_share_what_they_know(kind):
    """Asked the same at once, two workers send it once, and no mailbox gets more than the limit.

    Without a store each of them says once that it is alone.
    """
    installed(kind)
    figures = run(kind, number=NUMBER, workers=2)
    assert figures["broken"] == {}, figures
    assert figures["processes"] == 2
    assert set(figures["warned"].values()) == {1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need a system that has them")
def test_a_process_forks_while_its_threads_send():
    """Thirty children send too; half of them end as Python ends, which must not touch what is on its way in the parent."""
    figures = run("bare forks", number=NUMBER, forks=30)
    assert figures["broken"] == {}, figures
    assert figures["processes"] > 15
    assert set(figures["warned"].values()) == {0}  # no server is noticed


ENDING = """
import json, os, sys
from forking import answering
from authmail.delivery.sync import load

delivery = load(os.environ["AUTHMAIL_FILE"])
for number in range(4):
    ask = {"id": number, "to": f"{number}@example.com", "code": f"{number:06}", "key": None, "alone": False}
    print(json.dumps(answering.send([delivery], ask)), flush=True)
    child = os.fork()
    if not child:
        sys.exit(0)
    os.waitpid(child, 0)
delivery.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks need a system that has them")
def test_a_child_that_ends_leaves_the_parents_connections_alone(tmp_path):
    """Python closes everything as the child ends; the parent's kept connection would be deaf then, and its next mail go out twice."""
    with servers.provider(tmp_path) as file:
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", ENDING]
        parent = subprocess.run(command, env=servers.environment(file), capture_output=True, text=True, timeout=60, check=True)
    answers = [json.loads(line) for line in parent.stdout.splitlines()]
    assert [answer["answer"] for answer in answers] == ["accepted"] * 4
    mails = Counter(map(tuple, map(json.loads, file.with_name("mails.jsonl").read_text().splitlines())))
    assert mails == {(f"{number}@example.com", f"{number:06}"): 1 for number in range(4)}
    assert parent.stderr == ""


AMID = """
import json, os, sys, threading
from forking import answering
from authmail.delivery.sync import load
from authmail.words import locales

held, over = threading.Event(), threading.Event()

def look():
    with locales._asking:
        held.set()
        over.wait(30)

delivery = load(os.environ["AUTHMAIL_FILE"])
ask = {"id": 0, "to": "zoe@example.com", "code": "123456", "key": None, "alone": False, "locale": "fr-CA"}
thread = threading.Thread(target=look)
thread.start()
held.wait()
child = os.fork()
if not child:
    print(json.dumps(answering.send([delivery], ask)), flush=True)
    os._exit(0)
os.waitpid(child, 0)
over.set()
thread.join()
"""


def test_a_child_waits_for_no_lock_of_the_parents_threads(tmp_path):
    """A thread of the parent that chose a template's language at the fork is not there in the child."""
    with servers.provider(tmp_path) as file:
        (tmp_path / "templates" / "fr").mkdir()
        (tmp_path / "templates" / "fr" / "Generic.html").write_text("<title>{{code}}</title><p>{{code}}</p>")
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", AMID]
        parent = subprocess.run(command, env=servers.environment(file), capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(parent.stdout)["answer"] == "accepted"


def test_no_class_has_a_lock_that_a_child_would_wait_for():
    """Up to Python 3.11 functools.cached_property has one for all objects of a class; authmail.words.once has none."""
    django_project.configure()
    for module in pkgutil.walk_packages(authmail.__path__, "authmail."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    ours = [(name, module) for name, module in sys.modules.items() if name.startswith("authmail")]
    locked = [
        f"{name}.{kind.__name__}.{member}"
        for name, module in ours
        if not name.startswith(("authmail.sandbox", "authmail.testing"))
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == name
        for member, value in vars(kind).items()
        if isinstance(value, cached_property) and not isinstance(value, once)
    ]
    assert locked == []


OTHER = """
import asyncio, sys
from authmail.delivery import SQLiteStore
from authmail.delivery.stores import Claim

async def main():
    async with SQLiteStore(sys.argv[1]) as store:
        print((await store.begin(Claim(key=sys.argv[2], fingerprint="f", token="t", lease=60, keep=60))).entry is not None)

asyncio.run(main())
"""


async def test_two_stores_of_one_file_and_a_process_that_ends(tmp_path):
    """As after a reload: the process that ends must not take the journal with it, which others still write."""
    path = tmp_path / "store.db"

    async def known_to_another(key):
        command = [sys.executable, "-c", OTHER, str(path), key]
        found = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
        return found.stdout.strip() == "True"

    async with SQLiteStore(path) as first, SQLiteStore(path) as second:
        await second.begin(Claim(key="b", fingerprint="f", token="t", lease=60, keep=60))
        assert not await known_to_another("a")
        limit = (("limit", Limit(1, 600)),)
        await first.begin(Claim(key="c", fingerprint="f", token="t", lease=60, keep=60, counts=limit))
        assert await known_to_another("c")
        assert await second.answer_of("a", timeout=5) is not None


# The judge must see what it is there for.


def kept():
    """Return asks, their answers and mails when every promise is kept."""
    asked = asks(NUMBER, PROMISE.most)
    mails, answers = [], []
    for ask in asked:
        known = ask.mail in mails
        room = sum(to == ask.to for to, _ in mails) < PROMISE.most
        if not known and room:
            mails.append(ask.mail)
        answers.append(
            Answered(ask.id, "accepted" if known or room else "Limited", f"id of {ask.code}" if known or room else None)
        )
    return asked, answers, mails


def broken(asked, answers, mails):
    """Return which promises the judge calls broken."""
    return set(judge(asked, answers, mails, PROMISE)["broken"])


def test_the_judge_sees_each_broken_promise():
    """One change each to what was right."""
    asked, answers, mails = kept()
    assert broken(asked, answers, mails) == set()
    assert broken(asked, answers, [*mails, mails[0]]) == {"sent twice"}
    refused = next(ask for ask, answer in zip(asked, answers, strict=True) if answer.answer == "Limited")
    assert broken(asked, answers, [*mails, refused.mail]) == {"more than the limit", "sent and not accepted"}
    assert broken(asked, answers, mails[1:]) >= {"accepted and not sent"}
    assert broken(asked, answers[1:], mails) >= {"no answer"}
    assert broken(asked, [*answers, Answered(0, "OutcomeUnknown")], mails) == {"another answer"}
    assert broken(asked, [*answers, Answered(asked[0].id, "accepted", "another")], mails) == {"two answers for one mail"}
    assert broken(asked, [*answers, Answered(0, "Limited", seconds=9.0)], mails) == {"too late"}
    assert broken(asked, [*answers, Answered(0, "Limited", complaints=["sent without limits"])], mails) == {"uncounted"}
