import os
import subprocess
import sys
import threading

import pytest

from authmail import AccountError, Egress, Message
from authmail.sync import Mailer

ALIYUN = "aliyun-direct-mail"
SIGN_IN = Message("zoe@example.com", "SignIn", {"code": "123456"})


@pytest.fixture
def config(raw, served):
    return raw | {"endpoint": served.endpoint(ALIYUN)}


def test_the_same_names_without_await(config, served):
    """send, test, preview and the same errors."""
    with Mailer(ALIYUN, config, egress=Egress.ANY) as mailer:
        assert mailer.send(SIGN_IN).message_id
        assert mailer.test("admin@example.com").connector == ALIYUN
        assert mailer.preview(SIGN_IN).subject == "123456 for SignIn"
        with pytest.raises(AccountError, match="quota"):
            mailer.send(Message("quota@example.com", "SignIn", {"code": "123456"}))
        mailer.close()
    assert len(served.inbox) == 2


def test_opens_by_itself_and_again_after_closing(config, served):
    """A long-lived Mailer needs no `with`."""
    mailer = Mailer(ALIYUN, config, egress=Egress.ANY)
    mailer.send(SIGN_IN)
    mailer.close()
    mailer.send(SIGN_IN)
    mailer.close()
    mailer.close()
    assert len(served.inbox) == 2


def test_many_threads_share_one(config, served):
    """Opened once, used by all."""
    mailer = Mailer(ALIYUN, config, egress=Egress.ANY)
    failures = []

    def work():
        try:
            mailer.send(SIGN_IN)
        except Exception as error:  # noqa: BLE001 (reported below)
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    mailer.close()
    assert failures == []
    assert len(served.inbox) == 20


def test_refuses_a_session():
    """A session belongs to a loop that this Mailer does not run on."""
    with pytest.raises(TypeError, match="session"):
        Mailer(ALIYUN, {}, session=object())


FORKED = """
import json, os, sys
from authmail import Egress, Message
from authmail.sync import Mailer
mailer = Mailer("aliyun-direct-mail", json.loads(sys.argv[1]), egress=Egress.ANY)
message = Message("zoe@example.com", "SignIn", {"code": "123456"})
mailer.send(message)
child = os.fork()
mailer.send(message)
if child == 0:
    mailer.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
mailer.send(message)
mailer.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_works_on_both_sides_of_a_fork(config, served):
    """The child opens connections of its own; the parent's go on."""
    import json

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, json.dumps(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(served.inbox) == 4
