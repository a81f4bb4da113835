"""What an attacker aims at: a service of the host's own network, here on loopback. It must never be asked."""

import asyncio

import attrs
import pytest
from aiohttp import web


@attrs.define
class MetadataService:
    """What clouds have at 169.254.169.254, with credentials for whoever asks."""

    port: int = 0
    asked: list[str] = attrs.field(factory=list)

    async def answer(self, request):
        self.asked.append(f"{request.method} {request.path}")
        return web.json_response({"AccessKeyId": "ASIA-CANARY", "id": "m-1", "SecretAccessKey": "CANARY"})


@pytest.fixture
async def metadata():
    """The service, listening at 127.0.0.1."""
    service = MetadataService()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    yield service
    await runner.cleanup()


@attrs.define
class Proxy:
    """An HTTP proxy that notes where it is sent, and goes nowhere."""

    url: str = ""
    asked: list[str] = attrs.field(factory=list)


@pytest.fixture
async def proxy():
    """The proxy, listening at 127.0.0.1."""
    noted = Proxy()

    async def serve(reader, writer):
        noted.asked.append((await reader.readline()).decode().strip())
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    noted.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield noted
    server.close()
    await server.wait_closed()
