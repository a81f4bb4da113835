"""What the processes of one store tell each other of an account that is not to be asked."""

import asyncio

import pytest

from authmail import AccountError, Mailer, Message, Template, Throttled
from authmail.delivery import Breaker, MemoryStore

TEMPLATES = [Template("SignIn", "{{code}}", "<p>{{code}}</p>")]


class Answering(Mailer):
    """A Mailer of the one account, whose provider always fails in one way."""

    def __init__(self, error, takes):
        super().__init__("resend", {"apiKey": "re_1", "from": "a@mail.example.com"}, templates=TEMPLATES)
        self._answer, self._takes, self.asked = error, takes, 0

    async def send(self, message, *, timeout=None):
        self.asked += 1
        await asyncio.sleep(self._takes)
        raise self._answer.afresh()


def test_a_shorter_opening_leaves_a_longer_one(in_fake_time):
    """Two processes whose first messages are under way at once: what one hears of the account holds for both, whoever is told last."""
    longer = Answering(AccountError("revoked", reason="credentials"), 0.1)
    shorter = Answering(Throttled("slow down", retry_after=1.0), 0.3)

    async def send():
        store = MemoryStore(clock=lambda: asyncio.get_running_loop().time())
        one, two = (Breaker(mailer, store=store, rest=60.0) for mailer in (longer, shorter))
        message = Message("zoe@example.com", "SignIn", {"code": "123456"})
        await asyncio.gather(one.send(message), two.send(message), return_exceptions=True)
        for _ in range(10):
            await asyncio.sleep(3)
            for breaker in (one, two):
                with pytest.raises(AccountError):
                    await breaker.send(message)
        return one.state, two.state

    assert in_fake_time(send()) == ("open", "open")
    assert (longer.asked, shorter.asked) == (1, 1)
