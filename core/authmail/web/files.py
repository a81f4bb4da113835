"""The files of a page, under a policy that lets nothing in from elsewhere."""

from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from aiohttp import web
from aiohttp.typedefs import Handler

#: Nothing from elsewhere, no inline script or style, no frame but of this server, and no text that becomes HTML.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_SHARED = {
    "/base.css": ("base.css", "text/css"),
    "/element.js": ("element.js", "text/javascript"),
    "/words.js": ("words.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


def add_files(application: web.Application, folder: Traversable, table: Mapping[str, tuple[str, str]]) -> None:
    """Serve files of a package.

    Args:
        application: has a route for each afterwards.
        folder: where they are. They are read now, so a package may also be a zip file.
        table: path → name of the file, and its content type.
    """
    for path, (name, content_type) in table.items():
        application.router.add_get(path, _answer_with((folder / name).read_bytes(), content_type))


def add_shared_files(application: web.Application) -> None:
    """Serve what every page has: icon, basics of style, making elements, and loading of words.

    The words are the page's own: at ``/words.json`` there must be, for each language, every text by its key.
    """
    add_files(application, files("authmail.web") / "assets", _SHARED)


def _answer_with(content: bytes, content_type: str) -> Handler:
    async def answer(_: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": PAGE_POLICY}
        return web.Response(body=content, content_type=content_type, charset="utf-8", headers=headers)

    return answer
