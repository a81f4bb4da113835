import re
import zipfile
from importlib.resources import files

import pytest
from aiohttp import web

from authmail.web.files import PAGE_POLICY, add_files, add_shared_files

ASSETS = files("authmail.web") / "assets"
SHARED = {
    "/base.css": "text/css",
    "/element.js": "text/javascript",
    "/words.js": "text/javascript",
    "/icon.svg": "image/svg+xml",
}


@pytest.fixture
async def ask(serve):
    """Ask an application that serves what every page has."""
    application = web.Application()
    add_shared_files(application)
    return await serve(application)


@pytest.mark.parametrize("path", SHARED)
async def test_shared_files_are_served_as_they_are(ask, path):
    """Under their names, as UTF-8, and under the page's policy."""
    reply = await ask("GET", path)
    assert (reply.status, await reply.text()) == (200, (ASSETS / path[1:]).read_text("utf-8"))
    assert reply.headers["Content-Type"] == f"{SHARED[path]}; charset=utf-8"
    assert reply.headers["Content-Security-Policy"] == PAGE_POLICY


def test_every_shared_file_is_served():
    """None lies there for nothing."""
    assert {f"/{file.name}" for file in ASSETS.iterdir()} == set(SHARED)


async def test_only_what_the_table_names_is_served(serve, tmp_path):
    """By the path that it has there, with the type that it has there; other files of the folder are not reached."""
    (tmp_path / "start.html").write_text("<p>é</p>", "utf-8")
    (tmp_path / "secret.txt").write_text("secret")
    application = web.Application()
    add_files(application, tmp_path, {"/": ("start.html", "text/html"), "/again": ("start.html", "text/plain")})
    ask = await serve(application)
    replies = {path: await ask("GET", path) for path in ("/", "/again")}
    assert [await reply.text() for reply in replies.values()] == ["<p>é</p>"] * 2
    assert [reply.content_type for reply in replies.values()] == ["text/html", "text/plain"]
    for path in ("/start.html", "/secret.txt", "/../secret.txt", "/%2e%2e/secret.txt"):
        assert (await ask("GET", path)).status == 404


async def test_files_of_a_zip_are_served(serve, tmp_path):
    """As of a package that is imported from one."""
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        archive.writestr("assets/page.js", "start()")
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        application = web.Application()
        add_files(application, zipfile.Path(archive, "assets/"), {"/page.js": ("page.js", "text/javascript")})
    ask = await serve(application)
    assert await (await ask("GET", "/page.js")).text() == "start()"


def test_a_file_that_is_not_there_is_told_at_the_start(tmp_path):
    """Not when a person opens the page."""
    with pytest.raises(FileNotFoundError):
        add_files(web.Application(), tmp_path, {"/": ("index.html", "text/html")})


def test_the_policy_allows_nothing_but_the_pages_own():
    """No inline script or style, no other host, no form, no frame around it, and no text that becomes HTML."""
    policy = {part.split()[0]: part.split()[1:] for part in PAGE_POLICY.split("; ")}
    assert policy.pop("require-trusted-types-for") == ["'script'"]
    assert policy.pop("img-src") == ["'self'", "data:"]
    own = {name for name, sources in policy.items() if sources == ["'self'"]}
    nothing = {name for name, sources in policy.items() if sources == ["'none'"]}
    assert own == {"script-src", "style-src", "connect-src", "frame-src"}
    assert nothing == {"default-src", "base-uri", "form-action", "frame-ancestors", "trusted-types"}
    assert own | nothing == set(policy)


@pytest.mark.parametrize("file", sorted(file.name for file in ASSETS.iterdir()))
def test_shared_files_load_nothing_from_elsewhere_and_parse_no_text(file):
    """No address of another host, and no way by which a text becomes HTML or a script."""
    text = (ASSETS / file).read_text("utf-8")
    assert set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", text)) <= {"http://www.w3.org/2000/svg"}
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|eval\(|new Function|<script", text)


def test_every_colour_is_there_in_light_and_dark():
    """A page that uses a colour has it in both schemes, and base.css uses none that it does not have."""
    text = (ASSETS / "base.css").read_text("utf-8")
    light, dark = (set(re.findall(r"(--[\w-]+): #", block)) for block in re.findall(r":root \{(.*?)\n *\}", text, re.DOTALL))
    assert light == dark != set()
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= light | {"--mono"}
