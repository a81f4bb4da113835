"""Faults over the inbox's HTTP API: what each comes to, and which provider's next mails meet one."""

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from authmail import connector_ids
from authmail.sandbox.outcomes import FaultOutcome, outcomes_of
from authmail.web.api import error

if TYPE_CHECKING:
    from authmail.sandbox.server import Sandbox


def add_faults(application: web.Application, sandbox: "Sandbox") -> None:
    """Add the routes of faults."""
    known: dict[str, asyncio.Task[dict[str, FaultOutcome]]] = {}

    async def told(_: web.Request) -> web.Response:
        _begin(sandbox, known)
        return web.json_response({"connectors": [await _told(sandbox, connector, known) for connector in sandbox.connectors]})

    async def aim(request: web.Request) -> web.Response:
        wanted = await _read(request)
        if wanted is None:
            return error(400, "send JSON: an object with the text connector, the text or null fault, and times, a number or null")
        try:
            sandbox.fail(*wanted[:2], times=wanted[2])
        except ValueError as wrong:
            return error(400, str(wrong))
        return web.Response(status=204)

    async def clear(_: web.Request) -> web.Response:
        sandbox.inbox.aims.clear()
        return web.Response(status=204)

    async def stop(_: web.Application) -> None:
        for task in known.values():
            task.cancel()
        await asyncio.gather(*known.values(), return_exceptions=True)

    application.router.add_get("/api/faults", told)
    application.router.add_post("/api/faults", aim)
    application.router.add_delete("/api/faults", clear)
    application.on_cleanup.append(stop)


def _begin(sandbox: "Sandbox", known: dict[str, asyncio.Task[dict[str, FaultOutcome]]]) -> None:
    """Find out the outcomes of every connector's faults, side by side, and once, however many ask."""
    for connector in sandbox.connectors:
        if connector not in known and connector in connector_ids() and sandbox.faults(connector):
            known[connector] = asyncio.create_task(outcomes_of(connector))


async def _told(sandbox: "Sandbox", connector: str, known: dict[str, asyncio.Task[dict[str, FaultOutcome]]]) -> dict[str, Any]:
    """Return what may happen at a provider; the outcomes of connectors that are not installed are not known."""
    outcomes: dict[str, FaultOutcome] = {}
    if connector in known:
        outcomes = await asyncio.shield(known[connector])
    aim = sandbox.inbox.aims.get(connector)
    return {
        "id": connector,
        "aimed": aim and {"fault": aim.name, "left": aim.left},
        "faults": [
            {"fault": name, "help": fault.help, "code": fault.code} | _outcome(outcomes.get(name))
            for name, fault in sandbox.faults(connector).items()
        ],
    }


def _outcome(found: FaultOutcome | None) -> dict[str, str | None]:
    if found is None:
        return {"outcome": None, "reason": None, "goesOn": None}
    return {"outcome": found.outcome, "reason": found.reason, "goesOn": found.goes_on}


async def _read(request: web.Request) -> tuple[str, str | None, int | None] | None:
    """Return connector, fault and times; JSON alone, which no foreign page can send without asking."""
    try:
        data = await request.json() if request.content_type == "application/json" else None
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("connector"), str) or not isinstance(data.get("fault"), str | None):
        return None
    times = data.get("times", 1)
    if times is not None and (isinstance(times, bool) or not isinstance(times, int)):
        return None
    return data["connector"], data.get("fault"), times
