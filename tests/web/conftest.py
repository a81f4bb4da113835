"""Applications on loopback, and requests to them."""

from contextlib import AsyncExitStack

import aiohttp
import pytest
from aiohttp import web


@pytest.fixture
async def serve():
    """Serve an application; gives a function that asks it, whose replies have their text read."""
    async with AsyncExitStack() as stack:

        async def serve(application):
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            session = await stack.enter_async_context(aiohttp.ClientSession())

            async def ask(method, path, **options):
                url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
                async with session.request(method, url, **options) as reply:
                    await reply.read()
                    return reply

            return ask

        yield serve
