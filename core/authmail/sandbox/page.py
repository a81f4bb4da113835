"""The inbox's page and the frame of a mail: what a mail holds is a stranger's, and must not run nor reach anything."""

import re
from importlib.resources import files

from aiohttp import web

from authmail.sandbox.guard import error
from authmail.sandbox.inbox import Inbox

#: Nothing from elsewhere, no inline script or style, no frame but a mail's, and no text that becomes HTML.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
#: No script, no form, no request at all; links open outside, by a person's click. Also where it is opened by itself.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_FILES = {
    "/": ("index.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/detail.js": ("detail.js", "text/javascript"),
    "/words.js": ("words.js", "text/javascript"),
    "/words.json": ("words.json", "application/json"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_LINK = re.compile(r"<(a|area)(?=[\s/>])", re.IGNORECASE)


def add_page(application: web.Application, inbox: Inbox) -> None:
    """Add the page's files, and the HTML part of every mail under ``/mails/{id}``."""
    folder = files("authmail.sandbox") / "assets"

    def add_file(path: str, name: str, content_type: str) -> None:
        async def answer(_: web.Request) -> web.Response:
            headers = {"Content-Security-Policy": PAGE_POLICY}
            return web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)

        content = (folder / name).read_bytes()
        application.router.add_get(path, answer)

    for path, (name, content_type) in _FILES.items():
        add_file(path, name, content_type)

    async def mail(request: web.Request) -> web.Response:
        found = inbox.get(int(request.match_info["id"]))
        if found is None or found.html is None:
            return error(404, "there is no HTML of a message with this id")
        headers = {"Content-Security-Policy": MAIL_POLICY}
        return web.Response(text=opening_outside(found.html), content_type="text/html", headers=headers)

    application.router.add_get(r"/mails/{id:\d{1,18}}", mail)


def opening_outside(html: str) -> str:
    """Return HTML whose links open in a new tab that cannot look back.

    Of an attribute that is there twice, browsers take the first; without quotes of our own, no text is broken. This is
    for convenience: what keeps a mail in is the policy.
    """
    return _LINK.sub(r"<\1 target=_blank rel=noreferrer ", html)
