"""What went on, over HTTP: activity as the page lists it, and exchanges with providers."""

import asyncio
import secrets
from typing import TYPE_CHECKING

from aiohttp import web

from authmail.sandbox.activity import activity
from authmail.web.api import LONGEST_WAIT, NUMBER, error, found_or_error, id_of

if TYPE_CHECKING:
    from authmail.sandbox.server import Sandbox


def add_records(application: web.Application, sandbox: "Sandbox") -> None:
    """Add the routes of activity and exchanges."""
    inbox, attempts = sandbox.inbox, sandbox.attempts
    run = secrets.token_hex(4)  # after a restart, counts begin anew

    async def all_activity(request: web.Request) -> web.Response:
        try:
            timeout = float(request.query.get("timeout", "0"))
        except ValueError:
            timeout = -1
        if not 0 <= timeout <= LONGEST_WAIT:
            return error(400, "timeout is between 0 and 60 seconds")
        if request.query.get("version") == f"{run}-{inbox.changes.count}":
            try:
                async with asyncio.timeout(timeout):
                    await inbox.changes.next()
            except TimeoutError:
                return web.Response(status=204)
        version = f"{run}-{inbox.changes.count}"
        return web.json_response({"version": version, "entries": await activity(inbox, attempts)})

    async def exchanges(_: web.Request) -> web.Response:
        return web.json_response([exchange.to_dict() for exchange in inbox.exchanges])

    async def exchange(request: web.Request) -> web.Response:
        return found_or_error(inbox.exchanges.get(id_of(request)), "exchange")

    application.router.add_get("/api/activity", all_activity)
    application.router.add_get("/api/exchanges", exchanges)
    application.router.add_get(f"/api/exchanges/{NUMBER}", exchange)
