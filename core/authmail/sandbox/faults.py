"""Faults that emulators show on demand, chosen by the recipient's part before the ``@``; those of every provider, as data."""

import asyncio
from collections.abc import Callable, Mapping

import attrs
from aiohttp import web

from authmail.sandbox.aims import aimed

_SLOW = 1.5


@attrs.frozen
class Fault:
    """What happens to a mail.

    Args:
        help: in words.
        status: status of the answer.
        code: the provider's error code, where the fault is an answer of its own.
        retry_after: seconds after which the provider wants to be asked again.
        action: ``refuse`` with status and code, in the provider's own words; ``crash-after``, the same after the mail was
            taken; ``in-flight``, the same for the first request of a key alone; ``no-id``, an acceptance without its
            proof; ``lose``, no answer to the first request of a key; a word of :func:`perform`; or a word that only this
            emulator knows.
    """

    help: str
    status: int = 400
    code: str | None = None
    retry_after: float | None = None
    action: str = "refuse"


#: What may happen with any provider over HTTP.
HTTP_FAULTS: dict[str, Fault] = {
    "html": Fault("an HTML error page of something in between", 502, action="page"),
    "garbage": Fault("a success that is not JSON", 200, action="garbage"),
    "cut": Fault("the connection is cut, the mail not accepted", action="cut"),
    "cut-after": Fault("the mail is accepted, then the connection cut", action="cut-after"),
    "timeout": Fault("the mail is accepted, but no answer comes", action="hang"),
    "slow": Fault("the answer takes 1.5 s", action="slow"),
    "redirect": Fault("a redirect to another place", 302, action="redirect"),
}


def fault_of(recipient: str, faults: Mapping[str, Fault]) -> Fault | None:
    """Return the fault of a mail: one that is aimed at its provider, else the one that its recipient's address asks for.

    That is ``throttled@…``, also ``throttled+anything@…``. In a conversation, ask once for each mail: what is aimed is counted.
    """
    return aimed() or faults.get(recipient.partition("@")[0].partition("+")[0].lower())


async def perform(fault: Fault, request: web.Request, accept: Callable[[], object]) -> web.StreamResponse | None:
    """Do what a fault of :data:`HTTP_FAULTS` says.

    Args:
        fault: the fault.
        request: the request that asks for it.
        accept: puts the mail into the inbox.

    Returns:
        The answer; None where the emulator answers as if there were no fault.
    """
    if fault.action in ("cut-after", "hang"):
        accept()
    if fault.action == "hang":
        await asyncio.Event().wait()
    if fault.action in ("cut", "cut-after"):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    if fault.action == "slow":
        await asyncio.sleep(_SLOW)
    if fault.action == "page":
        return web.Response(status=fault.status, text="<html><body><h1>Bad Gateway</h1></body></html>", content_type="text/html")
    if fault.action == "garbage":
        return web.Response(text="<html>ok</html>", content_type="text/html")
    if fault.action == "redirect":
        return web.Response(status=fault.status, headers={"Location": "https://elsewhere.invalid/"})
    return None
