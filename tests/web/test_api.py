import pytest
from aiohttp import web

from authmail.web.api import NUMBER, error, found_or_error, id_of


class Item:
    def to_dict(self):
        return {"id": 7}


@pytest.fixture
async def ask(serve):
    """Ask for items, of which there is one, with the id 7; another route tells the id that it read."""

    async def item(request):
        return found_or_error({7: Item()}.get(id_of(request)), "item")

    async def read(request):
        return web.json_response(id_of(request))

    application = web.Application()
    application.router.add_get(f"/items/{NUMBER}", item)
    application.router.add_get(f"/ids/{NUMBER}", read)
    return await serve(application)


async def test_an_item_is_json_or_missing(ask):
    """By its id; else it says what there is not."""
    found, missing = await ask("GET", "/items/7"), await ask("GET", "/items/8")
    assert (found.status, await found.json()) == (200, {"id": 7})
    assert (missing.status, await missing.json()) == (404, {"error": "there is no item with this id"})


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)])
async def test_an_id_is_read_from_the_path(ask, text, number):
    """As the number that it is."""
    assert await (await ask("GET", f"/ids/{text}")).json() == number


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "1x", "9" * 19, "1/2"])
async def test_what_is_no_id_has_no_route(ask, text):
    """So that no handler meets it, nor a number of any length."""
    assert (await ask("GET", f"/ids/{text}")).status == 404


def test_an_error_says_what_is_wrong():
    """As JSON, with the status."""
    answer = error(400, "to is needed")
    assert (answer.status, answer.content_type, answer.text) == (400, "application/json", '{"error": "to is needed"}')
