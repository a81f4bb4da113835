"""Fixtures that several rooms share: a real sandbox on loopback, and configs for it."""

import gc
import json
import logging
import os
import socket
import uuid
from pathlib import Path
from weakref import WeakSet

import hypothesis
import pytest
from store_servers import PostgresServer, RedisServer, running

import authmail
from authmail import Egress, Mailer
from authmail.sandbox import Sandbox
from authmail.testing.served import ServedSandbox
from authmail_aliyun_dm.emulator import DirectMailEmulator

VECTORS = Path(__file__).parent / "vectors"
ALIYUN = "aliyun-direct-mail"

# What is printed is in English, whatever the tester reads.
os.environ["LC_ALL"] = "C.UTF-8"

# Properties are tried on the same examples each time, so that nobody's change fails for another's. For new ones, and
# many: pytest tests/properties --hypothesis-profile=thorough. Nothing is judged by how long it took: machines differ.
hypothesis.settings.register_profile("authmail", deadline=None, derandomize=True, database=None, max_examples=100)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile("authmail")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    """Several workers send their reports to one: what was logged may hold halves of surrogate pairs, which they cannot send."""
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]


class Complaints(logging.Handler):
    """What asyncio only logs fails a test, as other warnings do: a task that ended unheard, or was dropped before it ended.

    It is raised where a task is dropped, and pytest takes it from there. asyncio logs what is raised while it logs: the third text.
    """

    TEXTS = ("never retrieved", "was destroyed", "Exception in default exception handler")

    def emit(self, record):
        said = record.getMessage()
        if any(text in said for text in self.TEXTS):
            raise AssertionError(said)


logging.getLogger("asyncio").addHandler(Complaints())


def open_sockets():
    """Return those of the network, whoever holds them; the others are event loops' own."""
    found = (one for one in gc.get_objects() if issubclass(type(one), socket.socket))
    return WeakSet(one for one in found if one.fileno() != -1 and one.family in (socket.AF_INET, socket.AF_INET6))


@pytest.fixture(scope="module", autouse=True)
def nothing_stays_open():
    """What a module's tests open is closed after them: what is still held when the process ends, no test can complain of."""
    before = open_sockets()
    yield
    if open_sockets() - before:
        gc.collect()
    assert list(open_sockets() - before) == []


TEMPLATES = [
    {
        "usageType": usage_type,
        "subject": f"{{{{code}}}} for {usage_type}",
        "content": f"<p>Hello, your {usage_type} code is <b>{{{{code}}}}</b>.</p>",
    }
    for usage_type in ("SignIn", "Register", "ForgotPassword", "Generic")
]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A Redis server that no test stops; each has a prefix of its own."""
    with running(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory):
    """A PostgreSQL server that no test stops; each has a schema of its own."""
    with running(PostgresServer(tmp_path_factory.mktemp("postgres"))) as server:
        yield server


@pytest.fixture
def own():
    """A name that no other test has."""
    return f"t{uuid.uuid4().hex[:20]}"


@pytest.fixture
def vectors():
    """Read a file of vectors: ``vectors("logto/template_choice")``."""
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def aliyun():
    """The installed Aliyun connector."""
    return authmail.get_connector(ALIYUN)


@pytest.fixture
def raw():
    """A valid Aliyun config, as an admin wrote it."""
    return {
        "accessKeyId": "sandbox-access-key",
        "accessKeySecret": "sandbox-secret",
        "accountName": "no-reply@mail.sandbox.example",
        "templates": [dict(template) for template in TEMPLATES],
    }


@pytest.fixture
async def sandbox():
    """A sandbox with Direct Mail in it."""
    async with Sandbox({ALIYUN: DirectMailEmulator()}) as running:
        yield running


@pytest.fixture
async def mailer(sandbox, raw):
    """A Mailer that sends into the sandbox."""
    async with Mailer(ALIYUN, {**raw, "endpoint": sandbox.endpoint(ALIYUN)}, egress=Egress.ANY) as opened:
        yield opened


@pytest.fixture
def served():
    """A sandbox on a loop of a thread of its own, as one of another process would be."""
    with ServedSandbox({ALIYUN: DirectMailEmulator()}) as running:
        yield running
