"""The inbox's page and the frame of a mail: what a mail holds is a stranger's, and must not run nor reach anything."""

import re
from importlib.resources import files

from aiohttp import web

from authmail.sandbox.inbox import Inbox
from authmail.web.api import NUMBER, error, id_of
from authmail.web.files import add_files, add_shared_files

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
    "/faults.js": ("faults.js", "text/javascript"),
    "/words.json": ("words.json", "application/json"),
}
_LINK = re.compile(r"<(a|area)(?=[\s/>])", re.IGNORECASE)


def add_page(application: web.Application, inbox: Inbox) -> None:
    """Add the page's files, and the HTML part of every mail under ``/mails/{id}``."""

    async def mail(request: web.Request) -> web.Response:
        found = inbox.get(id_of(request))
        if found is None or found.html is None:
            return error(404, "there is no HTML of a message with this id")
        headers = {"Content-Security-Policy": MAIL_POLICY}
        return web.Response(text=opening_outside(found.html), content_type="text/html", headers=headers)

    add_shared_files(application)
    add_files(application, files("authmail.sandbox") / "assets", _FILES)
    application.router.add_get(f"/mails/{NUMBER}", mail)


def opening_outside(html: str) -> str:
    """Return HTML whose links open in a new tab that cannot look back.

    Of an attribute that is there twice, browsers take the first; without quotes of our own, no text is broken. This is
    for convenience: what keeps a mail in is the policy.
    """
    return _LINK.sub(r"<\1 target=_blank rel=noreferrer ", html)
