"""The page's form, over HTTP: what there is to choose from, and test messages that are sent with it."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from authmail import UsageType, connector_ids
from authmail.templates.samples import starter_templates
from authmail.web.api import NUMBER, error, found_or_error, id_of

if TYPE_CHECKING:
    from authmail.sandbox.server import Sandbox

_LONGEST_VALUE = 1000


def add_form(application: web.Application, sandbox: "Sandbox") -> None:
    """Add the routes of the form."""
    attempts = sandbox.attempts

    async def attempt(request: web.Request) -> web.Response:
        return found_or_error(attempts.get(id_of(request)), "attempt")

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

    application.router.add_post("/api/attempts", start)
    application.router.add_get(f"/api/attempts/{NUMBER}", attempt)
    application.router.add_get("/api/sandbox", about)


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
