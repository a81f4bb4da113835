"""A plain ASGI application, for uvicorn: the deliveries are open as long as the worker lives."""

import json

from forking import answering

import authmail

answering.listen()
deliveries = [authmail.load(file) for file in answering.files()]


async def _live(receive, send):
    await receive()
    async with deliveries[0], deliveries[1]:
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def application(scope, receive, send):
    """Answer one ask."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    content = json.dumps(await answering.send_async(deliveries, json.loads(body)) if body else {}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": content})
