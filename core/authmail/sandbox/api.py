"""The inbox over HTTP: for tests in any language, and for its page."""

import asyncio
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authmail import UsageType, connector_ids
from authmail.sandbox.activity import activity
from authmail.sandbox.guard import error, guard
from authmail.sandbox.inbox import ReceivedMail
from authmail.sandbox.page import add_page
from authmail.templates.samples import starter_templates

if TYPE_CHECKING:
    from authmail.sandbox.server import Sandbox

_LONGEST_WAIT = 60.0
_LONGEST_VALUE = 1000
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
"""


def inbox_application(sandbox: "Sandbox") -> web.Application:
    """Return the application that serves a sandbox's inbox."""
    inbox, attempts = sandbox.inbox, sandbox.attempts
    run = secrets.token_hex(4)  # after a restart counts begin anew

    async def index(_: web.Request) -> web.Response:
        lines = [f"{connector}: {sandbox.endpoint(connector)}" for connector in sandbox.connectors]
        return web.Response(text="\n".join(["authmail sandbox", "", _ROUTES, *lines]) + "\n")

    async def messages(request: web.Request) -> web.Response:
        return web.json_response(await _listed(inbox.messages(request.query.get("to") or None)))

    async def message(request: web.Request) -> web.Response:
        mail = inbox.get(_id(request))
        return web.json_response(mail.to_dict() | {"readable": mail.readable}) if mail else _found(None, "message")

    async def next_message(request: web.Request) -> web.Response:
        try:
            after, timeout = int(request.query.get("after", "0")), float(request.query.get("timeout", "10"))
        except ValueError:
            return error(400, "after is a whole number, timeout a number of seconds")
        if not 0 <= timeout <= _LONGEST_WAIT:
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
        return web.Response(status=204) if inbox.delete(_id(request)) else _found(None, "message")

    async def all_activity(request: web.Request) -> web.Response:
        try:
            timeout = float(request.query.get("timeout", "0"))
        except ValueError:
            timeout = -1
        if not 0 <= timeout <= _LONGEST_WAIT:
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
        return _found(inbox.exchanges.get(_id(request)), "exchange")

    async def attempt(request: web.Request) -> web.Response:
        return _found(attempts.get(_id(request)), "attempt")

    async def start(request: web.Request) -> web.Response:
        values = await _values(request)
        connector = values["connector"]
        if connector not in _usable(sandbox):
            return error(400, f"connector is one of {', '.join(_usable(sandbox))}")
        if not values["type"] or not values["to"]:
            return error(400, "type and to are needed")
        locale = values["locale"] or None
        attempt = attempts.start(connector, sandbox.config(connector), values["type"], locale, values["to"])
        return web.json_response(attempt.to_dict(), status=202)

    async def about(_: web.Request) -> web.Response:
        return web.json_response(_about(sandbox))

    application = web.Application(middlewares=[guard])
    number = r"{id:\d{1,18}}"
    application.router.add_get("/api", index)
    application.router.add_get("/api/messages", messages)
    application.router.add_get("/api/messages/next", next_message)
    application.router.add_get(f"/api/messages/{number}", message)
    application.router.add_delete("/api/messages", clear)
    application.router.add_delete(f"/api/messages/{number}", delete)
    application.router.add_get("/api/activity", all_activity)
    application.router.add_get("/api/exchanges", exchanges)
    application.router.add_get(f"/api/exchanges/{number}", exchange)
    application.router.add_post("/api/attempts", start)
    application.router.add_get(f"/api/attempts/{number}", attempt)
    application.router.add_get("/api/sandbox", about)
    add_page(application, inbox)
    return application


def _id(request: web.Request) -> int:
    return int(request.match_info["id"])


def _found(item: Any, name: str) -> web.Response:
    return error(404, f"there is no {name} with this id") if item is None else web.json_response(item.to_dict())


async def _values(request: web.Request) -> dict[str, str]:
    """Read what the form of the page sends: four texts; JSON alone, which no foreign page can send without asking."""
    wanted = ("connector", "type", "locale", "to")
    try:
        data = await request.json() if request.content_type == "application/json" else None
    except (ValueError, RecursionError):
        data = None
    values = {name: data.get(name) or "" for name in wanted} if isinstance(data, dict) else {"": None}
    if not all(isinstance(value, str) and len(value) <= _LONGEST_VALUE for value in values.values()):
        raise web.HTTPBadRequest(reason="send JSON: an object with the texts connector, type, locale and to")
    return {name: str(value).strip() for name, value in values.items()}


def _usable(sandbox: "Sandbox") -> list[str]:
    """Return the emulated connectors that are installed, so that they can send."""
    installed = connector_ids()
    return [connector for connector in sandbox.connectors if connector in installed]


def _about(sandbox: "Sandbox") -> dict[str, Any]:
    usable = _usable(sandbox)
    connectors = [
        {
            "id": connector,
            "endpoint": sandbox.endpoint(connector),
            "config": sandbox.config(connector),
            "usable": connector in usable,
            "faults": [
                {"recipient": recipient, "help": fault.help, "code": fault.code}
                for recipient, fault in sandbox.faults(connector).items()
            ],
        }
        for connector in sandbox.connectors
    ]
    locales = sorted({template.locale for template in starter_templates() if template.locale})
    return {"connectors": connectors, "types": list(UsageType), "locales": locales}


async def _listed(mails: Iterable[ReceivedMail]) -> list[dict[str, Any]]:
    items = []
    for mail in mails:
        items.append(mail.to_dict())
        await asyncio.sleep(0)  # code and link are looked for only now: meanwhile the emulators go on answering
    return items
