"""What is built in an afternoon: try everything again, whatever the answer was. For comparison."""

import asyncio

from authmail import SendError


class RetryAll:
    """Repeats every error, three times, each time with all of the time."""

    def __init__(self, sender):
        self._sender = sender

    async def send(self, message, *, timeout=10.0):
        """Send, and send again."""
        for number in range(4):
            try:
                return await self._sender.send(message, timeout=timeout)
            except SendError:
                if number == 3:
                    raise
                await asyncio.sleep(2**number)
        raise AssertionError


class FailoverAll:
    """Takes the next sender after every error."""

    def __init__(self, senders):
        self._senders = senders

    async def send(self, message, *, timeout=10.0):
        """Send through the first, and through the next."""
        *first, last = self._senders
        for sender in first:
            try:
                return await sender.send(message, timeout=timeout)
            except SendError:
                continue
        return await last.send(message, timeout=timeout)
