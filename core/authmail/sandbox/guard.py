"""Who may ask the inbox: its own page and programs, and no other web page, be it that of a mail."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address

from aiohttp import web

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    # What a link of a mail opens cannot reach back to the page.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Keep web pages out that a developer has open: mails in the inbox hold codes.

    A foreign page cannot read answers of another origin, unless its own name is made to point here (DNS rebinding):
    so the Host must be an address or localhost. And it must not delete or send: so a foreign Origin is refused, which
    that of a mail's frame is too, and what a browser says comes from another site, but for opening the page itself.
    """
    host, origin = request.host, request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    try:
        if not _is_local_name(host):
            response: web.StreamResponse = error(403, "open the sandbox by its address, not by a name")
        elif (host if origin is None else origin).removeprefix("http://") != host or (
            site not in ("same-origin", "none") and request.path != "/"
        ):
            response = error(403, "requests of other web pages are refused")
        else:
            response = await handler(request)
    except web.HTTPException as refusal:
        response = error(refusal.status, refusal.reason)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def error(status: int, text: str) -> web.Response:
    """Return an answer that says what is wrong."""
    return web.json_response({"error": text}, status=status)


def _is_local_name(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
