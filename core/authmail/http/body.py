"""The body of a request, which knows how far it got."""

import asyncio

import aiohttp
from aiohttp.abc import AbstractStreamWriter

_SLICE = 64 * 1024


class Body(aiohttp.Payload):
    """A body that knows whether it began to go out; the head goes out just before it.

    Args:
        content: the bytes.

    Attributes:
        begun: whether it began to go out.
    """

    _autoclose = True

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._size = len(content)
        self.begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return it as text; part of aiohttp's interface."""
        content: bytes = self._value
        return content.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it, and be done with the connection if whoever wanted it is gone."""
        self.begun = True
        transport = getattr(writer, "transport", None)
        # In slices, so that others get a turn while megabytes go out.
        content = memoryview(self._value)
        try:
            for start in range(0, len(content), _SLICE):
                await writer.write(content[start : start + _SLICE])
        except asyncio.CancelledError:
            # Closing would wait for a server that reads nothing to take the rest.
            if transport is not None:
                transport.abort()
            raise
