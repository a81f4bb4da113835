"""The servers of the sandbox: one for the inbox, and one for each emulated provider."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from errno import EINVAL
from ipaddress import ip_address
from typing import Any, Protocol, Self

from aiohttp import web

from authmail.sandbox.inbox import Inbox, ReceivedMail

_LONGEST_WAIT = 60.0
_LARGEST_REQUEST = 16 * 1024 * 1024
_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Emulator(Protocol):
    """A local stand-in of a provider's API, from a connector's ``get_emulator`` hook."""

    @property
    def config(self) -> Mapping[str, Any]:
        """Settings that the emulator accepts, as in a config's JSON, without endpoint and templates."""

    async def handle(self, request: web.Request, inbox: Inbox) -> web.StreamResponse:
        """Answer a request as the provider does; put an accepted mail into the inbox."""


class Sandbox:
    """Emulators and their inbox, served as long as the context is open.

    Every emulator has a port of its own, since a provider's signature covers host and path and its SDK cannot be
    given a path in front.

    Args:
        emulators: connector's factory id → its emulator.
        host: address to listen at. Anybody who reaches it can read the mails.
        port: of the inbox; the emulators take the next ones in order. 0 lets the system choose all.
    """

    def __init__(self, emulators: Mapping[str, Emulator], *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.inbox = Inbox()
        self._emulators = dict(emulators)
        self._host = host
        self._port = port
        self._urls: dict[str, str] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self._urls = {"": await self._serve(stack, _inbox_application(self), self._port)}
            for offset, (connector, emulator) in enumerate(self._emulators.items(), start=1):
                application = _provider_application(emulator, self.inbox)
                self._urls[connector] = await self._serve(stack, application, self._port + offset if self._port else 0)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where the inbox is."""
        return self._urls[""]

    def endpoint(self, connector: str) -> str:
        """Return where a connector's provider is, for its ``endpoint`` setting."""
        return self._urls[connector]

    def config(self, connector: str) -> dict[str, Any]:
        """Return settings with which a connector sends into this sandbox; templates are not among them."""
        return {**self._emulators[connector].config, "endpoint": self.endpoint(connector)}

    @property
    def connectors(self) -> list[str]:
        """Factory ids of the connectors that are emulated."""
        return list(self._emulators)

    async def _serve(self, stack: AsyncExitStack, application: web.Application, port: int) -> str:
        # A handler that never answers, as a time-out fault wants it, is cancelled at the end.
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        try:
            await web.TCPSite(runner, self._host, port).start()
        except OverflowError:  # a port asked for may leave no room for all emulators
            raise OSError(EINVAL, f"port {port} of {self._host} cannot be used: the highest is 65535") from None
        except OSError as error:
            raise OSError(error.errno, f"port {port} of {self._host} cannot be used: {error.strerror}") from None
        host, bound = runner.addresses[0][:2]
        if ip_address(host).is_unspecified:  # it listens everywhere, and can be reached here
            host = "127.0.0.1" if ip_address(host).version == 4 else "::1"  # noqa: PLR2004 (IPv4)
        return f"http://{f'[{host}]' if ':' in host else host}:{bound}"


def _provider_application(emulator: Emulator, inbox: Inbox) -> web.Application:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await emulator.handle(request, inbox)

    application = web.Application(client_max_size=_LARGEST_REQUEST)
    application.router.add_route("*", "/{path:.*}", handle)
    return application


def _inbox_application(sandbox: Sandbox) -> web.Application:
    inbox = sandbox.inbox

    async def index(_: web.Request) -> web.Response:
        lines = ["authmail sandbox", "", "GET    /api/messages?to=", "GET    /api/messages/next?to=&after=&timeout="]
        lines += ["GET    /api/messages/{id}", "DELETE /api/messages", "DELETE /api/messages/{id}", ""]
        lines += [f"{connector}: {sandbox.endpoint(connector)}" for connector in sandbox.connectors]
        return web.Response(text="\n".join(lines) + "\n")

    async def messages(request: web.Request) -> web.Response:
        return web.json_response(await _listed(inbox.messages(request.query.get("to") or None)))

    async def message(request: web.Request) -> web.Response:
        mail = inbox.get(int(request.match_info["id"]))
        return web.json_response(mail.to_dict()) if mail else _error(404, "there is no message with this id")

    async def next_message(request: web.Request) -> web.Response:
        try:
            after, timeout = int(request.query.get("after", "0")), float(request.query.get("timeout", "10"))
        except ValueError:
            return _error(400, "after is a whole number, timeout a number of seconds")
        if not 0 <= timeout <= _LONGEST_WAIT:
            return _error(400, "timeout is between 0 and 60 seconds")
        try:
            mail = await inbox.wait(to=request.query.get("to") or None, after=after, timeout=timeout)
        except TimeoutError as error:
            return _error(404, str(error))
        return web.json_response(mail.to_dict())

    async def clear(_: web.Request) -> web.Response:
        inbox.clear()
        return web.Response(status=204)

    async def delete(request: web.Request) -> web.Response:
        found = inbox.delete(int(request.match_info["id"]))
        return web.Response(status=204) if found else _error(404, "there is no message with this id")

    application = web.Application(middlewares=[_guard])
    application.router.add_get("/", index)
    application.router.add_get("/api/messages", messages)
    application.router.add_get("/api/messages/next", next_message)
    application.router.add_get(r"/api/messages/{id:\d{1,18}}", message)
    application.router.add_delete("/api/messages", clear)
    application.router.add_delete(r"/api/messages/{id:\d{1,18}}", delete)
    return application


async def _listed(mails: Iterable[ReceivedMail]) -> list[dict[str, Any]]:
    items = []
    for mail in mails:
        items.append(mail.to_dict())
        await asyncio.sleep(0)  # code and link are looked for only now: meanwhile the emulators go on answering
    return items


@web.middleware
async def _guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Keep web pages out that a developer has open: mails in the inbox hold codes.

    A foreign page cannot read answers of another origin, unless its own name is made to point here (DNS rebinding):
    so the Host must be an address or localhost. And it must not delete: so a foreign Origin is refused.
    """
    origin = request.headers.get("Origin")
    try:
        if not _is_local_name(request.host):
            response: web.StreamResponse = _error(403, "open the sandbox by its address, not by a name")
        elif origin is not None and origin.removeprefix("http://") != request.host:
            response = _error(403, "requests of other web pages are refused")
        else:
            response = await handler(request)
    except web.HTTPException as error:
        response = _error(error.status, error.reason)
    response.headers.update(_HEADERS)
    return response


def _is_local_name(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
