"""Emulators of providers that speak no HTTP: one listening socket each."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Protocol, runtime_checkable

from authmail.sandbox.aims import aiming
from authmail.sandbox.exchanges import serving
from authmail.sandbox.inbox import Inbox


@runtime_checkable
class StreamEmulator(Protocol):
    """A local stand-in of a provider that speaks no HTTP, from a connector's ``get_emulator`` hook."""

    @property
    def scheme(self) -> str:
        """What its address begins with, such as ``smtp``."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that the emulator accepts, as in a config's JSON, without host, port and templates."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inbox: Inbox) -> None:
        """Hold one conversation as the provider does; put an accepted mail into the inbox."""


async def listen(
    stack: AsyncExitStack, connector: str, emulator: StreamEmulator, inbox: Inbox, host: str, port: int
) -> tuple[str, int]:
    """Serve an emulator as long as the stack is open, and return address and port.

    Raises:
        OSError: the port cannot be used.
    """
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with serving(connector), aiming(inbox.aims, each=True):
                await emulator.serve(reader, writer, inbox)
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(converse(reader, writer))
        conversations.add(task)
        task.add_done_callback(conversations.discard)

    server = await asyncio.start_server(begin, host, port)

    async def end() -> None:
        server.close()
        for task in conversations:
            task.cancel()
        await asyncio.gather(*conversations, return_exceptions=True)
        await server.wait_closed()

    stack.push_async_callback(end)
    address = server.sockets[0].getsockname()
    return str(address[0]), int(address[1])
