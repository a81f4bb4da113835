"""A provider over HTTP on loopback that answers as it was recorded, or as a check wants it."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from aiohttp import web

from authmail.testing.exchange import Answer, Step
from authmail.testing.wire import Request

_PATIENCE = 2.0

Respond = Callable[[Request, int], Answer]


def in_order(steps: Sequence[Step]) -> Respond:
    """Answer the first request with the first answer, and so on; one too many gets a 500."""
    return lambda _, number: steps[number].answer if number < len(steps) else Answer(500)


def by_path(steps: Sequence[Step]) -> Respond:
    """Answer every request as the one with its method and path was answered, else with the last answer."""
    known = {(step.request.get("method", "POST"), step.request.get("path", "/")): step.answer for step in steps}
    return lambda request, _: known.get((request.method, request.path), steps[-1].answer)


class Provider:
    """Served as long as the context is open.

    Args:
        respond: gets a request and how many came before it, gives the answer.

    Attributes:
        requests: those that came.
        connections: how many were made.
        arrived: set when a request has come.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.connections = 0
        self.arrived = asyncio.Event()
        self._server = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._listening: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        def accepted() -> asyncio.BaseProtocol:
            self.connections += 1
            return self._server()

        self._listening = await asyncio.get_running_loop().create_server(accepted, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listening is not None:
            self._listening.close()
        await self._server.shutdown(0.01)

    @property
    def url(self) -> str:
        """Where it is."""
        if self._listening is None:
            raise RuntimeError("the provider is not open")
        return f"http://127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    async def left(self) -> bool:
        """Whether the client closes all its connections within a while."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while self._server.connections:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        seen = Request(request.method, request.raw_path, headers, await request.read())
        self.requests.append(seen)
        self.arrived.set()
        answer = self.respond(seen, len(self.requests) - 1)
        if answer.mishap == "silence":
            await asyncio.Event().wait()
        if answer.mishap == "cut" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
