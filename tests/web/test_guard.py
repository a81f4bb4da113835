import pytest
from aiohttp import web

from authmail.web.guard import make_guard

REFUSED_HOST = {"error": "open the console by its address, not by a name"}
REFUSED_PAGE = {"error": "requests of other web pages are refused"}


@pytest.fixture
async def ask(serve):
    """Ask an application behind the guard, whose handlers say that they were reached."""

    async def reached(_):
        return web.Response(text="reached")

    async def with_a_policy(_):
        return web.Response(headers={"Content-Security-Policy": "default-src 'self'"})

    async def refused(_):
        raise web.HTTPBadRequest(reason="send JSON")

    application = web.Application(middlewares=[make_guard("console")])
    application.router.add_route("*", "/", reached)
    application.router.add_route("*", "/api", reached)
    application.router.add_get("/policy", with_a_policy)
    application.router.add_get("/refused", refused)
    return await serve(application)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "192.168.1.7", "[::1]", "[fe80::1]"])
@pytest.mark.parametrize("port", ["", ":8025"])
async def test_an_address_or_localhost_may_be_asked(ask, host, port):
    """With and without a port; the page's own scripts name it as their origin too."""
    for headers in ({}, {"Origin": f"http://{host}{port}", "Sec-Fetch-Site": "same-origin"}):
        reply = await ask("DELETE", "/api", headers={"Host": host + port, **headers})
        assert (reply.status, await reply.text()) == (200, "reached")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost", "1.2.3", "x]"]
)
@pytest.mark.parametrize("port", ["", ":8025"])
async def test_a_name_that_was_made_to_point_here_is_refused(ask, host, port):
    """Also for the page itself: what is read by that name belongs to a foreign page."""
    for path in ("/", "/api"):
        reply = await ask("GET", path, headers={"Host": host + port})
        assert (reply.status, await reply.json()) == (403, REFUSED_HOST)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "http://evil.example",
        "http://127.0.0.1:1",
        "https://127.0.0.1:8025",
        "http://localhost:8025",
        "http://127.0.0.1",
    ],
)
async def test_a_foreign_origin_is_refused(ask, origin):
    """Whatever it asks; another port, scheme or name of this machine is foreign, and a sandboxed frame has the origin null."""
    for method, path in (("GET", "/"), ("POST", "/api"), ("DELETE", "/api")):
        reply = await ask(method, path, headers={"Host": "127.0.0.1:8025", "Origin": origin})
        assert (reply.status, await reply.json()) == (403, REFUSED_PAGE)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "of-the-future"])
async def test_what_comes_from_another_site_may_open_the_page_alone(ask, site):
    """As a link does, which has no origin; nothing below it."""
    assert (await ask("GET", "/", headers={"Sec-Fetch-Site": site})).status == 200
    reply = await ask("GET", "/api", headers={"Sec-Fetch-Site": site})
    assert (reply.status, await reply.json()) == (403, REFUSED_PAGE)


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_a_persons_own_requests_are_answered(ask, site):
    """Of the page, or by an address that was typed."""
    assert (await ask("GET", "/api", headers={"Sec-Fetch-Site": site})).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/api", {"Origin": "null"}, 403),
        ("/api", {"Host": "x.y"}, 403),
        ("/refused", {}, 400),
        ("/nothing", {}, 404),
    ],
)
async def test_every_answer_has_the_headers(ask, path, headers, status):
    """Also a refusal, and what there is not."""
    reply = await ask("GET", path, headers=headers)
    assert reply.status == status
    assert {
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }.items() <= dict(reply.headers).items()


async def test_a_policy_of_an_answers_own_stays(ask):
    """The guard's is for those that have none."""
    assert (await ask("GET", "/policy")).headers.getall("Content-Security-Policy") == ["default-src 'self'"]


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/refused", 400, "send JSON"),
        ("GET", "/nothing", 404, "Not Found"),
        ("POST", "/policy", 405, "Method Not Allowed"),
    ],
)
async def test_what_a_handler_refuses_is_json(ask, method, path, status, reason):
    """With its own reason, and that of a path or method that there is not."""
    reply = await ask(method, path)
    assert (reply.status, await reply.json()) == (status, {"error": reason})
