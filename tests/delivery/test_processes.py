"""Two processes on one store, and one that is killed at the worst moment."""

import asyncio
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from authmail import Message, OutcomeUnknown, Receipt
from authmail.delivery import Dedupe, Limit, Limits, SQLiteStore

SECRET = b"a secret of sixteen bytes or more"

PROCESS = """
import asyncio, os, signal, sys
from authmail import Message, Receipt, SendError
from authmail.delivery import Dedupe, Limit, Limits, SQLiteStore

class Sender:
    async def send(self, message, *, timeout=None):
        with open(sys.argv[2], "a") as sent:
            print(os.getpid(), file=sent)
        if sys.argv[3] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.sleep(0.2)
        return Receipt(f"from {os.getpid()}")

async def main():
    store = SQLiteStore(sys.argv[1], secret=b"a secret of sixteen bytes or more")
    async with Dedupe(Limits(Sender(), store=store, recipient=Limit(10, 600)), store=store) as sender:
        for number in range(int(sys.argv[4])):
            key = f"key {number}" if sys.argv[5] == "same" else f"{os.getpid()} {number}"
            try:
                receipt = await sender.send(Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key=key), timeout=10)
                print(receipt.message_id)
            except SendError as error:
                print(type(error).__name__)

asyncio.run(main())
"""


@pytest.fixture
def process(tmp_path):
    """Start a process: ``process("live", 3, "same")``."""
    script = tmp_path / "process.py"
    script.write_text(textwrap.dedent(PROCESS))

    def start(fate, count, keys):
        arguments = [sys.executable, script, tmp_path / "store.db", tmp_path / "sent", fate, str(count), keys]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def sent(tmp_path):
    """How many mails really went out."""
    return lambda: len((tmp_path / "sent").read_text().split())


def test_one_key_is_one_mail_whichever_process_comes_first(process, sent):
    """And both give the same answer."""
    running = [process("live", 3, "same") for _ in range(2)]
    answers = [one.communicate(timeout=60) for one in running]
    assert answers[0][0] == answers[1][0], answers
    assert len(answers[0][0].split("\n")) == 4
    assert sent() == 3


def test_limits_count_for_all_processes_together(process, sent):
    """Ten mails, not ten each."""
    running = [process("live", 7, "own") for _ in range(2)]
    answers = "".join(one.communicate(timeout=60)[0] for one in running)
    assert (answers.count("from"), answers.count("Limited"), sent()) == (10, 4, 10)


async def test_a_process_killed_between_the_send_and_the_record_leaves_it_unknown(process, sent, tmp_path):
    """Nobody knows whether the mail went out, so it is not sent again, and nobody is told that it was not."""
    killed = process("die", 1, "same")
    await asyncio.to_thread(killed.communicate, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert sent() == 1

    class Sender:
        async def send(self, message, *, timeout=None):
            return Receipt("another mail")

    later = 0.0
    store = SQLiteStore(tmp_path / "store.db", secret=SECRET, clock=lambda: time.time() + later)
    message = Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key="key 0")
    async with Dedupe(Limits(Sender(), store=store, recipient=Limit(10, 600)), store=store) as sender:
        with pytest.raises(OutcomeUnknown, match="another process is sending"):
            await sender.send(message, timeout=0.3)
        later = 13.0
        with pytest.raises(OutcomeUnknown, match="stopped before saying how it ended"):
            await sender.send(message)
        other = Message("zoe@example.com", "SignIn", {"code": "123456"}, idempotency_key="key 1")
        assert await sender.send(other) == Receipt("another mail")
    assert sent() == 1
