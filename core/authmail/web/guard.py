"""Who may ask a server on this machine: its own page and programs, and no other web page."""

from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from authmail.web.api import error

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    # What a link opens cannot reach back to the page.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def make_guard(name: str) -> Middleware:
    """Return what keeps web pages out that a developer has open, and gives every answer its headers.

    Args:
        name: of what is guarded, for a person who opens it by a host's name.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        refusal = _refusal(request, name)
        try:
            response = await handler(request) if refusal is None else refusal
        except web.HTTPException as exception:
            response = error(exception.status, exception.reason)
        for header, value in _HEADERS.items():
            response.headers.setdefault(header, value)
        return response

    return guard


def _refusal(request: web.Request, name: str) -> web.Response | None:
    """Return why a request is refused.

    A foreign page cannot read answers of another origin, unless its own name is made to point here (DNS rebinding):
    so the Host must be an address or localhost. And it must not change anything: so a foreign Origin is refused, which
    that of a sandboxed frame is too, and what a browser says comes from another site, but for opening the page itself.
    """
    host, origin = request.host, request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if not _is_local_name(host):
        return error(403, f"open the {name} by its address, not by a name")
    is_foreign_origin = (host if origin is None else origin).removeprefix("http://") != host
    if is_foreign_origin or (site not in ("same-origin", "none") and request.path != "/"):
        return error(403, "requests of other web pages are refused")
    return None


def _is_local_name(host: str) -> bool:
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
