"""The inbox over HTTP: for tests in any language, and for its page."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authmail.sandbox.aimed_api import add_faults
from authmail.sandbox.form import add_form
from authmail.sandbox.inbox import ReceivedMail
from authmail.sandbox.page import add_page
from authmail.sandbox.records import add_records
from authmail.web.api import LONGEST_WAIT, NUMBER, error, found_or_error, id_of
from authmail.web.guard import make_guard

if TYPE_CHECKING:
    from authmail.sandbox.server import Sandbox

_ROUTES = """\
GET    /                         the inbox's page
GET    /api/messages?to=
GET    /api/messages/next?to=&after=&timeout=
GET    /api/messages/{id}
DELETE /api/messages
DELETE /api/messages/{id}
GET    /api/activity?version=&timeout=
GET    /api/exchanges
GET    /api/exchanges/{id}
POST   /api/attempts
GET    /api/attempts/{id}
GET    /api/sandbox
GET    /api/faults
POST   /api/faults
DELETE /api/faults
"""


def inbox_application(sandbox: "Sandbox") -> web.Application:
    """Return the application that serves a sandbox's inbox."""
    inbox, attempts = sandbox.inbox, sandbox.attempts

    async def index(_: web.Request) -> web.Response:
        lines = [f"{connector}: {sandbox.endpoint(connector)}" for connector in sandbox.connectors]
        return web.Response(text="\n".join(["authmail sandbox", "", _ROUTES, *lines]) + "\n")

    async def messages(request: web.Request) -> web.Response:
        return web.json_response(await _listed(inbox.messages(request.query.get("to") or None)))

    async def message(request: web.Request) -> web.Response:
        mail = inbox.get(id_of(request))
        return web.json_response(mail.to_dict() | {"readable": mail.readable}) if mail else found_or_error(None, "message")

    async def next_message(request: web.Request) -> web.Response:
        try:
            after, timeout = int(request.query.get("after", "0")), float(request.query.get("timeout", "10"))
        except ValueError:
            return error(400, "after is a whole number, timeout a number of seconds")
        if not 0 <= timeout <= LONGEST_WAIT:
            return error(400, "timeout is between 0 and 60 seconds")
        try:
            mail = await inbox.wait(to=request.query.get("to") or None, after=after, timeout=timeout)
        except TimeoutError as none:
            return error(404, str(none))
        return web.json_response(mail.to_dict())

    async def clear(_: web.Request) -> web.Response:
        inbox.clear()
        attempts.clear()
        return web.Response(status=204)

    async def delete(request: web.Request) -> web.Response:
        return web.Response(status=204) if inbox.delete(id_of(request)) else found_or_error(None, "message")

    application = web.Application(middlewares=[make_guard("sandbox")])
    application.router.add_get("/api", index)
    application.router.add_get("/api/messages", messages)
    application.router.add_get("/api/messages/next", next_message)
    application.router.add_get(f"/api/messages/{NUMBER}", message)
    application.router.add_delete("/api/messages", clear)
    application.router.add_delete(f"/api/messages/{NUMBER}", delete)
    add_records(application, sandbox)
    add_form(application, sandbox)
    add_faults(application, sandbox)
    add_page(application, inbox)
    return application


async def _listed(mails: Iterable[ReceivedMail]) -> list[dict[str, Any]]:
    items = []
    for mail in mails:
        items.append(mail.to_dict())
        await asyncio.sleep(0)  # code and link are looked for only now: meanwhile the emulators go on answering
    return items
