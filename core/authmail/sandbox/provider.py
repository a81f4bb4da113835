"""The server of one emulated provider: it records what the emulator is asked and answers."""

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from authmail.privacy import names_secret
from authmail.sandbox.aims import aiming
from authmail.sandbox.emulator import Emulator
from authmail.sandbox.exchanges import serving
from authmail.sandbox.inbox import Inbox
from authmail.words.striking import MARK

_LARGEST_REQUEST = 16 * 1024 * 1024
# Of every request, and of no interest.
_USUAL_HEADERS = {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}

# All others may be a secret, since a config can name any header for one.
_SHOWN_HEADERS = {"idempotency-key", "webhook-id", "webhook-timestamp"}


def provider_application(connector: str, emulator: Emulator, inbox: Inbox) -> web.Application:
    """Return the application that serves an emulator.

    Args:
        connector: factory id of its connector.
        emulator: what answers.
        inbox: for accepted mails and for the record.
    """
    shown = _SHOWN_HEADERS | set(getattr(emulator, "shown_headers", ()))
    secrets = [value for name, value in emulator.config.items() if names_secret(name) and isinstance(value, str)]

    async def handle(request: web.Request) -> web.StreamResponse:
        parameters = _parameters(request, await request.read())
        told = {name: value for name, value in request.headers.items() if name.lower() not in _USUAL_HEADERS}
        headers = {name: value if names_secret(name) or name.lower() in shown else MARK for name, value in told.items()}
        what = f"{request.method} {request.path}"
        with (
            serving(connector),
            aiming(inbox.aims),
            inbox.exchanges.record(connector, what, parameters, headers, confidential=secrets) as exchange,
        ):
            response = await emulator.handle(request, inbox)
            if request.transport is None or request.transport.is_closing():
                exchange.cut()
            else:
                exchange.answered(response.status, _text(response))
            return response

    application = web.Application(client_max_size=_LARGEST_REQUEST)
    application.router.add_route("*", "/{path:.*}", handle)
    return application


def _parameters(request: web.Request, body: bytes) -> dict[str, Any]:
    """Return what a request says, by query and body: a form, JSON, or a text under the name ``body``."""
    parameters: dict[str, Any] = dict(request.query)
    text = body.decode("utf-8", "replace")
    if request.content_type == "application/x-www-form-urlencoded":
        return parameters | dict(parse_qsl(text, keep_blank_values=True))
    if request.content_type.endswith("json"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return parameters | {"body": text}
        return parameters | (value if isinstance(value, dict) else {"body": value})
    return parameters | ({"body": text} if body else {})


def _text(response: web.StreamResponse) -> str:
    body = response.body if isinstance(response, web.Response) else None
    return body.decode(response.charset or "utf-8", "replace") if isinstance(body, bytes | bytearray) else ""
