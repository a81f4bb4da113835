import multiprocessing
import threading

import pytest

from authmail import AccountError, Limited, Message
from authmail.delivery.sync import load

FILE = """
templates = "templates"
store = "authmail.db"

[senders.main]
connector = "aliyun-dm"
[senders.main.config]
accessKeyId = "sandbox-access-key"
accessKeySecret = "sandbox-secret"
accountName = "no-reply@mail.sandbox.example"
endpoint = "ENDPOINT"

[limits]
recipient = { most = 3, seconds = 600 }
"""


@pytest.fixture
def file(tmp_path, served):
    """An authmail.toml for a sandbox that another thread serves."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "Generic.html").write_text("<title>{{code}} is your code</title><p>Hello, {{code}}.</p>")
    path = tmp_path / "authmail.toml"
    path.write_text(FILE.replace("ENDPOINT", served.endpoint("aliyun-direct-mail")))
    return path


def message(code="123456", to="zoe@example.com"):
    return Message(to, "SignIn", {"code": code})


def test_the_same_names_without_await(file, served):
    """From many threads at once; errors are the same."""
    with load(file) as delivery:
        receipts = []
        threads = [threading.Thread(target=lambda: receipts.append(delivery.send(message()))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(receipts)) == 1
        assert delivery.preview(message()).subject == "123456 is your code"
        assert delivery.explain(message())[0].what == "deadline"
        delivery.test("admin@example.com")
        with pytest.raises(AccountError):
            delivery.send(message(to="quota@example.com"))
    assert sorted(mail.to[0] for mail in served.inbox) == ["admin@example.com", "zoe@example.com"]


def test_closed_it_opens_again(file):
    """And its store remembers."""
    delivery = load(file)
    for code in ("1", "2", "3"):
        delivery.send(message(code))
        delivery.close()
    with pytest.raises(Limited):
        delivery.send(message("4"))
    delivery.close()
    delivery.close()


def test_a_forked_child_opens_its_own(file, served):
    """As web servers fork their workers: parent and child both go on, and count together."""
    delivery = load(file)
    delivery.send(message("1"))
    child = multiprocessing.get_context("fork").Process(target=lambda: (delivery.send(message("2")), delivery.close()))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    delivery.send(message("3"))
    with pytest.raises(Limited):
        delivery.send(message("4"))
    delivery.close()
    assert len(served.inbox) == 3
