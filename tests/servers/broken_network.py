"""A network between a client and a server on loopback, which stops forwarding in the middle of an answer, or cuts it."""

import asyncio
import socket
import struct
from contextlib import suppress

# Off, and no time to linger: closing says RST (socket(7)).
_RESET = struct.pack("ii", 1, 0)


class Network:
    """Forwards connections to a port. ``async with`` begins and ends it.

    Args:
        port: of the server.

    Attributes:
        has_broken: is set once an answer was.
    """

    def __init__(self, port):
        self._server_port = port
        self._server = None
        self._tasks = set()
        self._writers = set()
        self._how = "whole"
        self.has_broken = asyncio.Event()

    def breaks(self, how):
        """Say what becomes of answers from now on.

        Args:
            how: ``hangs``: a byte comes, then nothing more on that connection; ``cuts``: a byte comes, then a reset;
                ``swallows``: nothing comes; ``whole``: as if there were no network.
        """
        self._how = how

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _accept(self, reader, writer):
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        with suppress(OSError, asyncio.CancelledError):
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
            self._writers.add(server_writer)
            asking = asyncio.create_task(self._forward(reader, server_writer))
            try:
                await self._answer(server_reader, writer)
            finally:
                asking.cancel()
                await asyncio.wait({asking})

    async def _forward(self, reader, writer):
        with suppress(OSError):
            while part := await reader.read(65536):
                writer.write(part)
                await writer.drain()
            writer.close()

    async def _answer(self, reader, writer):
        while part := await reader.read(65536):
            how = self._how
            if how == "whole":
                writer.write(part)
                await writer.drain()
                continue
            self.has_broken.set()
            if how != "swallows":
                writer.write(part[:1])
            if how == "cuts":
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
                return
            await asyncio.Event().wait()
        writer.close()
