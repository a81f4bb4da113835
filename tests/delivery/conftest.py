"""Senders that answer by a script, and time that passes by itself."""

import asyncio

import pytest

from authmail import Message, Receipt
from authmail.testing.fake_time import run_in_fake_time


class ScriptedSender:
    """Answers with one thing after the other, the last one for ever: a Receipt, an error, or seconds to wait first."""

    def __init__(self, *answers, name="scripted", takes=0.0):
        self.answers = list(answers) or [Receipt("1")]
        self.name = name
        self.takes = takes
        self.calls = []

    async def send(self, message, *, timeout=None):
        self.calls.append((asyncio.get_running_loop().time(), message, timeout))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if self.takes:
            await asyncio.sleep(self.takes)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    @property
    def times(self):
        """When it was asked."""
        return [round(time, 3) for time, _, _ in self.calls]


@pytest.fixture
def scripted():
    """Make a sender: ``scripted(NotSent(), Receipt("1"), name="one")``."""
    return ScriptedSender


@pytest.fixture
def in_fake_time():
    """Run a coroutine with time that jumps."""
    return run_in_fake_time


@pytest.fixture
def code():
    """A message whose repeat is harmless."""
    return Message("zoe@example.com", "SignIn", {"code": "123456"})


@pytest.fixture
def invitation():
    """A message whose repeat is not."""
    return Message("zoe@example.com", "OrganizationInvitation", {"link": "https://example.com/i/abc"})
