"""Real connectors and servers of three kinds on loopback: what the inboxes hold is counted against the answers."""

import asyncio
from contextlib import AsyncExitStack

import pytest

import authmail
from authmail import Egress, Mailer, Message, OutcomeUnknown, Receipt, SendError, Template, hookimpl
from authmail.delivery import Dedupe, Delivery, Failover, Limits, Retry
from authmail.sandbox import Sandbox
from authmail_aliyun_dm.emulator import FAULTS

ALIYUN, SMTP, HTTP = "aliyun-direct-mail", "simple-mail-transfer-protocol", "http-email"
TEMPLATES = [
    Template("Generic", "{{code}} is your code", "<p>Hello, your code is {{code}}.</p>"),
    Template("OrganizationInvitation", "Join", '<p><a href="{{link}}">Join</a></p>'),
]


class Attempts:
    """Remembers each attempt's outcome by recipient."""

    def __init__(self):
        self.outcomes = {}

    @hookimpl
    def attempt(self, message, sender, error):
        self.outcomes.setdefault(message.to, []).append(error.outcome if error else "accepted")


@pytest.fixture
async def stack():
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
async def sandboxes(stack):
    """One for each connector, each with an inbox of its own."""
    return {
        connector: await stack.enter_async_context(Sandbox({connector: authmail.get_connector(connector).get_emulator()}))
        for connector in (ALIYUN, SMTP, HTTP)
    }


@pytest.fixture
async def attempts():
    return Attempts()


@pytest.fixture
async def delivery(stack, sandboxes, attempts):
    """Aliyun, then SMTP, then HTTP, with everything around them."""
    mailers = {
        connector: Mailer(connector, sandbox.config(connector), templates=TEMPLATES, egress=Egress.ANY)
        for connector, sandbox in sandboxes.items()
    }
    policies = Dedupe(Limits(Retry(Failover(mailers), attempts=2, first_delay=0.01), recipient=None))
    return await stack.enter_async_context(Delivery(policies, plugins=[attempts]))


def held(sandboxes, to=None):
    """How many mails each inbox holds."""
    return [len(sandbox.inbox.messages(to)) for sandbox in sandboxes.values()]


async def test_each_kind_takes_over_from_the_one_before(delivery, sandboxes):
    """A revoked key, then a relay that is gone: one mail each time, and the Receipt says who took it."""
    message = [Message(f"{number}@example.com", "SignIn", {"code": f"12345{number}"}) for number in range(3)]
    assert (await delivery.send(message[0])).connector == ALIYUN
    sandboxes[ALIYUN]._emulators[ALIYUN].access_keys.clear()
    assert (await delivery.send(message[1])).connector == SMTP
    await sandboxes[SMTP].__aexit__(None, None, None)
    assert (await delivery.send(message[2])).connector == HTTP
    assert held(sandboxes) == [1, 1, 1]


@pytest.mark.parametrize("payload", [{"code": "123456"}, {"link": "https://example.com/join"}], ids=["a code", "an invitation"])
async def test_the_inboxes_agree_with_the_answers(delivery, sandboxes, attempts, payload):
    """For every fault of the first provider that needs no waiting: accepted is in a mailbox, not sent is in none, and two
    mails have an unknown outcome between them that may be resent."""
    kind = "SignIn" if "code" in payload else "OrganizationInvitation"
    names = [name for name in FAULTS if name not in ("timeout", "lost", "slow")]

    async def answer(name):
        try:
            return await delivery.send(Message(f"{name}@example.com", kind, payload), timeout=5)
        except SendError as error:
            return error

    answers = {}
    for name in names:  # one after the other, and with the breakers closed: each fault is met by the first provider
        for breaker in delivery._sender._sender._sender._sender._senders:
            breaker._open_until, breaker._failed = None, 0
        answers[name] = await answer(name)
    assert {type(answers[name]).__name__ for name in names} >= {"Receipt", "MessageRejected"}
    for name, result in answers.items():
        mails = sum(held(sandboxes, f"{name}@example.com"))
        met = attempts.outcomes[f"{name}@example.com"]
        if isinstance(result, Receipt):
            assert mails >= 1, name
        elif not isinstance(result, OutcomeUnknown):
            assert mails == 0, (name, result)
        assert mails <= 1 + met.count("unknown"), (name, met)
        assert "code" in payload or mails <= 1, (name, met)


async def test_many_at_once_through_a_failing_provider(delivery, sandboxes):
    """A hundred people while the first provider's key is revoked: each has one mail, from somebody else."""
    sandboxes[ALIYUN]._emulators[ALIYUN].access_keys.clear()
    messages = [Message(f"user{number}@example.com", "SignIn", {"code": f"{number:06}"}) for number in range(100)]
    receipts = await asyncio.gather(*(delivery.send(message) for message in messages))
    assert {receipt.connector for receipt in receipts} <= {SMTP, HTTP}
    assert sum(held(sandboxes)) == 100
    assert all(sum(held(sandboxes, message.to)) == 1 for message in messages)
