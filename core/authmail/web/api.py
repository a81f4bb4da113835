"""What a page's API is made of: ids in paths, how long an answer may be waited for, and answers that say what is wrong."""

from typing import Any

from aiohttp import web

#: Seconds.
LONGEST_WAIT = 60.0
#: An id in a path.
NUMBER = r"{id:[0-9]{1,18}}"


def id_of(request: web.Request) -> int:
    """Return the id in a request's path."""
    return int(request.match_info["id"])


def found_or_error(item: Any, name: str) -> web.Response:
    """Return an item as JSON, or say that there is none."""
    return error(404, f"there is no {name} with this id") if item is None else web.json_response(item.to_dict())


def error(status: int, text: str) -> web.Response:
    """Return an answer that says what is wrong."""
    return web.json_response({"error": text}, status=status)
